"""Oscar's own migrations of `offer`, found where Oscar keeps them, followed by ours."""

from oscar.apps.offer import migrations as upstream

__path__ = [*__path__, *upstream.__path__]
