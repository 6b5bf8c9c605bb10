"""What the audit found, as a table for people: printed, and kept in Markdown beside the reports."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from audit.axe import Finding
from audit.lighthouse import Result

LEAST = {"performance": 90, "accessibility": 95}
SHOWN = ("performance", "accessibility", "best-practices", "seo")


@dataclass(frozen=True, slots=True)
class Looked:
    """One page of a buyer, by axe."""

    name: str
    findings: list[Finding]

    @property
    def grave(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.is_grave]


def misses(results: Iterable[Result], looked: Iterable[Looked]) -> list[str]:
    """What is below the targets, in words."""
    return [
        *(
            f"{result.name}: {category} {result.score(category)}, at least {least} is wanted"
            for result in results
            for category, least in LEAST.items()
            if result.score(category) < least
        ),
        *(f"{page.name}: {finding}" for page in looked for finding in page.grave),
    ]


def tables(results: Sequence[Result], looked: Sequence[Looked]) -> str:
    """Both tables in Markdown."""
    lines = [
        "| page | " + " | ".join(SHOWN) + " | LCP | TBT | CLS | weight | slowed |",
        "|---|" + "--:|" * (len(SHOWN) + 5),
    ]
    for result in results:
        run = result.typical
        scores = " | ".join(str(result.score(category)) for category in SHOWN)
        lines.append(
            f"| {result.name} | {scores} | {run.lcp / 1000:.1f} s | {run.tbt:.0f} ms | {run.cls:.3f} "
            f"| {run.weight / 1024:.0f} KiB | {run.slowdown:.1f} × |"
        )
    lines += ["", "| axe: page | critical, serious | others |", "|---|--:|---|"]
    for page in looked:
        others = ", ".join(sorted({finding.rule for finding in page.findings if not finding.is_grave}))
        lines.append(f"| {page.name} | {len(page.grave)} | {others} |")
    return "\n".join(lines)


def calibration(results: Sequence[Result]) -> str:
    """How fast the machine was, and what was made of it."""
    powers = sorted(run.power for result in results for run in result.runs)
    return (
        f"Lighthouse's benchmark of the machine: {powers[0]:.0f} to {powers[-1]:.0f}, median "
        f"{statistics.median(powers):.0f}. Its processor was slowed down to a slow phone's (264), four times at most."
    )


def machine() -> str:
    """When and where it was measured."""
    return f"{date.today().isoformat()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def keep(folder: Path, results: Sequence[Result], looked: Sequence[Looked], versions: str) -> Path:
    """Write the summary; returns its file."""
    wrong = misses(results, looked)
    verdict = "\n".join(["Below target:", *(f"- {miss}" for miss in wrong)]) if wrong else "All targets are met."
    file = folder / "summary.md"
    parts = [f"{machine()}; {versions}", tables(results, looked), calibration(results), verdict, ""]
    file.write_text("\n\n".join(filter(None, parts)) + "\n", encoding="utf-8")
    return file
