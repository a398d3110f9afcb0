"""Many claims decided, in parallel and with what is known from before.

In: a project and options. Out: results in the order of the files, whatever finished first.
Guarantee: the same bytes for any number of processes.
Trusted: no.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from verifier.names.project import Project
from verifier.obligations.cache import Cache, digest, solver_key, tool_digest
from verifier.obligations.generate import Obligation, generate
from verifier.obligations.prove import Options, Replay, Solved, finish, solve
from verifier.obligations.result import Citation, Outcome, Result
from verifier.obligations.select import select
from verifier.smt.symbolize import Symbolizer
from verifier.types import typed
from verifier.types.load import load

Progress = Callable[[int, int], None]
"""Called with how many claims are decided, and of how many."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Another machine on which examples are replayed: `version` names it, `prepare` makes it ready for a program.

    `agrees` says afterwards whether it confirmed whatever it ran; if not, the results are not stored. With `always`,
    every example is replayed; else the results of a run that is known were replayed when it was new.
    """

    version: str
    prepare: Callable[[typed.Checked], Replay]
    agrees: Callable[[], bool]
    always: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """How to run: `jobs` processes; `wanted` names claims (none for all); `transcripts` receives what is asked."""

    options: Options
    jobs: int = 1
    wanted: tuple[str, ...] = ()
    progress: Progress | None = None
    transcripts: Callable[[typed.Claim, str], None] | None = None
    machine: Machine | None = None


def run(project: Project, plan: Plan, cache: Cache) -> list[Result]:
    """The results of the wanted claims of `project`."""
    texts = (text for source in project.sources for text in (source.name, source.text))
    version = plan.machine.version if plan.machine else ""
    key = digest((tool_digest(), solver_key(plan.options), version, repr(project.manuals), *plan.wanted, *texts))
    known = None if plan.transcripts or (plan.machine and plan.machine.always) else cache.run(key)
    if known is not None:
        return known
    checked = load(project).checked
    options = replace(plan.options, replay=plan.machine.prepare(checked)) if plan.machine else plan.options
    claims = select(sorted(checked.claims, key=_order), plan.wanted, project.root)
    symbolizer = Symbolizer()
    obligations = [generate(claim, symbolizer) for claim in claims]
    solved = _solve_all(obligations, plan, cache)
    results: list[Result] = []
    for obligation, one in zip(obligations, solved, strict=True):
        if plan.transcripts:
            plan.transcripts(obligation.claim, one.transcript)
        results.append(describe(obligation.claim, finish(obligation, one, options)))
    if plan.machine is None or plan.machine.agrees():
        cache.store_run(key, results)
    return results


def _order(claim: typed.Claim) -> tuple[str, int]:
    return claim.span.source.name, claim.span.start


def _solve_all(obligations: list[Obligation], plan: Plan, cache: Cache) -> list[Solved]:
    keys = [_key(obligation, plan.options) for obligation in obligations]
    known = [None if plan.transcripts else cache.solved(key) for key in keys]
    missing = [i for i, solved in enumerate(known) if solved is None]
    done = len(known) - len(missing)
    for i, solved in zip(missing, _solve(obligations, missing, plan), strict=True):
        known[i] = solved
        if solved.verdict != "unknown":
            cache.store_solved(keys[i], solved)
        done += 1
        if plan.progress:
            plan.progress(done, len(known))
    return [solved for solved in known if solved is not None]


def _key(obligation: Obligation, options: Options) -> str:
    return digest((tool_digest(), solver_key(options), obligation.claim.kind, obligation.script.prelude))


_work: tuple[list[Obligation], Options] | None = None
"""What worker processes inherit when they are forked."""


def _solve(obligations: list[Obligation], missing: list[int], plan: Plan) -> Iterator[Solved]:
    global _work
    if plan.jobs == 1 or len(missing) < 2:
        yield from (solve(obligations[i], plan.options) for i in missing)
        return
    _work = (obligations, Options(plan.options.solvers, plan.options.budget))
    with multiprocessing.get_context("fork").Pool(min(plan.jobs, len(missing))) as pool:
        yield from pool.imap(_solve_one, missing)
    _work = None


def _solve_one(position: int) -> Solved:
    assert _work is not None
    obligations, options = _work
    return solve(obligations[position], options)


def describe(claim: typed.Claim, outcome: Outcome) -> Result:
    """The result of a claim of the architecture."""
    expected = next((e for e in claim.expects if not e.series), None)
    return Result(
        claim.kind,
        claim.name,
        claim.ids,
        claim.module,
        claim.span.source.name,
        claim.span.line,
        claim.statement,
        None,
        expected.verdict if expected else "proved",
        expected.reason if expected else "",
        tuple(Citation(cite.manual.text, cite.title) for cite in claim.cites),
        outcome,
    )
