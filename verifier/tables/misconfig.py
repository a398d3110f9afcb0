"""EPT entries that are misconfigured, decoded.

In: a version. Out: a section: rights by MBEC and capability, reserved bits, memory types, and the clauses that say so;
and one of what KVM's walker makes of the same rights.
Guarantee: every verdict is the interpreter's on one entry. Where KVM's walker sees an entry otherwise, that is marked.
Trusted: no, checked by tests/unit/verifier/tables.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from verifier.core.show import show_value
from verifier.core.values import Value
from verifier.tables.bits import positions
from verifier.tables.host import VCPU, everything, l2_vcpu
from verifier.tables.origin import origins
from verifier.tables.rules import Rules
from verifier.tables.table import Cell, Grid, Section
from verifier.tables.version import Definitions, field_of, flags, make, part
from verifier.types.kinds import Layout

ENTRY, LEVEL, CONTROLS = "sdm.ept.entry.EptEntry", "sdm.ept.entry.EptLevel", "sdm.ept.controls.EptControls"
RESERVED, TYPES = "sdm.ept.entry.reserved_bits", "sdm.ept.memory_type.MemoryType"
RIGHTS = ("r", "w", "x", "xu")
SETTINGS = tuple({"mbec": mbec, "execute_only": only} for mbec, only in product((False, True), repeat=2))
SIZES = ("page_2m", "page_1g")
OK, ABSENT, DIFFERS = "ok", "not present", "!"


Judge = Callable[[int, str, Value], str]
"""From an entry, its level and controls to `ok`, `not present`, or the letters of what refuses it."""


def section(version: Definitions) -> Section:
    """Misconfiguration as the manual has it."""
    rules, layout = Rules(), version.layout(ENTRY)
    judge = architecture(version, rules)
    rights = _rights(version, layout, judge)
    meanings = tuple((name, field_of(layout, name).doc) for name in RIGHTS)
    return Section(
        _title(version), meanings, (rights, _reserved(version, layout), _types(version, layout, judge), rules.grid())
    )


def walker_section(version: Definitions) -> Section:
    """What KVM's walker makes of the same entries."""
    layout, rules = version.layout(ENTRY), Rules()
    manual = _rights(version, layout, architecture(version, Rules()))
    seen = _compared(_rights(version, layout, walker(version, rules)), manual)
    where = f", in {version.label}" if version.label else ""
    notes = (f"{DIFFERS}: not what the manual says.",)
    return Section(f"The same, to KVM's walk of EPT12{where}", (), (seen, rules.grid()), notes)


def _title(version: Definitions) -> str:
    return f"Entries that map 4 KBytes with memory type {_write_back(version)[0]}"


def architecture(version: Definitions, rules: Rules) -> Judge:
    """Misconfiguration as the manual has it."""
    refused = "sdm.ept.misconfiguration.misconfigured"

    def verdict(entry: int, level: str, controls: Value) -> str:
        at = dict(version.enum(LEVEL).members)[level]
        found = origins(version.function(refused), version.arguments(refused, e=entry, at=at, controls=controls), 1)
        if found:
            return " ".join(map(rules.letter, found))
        return OK if version.number("sdm.ept.entry.present", e=entry, controls=controls) else ABSENT

    return verdict


def walker(version: Definitions, rules: Rules) -> Judge:
    """The same by KVM, which asks for presence first."""
    refused = "kvm.rsvd_bits.is_rsvd_bits_set"

    def verdict(entry: int, level: str, controls: Value) -> str:
        at = dict(version.enum(LEVEL).members)[level]
        mmu = part(l2_vcpu(version, everything(version), controls), version.record(VCPU), "mmu")
        if not version.number("kvm.paging_tmpl.is_present_gpte", mmu=mmu, gpte=entry):
            return ABSENT
        found = origins(version.function(refused), version.arguments(refused, gpte=entry, at=at, l1=controls), 1)
        return " ".join(map(rules.letter, found)) or OK

    return verdict


