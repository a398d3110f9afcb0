"""A bitfield in several versions: who owns each bit.

In: the name of a bitfield and versions. Out: a section: each bit with its owner in each version, and what moved.
Guarantee: owners are those of the typed layouts; a bit that is not the same field in every version says so.
Trusted: no, checked by tests/unit/verifier/tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from verifier.tables.bits import owner, position, ranges
from verifier.tables.table import Cell, Grid, Section
from verifier.tables.version import Definitions, Unanswerable
from verifier.types.kinds import Bits, Bool, Layout, LayoutField

NOBODY = "-"
HEADS = ("bitfield", "module", "bits", "declared at")


@dataclass(frozen=True, slots=True)
class Column:
    """A bitfield as one or several versions have it; None where there is none."""

    labels: tuple[str, ...]
    layout: Layout | None

    @property
    def head(self) -> str:
        return " ".join(self.labels)

    def owner(self, bit: int) -> LayoutField | None:
        """The field that holds a bit."""
        return owner(self.layout, bit) if self.layout else None

    def field(self, name: str) -> LayoutField | None:
        """The field of that name."""
        return next((field for field in (self.layout.fields if self.layout else ()) if field.name == name), None)


def bitfields(versions: Sequence[Definitions]) -> dict[str, Layout]:
    """Every bitfield of these versions by qualified name, as the last of them has it."""
    found: dict[str, Layout] = {}
    for version in versions:
        found |= version.layouts()
    return dict(sorted(found.items()))


def index(known: Mapping[str, Layout]) -> Section:
    """What bitfields there are."""
    cells: list[tuple[Cell, ...]] = []
    for name, kind in known.items():
        module, _, short = name.rpartition(".")
        cells.append((short, module, kind.width, kind.span.place))
    return Section("Bitfields", (), (Grid("bitfields", "Each with its module", HEADS, tuple(cells)),))


def section(name: str, versions: Sequence[Definitions]) -> Section:
    """The layout in these versions; those that agree share a column."""
    columns = list(_columns(name, versions))
    last = next(column.layout for column in reversed(columns) if column.layout)
    facts = (("bits", str(last.width)), ("declared at", last.span.place))
    if len(columns) == 1:
        return Section(name, facts, (_single(last),))
    moved = _moved(columns)
    return Section(name, facts, (_compared(columns), *([moved] if moved.rows else [])))


def _columns(name: str, versions: Sequence[Definitions]) -> Iterator[Column]:
    """Neighbouring versions with the same fields in the same places are one column."""
    known = [(version.label or "specs", _layout(name, version)) for version in versions]
    if all(layout is None for _, layout in known):
        raise Unanswerable(f"there is no `{name}` in these specifications")
    while known:
        layout = known[0][1]
        labels: list[str] = []
        while known and _fields(known[0][1]) == _fields(layout):
            labels.append(known.pop(0)[0])
        yield Column(tuple(labels), layout)


def _layout(name: str, version: Definitions) -> Layout | None:
    try:
        return version.layout(name)
    except Unanswerable:
        return None


def _fields(layout: Layout | None) -> object:
    return None if layout is None else (layout.width, [(f.name, f.high, f.low, str(f.kind)) for f in layout.fields])


def _single(layout: Layout) -> Grid:
    """Each bit with its field, its type and what the specification says of it."""
    column = Column((), layout)
    cells: list[tuple[Cell, ...]] = []
    for high, low in ranges(layout.width, column.owner):
        field = column.owner(low)
        cells.append((position(high, low), *((field.name, _type(field), field.doc) if field else (NOBODY, "", ""))))
    return Grid("bits", "Each bit and its owner", ("bits", "field", "type", "meaning"), tuple(cells))


def _type(field: LayoutField) -> str:
    """The type of a field of several bits that has one of its own."""
    return "" if isinstance(field.kind, (Bool, Bits)) else str(field.kind)


def _compared(columns: list[Column]) -> Grid:
    """Each bit with its owner in each version."""
    width = max(column.layout.width for column in columns if column.layout)
    cells: list[tuple[Cell, ...]] = []
    for high, low in ranges(width, lambda bit: [column.owner(bit) for column in columns]):
        owners = [column.owner(low) for column in columns]
        names = [field.name if field else NOBODY for field in owners]
        meaning = next((field.doc for field in reversed(owners) if field and field.doc), "")
        cells.append((position(high, low), *names, _difference(names), meaning))
    heads = ("bits", *(column.head for column in columns), "differs", "meaning")
    return Grid("bits", "Each bit and its owner in each version", heads, tuple(cells))


def _difference(names: list[str]) -> str:
    """What is to be said of a bit with these owners."""
    if len(set(names) - {NOBODY}) > 1:
        return "two names"
    return "not in all" if len(set(names)) > 1 else ""


def _moved(columns: list[Column]) -> Grid:
    """The fields that are not at the same place in every version."""
    names = dict.fromkeys(field.name for column in reversed(columns) for field in _from_below(column))
    cells: list[tuple[Cell, ...]] = []
    for name in names:
        places = [_place(column, name) for column in columns]
        if len(set(places)) > 1:
            cells.append((name, *places))
    return Grid("moved", "Fields that moved, came or went", ("field", *(c.head for c in columns)), tuple(cells))


def _from_below(column: Column) -> list[LayoutField]:
    return sorted(column.layout.fields if column.layout else (), key=lambda field: field.low)


def _place(column: Column, name: str) -> str:
    field = column.field(name)
    return position(field.high, field.low) if field else NOBODY
