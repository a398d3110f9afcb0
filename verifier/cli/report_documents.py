"""The documents of `slat report --markdown DIR`: the index of all claims, and the map.

In: a directory, and whether it is only compared. Out: files in it; or the difference from what they would be.
Guarantee: all documents are written, or none.
Trusted: no, checked by tests/unit/verifier/cli.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from verifier.cli.shared import cannot_write
from verifier.diagnostics.model import Diagnosed
from verifier.diagnostics.render import printable
from verifier.files import Writing, check_file, read_file
from verifier.names.project import Project, read_source, unreadable
from verifier.obligations.result import Result
from verifier.reports import markdown
from verifier.reports.map.listed import PLACE, Listed, read_listed
from verifier.types.load import Library

INDEX = "README.md"
MAP = str(PLACE.relative_to("proofs").with_name(INDEX))


def listed_in(project: Project, library: Library) -> Listed | None:
    """What the project's map lists; None if it has no map."""
    place = project.root / PLACE
    return read_listed(read_source(place, str(PLACE)), library) if os.path.lexists(place) else None


def documents(library: Library, listed: Listed | None, results: list[Result]) -> dict[str, str]:
    """The documents by their paths; `results` are those of all series, and those after each patch that is mapped."""
    of_series = (None, *library.catalogue.series)
    made = {INDEX: markdown.render([result for result in results if result.series in of_series])}
    if listed is not None:
        from verifier.reports.map.document import render

        made[MAP] = render(library, listed, results)
    return made


@dataclass(frozen=True, slots=True)
class Documents:
    """A directory for documents; with `check` they are only compared."""

    folder: Path
    check: bool

    def prepare(self) -> None:
        """Raises `Diagnosed` for a place that cannot be written."""
        try:
            if not self.check:
                check_file(self.folder / INDEX)
        except OSError as error:
            raise cannot_write(error) from None

    def write(self, made: dict[str, str]) -> None:
        """Writes the documents; raises `Diagnosed`."""
        try:
            with Writing() as writing:
                for name, text in made.items():
                    writing.add(self.folder / name, text.encode())
        except OSError as error:
            raise cannot_write(error) from None

    def differences(self, made: dict[str, str]) -> Iterator[str]:
        """The lines of a unified difference; raises `Diagnosed` for what cannot be read."""
        for name, text in made.items():
            path = self.folder / name
            lines = difflib.unified_diff(_lines(path), text.split("\n"), str(path), "what slat writes", lineterm="")
            yield from map(printable, lines)

    def finish(self, made: dict[str, str], closing: str) -> bool:
        """Writes or compares the documents; whether they are as they should be then."""
        if not self.check:
            self.write(made)
        different = list(self.differences(made)) if self.check else []
        click.echo("\n".join(different) if different else f"{self.folder / INDEX}: {closing}")
        return not different


def _lines(path: Path) -> list[str]:
    try:
        return read_file(path).decode("utf-8", "replace").split("\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Diagnosed([unreadable(error, str(path))]) from None
