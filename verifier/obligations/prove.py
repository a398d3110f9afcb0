"""One obligation decided.

In: an obligation. Out: what the solvers say (`Solved`), and from that an `Outcome` with its example replayed.
Guarantee: no model is shown that the interpreter does not confirm (`Disagreement` otherwise); no budget that ran
out becomes a verdict.
Trusted: yes, with `generate`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from verifier.core.interpret import Chooser, evaluate
from verifier.core.values import Value, assemble
from verifier.obligations.access_case import AccessCase, Escalation
from verifier.obligations.decode import show_values
from verifier.obligations.explain import explain
from verifier.obligations.generate import Obligation
from verifier.obligations.minimize import BudgetSpent, Model, minimize
from verifier.obligations.result import Example, Outcome
from verifier.smt.script import Script
from verifier.solvers.registry import BUDGETS, open_session
from verifier.solvers.session import Session
from verifier.types import typed
from verifier.types.kinds import Bool, Type


class Disagreement(Exception):  # noqa: N818
    """Two judges differ: solver and solver, or solver and interpreter. Never a finding, always a bug."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What another machine makes of an example: it confirms it, or contradicts the specification.

    `accesses` are the walks that it ran, and `escalation` two that belong together.
    """

    machine: str
    confirmed: bool
    accesses: tuple[AccessCase, ...] = ()
    escalation: Escalation | None = None


Replay = Callable[[typed.Claim, dict[str, Value]], Replayed | None]
"""Runs a counterexample on another machine; None if there is nothing to run."""


@dataclass(frozen=True, slots=True)
class Options:
    """`solvers` in the order in which they are asked; `budget` of one question, in the first one's units.

    Unless examples are to be `explained`, nothing in them is said to matter.
    """

    solvers: tuple[str, ...] = ("z3",)
    budget: int | None = None
    replay: Replay | None = None
    explained: bool = True


@dataclass(frozen=True, slots=True)
class Solved:
    """What the solvers say of a script, whatever the words of its source.

    `vacuous` is a reason and the position of an assumption (-1 for all of them), `unneeded` are the positions of all
    that are not needed; `assumed` are the positions of the assumptions in the core, `used` the functions and clauses;
    `transcript` is every question in SMT-LIB.
    """

    verdict: str
    vacuous: tuple[str, int] | None
    unneeded: tuple[int, ...]
    assumed: tuple[int, ...]
    used: tuple[str, ...]
    model: Model | None
    rlimit: int
    milliseconds: int
    transcript: str

    @property
    def remembered(self) -> bool:
        """Whether it comes from the cache, which keeps no transcripts."""
        return not self.transcript

    def answers(self, obligation: Obligation) -> bool:
        """Whether this can be an answer: its positions exist, and it has a model of these leaves where it needs one."""
        claim, leaves = obligation.claim, {leaf.name: leaf.term.width for leaf in obligation.script.leaves}
        positions = range(len(claim.assumptions))
        reasons = [None, ("assume_unsatisfiable", -1)] if not self.unneeded else [("unneeded", self.unneeded[0])]
        return (
            self.verdict in ("proved", "refuted")
            and self.vacuous in reasons
            and all(i in positions for i in (*self.unneeded, *self.assumed))
            and (self.model is not None) == _has_model(claim, self.verdict)
            and (self.model is None or _fits(self.model, leaves))
        )


def _fits(model: Model, leaves: dict[str, int]) -> bool:
    """Whether a model is one of leaves with these widths (0 for truth values)."""
    return (
        model.numbers.keys() == leaves.keys()
        and all(0 <= number < 1 << max(leaves[name], 1) for name, number in model.numbers.items())
        and all(name in leaves and -1 <= high < leaves[name] and low >= 0 for name, high, low in model.relevant)
    )


OPEN = Solved("unknown", None, (), (), (), None, 0, 0, "")
"""The answer of a solver whose budget ran out, for the claim or for what shows that it says something."""


def solve(obligation: Obligation, options: Options) -> Solved:
    """The solvers' verdict on `obligation`, with the smallest model where there is one."""
    started = time.monotonic()
    first, *others = options.solvers
    session = _open(obligation, first, options)
    solved = judge(session, obligation)
    for solver in others:
        solved = _compare(obligation, solved, (first, solver), options)
    if _has_model(obligation.claim, solved.verdict):
        try:
            solved = replace(solved, model=minimize(session, obligation.script, options.explained))
        except BudgetSpent:
            solved = OPEN
    took = round((time.monotonic() - started) * 1000)
    return replace(solved, rlimit=session.spent, milliseconds=took, transcript=session.transcript)


def _open(obligation: Obligation, solver: str, options: Options) -> Session:
    budget = options.budget if options.budget and solver == options.solvers[0] else BUDGETS[solver]
    return open_session(solver, obligation.script.prelude, budget)


