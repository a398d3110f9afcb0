"""`slat diff`: what changes between two versions.

In: the names of two versions. Out: a document on standard output or in a file; exit 0, 1, 2, 3 or 70.
Guarantee: `equivalent` is proved in both directions; files are written whole or not at all.
Trusted: no, checked by tests/unit/verifier/cli and the conformance tests.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import click

from verifier.cli import complete
from verifier.cli.deciding import judging, progress
from verifier.cli.diff_sides import Named, sides
from verifier.cli.shared import Failure, Place, cannot_write, root_option
from verifier.diff.compare import Versions, compare
from verifier.diff.model import DIFFERENT, NOT_MODELLED, UNKNOWN, Diff
from verifier.files import Writing, check_file
from verifier.obligations.cache import Cache
from verifier.obligations.prove import Options
from verifier.obligations.run import Plan
from verifier.reports import diff_json
from verifier.reports.diff_registry import FORMATS, render_on_terminal
from verifier.reports.run import Run, revision, run_of


@click.command("diff", short_help="Say what changes between two versions.")
@click.argument("a", metavar="A", shell_complete=complete.versions)
@click.argument("b", metavar="[B]", required=False, shell_complete=complete.versions)
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, help="Processes [default: all cores].")
@click.option("--rlimit", type=click.IntRange(1), help="Budget of one question, in the solver's own units.")
@click.option("--no-cache", is_flag=True, help="Decide everything anew, and store nothing.")
@click.option("--json", "json_file", type=Place(), help="Write the differences as JSON to this file, too.")
@click.option("-o", "--output", type=Place(), help="Write the document to this file, not to standard output.")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True,
              help="How the differences are written; `mail` has at most 72 columns.")  # fmt: skip
@root_option
def command(
    a: str,
    b: str | None,
    jobs: int,
    rlimit: int | None,
    no_cache: bool,
    json_file: Path | None,
    output: Path | None,
    form: str,
    root: Path | None,
) -> None:
    """Say what changes from version A to version B: definitions, claims that rest on them, and what KVM decides.

    Each decision is compared in cells, by access, mode and capability. A cell is proved equivalent, or shown to differ,
    by an example that is as small as possible.

    A and B are series, patches of a series (all through that one), known-bad versions, or directories with a `specs/`.
    Without B, the version that A is built on is compared with A.

    Exit code 0: every cell is equivalent; 1: one is not; 3: a budget ran out, or a version does not say enough.

    \b
    Examples:
      slat diff v3 v5
      slat diff v5:36 v5:37
      slat diff v5:mbec_in_ept_walks
      slat diff specs/kvm/series/v5/37-mbec-in-ept-walks.slat
      slat diff i17_xu_mask_is_bit_2
      slat diff ../before . --format mail
    """
    files = [file for file in (json_file, output) if file is not None]
    _check(files)
    left, right = sides((a, b), root)
    plan = Plan(Options(("z3",), rlimit), jobs, progress=progress())
    diff = _diff(left, right, plan, no_cache)
    words = [a, *([b] if b is not None else []), *(["--rlimit", str(rlimit)] if rlimit else [])]
    run = _run(left, right, plan, words)
    colour = form == "text" and output is None and sys.stdout.isatty()
    document = render_on_terminal(diff) if colour else FORMATS[form](diff, run)
    written = {json_file: diff_json.render(diff, run)} if json_file is not None else {}
    _write(written | ({output: document} if output is not None else {}))
    if output is None:
        click.echo(document, nl=False, color=True)
    raise Failure(exit_code(diff))


def exit_code(diff: Diff) -> int:
    """1 if a cell differs, 3 if one is left open, else 0."""
    verdicts = {cell.verdict for decided in diff.decisions for cell in decided.cells}
    return 1 if verdicts & {*DIFFERENT} else 3 if verdicts & {UNKNOWN, NOT_MODELLED} else 0


def _diff(left: Named, right: Named, plan: Plan, no_cache: bool) -> Diff:
    versions = Versions(left.loaded, right.loaded, (left.label, right.label))
    with judging():
        return compare(versions, plan, Cache(right.project.root, not no_cache))


def _run(left: Named, right: Named, plan: Plan, words: list[str]) -> Run:
    """What the run was of; two trees have two digests."""
    run = run_of(right.project, plan.options)
    both = dict.fromkeys((revision(left.project), revision(right.project)))
    return replace(run, revision=" and ".join(both), command=("slat", "diff", *words))


def _check(files: list[Path]) -> None:
    try:
        for file in files:
            check_file(file)
    except OSError as error:
        raise cannot_write(error) from None


def _write(texts: dict[Path, str]) -> None:
    try:
        with Writing() as writing:
            for path, text in texts.items():
                writing.add(path, text.encode())
    except OSError as error:
        raise cannot_write(error) from None
