"""Oscar's own migrations of `basket`, found where Oscar keeps them, followed by ours."""

from oscar.apps.basket import migrations as upstream

__path__ = [*__path__, *upstream.__path__]