def _compare(obligation: Obligation, solved: Solved, names: tuple[str, str], options: Options) -> Solved:
    other = judge(_open(obligation, names[1], options), obligation)
    if "unknown" in (solved.verdict, other.verdict):
        return OPEN
    if (solved.verdict, solved.vacuous, solved.unneeded) != (other.verdict, other.vacuous, other.unneeded):
        said = (f"{n} says {_said(one)}" for n, one in zip(names, (solved, other), strict=True))
        raise Disagreement(f"{obligation.claim.name}: {' and '.join(said)}")
    return solved


def _said(solved: Solved) -> str:
    return solved.verdict if solved.vacuous is None else f"{solved.verdict}, {solved.vacuous[0]}"


def _has_model(claim: typed.Claim, verdict: str) -> bool:
    return verdict == ("proved" if claim.kind == "witness" else "refuted")


def judge(session: Session, obligation: Obligation) -> Solved:
    """The verdict of one solver, with vacuity and core; no model."""
    script = obligation.script
    witness = obligation.claim.kind == "witness"
    match session.check(script.selectors):
        case "unknown":
            return OPEN
        case "sat":
            return replace(OPEN, verdict="proved" if witness else "refuted")
        case "unsat":
            core = session.core()
    assumed = tuple(i for i, name in enumerate(script.assumptions) if name in core)
    used = tuple(sorted({name for selector in core for name in _said_by(script, selector)}))
    verdict = "refuted" if witness else "proved"
    decided = replace(OPEN, verdict=verdict, assumed=assumed, used=used)
    return decided if witness else _with_vacuity(decided, session, obligation, core)


def _said_by(script: Script, selector: str) -> Iterator[str]:
    """The functions and clauses whose definitions a selector switches on."""
    if selector in script.definitions:
        yield script.definitions[selector]
    yield from script.inlined.get(selector, ())


def _with_vacuity(solved: Solved, session: Session, obligation: Obligation, core: tuple[str, ...]) -> Solved:
    """The proved claim, and why it says less than it seems to, if it does; unknown if that is not known."""
    script = obligation.script
    if not script.assumptions:
        return solved
    match session.check((*script.definitions, *script.assumptions)):
        case "unsat":
            return replace(solved, vacuous=("assume_unsatisfiable", -1))
        case "unknown":
            return OPEN
        case "sat":
            pass
    unneeded: list[int] = []
    for i, name in enumerate(script.assumptions):
        without = tuple(s for s in script.selectors if s != name)
        answer = "unsat" if name not in core else session.check(without)
        if answer == "unknown":
            return OPEN
        if answer == "unsat":
            unneeded.append(i)
    return replace(solved, vacuous=("unneeded", unneeded[0]) if unneeded else None, unneeded=tuple(unneeded))


def finish(obligation: Obligation, solved: Solved, options: Options) -> Outcome:
    """The outcome in the words of the claim; its example is replayed and explained."""
    claim = obligation.claim
    vacuous = None
    if solved.vacuous is not None:
        reason, position = solved.vacuous
        vacuous = reason if position < 0 else f"{reason}: {_words(claim.assumptions[position])}"
    assumed = (f"assume {_words(claim.assumptions[i])}" for i in solved.assumed)
    example = None if solved.model is None else _example(obligation, solved.model, options)
    core = (*assumed, *solved.used)
    return Outcome(solved.verdict, vacuous, core, example, options.solvers, solved.rlimit, solved.milliseconds)


def _words(e: typed.Expr) -> str:
    return " ".join(e.span.text.split())


def _example(obligation: Obligation, model: Model, options: Options) -> Example:
    """The model as values, once the interpreter agrees that it is one."""
    claim = obligation.claim
    env = {p.name: assemble(p.type, p.name, model.numbers) for p in claim.params}
    choose = _chooser(model)
    holds = all(evaluate(a, env, choose) for a in claim.assumptions)
    shown = bool(evaluate(claim.show, env, choose))
    if not holds or shown != (claim.kind == "witness"):
        raise Disagreement(f"{claim.name}: the interpreter does not confirm the solver's model")
    other = None if options.replay is None else options.replay(claim, env)
    machine = () if other is None else (other.machine,)
    confirmed, contradicted = (machine, ()) if other is None or other.confirmed else ((), machine)
    values = show_values(obligation.script.leaves, model)
    because = explain(claim.show, env, choose)
    accesses, escalation = ((), None) if other is None else (other.accesses, other.escalation)
    return Example(values, model.unique, ("interpreter", *confirmed), because, contradicted, accesses, escalation)


def _chooser(model: Model) -> Chooser:
    def choose(site: str, kind: Type) -> Value:
        number = model.numbers.get(f"undefined {site}", 0)
        return bool(number) if isinstance(kind, Bool) else number

    return choose
