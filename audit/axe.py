"""What axe-core finds on a page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
GRAVE = ("critical", "serious")


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that a page breaks, and where."""

    rule: str
    impact: str
    help: str
    places: tuple[str, ...]

    @property
    def is_grave(self) -> bool:
        return self.impact in GRAVE

    def __str__(self) -> str:
        return f"{self.impact} {self.rule}: {self.help}\n    " + "\n    ".join(self.places)


def findings(page: Page) -> list[Finding]:
    """The worst first."""
    page.evaluate(AXE_SCRIPT)
    options = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": TAGS}}
    answer: dict[str, Any] = page.evaluate("options => axe.run(document, options)", options)
    found = [_finding(violation) for violation in answer["violations"]]
    return sorted(found, key=lambda finding: (not finding.is_grave, finding.rule))


def _finding(violation: dict[str, Any]) -> Finding:
    places = tuple(f"{node['target'][0]}  {node['html'][:160]}" for node in violation["nodes"])
    return Finding(violation["id"], violation["impact"] or "", violation["help"], places)


def version() -> str:
    """Of the axe-core that was looked with: its file begins with it."""
    found = re.search(r"axe v([\d.]+)", AXE_SCRIPT[:200])
    return found[1] if found else "?"
