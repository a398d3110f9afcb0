"""The definitions of one version, by name.

In: a loaded version. Out: its types, its functions, and what they give for arguments by name.
Guarantee: every value is the interpreter's; `undefined` counts as 0, and `undecided` says where that matters.
What these definitions do not say is `Unanswerable`, never a value.
Trusted: no, checked by tests/unit/verifier/tables.
"""

from __future__ import annotations

from typing import TypeVar, cast

from verifier.core.interpret import all_zero, apply
from verifier.core.values import Value, zero
from verifier.names.resolve import Symbol
from verifier.syntax import tree
from verifier.types import typed
from verifier.types.declare import Stop
from verifier.types.kinds import Enum, Layout, LayoutField, Record, Type, scalar_width
from verifier.types.load import Loaded

Declared = TypeVar("Declared", Record, Layout, Enum)


class Unanswerable(Exception):  # noqa: N818  (it is an answer)
    """These definitions do not say what a table asks."""


class Definitions:
    """`label` is that of the series, or None for a project without any."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self.label = loaded.version.label if loaded.version else None
        self.undecided: dict[str, None] = {}

    def function(self, name: str) -> typed.Function:
        """The function, rule or constant of that qualified name."""
        symbol = self._symbol(name)
        if isinstance(symbol.decl, (tree.Enum, tree.Record, tree.Bits, tree.Claim)):
            raise Unanswerable(f"`{name}` is no function")
        try:
            found = self._loaded.checker.function(symbol, symbol.decl.name.span)
        except Stop:
            raise Unanswerable(f"`{name}` does not fit the types of this version") from None
        if found.missing:
            raise Unanswerable(f"nobody has seen {', '.join(f'`{missing}`' for missing in found.missing)}")
        return found

    def record(self, name: str) -> Record:
        """The record type of that qualified name."""
        return self._declared(name, Record)

    def layout(self, name: str) -> Layout:
        """The bitfield of that qualified name."""
        return self._declared(name, Layout)

    def enum(self, name: str) -> Enum:
        """The enum of that qualified name."""
        return self._declared(name, Enum)

    def layouts(self) -> dict[str, Layout]:
        """Every bitfield by qualified name."""
        known = self._loaded.checker.types.known
        return {name: kind for name, kind in known.items() if isinstance(kind, Layout)}

    def _declared(self, name: str, what: type[Declared]) -> Declared:
        symbol = self._symbol(name)
        try:
            found = self._loaded.checker.types.declared(symbol, symbol.decl.name.span)
        except Stop:
            found = None
        if not isinstance(found, what):
            raise Unanswerable(f"`{name}` is no {what.__name__.lower()} in this version")
        return found

    def _symbol(self, name: str) -> Symbol:
        module, _, word = name.rpartition(".")
        resolved = self._loaded.program.modules.get(module)
        for symbol in resolved.scope.get(word, ()) if resolved else ():
            if symbol.module == module:
                return symbol
        raise Unanswerable(f"there is no `{name}` in these specifications")

    def call(self, name: str, **arguments: Value) -> Value:
        """The value of a function where its parameters have these values; `_unused` is given as `unused`."""
        function, given = self.function(name), self.arguments(name, **arguments)
        value = apply(function, given, all_zero)
        if function.chooses and apply(function, given, _all_ones) != value:
            self.undecided[name] = None
        return value

    def arguments(self, name: str, **given: Value) -> tuple[Value, ...]:
        """The arguments of a function in its own order; what it does not ask for is left out."""
        function = self.function(name)
        wanted = [parameter(param) for param in function.params]
        if absent := [word for word in wanted if word not in given]:
            raise Unanswerable(f"`{name}` asks for {', '.join(f'`{word}`' for word in absent)}, too")
        return tuple(given[word] for word in wanted)

    def number(self, name: str, **arguments: Value) -> int:
        """`call` where the result is a number or a truth value."""
        return int(cast(int, self.call(name, **arguments)))


def _all_ones(_site: str, kind: Type) -> Value:
    """The chooser that takes the greatest value everywhere."""
    if isinstance(kind, Enum):
        return max(number for _, number in kind.members)
    return (1 << width) - 1 if (width := scalar_width(kind)) else True


def parameter(param: typed.Param) -> str:
    """The name of a parameter; one that plays no part in a version begins with `_` there."""
    return param.name.removeprefix("_")


def make(kind: Record, **fields: Value) -> Value:
    """A value of a record; a field that is not given is 0, false, or the least member."""
    _refuse(kind, fields.keys() - {field.name for field in kind.fields})
    return tuple(fields.get(field.name, zero(field.kind)) for field in kind.fields)


def part(value: Value, kind: Type, name: str) -> Value:
    """The field of a record's value."""
    assert isinstance(kind, Record)
    return cast("tuple[Value, ...]", value)[kind.position(name)]


def field_of(kind: Layout, name: str) -> LayoutField:
    """The field of a bitfield."""
    for field in kind.fields:
        if field.name == name:
            return field
    raise Unanswerable(f"`{kind}` has no `{name}`")


def flags(kind: Layout, *names: str) -> int:
    """A bitfield with the lowest bit of these fields set, all else 0."""
    return sum(1 << field_of(kind, name).low for name in names)


def _refuse(kind: Record, names: set[str]) -> None:
    if names:
        raise Unanswerable(f"`{kind}` has no {', '.join(f'`{name}`' for name in sorted(names))}")


def cited(cites: tuple[tree.Cite, ...]) -> str:
    """The first citation: manual and title."""
    return f'{cites[0].manual.text} "{cites[0].title}"' if cites else ""
