"""Oscar's own migrations of `order`, found where Oscar keeps them, followed by ours."""

from oscar.apps.order import migrations as upstream

__path__ = [*__path__, *upstream.__path__]
