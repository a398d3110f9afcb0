"""`slat check`: parse, resolve and type-check; nothing is proved.

In: paths. Out: diagnostics as text or JSON; exit 2 if one is an error.
Guarantee: one run reports all independent errors.
Trusted: no.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import click

from verifier.cli.gaps import unfit_claims
from verifier.cli.shared import Failure, Place, report, root_of, root_option, specifications
from verifier.diagnostics.model import Diagnosed, Diagnostic
from verifier.diagnostics.render import to_json
from verifier.names.project import FOLDERS, GAPS, read_project, read_source
from verifier.types.load import open_library


@click.command("check")
@click.argument("paths", nargs=-1, type=Place())
@click.option("--json", "as_json", is_flag=True, help="Diagnostics as JSON on standard output, for editors.")
@root_option
def command(paths: tuple[Path, ...], as_json: bool, root: Path | None) -> None:
    """Parse, resolve and type-check specifications, proofs and gaps.

    Without PATH everything under specs/, proofs/ and vectors/ is checked, in every series; with PATH only what concerns
    those files and directories is reported.

    \b
    Examples:
      slat check
      slat check specs/sdm/ept/walk.slat --json
    """
    found: tuple[Diagnostic, ...]
    base = Path()
    try:
        base = root_of(root)
        project = read_project(base, tuple(_files(paths, base)), (*FOLDERS, GAPS))
        library = open_library(project)
        written = library.written
        found = (*library.load_all(), *unfit_claims(written.checked))
        said = f"{_count(len(written.program.modules), 'module')}, {_count(len(written.checked.claims), 'claim')}"
        if library.catalogue.series:
            said += f", {len(library.catalogue.series)} series"
    except Diagnosed as error:
        found, said = error.diagnostics, ""
    if paths:
        found = tuple(d for d in found if _concerns(d, paths, base)) or tuple(d for d in found if d.severity == "error")
    if as_json:
        click.echo(json.dumps({"schema": "slat-check-1", "diagnostics": [to_json(d) for d in found]}, indent=2))
    else:
        report(found)
    errors = sum(d.severity == "error" for d in found)
    if errors:
        click.echo(_count(errors, "error"), err=True)
        raise Failure(2)
    if not as_json:
        click.echo(f"well-typed: {said}" if said else "well-typed")


def _files(paths: tuple[Path, ...], root: Path) -> Iterator[Path]:
    """The files that are to be checked whether or not they belong to the project."""
    for path in paths:
        if not path.is_dir():
            read_source(path, str(path))
        elif root.is_relative_to(os.path.realpath(path)):
            continue  # all of the project, and who knows what beside it
        yield from (Path(os.path.realpath(file)) for file in specifications(path))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def _concerns(diagnostic: Diagnostic, paths: tuple[Path, ...], root: Path) -> bool:
    if diagnostic.span is None:
        return True
    name = Path(diagnostic.span.source.name)
    shown = Path(os.path.realpath(root / name))
    return any(shown.is_relative_to(os.path.realpath(path)) or name == path for path in paths)