def _controls(version: Definitions, **settings: bool) -> Value:
    """Controls with all page sizes, unless it is said otherwise, and all else off."""
    return make(version.record(CONTROLS), **{**dict.fromkeys(SIZES, True), **settings})


def _write_back(version: Definitions) -> tuple[str, int]:
    return next((name, number) for name, number in version.enum(TYPES).members if name == "WB")


def _rights(version: Definitions, layout: Layout, judge: Judge) -> Grid:
    """A row for each combination of R, W, X and XU, a column for each setting."""
    memory_type = _write_back(version)[1] << field_of(layout, "memtype").low
    cells: list[tuple[Cell, ...]] = []
    for given in product((False, True), repeat=len(RIGHTS)):
        granted = [name for name, present in zip(RIGHTS, reversed(given), strict=True) if present]
        entry = flags(layout, *granted) | memory_type
        shown = " ".join(name if name in granted else "-" * len(name) for name in RIGHTS)
        cells.append((shown, *(judge(entry, "PTE", _controls(version, **setting)) for setting in SETTINGS)))
    heads = (" ".join(f"{name}={int(value)}" for name, value in setting.items()) for setting in SETTINGS)
    return Grid("rights", "Each combination of rights, and the rules that refuse it", ("entry", *heads), tuple(cells))


def _compared(grid: Grid, other: Grid) -> Grid:
    """The grid with a mark wherever the other says something else: accepted, refused or not present."""
    rows: list[tuple[Cell, ...]] = []
    for (entry, *cells), (_, *known) in zip(grid.rows, other.rows, strict=True):
        both = zip(cells, known, strict=True)
        rows.append((entry, *(f"{cell} {DIFFERS}" if _kind(cell) != _kind(there) else cell for cell, there in both)))
    return Grid(grid.key, grid.title, grid.columns, tuple(rows))


def _kind(verdict: Cell) -> str:
    return str(verdict) if verdict in (OK, ABSENT) else "refused"


def _reserved(version: Definitions, layout: Layout) -> Grid:
    """The reserved bits of each kind of entry, with and without large pages."""
    cells: list[tuple[Cell, ...]] = []
    for level, number in reversed(version.enum(LEVEL).members):
        masks = {
            large: [_mask(version, flags(layout, *(["ps"] if large else [])), number, sizes) for sizes in (True, False)]
            for large in (False, True)
        }
        if masks[False] == masks[True]:
            cells.append((level, *map(positions, masks[False])))
        else:
            cells.append((f"{level}, bit {field_of(layout, 'ps').low} = 0", *map(positions, masks[False])))
            cells.append((f"{level}, bit {field_of(layout, 'ps').low} = 1", *map(positions, masks[True])))
    return Grid("reserved", "Reserved bits of a present entry, besides 51:MAXPHYADDR",
                ("entry", "with 2-MByte and 1-GByte pages", "without"), tuple(cells))  # fmt: skip


def _mask(version: Definitions, entry: int, level: int, sizes: bool) -> int:
    controls = _controls(version, **dict.fromkeys(SIZES, sizes))
    return version.number(RESERVED, e=entry, at=level, controls=controls)


def _types(version: Definitions, layout: Layout, judge: Judge) -> Grid:
    """Each value of the memory type in an entry that maps a page, and in one that references a table."""
    where = field_of(layout, "memtype")
    cells: list[tuple[Cell, ...]] = []
    for number in range(1 << where.high - where.low + 1):
        entry = flags(layout, "r") | number << where.low
        verdicts = (judge(entry, level, _controls(version)) for level in ("PTE", "PDE"))
        cells.append((number, show_value(number, version.enum(TYPES)), *verdicts))
    return Grid("memory_types", "Each memory type, and the rules that refuse it",
                ("value", "memory type", "maps a page", "references a table"), tuple(cells))  # fmt: skip
