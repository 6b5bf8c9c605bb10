"""Oscar's own migrations of `shipping`, found where Oscar keeps them, followed by ours."""

from oscar.apps.shipping import migrations as upstream

__path__ = [*__path__, *upstream.__path__]
