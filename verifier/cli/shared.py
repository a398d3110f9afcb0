"""What commands share: the project they run in, and how diagnostics are shown.

In: options. Out: a loaded project; diagnostics on standard error.
Guarantee: colour only on a terminal.
Trusted: no.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click

from verifier.diagnostics.model import Diagnosed, Diagnostic
from verifier.diagnostics.render import render
from verifier.names.project import Project, find_root, read_project

_COLOURS = {"error": "red", "warning": "yellow"}

root_option = click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    help="The project's directory [default: the one around the current directory].",
)


class Failure(Exception):  # noqa: N818
    """Ends a command with an exit code once everything has been said."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Usage(Diagnostic):
    """Words of the command line that mean nothing here."""

    code = "E603"
    problem: str
    advice: str

    def message(self) -> str:
        return self.problem

    def help(self) -> str:
        return self.advice


def fail(problem: str, advice: str) -> Diagnosed:
    """The exception for an option or argument that cannot be followed."""
    return Diagnosed([Usage(None, problem, advice)])


def report(diagnostics: Iterable[Diagnostic]) -> None:
    """Writes diagnostics to standard error, each block followed by an empty line."""
    for diagnostic in diagnostics:
        text = render(diagnostic)
        if sys.stderr.isatty():
            head, _, rest = text.partition(":")
            text = click.style(head, fg=_COLOURS[diagnostic.severity], bold=True) + ":" + rest
        click.echo(text + "\n", err=True)


def open_project(root: Path | None, extra: tuple[Path, ...] = ()) -> Project:
    """The project at `root`, or around the current directory."""
    return read_project(find_root((root or Path.cwd()).resolve()), extra)
