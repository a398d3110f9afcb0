"""The specifications by z3 against the interpreter, on inputs that the solver chooses.

For each clause of each rule under `specs/sdm`: one input where it holds and one where it does not, all other clauses
being as they must be for the rule to depend on it (false in `any of`, true in `all of`). The interpreter must give
every clause, and the rule, the value that the solver gave it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from comparison import say
from spec_side import checked

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
    """A rule with its script: `holds[i]` and `fails[i]` select that clause i is true, or false."""

    function: typed.Function
    obligation: Obligation
    session: Session
    clauses: tuple[typed.Clause, ...]
    op: str

    def select(self, values: list[bool]) -> list[str]:
        """The selectors under which the clauses have these values."""
        names, script = self.obligation.script.assumptions, self.obligation.script
        count = len(self.clauses)
        return [*script.definitions, *(names[i if value else count + i] for i, value in enumerate(values))]


def rules() -> list[typed.Function]:
    """The rules of the architecture with at least one parameter."""
    functions = checked().functions.values()
    named = (f for f in functions if f.name.startswith("sdm.") and isinstance(f.body, typed.RuleBody) and f.params)
    return sorted(named, key=lambda f: f.name)


def prepare(function: typed.Function) -> Rule:
    """The rule's clauses and their negations as assumptions of one script."""
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
        holds + fails,
        show,
        (),
        function.span,
    )
    obligation = generate(claim, Symbolizer())
    return Rule(function, obligation, open_session("z3", obligation.script.prelude, BUDGET), body.clauses, body.op)


def disagreements(rule: Rule, position: int) -> list[str]:
    """Where the interpreter differs from the solver on the two inputs of a clause; [""] if there are none such."""
    found = list[str]()
    for value in (True, False):
        wanted = [rule.op == "and"] * len(rule.clauses)
        wanted[position] = value
        if rule.session.check(rule.select(wanted)) != "sat":
            return [""]
        found += differences(rule, wanted)
    return found


def differences(rule: Rule, wanted: list[bool]) -> list[str]:
    """Evaluates the session's model."""
    leaves = [leaf.name for leaf in rule.obligation.script.leaves]
    numbers = dict(zip(leaves, rule.session.values([symbol(name) for name in leaves]), strict=True))
    env = {p.name: assemble(p.type, p.name, numbers) for p in rule.function.params}
    choose = chooser(numbers)
    got = [bool(evaluate(clause.condition, env, choose)) for clause in rule.clauses]
    answer = all(wanted) if rule.op == "and" else any(wanted)
    said = bool(apply(rule.function, tuple(env.values()), choose))
    return [] if got == wanted and said == answer else [f"{rule.function.name} at {env}: {got}, solver {wanted}"]


def chooser(numbers: dict[str, int]) -> Chooser:
    """What the solver chose for each `undefined`."""

    def choose(site: str, kind: Any) -> Any:
        number = numbers.get(f"undefined {site}", 0)
        return bool(number) if isinstance(kind, Bool) else number

    return choose


def test_solver_and_interpreter_agree_where_each_clause_just_holds_and_just_does_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found, inseparable, inputs = list[str](), set[tuple[str, str]](), 0
    for function in rules():
        rule = prepare(function)
        for position, clause in enumerate(rule.clauses):
            said = disagreements(rule, position)
            if said == [""]:
                inseparable.add((function.name, clause.name))
            else:
                inputs += 2
                found += said
    say(capsys, f"specs by z3 against the interpreter, {len(rules())} rules", inputs, len(found))
    assert not found, found[0]
    assert not inseparable
