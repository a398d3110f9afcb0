"""The C compiler, if there is one.

In: the text of a C file. Out: what it prints when it is run.
Guarantee: compiled as GNU C11, and every warning is an error.
Trusted: no, it serves tests.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

GCC = shutil.which("gcc")
gcc = pytest.mark.skipif(GCC is None, reason="there is no gcc to compile with")


def compiled(text: str, folder: Path) -> Callable[[], subprocess.CompletedProcess[str]]:
    """A function that runs the program."""
    (folder / "case.c").write_text(text)
    words = ["gcc", "-Wall", "-Wextra", "-Werror", "-std=gnu11", f"-I{Path(__file__).parent}", "case.c", "-o", "case"]
    made = subprocess.run(words, capture_output=True, cwd=folder, text=True, timeout=60, check=False)
    assert made.returncode == 0, made.stderr
    return lambda: subprocess.run([folder / "case"], capture_output=True, text=True, timeout=60, check=False)
