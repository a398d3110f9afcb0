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


LONG = """
record Long { first: bits(64) second: bits(64) third: Grant fourth: bits(64) fifth: bits(64) sixth: bits(64) }
fn long(n: bits(64)) -> Long
  = Long { first: n, second: 0, third: Grant { w: true }, fourth: 0x123456789, fifth: 0, sixth: 0 }
"""


def test_of_long_records_that_are_compared_only_the_fields_that_differ_are_shown():
    found = said(f"{LONG} invariant c for n: bits(64) show long(n) == long(5)")
    assert found == ["long(n) = Long { first: 0x0, … }", "long(5) = Long { first: 0x5, … }", "`first` is different"]


def test_of_a_long_record_the_fields_that_with_gives_are_shown():
    two = f"{LONG} invariant c show let l = long(1) with {{ first: 7, second: 8 }}; l.first == l.second"
    assert "long(1) with { first: 7, second: 8 } = Long { first: 0x7, second: 0x8, … }" in said(two)


def test_of_any_other_long_record_the_fields_that_are_not_0_are_shown():
    found = said(f"{LONG} invariant c show let l = long(1); l.first == l.second")
    assert "long(1) = Long { first: 0x1, third: Grant { w: true }, fourth: 0x123456789, … }" in found


def test_of_short_records_that_are_compared_all_is_shown_and_the_fields_in_which_they_differ():
    text = "record Two { a: bool b: bool } invariant c for a: bool show Two { a: a, b: a } == Two { a: true, b: a }"
    assert said(text)[-1] == "`a` is different"


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


def test_a_choice_is_named_by_the_field_for_which_it_is_made_and_by_its_function():
    text = """
    record Two { a: bool g: Grant }
    fn twice(x: bool) -> Two = Two { a: if x then undefined else x, g: Grant { w: undefined } }
    fn bare(_x: bool) -> bool = undefined
    invariant c for x: bool show !twice(x).a || !twice(x).g.w || !bare(x) || !twice(x).a
    """
    example = decide(f"{SPEC} {text}")["c"].outcome.example
    assert example is not None
    named = [shown.name for shown in example.values if shown.name.startswith("undefined")]
    assert sorted(named) == [
        "undefined a in twice",
        "undefined a in twice (2)",
        "undefined in bare",
        "undefined w in twice",
    ]
