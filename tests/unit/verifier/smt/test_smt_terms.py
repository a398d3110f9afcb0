"""The smart constructors of terms, against Python's arithmetic on every input of a small width."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from verifier.smt import terms
from verifier.smt.terms import Term

WIDTH = 2
ONES = (1 << WIDTH) - 1
X, Y = terms.variable("x", WIDTH), terms.variable("y", WIDTH)
P, Q = terms.variable("p", 0), terms.variable("q", 0)
INPUTS = [{"x": x, "y": y, "p": p, "q": q} for x, y, p, q in product(range(4), range(4), range(2), range(2))]

BINARY: dict[str, Callable[[int, int, int], int]] = {
    "bvand": lambda a, b, w: a & b,
    "bvor": lambda a, b, w: a | b,
    "bvxor": lambda a, b, w: a ^ b,
    "bvadd": lambda a, b, w: (a + b) % (1 << w),
    "bvsub": lambda a, b, w: (a - b) % (1 << w),
    "bvshl": lambda a, b, w: (a << b) % (1 << w) if b < w else 0,
    "bvlshr": lambda a, b, w: a >> b if b < w else 0,
    "bvult": lambda a, b, w: int(a < b),
    "bvule": lambda a, b, w: int(a <= b),
}


def value(term: Term, given: dict[str, int]) -> int:
    """What the term's operators say, with no identity applied."""
    args = [value(arg, given) for arg in term.args]
    match term.op:
        case "const":
            return term.constant
        case "var":
            return given[str(term.value)]
        case "not":
            return 1 - args[0]
        case "and":
            return int(all(args))
        case "or":
            return int(any(args))
        case "=":
            return int(args[0] == args[1])
        case "ite":
            return args[1] if args[0] else args[2]
        case "bvnot":
            return args[0] ^ ((1 << term.width) - 1)
        case "extract":
            high, low = term.value  # type: ignore[misc]
            return args[0] >> low & ((1 << (high - low + 1)) - 1)
        case "concat":
            joined = 0
            for arg, part in zip(term.args, args, strict=True):
                joined = joined << arg.width | part
            return joined
        case op:
            return BINARY[op](args[0], args[1], term.args[0].width)


def numbers() -> list[Term]:
    """Terms of two bits in every form that a constructor looks at."""
    bits = [terms.extract(X, 1, 1), terms.extract(X, 0, 0), terms.extract(Y, 0, 0), terms.number(1, 1)]
    return [
        *(terms.number(n, WIDTH) for n in range(4)),
        X,
        Y,
        terms.invert(X),
        terms._make("bvand", (X, terms.number(2, WIDTH)), WIDTH),
        terms._make("bvor", (X, terms.number(1, WIDTH)), WIDTH),
        terms._make("bvadd", (X, Y), WIDTH),
        terms.ite(P, terms.number(1, WIDTH), terms.number(2, WIDTH)),
        terms.ite(P, X, Y),
        *(terms.concat(pair) for pair in product(bits, bits)),
    ]


def truths() -> list[Term]:
    """Truth values in every form that a constructor looks at."""
    return [
        terms.TRUE,
        terms.FALSE,
        P,
        Q,
        terms.negate(P),
        terms._make("and", (P, Q), 0),
        terms._make("or", (P, Q), 0),
        terms._make("=", (X, terms.number(1, WIDTH)), 0),
        terms._make("=", (terms.extract(X, 0, 0), terms.number(1, 1)), 0),
    ]


def agree(made: Term, wanted: Callable[[dict[str, int]], int]) -> None:
    for given in INPUTS:
        assert value(made, given) == wanted(given), given


NUMBER_PAIRS: dict[str, tuple[Callable[[Term, Term], Term], Callable[[int, int], int]]] = {
    "and": (terms.bit_and, lambda a, b: a & b),
    "or": (terms.bit_or, lambda a, b: a | b),
    "xor": (terms.bit_xor, lambda a, b: a ^ b),
    "equal": (terms.equal, lambda a, b: int(a == b)),
    "less": (lambda a, b: terms.less(a, b, False), lambda a, b: int(a < b)),
    "less or equal": (lambda a, b: terms.less(a, b, True), lambda a, b: int(a <= b)),
    "within": (terms.within, lambda a, b: int(a & ~b == 0)),
    "concat": (lambda a, b: terms.concat((a, b)), lambda a, b: a << WIDTH | b),
    "add": (lambda a, b: terms.arithmetic("+", a, b), lambda a, b: a + b & ONES),
    "subtract": (lambda a, b: terms.arithmetic("-", a, b), lambda a, b: a - b & ONES),
    "shift left": (lambda a, b: terms.arithmetic("<<", a, b), lambda a, b: a << b & ONES),
    "shift right": (lambda a, b: terms.arithmetic(">>", a, b), lambda a, b: a >> b),
}


