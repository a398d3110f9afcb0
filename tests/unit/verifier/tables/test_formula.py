"""Formulas for sets of assignments, against the sets."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.tables.formula import formula

NAMES = ["r", "w", "ux", "x"]


def holds(text: str, number: int, names: list[str]) -> bool:
    """The formula's value where bit i of `number` is the value of `names[i]`."""
    values = {name: bool(number >> i & 1) for i, name in enumerate(names)}
    alternatives = [part.split(" && ") for part in text.split(" || ")]
    return any(all(values[word.removeprefix("!")] != word.startswith("!") for word in part) for part in alternatives)


def models(text: str, names: list[str]) -> frozenset[int]:
    if text in ("never", "always"):
        return frozenset(range(1 << len(names)) if text == "always" else ())
    return frozenset(n for n in range(1 << len(names)) if holds(text, n, names))


def test_every_set_of_three_flags_gets_a_formula_that_holds_there_and_nowhere_else():
    for bits in range(256):
        wanted = frozenset(n for n in range(8) if bits >> n & 1)
        assert models(formula(NAMES[:3], wanted), NAMES[:3]) == wanted


@settings(deadline=None)
@given(st.frozensets(st.integers(0, 15)))
def test_no_alternative_and_no_part_of_one_can_be_left_out(wanted: frozenset[int]):
    text = formula(NAMES, wanted)
    assert models(text, NAMES) == wanted
    if text in ("never", "always"):
        return
    alternatives = text.split(" || ")
    for i, part in enumerate(alternatives):
        others = alternatives[:i] + alternatives[i + 1 :]
        assert not others or models(" || ".join(others), NAMES) != wanted
        literals = part.split(" && ")
        for j in range(len(literals)):
            shorter = " && ".join(literals[:j] + literals[j + 1 :])
            assert not shorter or not models(shorter, NAMES) <= wanted


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (lambda r, w, ux, x: not r, "!r"),
        (lambda r, w, ux, x: not x or ux, "ux || !x"),
        (lambda r, w, ux, x: r and not w, "r && !w"),
        (lambda r, w, ux, x: False, "never"),
        (lambda r, w, ux, x: True, "always"),
    ],
)
def test_a_formula_reads_as_one_would_write_it(condition, text):
    assignments = (dict(zip(NAMES, reversed(values), strict=True)) for values in product((False, True), repeat=4))
    assert formula(NAMES, frozenset(n for n, values in enumerate(assignments) if condition(**values))) == text
