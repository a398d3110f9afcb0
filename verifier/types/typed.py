"""The typed core: what is left of a program once names and types are settled.

In: nothing. Out: one dataclass per construct; every expression has its type and its place.
Guarantee: small enough that each reader (interpreter, compiler to terms) handles every node in one `match`.
Trusted: yes, it is the language's abstract syntax.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from verifier.source import Span
from verifier.syntax.tree import Cite, Expect
from verifier.types.kinds import Enum, Layout, LayoutField, Record, Type


@dataclass(frozen=True, slots=True, eq=False)
class Const:
    """A truth value (bool) or a number (of the type's width)."""

    value: bool | int
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Var:
    name: str
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """`undefined`: each evaluation may give any value of the type.

    `site` is the function and the place in its source, `field` that of a record or bitfield for which it is chosen.
    """

    site: str
    type: Type
    span: Span
    field: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Let:
    name: str
    value: Expr
    body: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class If:
    condition: Expr
    then: Expr
    otherwise: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Not:
    operand: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Logic:
    """`and`, `or` of two or more, `implies` of two truth values."""

    op: str
    operands: tuple[Expr, ...]
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Equal:
    """Equality of two values of one type, whatever the type."""

    left: Expr
    right: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Less:
    """`left < right`, or `left <= right` if `or_equal`; unsigned, equal widths."""

    left: Expr
    right: Expr
    or_equal: bool
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Within:
    """Every bit that is set on the left is set on the right."""

    left: Expr
    right: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Arithmetic:
    """`&` `|` `^` `+` (two or more operands), `-` `<<` `>>` (two) modulo 2 to the width; equal widths.

    A shift by the width or more gives 0.
    """

    op: str
    operands: tuple[Expr, ...]
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Invert:
    operand: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Extract:
    """Bits `high` to `low` (counted from 0) of a scalar; one bit as bool if the type is bool."""

    operand: Expr
    high: int
    low: int
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Concat:
    """The first operand holds the most significant bits."""

    operands: tuple[Expr, ...]
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Extend:
    """Zeros (or copies of the sign bit) above the operand, up to the type's width."""

    operand: Expr
    signed: bool
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Retype:
    """The same bits under another type; bool becomes one bit."""

    operand: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class SetFields:
    """A bitfield: `base` (None for all zeros) with some fields replaced."""

    base: Expr | None
    fields: tuple[tuple[LayoutField, Expr], ...]
    type: Layout
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class MakeRecord:
    """A record; `fields` are all of its fields in their declared order."""

    fields: tuple[Expr, ...]
    type: Record
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class GetField:
    operand: Expr
    position: int
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    function: Function
    arguments: tuple[Expr, ...]
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class MakeList:
    items: tuple[Expr, ...]
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """The element at a position below the list's least length."""

    operand: Expr
    position: int
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Last:
    operand: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Length:
    operand: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Over:
    """`all`, `any`, `meet` over a list, and `until`: its elements through the first that satisfies `body`.

    `index`, if named, counts from 0.
    """

    kind: str
    variable: str
    index: str | None
    operand: Expr
    body: Expr
    type: Type
    span: Span


Expr = (
    Const
    | Var
    | Choice
    | Let
    | If
    | Not
    | Logic
    | Equal
    | Less
    | Within
    | Arithmetic
    | Invert
    | Extract
    | Concat
    | Extend
    | Retype
    | SetFields
    | MakeRecord
    | GetField
    | Call
    | MakeList
    | Element
    | Last
    | Length
    | Over
)


@dataclass(frozen=True, slots=True, eq=False)
class Param:
    name: str
    type: Type


@dataclass(frozen=True, slots=True, eq=False)
class Clause:
    """One named condition of a rule."""

    name: str
    condition: Expr
    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class RuleBody:
    """`any of` (op `or`) or `all of` (op `and`) the clauses."""

    op: str
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function, rule or constant. `chooses`: an evaluation may meet `undefined`.

    `missing` are the definitions that it reaches and that cannot be evaluated in this version: nobody has seen them,
    or they do not fit its types.
    """

    name: str
    kind: str
    params: tuple[Param, ...]
    result: Type
    body: Expr | RuleBody
    cites: tuple[Cite, ...]
    doc: str
    reading: str
    span: Span
    chooses: bool
    missing: tuple[str, ...] = ()

    @property
    def short_name(self) -> str:
        return self.name.rsplit(".", 1)[-1]


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """An invariant or a witness. `assumptions` are the conjuncts, each as it is written; `missing` as in `Function`."""

    kind: str
    name: str
    module: str
    ids: tuple[str, ...]
    cites: tuple[Cite, ...]
    statement: str
    params: tuple[Param, ...]
    assumptions: tuple[Expr, ...]
    show: Expr
    expects: tuple[Expect, ...]
    span: Span
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """A program whose every declaration is well-typed; all maps are keyed by qualified name."""

    types: dict[str, Enum | Layout | Record] = field(default_factory=dict[str, "Enum | Layout | Record"])
    functions: dict[str, Function] = field(default_factory=dict[str, Function])
    claims: list[Claim] = field(default_factory=list[Claim])
