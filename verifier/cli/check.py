"""`slat check`: parse, resolve and type-check; nothing is proved.

In: paths. Out: diagnostics as text or JSON; exit 2 if one is an error.
Guarantee: one run reports all independent errors.
Trusted: no.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from verifier.cli.shared import Failure, open_project, report, root_option
from verifier.diagnostics.model import Diagnosed, Diagnostic
from verifier.diagnostics.render import to_json
from verifier.names.project import read_source
from verifier.types.load import open_library


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Diagnostics as JSON on standard output, for editors.")
@root_option
def command(paths: tuple[Path, ...], as_json: bool, root: Path | None) -> None:
    """Parse, resolve and type-check specifications and proofs.

    Without PATH everything under specs/ and proofs/ is checked, in every series; with PATH only what concerns those
    files and directories is reported.

    \b
    Examples:
      slat check
      slat check specs/sdm/ept/walk.slat --json
    """
    found: tuple[Diagnostic, ...]
    try:
        for path in paths:
            if not path.is_dir():
                read_source(path, str(path))
        files = tuple(path.resolve() for path in paths if path.is_file())
        project = open_project(root, files)
        library = open_library(project)
        found = tuple(library.load_all())
        written = library.written
        said = f"{_count(len(written.program.modules), 'module')}, {_count(len(written.checked.claims), 'claim')}"
        if library.catalogue.series:
            said += f", {len(library.catalogue.series)} series"
    except Diagnosed as error:
        found, said = error.diagnostics, ""
    if paths:
        found = tuple(d for d in found if _concerns(d, paths)) or tuple(d for d in found if d.severity == "error")
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


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def _concerns(diagnostic: Diagnostic, paths: tuple[Path, ...]) -> bool:
    if diagnostic.span is None:
        return True
    name = Path(diagnostic.span.source.name)
    shown = name if name.is_absolute() else Path.cwd() / name
    return any(shown.resolve().is_relative_to(path.resolve()) or name == path for path in paths)
