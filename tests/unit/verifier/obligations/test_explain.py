"""Explanations: the sub-claims that decide, each with the interpreter's value and the place where it is said."""

from __future__ import annotations

import pytest
from programs.written import decide

from verifier.obligations.explain import MAX_REASONS, Reason

SPEC = """
bits Grant : 3 { [0] r [1] w [2] x }
record Walk { entries: Grant[1..3] strict: bool }
rule open(g: Grant)
  = any of {
      read:    g.r
      write:   g.w
    }
rule both(g: Grant) = all of { read: g.r  write: g.w }
fn effective(k: Walk) -> Grant = meet(e in k.entries: e)
fn top(k: Walk) -> Grant = if k.strict then Grant {} else k.entries[0]
"""


def reasons(claim: str) -> tuple[Reason, ...]:
    example = decide(f"{SPEC} {claim}")["c"].outcome.example
    assert example is not None
    return example.because


def said(claim: str) -> list[str]:
    return [f"{r.text} = {r.value}" if r.value else r.text for r in reasons(claim)]


def test_both_sides_of_a_comparison_are_shown_and_the_fields_in_which_they_differ():
    left, right, *more, last = said("invariant c for k: Walk assume k.entries[0].r show top(k) within effective(k)")
    assert left.startswith("top(")
    assert left.endswith(" = Grant { r: true }")
    assert right.startswith("effective(")
    assert right.endswith(" = Grant { }")
    assert last == "`r` is granted on the left only"
    assert more == []


def test_the_clause_that_holds_is_named_with_its_place():
    found = reasons("invariant c for g: Grant show !open(g)")
    clause = next(r for r in found if r.text == "open(r): read")
    assert (clause.value, clause.place) == ("true", "proofs/m.slat:7")


def test_the_clauses_that_fail_are_named_where_all_must_hold():
    found = said("invariant c for g: Grant assume g.r show both(g)")
    assert "both(r): write = false" in found
    assert not any(text.startswith("both(r): read") for text in found)


def test_the_element_that_fails_is_named():
    found = said("invariant c for k: Walk show all(e in k.entries: !open(e))")
    assert found[0] == "e = k.entries[0] = Grant { r: true }"
    assert "open(r): read = true" in found


def test_only_the_branch_that_is_taken_is_explained():
    found = said(
        "invariant c for k: Walk assume k.strict show if k.strict then top(k) == Grant { r: true } else open(top(k))"
    )
    assert not any("open" in text for text in found)


def test_of_several_conjuncts_only_one_that_fails_is_explained():
    assert said("invariant c for g: Grant, h: Grant show (g == g) && (g.r == h.r) && (h.raw == 7)") == ["h.raw = 0"]
    differing = said("invariant c for g: Grant, h: Grant show (g == g) && (g == h)")
    assert differing[-1] in ("`r` is different", "`w` is different", "`x` is different")


def test_an_explanation_has_at_most_a_screenful():
    clauses = " ".join(f"c{i}: n >= {i}" for i in range(40))
    text = f"rule many(n: bits(8)) = any of {{ {clauses} }} invariant c for n: bits(8) assume n >= 64 show !many(n)"
    assert len(reasons(text)) == MAX_REASONS


def test_a_witness_is_explained_by_what_makes_it_hold():
    assert "open(w): write = true" in said("witness c for g: Grant assume !g.r show open(g)")


@pytest.mark.parametrize("claim", ["show false", "for _x: bool show false"])
def test_a_claim_that_says_nothing_has_no_reasons(claim: str):
    assert reasons(f"invariant c {claim}") == ()


def test_a_choice_is_explained_with_the_value_it_had_in_the_counterexample():
    text = "fn f(_g: Grant) -> bits(4) = undefined invariant c for g: Grant show f(g) != 6"
    assert "f(g) = 6" in said(text)


def test_values_inside_a_quantified_choice_are_those_that_were_replayed():
    text = """
    fn pick(n: bits(2)) -> bits(2) = if n == 2 then undefined else n
    invariant c show all(e at i in list(false, false, false): e || pick(i) != 3)
    """
    assert "pick(i) = 3" in said(text)
