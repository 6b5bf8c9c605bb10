"""One page as Lighthouse's phone sees it: a slow processor and a slow network, both simulated."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime import chromium

CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
SECONDS = 180
TRIES = 3
# Chromium recorded nothing, so there is nothing to judge: Lighthouse itself says "Please run Lighthouse again".
NO_TRACE = ("NO_NAVSTART", "NO_TRACING_STARTED", "NO_SCREENSHOTS")


@dataclass(frozen=True, slots=True)
class Run:
    """Scores from 0 to 100 by category; `lcp` and `tbt` in milliseconds, `cls` without unit, `weight` in
    bytes."""

    report: Path
    scores: dict[str, int]
    lcp: float
    tbt: float
    cls: float
    weight: int
    power: float  # Lighthouse's benchmark of this machine, just then
    slowdown: float  # how many times slower it was made
    failed: tuple[str, ...]  # accessibility audits


@dataclass(frozen=True, slots=True)
class Result:
    """Several runs of one page."""

    name: str
    runs: list[Run]

    def score(self, category: str) -> int:
        """Performance varies: its median. The others should not: their lowest."""
        scores = [run.scores[category] for run in self.runs]
        return int(statistics.median_low(scores)) if category == "performance" else min(scores)

    @property
    def typical(self) -> Run:
        """The run of the median performance."""
        return sorted(self.runs, key=lambda run: run.scores["performance"])[(len(self.runs) - 1) // 2]


def look(program: Path, url: str, headers: Mapping[str, str], report: Path, slowdown: float) -> Run:
    """One run; its HTML and JSON are kept as `report` with .report.html and .report.json behind it."""
    sent = report.with_suffix(".headers.json")
    sent.write_text(json.dumps(dict(headers)), encoding="utf-8")
    flags = " ".join(["--headless=new", *chromium.FLAGS])
    command = ["node", str(program), url, "--quiet", "--output=json", "--output=html", f"--output-path={report}"]
    command += [f"--only-categories={','.join(CATEGORIES)}", f"--extra-headers={sent}", f"--chrome-flags={flags}"]
    command += [
        f"--throttling.cpuSlowdownMultiplier={slowdown}",
        "--locale=en",
        "--max-wait-for-load=60000",
        "--no-enable-error-reporting",
    ]
    env = {**os.environ, "CHROME_PATH": chromium.find() or ""}
    try:
        for _try in range(TRIES):
            done = subprocess.run(command, env=env, text=True, capture_output=True, check=False, timeout=SECONDS)
            if done.returncode == 0:
                return _read(report)
            if not any(code in done.stderr for code in NO_TRACE):
                break
    finally:
        sent.unlink()  # a cookie is in it
    raise RuntimeError(f"Lighthouse failed on {url}.\n{done.stderr.strip()[-2000:]}")


def _read(report: Path) -> Run:
    data: dict[str, Any] = json.loads(Path(f"{report}.report.json").read_text(encoding="utf-8"))
    if error := data.get("runtimeError"):
        raise RuntimeError(f"{report.name}: {error['message']}")
    audits = data["audits"]
    wrong = [audits[ref["id"]] for ref in data["categories"]["accessibility"]["auditRefs"]]
    return Run(
        report=report,
        scores={name: round(100 * data["categories"][name]["score"]) for name in CATEGORIES},
        lcp=audits["largest-contentful-paint"]["numericValue"],
        tbt=audits["total-blocking-time"]["numericValue"],
        cls=audits["cumulative-layout-shift"]["numericValue"],
        power=data["environment"]["benchmarkIndex"],
        slowdown=data["configSettings"]["throttling"]["cpuSlowdownMultiplier"],
        weight=int(audits["total-byte-weight"]["numericValue"]),
        failed=tuple(audit["title"] for audit in wrong if audit["score"] == 0),
    )
