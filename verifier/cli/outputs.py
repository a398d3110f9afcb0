"""The files that `slat prove` writes beside its report.

In: the options that name places; what a run finds. Out: files.
Guarantee: a place that is known to take no files is an error before anything is decided; at the end all files are
written, or none. Files of the user that have other names are never touched.
Trusted: no, checked by the conformance tests.
"""

from __future__ import annotations

from pathlib import Path

from verifier.cli.shared import cannot_write
from verifier.files import Writing, check_file, check_folder
from verifier.types import typed


class Outputs:
    """`scenarios` receives walks for the folder of `--save`, by file name."""

    def __init__(self, json_file: Path | None, smtlib: Path | None, save: Path | None) -> None:
        self._json_file = json_file
        self._smtlib = smtlib
        self._save = save
        self._questions: dict[str, str] = {}
        self.scenarios: dict[str, str] = {}

    def check(self) -> None:
        """Raises `Diagnosed` for a place that cannot be written."""
        try:
            if self._json_file is not None:
                check_file(self._json_file)
            for folder in (self._smtlib, self._save):
                if folder is not None:
                    check_folder(folder)
        except OSError as error:
            raise cannot_write(error) from None

    def transcribe(self, claim: typed.Claim, label: str | None, asked: str) -> None:
        """Keeps all questions about a claim for the folder of `--smtlib`."""
        self._questions[".".join(filter(None, (claim.module, claim.name, label, "smt2")))] = asked

    def write(self, results: str) -> None:
        """Writes everything, `results` to the file of `--json`; raises `Diagnosed`."""
        wanted: dict[Path, str] = {}
        for folder, texts in ((self._smtlib, self._questions), (self._save, self.scenarios)):
            if folder is not None:
                wanted |= {folder / name: text for name, text in sorted(texts.items())}
        if self._json_file is not None:
            wanted[self._json_file] = results
        try:
            with Writing() as writing:
                for path, text in wanted.items():
                    writing.add(path, text.encode())
        except OSError as error:
            raise cannot_write(error) from None
