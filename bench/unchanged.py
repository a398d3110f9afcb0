"""R6: a run with nothing changed.

In: claims. Out: its time over that of the run before it, which decided everything.
Guarantee: both are whole processes, start-up included, in a copy of the specifications.
Trusted: no.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.claims import project
from bench.timing import Times, ratio, timed


def measure(words: tuple[str, ...]) -> str:
    """The ratio, and the time of the unchanged run by the clock, which may be 0.5 s."""
    cold, warm = Times(), Times()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for part in ("specs", "proofs"):
            shutil.copytree(project().root / part, root / part)
        for times in (cold, warm):
            with timed(times):
                _prove(root, words)
    line = ratio("unchanged", warm, cold, 0.1)
    return f"{line}\n           the unchanged run took {warm.wall:.2f} s by the clock"


def _prove(root: Path, words: tuple[str, ...]) -> None:
    """Runs `slat prove`; claims by path are those of the copy."""
    named = [str(root / word) if (root / word).exists() else word for word in words]
    command = [sys.executable, "-m", "verifier", "prove", "--jobs", "1", "--root", str(root), *named]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
