"""The vectors of this project, as `slat vectors` writes them.

In: nothing. Out: the document in each format, and the vectors of the JSON one.
Guarantee: made once for each process of the tests; what is known from before is taken from the project's cache.
Trusted: no, it serves tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from conformance.small import MAIN

ROOT = Path(__file__).parent.parent.parent


def slat(*words: str, seed: int = 0) -> str:
    """What a process of its own prints, whose sets have an order of their own."""
    command = [sys.executable, "-c", MAIN, *words, "--root", str(ROOT)]
    env = {**os.environ, "PYTHONHASHSEED": str(seed)}
    done = subprocess.run(command, capture_output=True, check=False, text=True, env=env, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@cache
def document(form: str) -> str:
    """All vectors."""
    return slat("vectors", "--format", form)


@cache
def vectors() -> list[dict[str, Any]]:
    """Those of the JSON document."""
    return json.loads(document("json"))["vectors"]
