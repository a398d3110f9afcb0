"""Many claims decided, in parallel and with what is known from before.

In: a project and options. Out: results in the order of the files and of the series, whatever finished first.
Guarantee: the same bytes for any number of processes.
Trusted: no.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from verifier.names.project import Project
from verifier.names.series import Version, expectation
from verifier.obligations.cache import Cache, digest, solver_key, tool_digest
from verifier.obligations.generate import Obligation, generate
from verifier.obligations.prove import Options, Replay, Solved, finish, solve
from verifier.obligations.result import Citation, Outcome, Result
from verifier.obligations.select import select
from verifier.obligations.versions import Choice, Stated, chosen, stated
from verifier.obligations.workers import WorkerDied, spread
from verifier.smt.symbolize import Symbolizer
from verifier.types import typed
from verifier.types.load import Library, open_library

Progress = Callable[[int, int], None]
"""Called with how many claims are decided, and of how many."""

Transcribe = Callable[[typed.Claim, str | None, str], None]
"""Called with a claim, the label of its version, and all that was asked."""


class Undecided(Exception):  # noqa: N818
    """The process that decided `claim` ended before it had an answer; `how` says what ended it."""

    def __init__(self, claim: str, how: str) -> None:
        super().__init__(claim, how)
        self.claim = claim
        self.how = how


@dataclass(frozen=True, slots=True)
class Machine:
    """Another machine on which examples are replayed: `version` names it, `prepare` makes it ready for a program.

    `prepare` takes the label of the program's version, too. `agrees` says afterwards whether it confirmed whatever it
    ran; if not, the results are not stored. With `always`, every example is replayed; else the results of a run that
    is known were replayed when it was new.
    """

    version: str
    prepare: Callable[[typed.Checked, str | None], Replay]
    agrees: Callable[[], bool]
    always: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """How to run: `jobs` processes; `wanted` names claims (none for all); `transcripts` receives what is asked."""

    options: Options
    jobs: int = 1
    wanted: tuple[str, ...] = ()
    choice: Choice = field(default_factory=Choice)
    progress: Progress | None = None
    transcripts: Transcribe | None = None
    machine: Machine | None = None


def run(project: Project, plan: Plan, cache: Cache) -> list[Result]:
    """The results of the wanted claims of `project`, in the versions that the plan chooses."""
    key = _run_key(project, plan)
    known = None if plan.transcripts or (plan.machine and plan.machine.always) else cache.run(key)
    if known is not None:
        return known
    library = open_library(project)
    versions = chosen(library.catalogue, plan.choice)
    order = {version: number for number, version in enumerate(versions)}
    claims = sorted(stated(library, versions), key=lambda one: _place(one, order))
    wanted = set(select([one.claim for one in claims], plan.wanted, project.root))
    claims = [one for one in claims if one.claim in wanted]
    outcomes = decide(library, claims, plan, cache)
    results = [
        describe(one.claim, one.version, outcome, one.expected_as)
        for one, outcome in zip(claims, outcomes, strict=True)
    ]
    if plan.machine is None or plan.machine.agrees():
        cache.store_run(key, results)
    return results


def _run_key(project: Project, plan: Plan) -> str:
    texts = (text for source in (*project.sources, *project.lists) for text in (source.name, source.text))
    machine = plan.machine.version if plan.machine else ""
    asked = (repr(plan.choice), *plan.wanted)
    return digest((tool_digest(), solver_key(plan.options), machine, repr(project.manuals), *asked, *texts))


def _place(one: Stated, order: dict[Version, int]) -> tuple[str, int, int]:
    span = one.claim.span
    return span.source.name, span.start, -1 if one.version is None else order[one.version]


def decide(library: Library, claims: list[Stated], plan: Plan, cache: Cache) -> Iterator[Outcome]:
    """The outcome of each of these claims, in order, whatever the plan wants."""
    symbolizer, elsewhere = Symbolizer(), Elsewhere(library, plan, cache)
    obligations = [None if one.claim.missing else generate(one.claim, symbolizer) for one in claims]
    solved = iter(solve_all([o for o in obligations if o is not None], plan, cache))
    replays: dict[Version | None, Replay] = {}
    for one, obligation in zip(claims, obligations, strict=True):
        if obligation is None:
            yield Outcome("not_modelled", None, one.claim.missing, None, (), 0, 0)
            continue
        if plan.machine and one.version not in replays:
            replays[one.version] = plan.machine.prepare(one.loaded.checked, one.label)
        answer, options = next(solved), replace(plan.options, replay=replays.get(one.version))
        if plan.transcripts:
            plan.transcripts(one.claim, one.label, answer.transcript)
        try:
            outcome = finish(obligation, elsewhere.needed(one, answer), options)
        except Exception:  # whatever comes of a model that is none
            if not answer.remembered:
                raise
            answer = solve(obligation, plan.options)
            cache.store_solved(_key(obligation, plan.options), answer)
            outcome = finish(obligation, elsewhere.needed(one, answer), options)
        yield _meaningless(one, outcome)


def _meaningless(one: Stated, outcome: Outcome) -> Outcome:
    """A claim that expects to say nothing in a version, and whose assumptions cannot hold there, says nothing."""
    expected = one.expected
    if outcome.vacuous != "assume_unsatisfiable" or expected is None or expected.verdict != "not_modelled":
        return outcome
    return replace(outcome, verdict="not_modelled", vacuous=None)


class Elsewhere:
    """The same claims in other series: an assumption is needed if one of those that expect a proof needs it."""

    def __init__(self, library: Library, plan: Plan, cache: Cache) -> None:
        self._library = library
        self._plan = plan
        self._cache = cache
        self._known: dict[tuple[Version, str, str], Solved | None] = {}

    def needed(self, one: Stated, solved: Solved) -> Solved:
        """The answer, without the unneeded assumptions that are needed in another series."""
        unneeded = solved.unneeded
        if not unneeded or one.version is None:
            return solved
        for series in self._library.catalogue.regular:
            key = (Version(series.name), one.claim.module, one.claim.name)
            if unneeded and key not in self._known:
                self._known[key] = self._in(Version(series.name), one.claim)
            other = self._known.get(key)
            if other is not None:
                unneeded = tuple(i for i in unneeded if i in other.unneeded)
        return replace(solved, vacuous=("unneeded", unneeded[0]) if unneeded else None, unneeded=unneeded)

    def _in(self, version: Version, claim: typed.Claim) -> Solved | None:
        """The answer for a claim in another version; None where it expects no proof, or has none."""
        expected = expectation(claim.expects, version, self._library.catalogue.expected_as(version))
        if expected is not None and expected.verdict != "proved":
            return None
        there = (c for c in self._library.load(version).checked.claims if c.name == claim.name)
        other = next((c for c in there if c.module == claim.module and not c.missing), None)
        if other is None:
            return None
        (solved,) = solve_all([generate(other, Symbolizer())], replace(self._plan, progress=None), self._cache)
        return solved if solved.verdict == "proved" and (solved.vacuous or ("unneeded",))[0] == "unneeded" else None


def solve_all(obligations: list[Obligation], plan: Plan, cache: Cache) -> list[Solved]:
    """Each obligation's answer; those with the same text are asked once."""
    keys = [_key(obligation, plan.options) for obligation in obligations]
    known: dict[str, Solved] = {}
    missing: dict[str, int] = {}
    for position, key in enumerate(keys):
        new = not plan.transcripts and key not in known and key not in missing
        found = cache.solved(key, obligations[position]) if new else None
        if found is not None:
            known[key] = found
        elif key not in known:
            missing.setdefault(key, position)
    done = len(known)
    for key, solved in zip(missing, _solve(obligations, list(missing.values()), plan), strict=True):
        known[key] = solved
        if solved.verdict != "unknown":
            cache.store_solved(key, solved)
        done += 1
        if plan.progress:
            plan.progress(done, len(known) + len(missing) - done)
    return [known[key] for key in keys]


def _key(obligation: Obligation, options: Options) -> str:
    script = obligation.script
    said = (script.prelude, repr(script.inlined))
    return digest((tool_digest(), solver_key(options), obligation.claim.kind, *said))


def _solve(obligations: list[Obligation], missing: list[int], plan: Plan) -> Iterator[Solved]:
    try:
        yield from spread(lambda n: solve(obligations[missing[n]], plan.options), len(missing), plan.jobs)
    except WorkerDied as death:
        raise Undecided(obligations[missing[death.position]].claim.name, death.how) from None


def describe(
    claim: typed.Claim, version: Version | None, outcome: Outcome, expected_as: Sequence[Version] = ()
) -> Result:
    """The result of a claim in a version, for which others may stand in."""
    expected = expectation(claim.expects, version, expected_as)
    return Result(
        claim.kind,
        claim.name,
        claim.ids,
        claim.module,
        claim.span.source.name,
        claim.span.line,
        claim.statement,
        None if version is None else version.label,
        expected.verdict if expected else "proved",
        expected.reason if expected else "",
        tuple(Citation(cite.manual.text, cite.title) for cite in claim.cites),
        outcome,
    )
