"""Time and its presentation.

In: what to run. Out: seconds, and lines that state ratios.
Guarantee: times are of the wall clock; every ratio is printed with both of its parts.
Trusted: no.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def slat(*words: str) -> float:
    """How long a `slat` command takes as a process of its own; it must succeed."""
    command = [sys.executable, "-m", "verifier", *words]
    return seconds(lambda: subprocess.run(command, cwd=ROOT, check=True, capture_output=True))


def ratio(name: str, part: tuple[str, float], peer: tuple[str, float], limit: str) -> str:
    """One line: the ratio of `part` to `peer`, each with its name and seconds."""
    value = part[1] / peer[1]
    return f"{name:<4} {value:6.2f}  ({limit})  {part[0]} {part[1]:.2f} s / {peer[0]} {peer[1]:.2f} s"
