"""Oscar's own migrations of `partner`, found where Oscar keeps them, followed by ours."""

from oscar.apps.partner import migrations as upstream

__path__ = [*__path__, *upstream.__path__]
