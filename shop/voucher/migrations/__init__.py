"""Oscar's own migrations of `voucher`, found where Oscar keeps them, followed by ours."""

from oscar.apps.voucher import migrations as upstream

__path__ = [*__path__, *upstream.__path__]
