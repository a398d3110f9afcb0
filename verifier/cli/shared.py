"""What commands share: the project they run in, and how diagnostics are shown.

In: options. Out: a loaded project; diagnostics on standard error.
Guarantee: colour only on a terminal.
Trusted: no.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from verifier.diagnostics.model import Diagnosed, Diagnostic
from verifier.diagnostics.render import render
from verifier.names.project import Project, find_root, read_project, specifications_below

_COLOURS = {"error": "red", "warning": "yellow"}


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


def reason(error: OSError) -> str:
    """What the system says, in the lower case of diagnostics."""
    said = error.strerror or str(error)
    return said[:1].lower() + said[1:]


def cannot_write(error: OSError, advice: str = "") -> Diagnosed:
    """The exception for a place that cannot be written."""
    return fail(f"cannot write `{error.filename}`: {reason(error)}", advice)


class Place(click.Path):
    """A path that is looked at where it is used; an empty word is none."""

    def __init__(self, file_okay: bool = True) -> None:
        super().__init__(path_type=Path, file_okay=file_okay, readable=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if not os.fspath(value):
            raise fail("an empty word is no path", "`.` is the current directory")
        return Path(os.fsdecode(super().convert(value, param, ctx)))


root_option = click.option(
    "--root",
    type=Place(file_okay=False),
    help="The project's directory [default: the one around the current directory].",
)


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
    return read_project(root_of(root), extra)


def root_of(given: Path | None) -> Path:
    """The root of the project at `given` or above it, or around the current directory."""
    if given is not None and not given.is_dir():
        raise fail(f"`{given}` is no directory", "`--root` names the directory that holds `specs/`")
    try:
        return find_root(Path(os.path.realpath(given or os.curdir)))
    except FileNotFoundError:
        raise fail("the current directory does not exist any more", "change to one that does") from None


def specifications(path: Path) -> list[Path]:
    """The `.slat` files that a word means: a file, or all below a directory."""
    if not path.is_dir():
        return [path]
    found: list[Diagnostic] = []
    files = specifications_below(path, found)
    if found:
        raise Diagnosed(found)
    if not files:
        raise fail(f"there is no `.slat` file below `{path}`", "specifications are files with that ending")
    return files
