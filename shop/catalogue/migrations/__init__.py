"""Oscar's own migrations of `catalogue`, found where Oscar keeps them, followed by ours."""

from oscar.apps.catalogue import migrations as upstream

__path__ = [*__path__, *upstream.__path__]
