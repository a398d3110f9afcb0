"""Command lines of `slat prove` in a small project.

In: words. Out: what the command says.
Guarantee: no answer holds a traceback.
Trusted: no, it serves tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from verifier.cli.main import run


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


class Slat:
    """Runs command lines in a project."""

    def __init__(self, root: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capture = capture

    def __call__(self, *words: str) -> Said:
        self._capture.readouterr()
        code = run(["prove", "--root", str(self.root), "--jobs", "1", *words])
        said = self._capture.readouterr()
        assert "Traceback" not in said.err
        return Said(code, said.out, said.err)
