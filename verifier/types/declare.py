"""Types from their declarations.

In: enum, record and bits declarations. Out: the types of `kinds`, one object each, made on demand.
Guarantee: layouts have no overlap, every field fits its type, no record contains itself.
Trusted: no, checked by the golden diagnostics.
"""

from __future__ import annotations

from verifier.diagnostics.model import Diagnostic
from verifier.names import errors as name_errors
from verifier.names.resolve import Program, Symbol
from verifier.source import Span
from verifier.syntax import tree
from verifier.types import errors
from verifier.types.kinds import (
    BOOL,
    Bool,
    Enum,
    Layout,
    LayoutField,
    List,
    Record,
    RecordField,
    Type,
    bits,
    list_of,
    scalar_width,
)

MAX_WIDTH = 4096
MAX_LENGTH = 64
MAX_NESTING = 64

Declared = Enum | Layout | Record


def _ways(symbol: Symbol, name: str) -> tuple[str, ...]:
    """How `name` can be written so that it means this symbol only; a type has no such way."""
    match symbol.decl:
        case tree.Fn() | tree.Rule() | tree.Const():
            return (f"{symbol.module}.{name}",)
        case tree.Enum() if name != symbol.decl.name.text:
            return (f"{symbol.decl.name.text}.{name}",)
        case _:
            return ()


def _overlap(field: LayoutField, before: list[LayoutField]) -> Diagnostic:
    """What is wrong with a field that shares a bit with one of those before."""
    other = next(other for other in before if other.mask & field.mask)
    bit = (other.mask & field.mask).bit_length() - 1
    return errors.Overlap(field.span, field.name, other.name, bit, other.span)


def _element(kind: Type) -> Type:
    """The type of a list's innermost elements; any other type itself."""
    while isinstance(kind, List):
        kind = kind.element
    return kind


class Stop(Exception):  # noqa: N818
    """Ends the check of one part of a declaration; its diagnostic is already recorded."""


