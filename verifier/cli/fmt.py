"""`slat fmt`: the one layout of the language.

In: files. Out: the same files, laid out; with `--check` nothing is written.
Guarantee: the tree and every comment stay; if one file cannot be formatted or written, none is written.
Trusted: no, checked by the round trip over all specifications.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from verifier.cli.shared import Failure, Place, cannot_write, report, root_of, root_option, specifications
from verifier.diagnostics.model import Diagnosed, Diagnostic
from verifier.diagnostics.render import printable
from verifier.files import Writing
from verifier.names.project import FOLDERS, GAPS, read_source, specifications_below
from verifier.syntax.format import format_source


@dataclass(frozen=True, slots=True)
class Formatted:
    """A file, the name under which it is reported, and its text before and after."""

    path: Path
    name: str
    before: str
    after: str


@click.command("fmt")
@click.argument("paths", nargs=-1, type=Place())
@click.option("--check", is_flag=True, help="Write nothing; exit 1 and name the files that would change.")
@click.option("--stdout", "to_stdout", is_flag=True, help="Write the formatted text to standard output instead.")
@root_option
def command(paths: tuple[Path, ...], check: bool, to_stdout: bool, root: Path | None) -> None:
    """Lay out .slat files in the one layout of the language.

    Without PATH every file under specs/, proofs/ and vectors/ is formatted, with a directory every .slat file in it.
    Comments stay with the construct that follows them or, at a line's end, precedes them; chosen line ends are kept
    where the layout leaves a choice. If one file cannot be formatted, none is written.

    \b
    Examples:
      slat fmt
      slat fmt specs/sdm/ept/walk.slat --stdout
      slat fmt --check
    """
    found: list[Diagnostic] = []
    done: list[Formatted] = []
    for path, name in _files(paths, root):
        try:
            source = read_source(path, name)
            done.append(Formatted(path, name, source.text, format_source(source)))
        except Diagnosed as error:
            found.extend(error.diagnostics)
    report(found)
    changed = [file for file in done if file.before != file.after]
    if not found:
        _finish(done, changed, check, to_stdout)
    if found:
        raise Failure(2)
    if check and changed:
        raise Failure(1)


def _finish(done: list[Formatted], changed: list[Formatted], check: bool, to_stdout: bool) -> None:
    if to_stdout:
        for file in done:
            click.echo(file.after, nl=False)
        return
    if not check:
        _write(changed)
    for file in changed:
        click.echo(printable(f"{'would change' if check else 'changed'} {file.name}"))


def _write(changed: list[Formatted]) -> None:
    names = {str(file.path): file.name for file in changed}
    try:
        with Writing() as writing:
            for file in changed:
                writing.add(file.path, file.after.encode())
    except OSError as error:
        error.filename = names[error.filename]
        raise cannot_write(error, "every file is as it was") from None


def _files(paths: tuple[Path, ...], root: Path | None) -> list[tuple[Path, str]]:
    """The files to format, with the names under which they are reported."""
    if paths:
        return [(file, str(file)) for path in paths for file in specifications(path)]
    base, found = root_of(root), list[Diagnostic]()
    folders = [base / folder for folder in (*FOLDERS, GAPS) if (base / folder).is_dir()]
    files = [file for folder in folders for file in specifications_below(folder, found, base)]
    if found:
        raise Diagnosed(found)
    return [(file, file.relative_to(base).as_posix()) for file in files]