@pytest.mark.parametrize("name", NUMBER_PAIRS)
def test_an_operator_on_two_numbers_means_what_it_says(name: str):
    build, meaning = NUMBER_PAIRS[name]
    for a, b in product(numbers(), repeat=2):
        agree(build(a, b), lambda given, a=a, b=b: meaning(value(a, given), value(b, given)))


TRUTH_PAIRS: dict[str, tuple[Callable[[Term, Term], Term], Callable[[int, int], int]]] = {
    "conjunction": (lambda a, b: terms.conjunction((a, b)), lambda a, b: a & b),
    "disjunction": (lambda a, b: terms.disjunction((a, b)), lambda a, b: a | b),
    "implies": (terms.implies, lambda a, b: (1 - a) | b),
    "equal": (terms.equal, lambda a, b: int(a == b)),
}


@pytest.mark.parametrize("name", TRUTH_PAIRS)
def test_an_operator_on_two_truth_values_means_what_it_says(name: str):
    build, meaning = TRUTH_PAIRS[name]
    for a, b in product(truths(), repeat=2):
        agree(build(a, b), lambda given, a=a, b=b: meaning(value(a, given), value(b, given)))


@pytest.mark.parametrize("operator", ["conjunction", "disjunction"])
def test_a_junction_of_three_keeps_what_its_parts_say(operator: str):
    build: Any = getattr(terms, operator)
    combine = all if operator == "conjunction" else any
    parts = [*truths(), terms.negate(Q)]
    for chosen in product(parts, repeat=3):
        agree(build(chosen), lambda given, chosen=chosen: int(combine(value(c, given) for c in chosen)))


def test_a_junction_of_nothing_is_neutral():
    assert terms.conjunction(()) is terms.TRUE
    assert terms.disjunction(()) is terms.FALSE


def test_an_if_takes_the_branch_that_its_condition_names():
    for condition in truths():
        for then, other in product(numbers()[:12], repeat=2):
            agree(
                terms.ite(condition, then, other),
                lambda given, c=condition, a=then, b=other: value(a if value(c, given) else b, given),
            )
        for then, other in product(truths(), repeat=2):
            agree(
                terms.ite(condition, then, other),
                lambda given, c=condition, a=then, b=other: value(a if value(c, given) else b, given),
            )


def test_a_slice_is_a_slice_of_every_form():
    for whole in [terms.concat((a, b)) for a, b in product(numbers()[3:15], repeat=2)] + numbers():
        for high in range(whole.width):
            for low in range(high + 1):
                mask = (1 << (high - low + 1)) - 1
                agree(
                    terms.extract(whole, high, low),
                    lambda given, t=whole, lo=low, m=mask: value(t, given) >> lo & m,
                )


def test_one_operand_means_what_it_says():
    for term in numbers():
        agree(terms.invert(term), lambda given, t=term: value(t, given) ^ ONES)
        for width, signed in product((2, 3, 5), (False, True)):

            def extended(given: dict[str, int], t: Term = term, w: int = width, s: bool = signed) -> int:
                found = value(t, given)
                return found | (1 << w) - 4 if s and found & 2 else found

            agree(terms.extend(term, width, signed), extended)
        for position in range(WIDTH):
            agree(terms.bit(term, position), lambda given, t=term, n=position: value(t, given) >> n & 1)
    for term in truths():
        agree(terms.negate(term), lambda given, t=term: 1 - value(t, given))
        agree(terms.from_boolean(term), lambda given, t=term: value(t, given))
        agree(terms.bit(terms.from_boolean(term), 0), lambda given, t=term: value(t, given))


def test_equal_terms_are_one_object():
    assert terms.bit_and(X, Y) is terms.bit_and(X, Y)
    assert terms.number(1, 2) is not terms.number(1, 3)
    assert terms.concat((terms.extract(X, 1, 1), terms.extract(X, 0, 0))) is X
