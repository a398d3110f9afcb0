"""Matches: every case covered, none twice.

In: a match and its typed scrutinees. Out: one condition per arm, the last one true of all that remains.
Guarantee: the arms partition the product of the scrutinees' values, so their order does not matter.
Trusted: no, checked by generated programs and the golden diagnostics.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from verifier.syntax import tree
from verifier.types import errors, typed
from verifier.types.kinds import BOOL, Bits, Bool, Enum, Type

if TYPE_CHECKING:
    from verifier.types.body import BodyBase

MAX_CASES = 4096
MAX_ARMS = 256
_OTHER = None  # stands for all values that no arm names


def check_match(body: BodyBase, e: tree.Match, scrutinees: list[typed.Expr]) -> list[typed.Expr]:
    """The conditions of the arms of `e`; raises if an arm is faulty, missing or doubled."""
    e = replace(e, arms=tuple(_widened(arm, len(scrutinees)) for arm in e.arms))
    columns = [_column(body, e, scrutinee, i) for i, scrutinee in enumerate(scrutinees)]
    last = e.arms[-1]
    default = last if all(_is_anything(p) for p in last.patterns) else None
    named = e.arms[:-1] if default is not None else e.arms
    rows = [[_values(p, s.type) for p, s in zip(arm.patterns, scrutinees, strict=True)] for arm in named]
    remains = _partition(body, e, columns, (tuple(named), rows, scrutinees))
    if default is None and remains is not None:
        raise body.fail(errors.NotExhaustive(e.span, remains))
    if default is not None and remains is None and named:
        raise body.fail(errors.UnusedArm(default.span))
    return [_condition(row, scrutinees, arm) for row, arm in zip(rows, named, strict=True)] + (
        [typed.Const(True, BOOL, last.span)] if default is not None else []
    )


def _widened(arm: tree.Arm, count: int) -> tree.Arm:
    """A lone `_` stands for one in every column."""
    alone = len(arm.patterns) == 1 and count > 1 and _is_anything(arm.patterns[0])
    return replace(arm, patterns=arm.patterns * count) if alone else arm


def _is_anything(pattern: tree.Pattern) -> bool:
    return any(isinstance(p, tree.Anything) for p in pattern)


def _column(body: BodyBase, e: tree.Match, scrutinee: typed.Expr, index: int) -> list[int | None]:
    """The values that the arms name in this column, and `_OTHER` if the type has more."""
    named: set[int] = set()
    for arm in e.arms:
        if len(arm.patterns) != len(e.scrutinees):
            raise body.fail(errors.ArgumentCount(arm.span, "case", len(arm.patterns), len(e.scrutinees), e.span))
        for single in arm.patterns[index]:
            _check_single(body, single, scrutinee.type)
        named |= _values(arm.patterns[index], scrutinee.type) or set()
    match scrutinee.type:
        case Bool():
            return [0, 1]
        case Enum() as kind:
            return [value for _, value in kind.members]
        case Bits(width=width):
            whole = len(named) == 1 << width
            return [*sorted(named), *([] if whole else [_OTHER])]
        case _:
            raise AssertionError(scrutinee.type)


def _check_single(body: BodyBase, single: object, kind: Type) -> None:
    match single, kind:
        case (tree.Anything(), _) | (tree.Boolean(), Bool()):
            return
        case tree.Name(), Enum():
            if single.text not in dict(kind.members):
                known = tuple(name for name, _ in kind.members)
                raise body.fail(errors.UnknownField(single.span, str(kind), single.text, known, kind.span))
        case tree.Integer(), Bits():
            if single.value >> kind.width:
                raise body.fail(errors.TooWide(single.span, single.span.text, kind.width))
        case ((tree.Name() | tree.Integer() | tree.Boolean()), _):
            raise body.fail(errors.Mismatch(single.span, single.span.text, str(kind)))
        case _:
            raise AssertionError(single)


def _values(pattern: tree.Pattern, kind: Type) -> set[int] | None:
    """The values that a pattern covers; None for all."""
    if _is_anything(pattern):
        return None
    members = dict(kind.members) if isinstance(kind, Enum) else {}
    named = (p for p in pattern if not isinstance(p, tree.Anything))
    return {members[p.text] if isinstance(p, tree.Name) else int(p.value) for p in named}


def _partition(
    body: BodyBase,
    e: tree.Match,
    columns: list[list[int | None]],
    arms: tuple[tuple[tree.Arm, ...], list[list[set[int] | None]], list[typed.Expr]],
) -> str | None:
    """An example that no named arm covers, or None; fails on one that two cover."""
    named, rows, scrutinees = arms
    size = 1
    for column in columns:
        size *= len(column)
    if size > MAX_CASES or len(named) > MAX_ARMS:
        problem = f"a match has at most {MAX_CASES} cases and {MAX_ARMS} arms"
        raise body.fail(errors.BadDeclaration(e.span, problem, "match in steps"))
    covers = [_arms_by_value([row[i] for row in rows], column) for i, column in enumerate(columns)]
    missing: str | None = None
    for case in product(*columns):
        covering = -1
        for cover, value in zip(covers, case, strict=True):
            covering &= cover[value]
        if covering & (covering - 1):
            first, second, *_ = (arm for i, arm in enumerate(named) if covering >> i & 1)
            raise body.fail(errors.OverlappingArms(second.span, _show(case, scrutinees), first.span))
        if not covering and missing is None:
            missing = _show(case, scrutinees)
    return missing


def _arms_by_value(patterns: list[set[int] | None], column: list[int | None]) -> dict[int | None, int]:
    """For each value of a column the arms that cover it, as the bits of a number."""
    everywhere = sum(1 << i for i, values in enumerate(patterns) if values is None)
    arms: dict[int | None, int] = dict.fromkeys(column, everywhere)
    for i, values in enumerate(patterns):
        for value in values or ():
            arms[value] |= 1 << i
    return arms


def _show(case: tuple[int | None, ...], scrutinees: list[typed.Expr]) -> str:
    words: list[str] = []
    for value, scrutinee in zip(case, scrutinees, strict=True):
        match scrutinee.type:
            case _ if value is _OTHER:
                words.append("_")
            case Bool():
                words.append("true" if value else "false")
            case Enum() as kind:
                words.append(next(name for name, number in kind.members if number == value))
            case _:
                words.append(str(value))
    return ", ".join(words)


def _condition(row: list[set[int] | None], scrutinees: list[typed.Expr], arm: tree.Arm) -> typed.Expr:
    tests: list[typed.Expr] = []
    for values, scrutinee in zip(row, scrutinees, strict=True):
        if values is None:
            continue
        if isinstance(scrutinee.type, Bool):
            if len(values) == 1:
                tests.append(scrutinee if 1 in values else typed.Not(scrutinee, BOOL, arm.span))
            continue
        equal = tuple(
            typed.Equal(scrutinee, typed.Const(value, scrutinee.type, arm.span), BOOL, arm.span)
            for value in sorted(values)
        )
        tests.append(equal[0] if len(equal) == 1 else typed.Logic("or", equal, BOOL, arm.span))
    if not tests:
        return typed.Const(True, BOOL, arm.span)
    return tests[0] if len(tests) == 1 else typed.Logic("and", tuple(tests), BOOL, arm.span)
