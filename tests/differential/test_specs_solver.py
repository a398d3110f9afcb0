"""The specifications by z3 against the interpreter, on inputs that the solver chooses.

For each clause of each rule under `specs/sdm`: one input where it holds and one where it does not, all other clauses
being as they must be for the rule to depend on it (false in `any of`, true in `all of`). The interpreter must give
every clause, and the rule, the value that the solver gave it.
"""

from __future__ import annotations

import pytest
from comparison import say
from spec_clauses import decided_by, differences, prepare
from spec_side import checked

from verifier.types import typed


def rules() -> list[typed.Function]:
    """The rules of the architecture with at least one parameter."""
    functions = checked().functions.values()
    named = (f for f in functions if f.name.startswith("sdm.") and isinstance(f.body, typed.RuleBody) and f.params)
    return sorted(named, key=lambda f: f.name)


def test_solver_and_interpreter_agree_where_each_clause_just_holds_and_just_does_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found, inseparable, inputs = list[str](), set[tuple[str, str]](), 0
    for function in rules():
        rule = prepare(function, [])
        for position, clause in enumerate(rule.clauses):
            chosen = decided_by(rule, position)
            inputs += len(chosen)
            found += [line for one in chosen for line in differences(rule, one)]
            if not chosen:
                inseparable.add((function.name, clause.name))
    say(capsys, f"specs by z3 against the interpreter, {len(rules())} rules", inputs, len(found))
    assert not found, found[0]
    assert not inseparable