class Types:
    """The types of a program by qualified name; `found` collects what is wrong."""

    def __init__(self, program: Program, found: list[Diagnostic]) -> None:
        self.program = program
        self.found = found
        self.known: dict[str, Declared] = {}
        self.faulty: set[str] = set()
        self.open: list[str] = []
        self.depths: dict[Type, int] = {}
        self.used: set[tuple[str, str]] = set()

    def fail(self, diagnostic: Diagnostic) -> Stop:
        self.found.append(diagnostic)
        return Stop()

    def lookup(self, module: str, name: tree.Word, what: str) -> Symbol:
        """The one symbol that `name` means in `module`."""
        scope = self.program.modules[module].scope
        symbols: tuple[Symbol, ...] = scope.get(name.text, ())
        if not symbols:
            elsewhere = self.program.declaring(name.text)
            raise self.fail(name_errors.UnknownName(name.span, name.text, what, tuple(scope), elsewhere))
        first, *others = symbols
        if others:
            modules = tuple(symbol.module for symbol in symbols)
            self.used.update((module, symbol.module) for symbol in symbols)
            ways = tuple(way for symbol in symbols for way in _ways(symbol, name.text))
            raise self.fail(name_errors.AmbiguousName(name.span, name.text, modules, ways))
        self.used.add((module, first.module))
        return first

    def of(self, module: str, written: tree.TypeExpr) -> Type:
        """The type that is written so in `module`."""
        match written:
            case tree.BoolType():
                return BOOL
            case tree.BitsType():
                if not 1 <= written.width <= MAX_WIDTH:
                    problem = f"a width is 1 to {MAX_WIDTH}, not {written.width}"
                    raise self.fail(errors.BadDeclaration(written.span, problem))
                return bits(written.width)
            case tree.NamedType():
                symbol = self.lookup(module, written.name, "type")
                return self.declared(symbol, written.span)
            case tree.ListType():
                element = self.of(module, written.element)
                if not 0 <= written.low <= written.high <= MAX_LENGTH or written.high == 0:
                    problem = f"a list has 1 to {MAX_LENGTH} elements, from the fewest to the most"
                    raise self.fail(errors.BadDeclaration(written.span, problem))
                return list_of(element, written.low, written.high)

    def declared(self, symbol: Symbol, at: Span) -> Declared:
        """The type that `symbol` declares."""
        name = symbol.qualified
        if name in self.known:
            return self.known[name]
        if name in self.faulty:
            raise Stop  # said where it is declared
        if name in self.open:
            raise self.fail(errors.BadDeclaration(at, f"`{symbol.decl.name.text}` contains itself"))
        if len(self.open) == MAX_NESTING:
            raise self.fail(errors.BadDeclaration(at, f"types contain types at most {MAX_NESTING} deep"))
        self.open.append(name)
        try:
            made = self._declared(symbol, at)
        except Stop:
            self.faulty.add(name)
            raise
        finally:
            self.open.pop()
        self.known[name] = made
        return made

    def _declared(self, symbol: Symbol, at: Span) -> Declared:
        match symbol.decl:
            case tree.Enum():
                return self._enum(symbol.qualified, symbol.decl)
            case tree.Bits():
                return self._nested(self._layout(symbol, symbol.decl))
            case tree.Record():
                return self._nested(self._record(symbol, symbol.decl))
            case _:
                raise self.fail(name_errors.UnknownName(at, symbol.decl.name.text, "type", ()))

    def _nested(self, made: Layout | Record) -> Layout | Record:
        """The type, unless the types inside of it go too deep."""
        depth = 1 + max((self.depths.get(_element(field.kind), 0) for field in made.fields), default=0)
        if depth > MAX_NESTING:
            raise self.fail(errors.BadDeclaration(made.span, f"types contain types at most {MAX_NESTING} deep"))
        self.depths[made] = depth
        return made

    def _enum(self, name: str, decl: tree.Enum) -> Enum:
        values: dict[int, tree.EnumMember] = {}
        for member in decl.members:
            if member.value in values:
                first = values[member.value].name.text
                problem = f"`{member.name.text}` and `{first}` are both {member.value}"
                raise self.fail(errors.BadDeclaration(member.span, problem))
            values[member.value] = member
        width = max(1, max(values).bit_length())
        if width > MAX_WIDTH:
            raise self.fail(errors.BadDeclaration(decl.name.span, f"a width is at most {MAX_WIDTH}, not {width}"))
        return Enum(name, width, tuple((m.name.text, m.value) for m in decl.members), decl.name.span)

    def _record(self, symbol: Symbol, decl: tree.Record) -> Record:
        fields = tuple(
            RecordField(f.name.text, self.of(symbol.module, f.type), f.doc, f.name.span) for f in decl.fields
        )
        return Record(symbol.qualified, fields, decl.name.span)

    def _layout(self, symbol: Symbol, decl: tree.Bits) -> Layout:
        if not 1 <= decl.width <= MAX_WIDTH:
            problem = f"a width is 1 to {MAX_WIDTH}, not {decl.width}"
            raise self.fail(errors.BadDeclaration(decl.name.span, problem))
        fields: list[LayoutField] = []
        taken = 0
        for field in decl.fields:
            made = self._layout_field(symbol, decl, field)
            if taken & made.mask:
                raise self.fail(_overlap(made, fields))
            taken |= made.mask
            fields.append(made)
        return Layout(symbol.qualified, decl.width, tuple(fields), decl.name.span)

    def _layout_field(self, symbol: Symbol, decl: tree.Bits, field: tree.BitField) -> LayoutField:
        if field.high < field.low:
            raise self.fail(errors.Reversed(field.span, field.high, field.low))
        if field.high >= decl.width:
            raise self.fail(errors.TooWide(field.span, f"[{field.high}]", decl.width))
        if field.name.text == "raw":
            raise self.fail(errors.BadDeclaration(field.name.span, "`raw` already names all the bits"))
        kind = self._field_kind(symbol, field)
        return LayoutField(field.name.text, field.high, field.low, kind, field.doc, field.name.span)

    def _field_kind(self, symbol: Symbol, field: tree.BitField) -> Type:
        width = field.high - field.low + 1
        if field.type is None:
            return BOOL if width == 1 else bits(width)
        kind = self.of(symbol.module, field.type)
        found = 1 if isinstance(kind, Bool) else scalar_width(kind)
        if isinstance(kind, (Record, List)) or found != width:
            problem = f"`{field.name.text}` has {width} bits, and `{kind}` has another width"
            raise self.fail(errors.BadDeclaration(field.span, problem))
        if isinstance(kind, Enum) and not kind.total:
            raise self.fail(errors.EnumFromBits(field.span, str(kind)))
        return kind
