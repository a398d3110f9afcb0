"""A rule is covered a clause at a time: each clause has a case that it alone decides."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs.written import checked

from verifier.core.interpret import evaluate
from verifier.core.values import assemble
from verifier.obligations.clauses import NO_CLAUSE, ClauseCase, clause_cases, shows_a_rule
from verifier.obligations.generate import generate
from verifier.obligations.prove import Options, solve
from verifier.smt.symbolize import Symbolizer
from verifier.types.kinds import Bool

RULES = """
rule some(x: bits(3), y: bool) = any of { low: x[0]  middle: x[1] && y  high: x[2]  never: x[0] && !x[0] }
rule each(x: bits(3), y: bool) = all of { low: x[0]  middle: x[1] || y  high: x[2]  always: x[0] || !x[0] }
fn swapped(y: bool, x: bits(3)) -> bool = some(x, y)
"""
WITNESSES = {
    "some": "witness c for x: bits(3), y: bool show some(x, y)",
    "each": "witness c for x: bits(3), y: bool show each(x, y)",
    "other arguments": "witness c for x: bool, y: bits(3) show some(y ^ 1, !x)",
    "an assumption": "witness c for x: bits(3), y: bool assume y show each(x, y)",
}


def cases(witness: str) -> list[ClauseCase]:
    return list(clause_cases(checked(RULES + WITNESSES[witness]).claims[0]))


@pytest.mark.parametrize("witness", WITNESSES)
def test_there_is_a_case_without_a_clause_and_one_for_each_clause_in_their_order(witness: str):
    names = [case.clause for case in cases(witness)]
    assert names[0] == NO_CLAUSE
    assert names[1:4] == ["low", "middle", "high"]
    together = "all" if cases(witness)[0].op == "and" else "none"
    assert [case.claim.name for case in cases(witness)] == [f"c.{name or together}" for name in names]


@pytest.mark.parametrize("witness", WITNESSES)
@given(number=st.integers(0, 7), flag=st.booleans())
def test_no_example_is_one_of_two_cases_and_the_first_differs_from_the_others_in_the_rules_value(
    witness: str, number: int, flag: bool
):
    claim = checked(RULES + WITNESSES[witness]).claims[0]
    env = {p.name: flag if isinstance(p.type, Bool) else number for p in claim.params}
    holding = [case for case in clause_cases(claim) if evaluate(case.claim.show, env)]
    assert len(holding) <= 1
    for case in holding:
        assert bool(evaluate(claim.show, env)) == ((case.op == "or") == (case.clause != NO_CLAUSE))


@pytest.mark.parametrize("witness", WITNESSES)
def test_a_solver_finds_each_case_or_says_that_the_clause_never_decides(witness: str):
    claim, symbolizer = checked(RULES + WITNESSES[witness]).claims[0], Symbolizer()
    found: dict[str, str] = {}
    for case in clause_cases(claim):
        solved = solve(generate(case.claim, symbolizer), Options(explained=False))
        found[case.clause] = solved.verdict
        if solved.model is not None:
            env = {p.name: assemble(p.type, p.name, solved.model.numbers) for p in claim.params}
            assert evaluate(case.claim.show, env)
            assert solved.model.relevant == solved.model.assumed == ()
    never = {"never", "always"} | ({"middle"} if witness == "an assumption" else set())
    assert {name for name, verdict in found.items() if verdict == "refuted"} == never & set(found)


def test_the_cases_of_one_rule_are_different_questions():
    prelude = [generate(case.claim, Symbolizer()).script.prelude for case in cases("some")]
    assert all(one != other for one, other in combinations(prelude, 2))


def test_only_a_call_of_a_rule_has_clauses():
    texts = {"show some(x, true)": True, "show swapped(true, x)": False, "show x == 1": False}
    found = {text: shows_a_rule(checked(f"{RULES} witness c for x: bits(3) {text}").claims[0]) for text in texts}
    assert found == texts
