"""`slat prove`: decides claims.

In: names of claims and options. Out: a report on standard output; exit 0, 1, 2, 3 or 70.
Guarantee: files are written whole or not at all; where judges differ, the exit code is 70.
Trusted: no, checked by the conformance tests.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from verifier.cli import complete
from verifier.cli.deciding import ReferenceMmu, contradicted, decide, progress
from verifier.cli.outputs import Outputs
from verifier.cli.shared import Failure, Place, fail, open_project, report, root_option
from verifier.diagnostics.model import Diagnosed
from verifier.obligations.prove import Options
from verifier.obligations.run import Plan
from verifier.obligations.versions import Choice
from verifier.reports import json_report
from verifier.reports.registry import FORMATS
from verifier.reports.run import run_of
from verifier.reports.summary import exit_code
from verifier.solvers.registry import SOLVERS


@click.command("prove")
@click.argument("claims", nargs=-1, metavar="[PATH|NAME|ID]...", shell_complete=complete.claims)
@click.option(
    "--series",
    "series",
    multiple=True,
    metavar="NAME|all",
    shell_complete=complete.series,
    help="The version of KVM whose claims are decided, also several times [default: the one in specs/kvm].",
)
@click.option("--upto", metavar="PATCH", help="Of that series only the patches through this one (number or name).")
@click.option("--solver", type=click.Choice([*SOLVERS, "all"]), default="z3", show_default=True,
              help="Who decides; `all` asks every solver, and they must agree.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, help="Processes [default: all cores].")
@click.option("--rlimit", type=click.IntRange(1), help="Budget of one question, in the solver's own units.")
@click.option("--no-cache", is_flag=True, help="Decide everything anew, and store nothing.")
@click.option("--smtlib", type=Place(), help="Write every question as SMT-LIB into this directory.")
@click.option("--save", type=Place(),
              help="Write the walks of all examples as scenarios for `slat walk` into this directory.")  # fmt: skip
@click.option("--json", "json_file", type=Place(),
              help="Write the results as JSON to this file, too.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True,
              help="How the results are written to standard output.")  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="Show every counterexample and example, expected ones too.")
@root_option
def command(
    claims: tuple[str, ...],
    series: tuple[str, ...],
    upto: str | None,
    solver: str,
    jobs: int,
    rlimit: int | None,
    no_cache: bool,
    smtlib: Path | None,
    save: Path | None,
    json_file: Path | None,
    form: str,
    verbose: bool,
    root: Path | None,
) -> None:
    """Decide the claims of the project, or those in PATH, of that NAME or with that theorem ID.

    Exit code 0: every verdict is the expected one; 1: one is not, or a claim is vacuous; 3: a budget ran out.

    \b
    Examples:
      slat prove
      slat prove B9 Q3
      slat prove proofs/mbec --solver all
      slat prove I2 --series all
      slat prove --series rfc --upto 11
      slat prove l2_within_l1_needs_equal_mbec -v
    """
    if upto is not None and len(series) > 1:
        raise fail("`--upto` cuts one series", "name it with one `--series`")
    project = open_project(root)
    options = Options(SOLVERS if solver == "all" else (solver,), rlimit)
    outputs = Outputs(json_file, smtlib, save)
    outputs.check()
    transcripts = outputs.transcribe if smtlib is not None else None
    mmu = ReferenceMmu(outputs.scenarios)
    machine = mmu.machine(always=save is not None)
    plan = Plan(options, jobs, claims, Choice(series, upto), progress(), transcripts, machine)
    results = decide(project, plan, no_cache)
    details = results if verbose or claims else [r for r in results if not r.as_expected]
    try:
        outputs.write(json_report.render(results))
        click.echo(FORMATS[form](results, details, run_of(project, options)), nl=False)
    except (Diagnosed, BrokenPipeError) as error:
        if mmu.agrees():
            raise
        report(error.diagnostics if isinstance(error, Diagnosed) else ())
    if not mmu.agrees():
        raise contradicted(mmu)
    raise Failure(exit_code(results))
