"""How fast this machine is just now, and how much slower Lighthouse has to make it.

Lighthouse shows pages to a slow phone by making the processor four times slower: right on an idle desktop, wrong on a
small or a busy machine, which is a slow phone already. Its own remedy is to calibrate, as Chrome's developer tools do:
by Lighthouse's benchmark such a phone has 264, so the processor is slowed down to that, four times at most.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from playwright.sync_api import Browser

SLOW_PHONE = 264.0  # a Moto G Power of 2022
MOST = 4.0  # Lighthouse's own figure


def benchmark(program: Path, browser: Browser) -> float:
    """Lighthouse's benchmark, by its own code."""
    functions = program.parents[1] / "core" / "lib" / "page-functions.js"
    code = f"import({str(functions)!r}).then(m => console.log(m.pageFunctions.computeBenchmarkIndex.toString()))"
    source = subprocess.run(["node", "-e", code], check=True, capture_output=True, text=True).stdout
    page = browser.new_page()
    try:
        return float(page.evaluate(f"({source})()"))
    finally:
        page.close()


def slowdown(power: float) -> float:
    """How many times slower a machine of that benchmark is to be made."""
    return round(min(MOST, max(1.0, power / SLOW_PHONE)), 1)
