"""Command lines of slat in a small project, and the files that they leave.

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
    """Runs command lines in a project; each begins with `command`."""

    def __init__(self, root: Path, capture: pytest.CaptureFixture[str], *command: str) -> None:
        self.root = root
        self._capture = capture
        self._command = command or ("prove",)

    def __call__(self, *words: str) -> Said:
        self._capture.readouterr()
        code = run([*self._command, "--root", str(self.root), "--jobs", "1", *words])
        said = self._capture.readouterr()
        assert "Traceback" not in said.err
        return Said(code, said.out, said.err)


def content(folder: Path) -> dict[str, bytes]:
    """The files in a directory, by their paths in it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
