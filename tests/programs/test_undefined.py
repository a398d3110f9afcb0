"""What `undefined` means: each evaluation is a new choice, a name bound by `let` is evaluated once."""

from __future__ import annotations

import pytest
from programs.written import checked, decide, recording

from verifier.core.interpret import all_zero, apply
from verifier.core.values import Value
from verifier.smt import terms
from verifier.smt.symbolize import Symbolizer
from verifier.types.kinds import Type

OPEN = """
fn f(x: bits(2)) -> bits(2) = if x == 0 then undefined else x
fn g(x: bits(2)) -> bits(2) = f(x) | f(x)
rule r(x: bits(2)) = any of { first: undefined second: x == 3 }
"""

VERDICTS = {
    "for x: bits(2) show f(x) == f(x)": "refuted",
    "for x: bits(2) assume x != 0 show f(x) == f(x)": "proved",
    "for x: bits(2) show let q = f(x); q == q": "proved",
    "for x: bits(2) show let q = f(x); let s = f(x); q == s": "refuted",
    "for x: bits(2) show (undefined | x) within 3": "proved",
    "for x: bits(2) show r(x)": "refuted",
    "for x: bits(2) assume x == 3 show r(x)": "proved",
    "for x: bits(2) show r(x) == r(x)": "refuted",
    "show all(e in list(true, true): undefined implies e)": "proved",
    "show all(e in list(true, true): undefined)": "refuted",
    "for x: bits(2) show let q = g(x); q[0] || !q[0]": "proved",
    "for x: bits(2) show f(x) in {f(x), x}": "refuted",
    "for x: bits(2) show let k: bits(2) = undefined; (k & x) within k": "proved",
}


@pytest.mark.parametrize("claim", VERDICTS, ids=lambda text: str(text))
def test_a_proof_never_relies_on_a_choice_and_a_bound_name_keeps_its_value(claim: str):
    assumed = "assume" in claim
    outcome = decide(f"{OPEN} invariant c {claim}", "z3", "bitwuzla")["c"].outcome
    assert outcome.verdict == VERDICTS[claim]
    assert outcome.vacuous is None or not assumed


def test_a_witness_shows_the_choice_it_made():
    outcome = decide(f"{OPEN} witness c for x: bits(2) assume x == 0 show f(x) == 2")["c"].outcome
    assert outcome.verdict == "proved"
    assert outcome.example is not None
    assert [v.raw for v in outcome.example.values if v.name.startswith("undefined")] == ["0x2"]


def test_the_interpreter_takes_zero_for_every_choice_unless_told_otherwise():
    functions = checked(OPEN).functions
    assert apply(functions["proofs.m.f"], (0,)) == 0
    assert apply(functions["proofs.m.g"], (0,), lambda _site, _kind: 3) == 3
    assert apply(functions["proofs.m.r"], (0,)) is False


def sites(text: str, arguments: tuple[Value, ...]) -> tuple[list[str], set[str]]:
    """The evaluations that the interpreter names, in order, and those that the compiler names."""
    function = checked(text).functions["proofs.m.h"]
    ask, asked = recording(all_zero)
    apply(function, arguments, ask)
    symbolizer = Symbolizer()
    env = {p.name: terms.variable(p.name, 2) for p in function.params}
    symbolizer.value(function.body, dict(env))  # type: ignore[arg-type]
    return list(asked), {name.removeprefix("undefined ") for name in symbolizer.choices}


def test_two_calls_of_one_function_and_two_positions_of_a_list_are_different_evaluations():
    text = f"{OPEN} fn h(x: bits(2)) -> bool = g(x) == g(x) && any(e at i in list(x, x): f(e) == extend(i, 2))"
    asked, named = sites(text, (0,))
    assert len(asked) == 5, "the second element is not asked for once the first satisfies `any`"
    assert len(named) == 6
    assert set(asked) < named


def test_a_choice_in_a_branch_that_is_not_taken_is_not_asked_for():
    assert sites(f"{OPEN} fn h(x: bits(2)) -> bits(2) = f(x)", (1,))[0] == []


def test_a_choice_of_an_enum_is_one_of_its_members():
    text = "enum E { A = 0, B = 1, C = 2, D = 3 } fn h(_x: bits(2)) -> E = undefined"
    wanted: list[Type] = []

    def choose(_site: str, kind: Type) -> Value:
        wanted.append(kind)
        return 2

    assert apply(checked(text).functions["proofs.m.h"], (0,), choose) == 2
    assert [str(kind) for kind in wanted] == ["E"]
