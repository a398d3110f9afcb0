"""A rule where each of its clauses just holds and just does not, on inputs that a solver chooses.

"Just": all other clauses are as they must be for the rule to depend on the one (false in `any of`, true in `all of`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from verifier.core.interpret import Chooser, apply, evaluate
from verifier.core.values import assemble
from verifier.obligations.generate import Obligation, generate
from verifier.smt.script import symbol
from verifier.smt.symbolize import Symbolizer
from verifier.solvers.registry import open_session
from verifier.solvers.session import Session
from verifier.types import typed
from verifier.types.kinds import BOOL, Bool

BUDGET = 50_000_000


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with its script, whose assumptions say that clause i is true, then that it is false, then what `always`
    holds: so many."""

    function: typed.Function
    obligation: Obligation
    session: Session
    clauses: tuple[typed.Clause, ...]
    op: str
    always: int

    def select(self, values: list[bool]) -> list[str]:
        """The selectors under which the clauses have these values."""
        names, script = self.obligation.script.assumptions, self.obligation.script
        count = len(self.clauses)
        chosen = [names[i if value else count + i] for i, value in enumerate(values)]
        return [*script.definitions, *chosen, *names[2 * count : 2 * count + self.always]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """An input that the solver chose, where the clauses, and the rule, are to have these values."""

    arguments: tuple[Any, ...]
    clauses: list[bool]
    value: bool
    choose: Chooser


def prepare(function: typed.Function, always: list[typed.Expr]) -> Rule:
    """The rule's clauses and their negations as assumptions of one script, with what always holds."""
    body = function.body
    assert isinstance(body, typed.RuleBody)
    holds = tuple(clause.condition for clause in body.clauses)
    fails = tuple(typed.Not(condition, BOOL, condition.span) for condition in holds)
    show = typed.Const(True, BOOL, function.span)
    claim = typed.Claim(
        "witness",
        function.short_name,
        function.name,
        (),
        (),
        "",
        function.params,
        holds + fails + tuple(always),
        show,
        (),
        function.span,
    )
    obligation = generate(claim, Symbolizer())
    session = open_session("z3", obligation.script.prelude, BUDGET)
    return Rule(function, obligation, session, body.clauses, body.op, len(always))


def decided_by(rule: Rule, position: int) -> list[Chosen]:
    """Inputs at which the rule depends on a clause: one where it holds, one where not; none if there are no such."""
    found = list[Chosen]()
    for value in (True, False):
        wanted = [rule.op == "and"] * len(rule.clauses)
        wanted[position] = value
        if rule.session.check(rule.select(wanted)) != "sat":
            return []
        found.append(_chosen(rule, wanted))
    return found


def _chosen(rule: Rule, wanted: list[bool]) -> Chosen:
    """The session's model."""
    leaves = [leaf.name for leaf in rule.obligation.script.leaves]
    numbers = dict(zip(leaves, rule.session.values([symbol(name) for name in leaves]), strict=True))
    arguments = tuple(assemble(p.type, p.name, numbers) for p in rule.function.params)
    return Chosen(arguments, wanted, all(wanted) if rule.op == "and" else any(wanted), chooser(numbers))


def differences(rule: Rule, chosen: Chosen) -> Iterator[str]:
    """Where the interpreter gives a clause, or the rule, another value."""
    env = {p.name: value for p, value in zip(rule.function.params, chosen.arguments, strict=True)}
    got = [bool(evaluate(clause.condition, env, chosen.choose)) for clause in rule.clauses]
    said = bool(apply(rule.function, chosen.arguments, chosen.choose))
    if got != chosen.clauses or said != chosen.value:
        yield f"{rule.function.name} at {env}: {got}, solver {chosen.clauses}"


def chooser(numbers: dict[str, int]) -> Chooser:
    """What the solver chose for each `undefined`."""

    def choose(site: str, kind: Any) -> Any:
        number = numbers.get(f"undefined {site}", 0)
        return bool(number) if isinstance(kind, Bool) else number

    return choose
