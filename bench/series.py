"""Every claim in every version of KVM, from nothing, on two cores.

In: claims. Out: the time of `slat prove` in every series over that in one, and both by the clock.
Guarantee: whole processes, start-up included, without the cache; a verdict that is unknown is counted.
Trusted: no.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.claims import project
from bench.timing import Times, ratio, timed

ONE, EVERY = "v5", "all"
JOBS = 2
DECIDED = (0, 1, 3)
"""As expected, otherwise, and over budget."""
LIMITS = {ONE: 60, EVERY: 300}
"""Seconds by the clock, on two cores that do nothing else."""


def measure(words: tuple[str, ...]) -> str:
    """The ratio, which five runs of one series would reach, and for each run its time and its verdicts."""
    times, told = {ONE: Times(), EVERY: Times()}, list[str]()
    with tempfile.TemporaryDirectory() as folder:
        for series, taken in times.items():
            with timed(taken):
                summary = _prove(series, words, Path(folder) / "results.json")
            clock = f"{taken.wall:.1f} s by the clock (at most {LIMITS[series]})"
            told.append(f"           {series}: {_counted(summary)} in {clock}")
    return "\n".join([ratio("series", times[EVERY], times[ONE], LIMITS[EVERY] / LIMITS[ONE]), *told])


def _prove(series: str, words: tuple[str, ...], results: Path) -> dict[str, int]:
    """Runs `slat prove`; what it counts. Ends as it does where it decides nothing."""
    command = [sys.executable, "-m", "verifier", "prove", "--no-cache", "--jobs", str(JOBS), "--series", series]
    command += ["--root", str(project().root), "--json", str(results), *words]
    code = subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode
    if code not in DECIDED:
        sys.exit(code)
    return json.loads(results.read_text("utf-8"))["summary"]


def _counted(summary: dict[str, int]) -> str:
    wrong = f"{summary['unknown']} unknown, {summary['not_as_expected']} not as expected"
    return f"{summary['claims']} verdicts, {wrong}"
