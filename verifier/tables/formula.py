"""Short formulas for sets of flags.

In: names, and the assignments for which something holds. Out: its condition as `a && !b || c`.
Guarantee: the formula holds for exactly these assignments; every alternative of it is as short as it can be.
Trusted: no, checked by evaluating formulas in tests/unit/verifier/tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

Term = dict[int, bool]
"""A conjunction: positions of names, and the value that each must have."""


def formula(names: Sequence[str], holds: frozenset[int]) -> str:
    """The condition for `holds`: numbers whose bit i is the value of `names[i]`; `never`, `always` if there is none."""
    if not holds:
        return "never"
    if len(holds) == 1 << len(names):
        return "always"
    return " || ".join(
        " && ".join(("" if value else "!") + names[position] for position, value in term.items())
        for term in _cover(list(_shortest(len(names), holds)), len(names), holds)
    )


def _shortest(width: int, holds: frozenset[int]) -> Iterator[Term]:
    """The conjunctions that imply membership, none of which stays so without one of its parts; the short ones first."""
    found: list[Term] = []
    every = product((None, False, True), repeat=width)
    terms = ({i: v for i, v in enumerate(values) if v is not None} for values in every)
    for term in sorted(terms, key=lambda term: (len(term), list(term))):
        if not any(shorter.items() <= term.items() for shorter in found) and _covered(term, width) <= holds:
            found.append(term)
            yield term


def _covered(term: Term, width: int) -> frozenset[int]:
    return frozenset(n for n in range(1 << width) if all(bool(n >> i & 1) == value for i, value in term.items()))


def _cover(terms: list[Term], width: int, holds: frozenset[int]) -> list[Term]:
    """As many of the terms as are needed."""
    chosen = list(terms)
    for term in reversed(terms):
        others = [other for other in chosen if other is not term]
        if frozenset[int]().union(*(_covered(other, width) for other in others)) == holds:
            chosen = others
    return chosen
