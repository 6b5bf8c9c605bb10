"""What every connector is tested by, in this repository and in a package of its own. Needs pytest; nothing of the
running shop imports it. How to use it: docs/connectors/adding.md."""

import pytest

pytest.register_assert_rewrite(f"{__name__}.contract", f"{__name__}.hearing")
