"""`slat diff`: what changes between two versions.

In: the names of two versions. Out: a document on standard output; exit 0, 1, 2, 3 or 70.
Guarantee: a verdict is proved in both directions; files are written whole or not at all.
Trusted: no, checked by tests/unit/verifier/cli.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from verifier.cli import complete
from verifier.cli.diff_sides import sides
from verifier.cli.shared import Failure, root_option
from verifier.diff.compare import Versions, decided
from verifier.diff.definitions import changes, reached
from verifier.diff.model import DIFFERENT, NOT_MODELLED, UNKNOWN, Diff
from verifier.obligations.cache import Cache
from verifier.obligations.prove import Options
from verifier.obligations.run import Plan
from verifier.reports.diff_table import table
from verifier.reports.table_text import render_table


@click.command("diff", short_help="Say what changes between two versions.")
@click.argument("a", metavar="A", shell_complete=complete.series)
@click.argument("b", metavar="[B]", required=False, shell_complete=complete.series)
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, help="Processes [default: all cores].")
@click.option("--rlimit", type=click.IntRange(1), help="Budget of one question, in the solver's own units.")
@click.option("--no-cache", is_flag=True, help="Decide everything anew, and store nothing.")
@root_option
def command(a: str, b: str | None, jobs: int, rlimit: int | None, no_cache: bool, root: Path | None) -> None:
    """Compare versions A and B: definitions, and what KVM decides, cell by cell.

    \b
    Examples:
      slat diff v3 v5
    """
    left, right = sides((a, b), root)
    plan = Plan(Options(("z3",), rlimit), jobs)
    found = changes(left.loaded.program, right.loaded.program)
    versions = Versions(left.loaded, right.loaded, (left.label, right.label))
    cells = decided(versions, found, plan, Cache(right.project.root, not no_cache))
    diff = Diff(left.label, right.label, found, reached(left.loaded, right.loaded, found), cells)
    click.echo(render_table(table(diff), sys.stdout.isatty()), nl=False)
    verdicts = {cell.verdict for one in diff.decisions for cell in one.cells}
    raise Failure(1 if verdicts & {*DIFFERENT} else 3 if verdicts & {UNKNOWN, NOT_MODELLED} else 0)
