"""The syntax tree.

In: nothing. Out: one frozen dataclass per construct of the grammar.
Guarantee: two trees are equal exactly if they would be printed alike (spans do not take part).
Trusted: no, checked by the printer's round trip.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from verifier.source import Span


@dataclass(frozen=True, slots=True)
class Word:
    """An identifier where it stands."""

    text: str
    span: Span = field(compare=False, repr=False)


# ---- types


@dataclass(frozen=True, slots=True)
class BoolType:
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class BitsType:
    width: int
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class NamedType:
    name: Word
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ListType:
    """A list of `low` to `high` elements."""

    element: TypeExpr
    low: int
    high: int
    span: Span = field(compare=False, repr=False)


TypeExpr = BoolType | BitsType | NamedType | ListType


# ---- expressions


@dataclass(frozen=True, slots=True)
class Integer:
    """A number; its width is that of its context. `hexadecimal` remembers how it was written."""

    value: int
    hexadecimal: bool
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Boolean:
    value: bool
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Undefined:
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Mask:
    """`[29:12, 7]`: the number in which exactly these bits are set; ranges are (high, low)."""

    ranges: tuple[tuple[int, int], ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Name:
    text: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Member:
    """`base.name`: a field, `raw`, an enum's member or a module's declaration."""

    base: Expr
    name: Word
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Index:
    """`base[high:low]` (bits), or `base[high]` (a bit, or a list's element)."""

    base: Expr
    high: int
    low: int | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    callee: Expr
    arguments: tuple[Expr, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Literal:
    """`Name { field: value, … }`."""

    name: Word
    fields: tuple[tuple[Word, Expr], ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class With:
    """`base with { field: value, … }`."""

    base: Expr
    fields: tuple[tuple[Word, Expr], ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ListOf:
    items: tuple[Expr, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`!` on truth values, `~` on bits."""

    op: str
    operand: Expr
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """Two or more operands of one associative operator: `&&` `||` `&` `|` `^` `+` `++`."""

    op: str
    operands: tuple[Expr, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """`==` `!=` `<` `<=` `>` `>=` `-` `<<` `>>` `within` `implies`."""

    op: str
    left: Expr
    right: Expr
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class InSet:
    value: Expr
    members: tuple[Expr, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class If:
    condition: Expr
    then: Expr
    otherwise: Expr
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Let:
    """`let name: type = value; body`; without a type the value's own."""

    name: Word
    type: TypeExpr | None
    value: Expr
    body: Expr
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Anything:
    """The pattern `_`."""

    span: Span = field(compare=False, repr=False)


Pattern = tuple[Name | Integer | Boolean | Anything, ...]


@dataclass(frozen=True, slots=True)
class Arm:
    """One `case`: a pattern (alternatives) for each scrutinee."""

    patterns: tuple[Pattern, ...]
    body: Expr
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Match:
    scrutinees: tuple[Expr, ...]
    arms: tuple[Arm, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Quantifier:
    """`all(e at i in xs: p)`; kind is `all`, `any`, `meet` or `until`."""

    kind: str
    variable: Word
    index: Word | None
    over: Expr
    body: Expr
    span: Span = field(compare=False, repr=False)


Expr = (
    Integer
    | Boolean
    | Undefined
    | Mask
    | Name
    | Member
    | Index
    | Call
    | Literal
    | With
    | ListOf
    | Unary
    | Chain
    | Binary
    | InSet
    | If
    | Let
    | Match
    | Quantifier
)


# ---- declarations


@dataclass(frozen=True, slots=True)
class Cite:
    manual: Word
    title: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class About:
    """What a declaration says of itself: citations, a sentence, the reading of an open point."""

    cites: tuple[Cite, ...]
    doc: str
    reading: str


@dataclass(frozen=True, slots=True)
class EnumMember:
    name: Word
    value: int
    doc: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Enum:
    name: Word
    members: tuple[EnumMember, ...]
    about: About
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Field:
    name: Word
    type: TypeExpr
    doc: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Record:
    name: Word
    fields: tuple[Field, ...]
    about: About
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class BitField:
    """Bits `high` to `low` (counted from 0); without a type one bit is bool, several are bits."""

    name: Word
    high: int
    low: int
    type: TypeExpr | None
    doc: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Bits:
    name: Word
    width: int
    fields: tuple[BitField, ...]
    about: About
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Param:
    name: Word
    type: TypeExpr
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Const:
    name: Word
    type: TypeExpr
    about: About
    body: Expr
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Fn:
    name: Word
    params: tuple[Param, ...]
    result: TypeExpr
    about: About
    body: Expr
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Clause:
    name: Word
    condition: Expr
    cites: tuple[Cite, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """`any of` or `all of` its clauses."""

    name: Word
    params: tuple[Param, ...]
    kind: str
    about: About
    clauses: tuple[Clause, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SeriesRange:
    """A series (or one of its prefixes, such as `v5_37`), or all prefixes from `first` to `last`."""

    first: Word
    last: Word | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Expect:
    """The verdict that a claim must get; in the named series only, or where none is named."""

    verdict: str
    series: tuple[SeriesRange, ...]
    reason: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """An `invariant` (true of every assignment) or a `witness` (true of some)."""

    kind: str
    name: Word
    ids: tuple[Word, ...]
    about: About
    params: tuple[Param, ...]
    assumptions: tuple[Expr, ...]
    show: Expr
    expects: tuple[Expect, ...]
    span: Span = field(compare=False, repr=False)


Decl = Enum | Record | Bits | Const | Fn | Rule | Claim


# ---- files


@dataclass(frozen=True, slots=True)
class Path:
    """A module's name, such as `sdm.ept.entry`."""

    text: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Module:
    name: Path
    uses: tuple[Path, ...]
    decls: tuple[Decl, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """`add`, `replace`, `reshape` (replace with another signature), `remove` or `unavailable`.

    `unavailable` says that the definition changed in a way that nobody has seen; `reason` says why, or is empty.
    """

    kind: str
    name: Word
    decl: Decl | None
    reason: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Amend:
    """A patch's changes to one module; `evidence` is `seen`, `inferred` or `unavailable`."""

    target: Path
    evidence: str
    doc: str
    uses: tuple[Path, ...]
    changes: tuple[Change, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch of a series; `base` is the version that it amends where it belongs to no series."""

    name: Path
    base: Word | None
    cites: tuple[Cite, ...]
    doc: str
    amends: tuple[Amend, ...]
    span: Span = field(compare=False, repr=False)


File = Module | Patch
