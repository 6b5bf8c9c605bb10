"""What every connector of this repository inherits. The tests themselves: `integrations/hub/testing`, where a package
of its own reaches them, too (docs/decisions/0020-connector-kit.md)."""

from integrations.hub.testing.contract import Contract, HttpContract
from integrations.hub.testing.hearing import HearingContract

__all__ = ["Contract", "HearingContract", "HttpContract"]
