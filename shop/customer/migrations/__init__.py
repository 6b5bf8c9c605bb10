"""Oscar's own migrations of `customer`, found where Oscar keeps them, followed by ours."""

from oscar.apps.customer import migrations as upstream

__path__ = [*__path__, *upstream.__path__]
