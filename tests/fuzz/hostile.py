"""Runs a command on hostile input and judges the answer."""

from __future__ import annotations

import re
import time
from pathlib import Path

from golden.cases import Said, slat

SECONDS = 60  # far more than any input here needs, also on a busy machine

ROOT = Path(__file__).parents[2]
SPECIFICATIONS = sorted(path for folder in ("specs", "proofs") for path in (ROOT / folder).rglob("*.slat"))


def judged(folder: Path, *words: str) -> Said:
    """The answer to a command line, once it is seen to be one: exit 0, 1 or 2, with located diagnostics for 2."""
    start = time.monotonic()
    said = slat(folder, *words)
    assert time.monotonic() - start < SECONDS
    assert said.exit_code in (0, 1, 2), said.err
    assert "internal error" not in said.err
    assert "Traceback" not in said.err
    blocks = [block for block in said.err.split("\n\n") if block.startswith("error[")]
    assert bool(blocks) == (said.exit_code == 2), said.err
    for block in blocks:
        assert re.search(r"^ *--> [^:]+:\d+:\d+$", block, re.MULTILINE) or re.match(r"error\[E[46]", block), block
    return said
