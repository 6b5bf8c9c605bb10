"""Tests that share one thing (a Tryton, a host, a browser) run on one worker, one after another."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("alone")
def test_groups_are_heeded(request: pytest.FixtureRequest, worker_id: str) -> None:
    """pytest-xdist 3.8 tells its scheduler by the node's name, which pytest 9.2 no longer lets it change: then every
    group was spread over all workers, without a word."""
    assert worker_id == "master" or request.node.nodeid.endswith("@alone")
