"""`slat vectors`: test vectors for what kvm-unit-tests leaves untested.

In: gaps. Out: a document with an access for each clause of each rule that a gap shows; exit 0, 2, 3 or 70.
Guarantee: every expected outcome is that of the specifications, and the reference MMU has confirmed it; two runs print
the same bytes; a file is written whole or not at all.
Trusted: no, checked by tests/unit/verifier/cli and tests/access_tests.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import click

from verifier.cli import complete
from verifier.cli.deciding import ReferenceMmu, contradicted, judging, progress
from verifier.cli.gaps import NEIGHBOUR, Gap, Unfit, gaps_of, project_with_gaps
from verifier.cli.outputs import Outputs
from verifier.cli.replay_case import decisive
from verifier.cli.shared import Failure, Place, report, root_of, root_option
from verifier.core.interpret import evaluate
from verifier.core.values import assemble
from verifier.diagnostics.model import Diagnosed, Diagnostic
from verifier.diagnostics.render import printable
from verifier.obligations.access_case import AccessCase
from verifier.obligations.cache import Cache
from verifier.obligations.clauses import clause_cases
from verifier.obligations.decode import leaves_of
from verifier.obligations.prove import Options
from verifier.obligations.result import Example, Outcome
from verifier.obligations.run import Plan, decide
from verifier.obligations.versions import Stated
from verifier.reports.access_test_words import CAPABILITIES, Untestable, members
from verifier.reports.run import run_of
from verifier.reports.vectors import (
    Collection,
    CoveredGap,
    Decision,
    Vector,
    as_list,
    in_c,
    in_json,
    without_duplicates,
)
from verifier.types.load import open_library

FORMATS: Mapping[str, Callable[[Collection], str]] = {"c": in_c, "json": in_json, "list": as_list}
OPTIONS = Options(explained=False)


@click.command("vectors", short_help="Generate test vectors for kvm-unit-tests.")
@click.option("--gap", "gaps", multiple=True, metavar="NAME", shell_complete=complete.gaps,
              help="Only the vectors of this gap, also several times [default: all].")  # fmt: skip
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="c", show_default=True,
              help="EPT access tests in C, a JSON document with scenarios, or a table of the gaps.")  # fmt: skip
@click.option("--list", "form", flag_value="list", help="The same as `--format list`.")
@click.option("-o", "--output", type=Place(), help="Write to this file instead of standard output.")
@click.option("--save", type=Place(),
              help="Write the walk of each case as a scenario for `slat walk` into this directory.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, help="Processes [default: all cores].")
@click.option("--no-cache", is_flag=True, help="Find everything anew, and store nothing.")
@root_option
def command(
    gaps: tuple[str, ...],
    form: str,
    output: Path | None,
    save: Path | None,
    jobs: int,
    no_cache: bool,
    root: Path | None,
) -> None:
    """Generate test vectors: for each clause of a rule an access whose outcome that clause alone decides.

    A gap is a file under vectors/; its witnesses show the rules that are covered. Whatever a vector expects follows
    from the specifications, and the reference MMU has run it.

    \b
    Examples:
      slat vectors --list
      slat vectors --gap paging_disabled
      slat vectors -o ept_access_cases.c
      slat vectors --format json
      slat vectors --gap paging_disabled --save walks
    """
    outputs, evidence = Outputs(output, None, save), Outputs(None, None, save)
    outputs.check()
    found = _collect(root_of(root), tuple(dict.fromkeys(gaps)), jobs, not no_cache, evidence)
    document = FORMATS[form](found)
    outputs.scenarios = evidence.scenarios
    outputs.write(document)
    if output is None:
        click.echo(document, nl=False)
    else:
        click.echo(printable(f"{output}: {found.count}"), err=True)  # `output` may be standard output


def _collect(root: Path, words: tuple[str, ...], jobs: int, cached: bool, evidence: Outputs) -> Collection:
    """`evidence` gets the walks, and writes them if the reference MMU contradicts."""
    project = project_with_gaps(root)
    library = open_library(project)
    gaps = gaps_of(project, library.written.checked, words)
    decisions = [decision for gap in gaps for decision in _decisions(gap)]
    mmu = ReferenceMmu(evidence.scenarios)
    plan = Plan(OPTIONS, jobs, progress=progress(), machine=mmu.machine(always=True))
    stated = [Stated(decision.case.claim, None, library.written) for decision in decisions]
    with judging():
        outcomes = list(decide(library, stated, plan, Cache(project.root, cached)))
    if not mmu.agrees():
        try:
            evidence.write("")
        except Diagnosed as error:
            report(error.diagnostics)
        raise contradicted(mmu)
    wrong: list[Diagnostic] = []
    answers = dict(zip(decisions, outcomes, strict=True))
    covered = [_covered(gap, answers, wrong) for gap in gaps]
    if wrong:
        raise Diagnosed(wrong)
    _stop_at_unknown(answers)
    run = run_of(project, OPTIONS)
    return Collection(tuple(without_duplicates(covered)), words, run.revision, run.tool)


def _decisions(gap: Gap) -> Iterator[Decision]:
    for witness in gap.witnesses:
        yield from (Decision(gap.name, witness.name, case) for case in clause_cases(witness))


def _stop_at_unknown(answers: Mapping[Decision, Outcome]) -> None:
    unknown = [decision.name for decision, outcome in answers.items() if outcome.verdict == "unknown"]
    if unknown:
        click.echo(f"the budget ran out at `{unknown[0]}`; nothing is claimed", err=True)
        raise Failure(3)


def _covered(gap: Gap, answers: Mapping[Decision, Outcome], wrong: list[Diagnostic]) -> CoveredGap:
    """`wrong` gets why a witness has no case, or its first case that is no vector."""
    own = {decision: outcome for decision, outcome in answers.items() if decision.gap == gap.name}
    examples = {decision: outcome.example for decision, outcome in own.items() if outcome.example is not None}
    never = tuple(decision for decision, outcome in own.items() if outcome.verdict == "refuted")
    unfit: dict[str, Unfit] = {}
    for witness in gap.witnesses:
        if all(decision in never for decision in own if decision.witness == witness.name):
            advice = "its assumptions cannot hold together, or no clause decides alone"
            unfit[witness.name] = Unfit(witness.span, f"`{gap.name}.{witness.name}` has no case", advice)
    vectors: list[Vector] = []
    for decision, example in examples.items():
        try:
            vectors.append(_vector(decision, example))
        except Untestable as reason:
            problem = f"`{decision.name}` is no access test: {reason}"
            advice = "assume what a test can set up, and make the access one"
            unfit.setdefault(decision.witness, Unfit(decision.case.claim.span, problem, advice))
    wrong.extend(unfit.values())
    return CoveredGap(gap.name, gap.about, tuple(examples), never, tuple(vectors))


def _vector(decision: Decision, example: Example) -> Vector:
    """Raises `Untestable`."""
    if len(example.accesses) != 1:
        made = f"{len(example.accesses)} accesses" if example.accesses else "no access"
        raise Untestable(f"the reference MMU makes {made} of it, not one")
    vector = Vector((decision,), _with_capabilities(decision, example), leaves_of(example).get(NEIGHBOUR))
    members(vector.access, vector.neighbour)
    return vector


def _with_capabilities(decision: Decision, example: Example) -> AccessCase:
    """The access, on a processor with what the clause needs to decide it, and without what would decide it, too."""
    access, claim, leaves = example.accesses[0], decision.case.claim, leaves_of(example)
    place = f"{access.walk}.controls"

    def decides(other: Mapping[str, bool]) -> bool:
        numbers = leaves | {f"{place}.{name}": int(value) for name, value in other.items()}
        return bool(evaluate(claim.show, {p.name: assemble(p.type, p.name, numbers) for p in claim.params}))

    has = {name: bool(leaves[f"{place}.{name}"]) for name in CAPABILITIES}
    matter = {*access.needs, *access.lacks, *decisive(has, decides)}
    needs, lacks = (tuple(name for name in has if name in matter and has[name] == value) for value in (True, False))
    return replace(access, needs=needs, lacks=lacks)
