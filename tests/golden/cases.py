"""Small projects in a temporary directory, and what `slat` says in them."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from verifier.cli.main import run

MANUALS = """\
[SDM]
title = "Intel 64 and IA-32 Architectures Software Developer's Manual, Volume 3"
edition = "June 2026"
sections = [{ title = "EPT Violations" }, { title = "EPT Misconfigurations" }]

[LINUX]
title = "Linux"
edition = "a tree"
sections = [{ title = "make_spte()", number = "arch/x86/kvm/mmu/spte.c" }]
"""


@dataclass(frozen=True)
class Said:
    """What a command did: its exit code and what it wrote."""

    exit_code: int
    out: str
    err: str

    @property
    def codes(self) -> list[str]:
        """The codes of the diagnostics, in order."""
        return re.findall(r"^(?:error|warning)\[([EW]\d+)\]", self.err, re.MULTILINE)


def make_project(folder: Path) -> Path:
    """An empty project: manuals, and a folder for proofs."""
    (folder / "specs").mkdir(parents=True, exist_ok=True)
    (folder / "proofs").mkdir(exist_ok=True)
    (folder / "specs" / "MANUALS.toml").write_text(MANUALS)
    return folder


def slat(folder: Path, *words: str) -> Said:
    """Runs a command line of slat in a directory."""
    before = Path.cwd()
    out, err = io.StringIO(), io.StringIO()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            exit_code = run(list(words))
    finally:
        os.chdir(before)
    return Said(exit_code, out.getvalue(), err.getvalue())


def run_case(case: Path, folder: Path) -> str:
    """What `slat check` (or the words in the file `command` of the case) says about a golden case."""
    make_project(folder)
    words = ["check"]
    if case.is_dir():
        shutil.copytree(case, folder, dirs_exist_ok=True)
        if (folder / "command").exists():
            words = (folder / "command").read_text().split()
    else:
        (folder / "proofs" / "example.slat").write_bytes(case.read_bytes())
    said = slat(folder, *words)
    return f"{said.err}{said.out}exit {said.exit_code}\n".replace(str(folder), "DIR")
