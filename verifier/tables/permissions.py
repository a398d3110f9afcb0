"""`permissions[]` of an MMU, decoded: which access faults for which ACC_*, and what says so.

In: a version and an MMU. Out: a section: the elements, accesses, combinations of rights, and the rules.
Guarantee: elements and faults are the interpreter's; a rule is the part of the specification that makes it fault.
Trusted: no, checked by tests/unit/verifier/tables against the tables that the kernel's functions printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import cast

from verifier.core.show import set_fields
from verifier.tables.accesses import PFERR, Access, accesses
from verifier.tables.formula import formula
from verifier.tables.mmus import MMU, Kind, Mmu, make_mmu
from verifier.tables.origin import Origin, origins
from verifier.tables.rules import Rules
from verifier.tables.table import Cell, Grid, Section
from verifier.tables.version import Definitions, field_of, part
from verifier.types.kinds import Layout, Record

PERMISSIONS, FAULT, ACC = "kvm.permissions.permissions", "kvm.mmu.permission_fault", "kvm.acc.Acc"
ELEMENTS = 16
SHORT = {"read": "r", "write": "w", "user": "u", "user_exec": "u", "exec": "x"}
EPT_SHORT = {**SHORT, "user_exec": "ux"}
"""Short names of rights, for columns: what EPT calls execution in user mode is U/S to other page tables."""


@dataclass(frozen=True, slots=True)
class Row:
    """Accesses of one kind that fault for the same ACC_*, by the same rules.

    `rules` has, for each rule, a set bit for each value of ACC_* for which it makes them fault.
    """

    kind: str
    accesses: tuple[Access, ...]
    rules: Mapping[Origin, int]

    @property
    def head(self) -> str:
        return f"{self.kind} {''.join(access.mode.letter for access in self.accesses)}"

    @property
    def mask(self) -> int:
        """A set bit for each value of ACC_* for which they fault."""
        faults = 0
        for mask in self.rules.values():
            faults |= mask
        return faults


def sections(version: Definitions, kind: Kind, given: Mapping[str, int]) -> Iterator[Section]:
    """The tables of a kind of MMU: of these settings, or of its usual variants, those together that do not differ."""
    variants = [variant for variant in kind.variants if not variant.keys() & given.keys()] or [{}]
    titles: dict[tuple[object, ...], list[str]] = {}
    made: dict[tuple[object, ...], Section] = {}
    for variant in variants:
        settings = {**variant, **given}
        found = _section(version, kind, settings)
        same = (found.facts, found.grids)
        made.setdefault(same, found)
        titles.setdefault(same, []).append(", ".join(f"{name}={value}" for name, value in settings.items()))
    where = f", in {version.label}" if version.label else ""
    for same, found in made.items():
        said = " or ".join(filter(None, titles[same]))
        yield replace(found, title=f"{kind.title}{', ' if said else ''}{said}{where}")


def _section(version: Definitions, kind: Kind, settings: Mapping[str, int]) -> Section:
    """The table of one MMU, without a title."""
    mmu = make_mmu(version, kind, settings)
    acc = version.layout(ACC)
    names = [(EPT_SHORT if kind.word == "ept" else SHORT).get(field.name, field.name) for field in acc.fields]
    words = elements(version, mmu)
    rows, rules = list(_rows(version, mmu, acc)), Rules()
    facts = (*_facts(version, mmu, words), ("ACC_*", _meaning(names, acc)))
    grids = (_accesses(rows, rules, words, names), _rights(rows, rules, names), rules.grid())
    return Section("", facts, grids)


def elements(version: Definitions, mmu: Mmu) -> tuple[int, ...]:
    """The array as the kernel has it."""
    return tuple(version.number(PERMISSIONS, mmu=mmu.value, index=index) for index in range(ELEMENTS))


def _rows(version: Definitions, mmu: Mmu, acc: Layout) -> Iterator[Row]:
    """The accesses, those together that differ in their mode only."""
    for kind, group in groupby(accesses(version, mmu), key=lambda access: access.kind):
        alike: dict[tuple[tuple[Origin, int], ...], list[Access]] = {}
        for access in group:
            alike.setdefault(tuple(_faults(version, mmu, access, acc).items()), []).append(access)
        for rules, together in alike.items():
            yield Row(kind, tuple(together), dict(rules))


def _faults(version: Definitions, mmu: Mmu, access: Access, acc: Layout) -> dict[Origin, int]:
    """The rules by which an access faults, each with the values of ACC_* for which it does."""
    present = field_of(version.layout(PFERR), "present").mask
    function = version.function(FAULT)
    found: dict[Origin, int] = {}
    for value in range(1 << acc.width):
        arguments = version.arguments(
            FAULT, vcpu=access.vcpu, mmu=mmu.value, pte_access=value, pte_pkey=0, access=access.code
        )
        for origin in origins(function, arguments, present):
            found[origin] = found.get(origin, 0) | 1 << value
    return found


def _facts(version: Definitions, mmu: Mmu, words: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    """The role, the array, and what its index is."""
    kind = version.record(MMU)
    roles = next(field.kind for field in kind.fields if field.name == "cpu_role")
    assert isinstance(roles, Record)
    for field in roles.fields:
        assert isinstance(field.kind, Layout)
        value = cast(int, part(part(mmu.value, kind, "cpu_role"), roles, field.name))
        yield f"role.{field.name}", f"0x{value:x}: {', '.join(set_fields(value, field.kind))}".replace(": true", "")
    function = version.function(PERMISSIONS)
    width = max(word.bit_length() for word in words)
    yield "permissions[]", " ".join(_hex(word, width) for word in words)
    yield "index", " ".join(filter(None, (function.doc, function.reading and f"Reading: {function.reading}.")))


def _hex(element: int, width: int) -> str:
    return f"0x{element:0{-(-width // 4)}x}"


def _meaning(names: list[str], acc: Layout) -> str:
    return "; ".join(f"{name} {field.mask:#x} {field.doc}" for name, field in zip(names, acc.fields, strict=True))


def _accesses(rows: list[Row], rules: Rules, words: tuple[int, ...], names: list[str]) -> Grid:
    width = max(word.bit_length() for word in words)
    cells: list[tuple[Cell, ...]] = []
    for row in rows:
        modes = ", ".join(f"{access.mode.name} ({access.mode.letter})" for access in row.accesses)
        indices = tuple(dict.fromkeys(access.index for access in row.accesses))
        shown = tuple(dict.fromkeys(_hex(words[index], width) for index in indices))
        asked = all(words[index] == row.mask for index in indices)
        faults = formula(names, frozenset(value for value in range(1 << len(names)) if row.mask >> value & 1))
        cells.append((
            row.kind, modes, tuple(map(str, indices)), shown if asked else (*shown, "not asked"), faults,
            tuple(sorted(map(rules.letter, row.rules))),
        ))  # fmt: skip
    return Grid("accesses", "Each access with its place in the array, when it faults, and by which rules",
                ("access", "mode", "index", "element", "faults if", "rules"), tuple(cells))  # fmt: skip


def _rights(rows: list[Row], rules: Rules, names: list[str]) -> Grid:
    """A row for each value of ACC_*: the letters of the rules by which each access faults."""
    cells: list[tuple[Cell, ...]] = []
    for value in range(1 << len(names)):
        shown = (name if value >> position & 1 else "-" * len(name) for position, name in enumerate(names))
        faults = (sorted(rules.letter(rule) for rule, mask in row.rules.items() if mask >> value & 1) for row in rows)
        cells.append((f"0x{value:x} {' '.join(shown)}", *("".join(letters) or "." for letters in faults)))
    return Grid("rights", "Each value of ACC_* with the rules by which an access faults; a dot allows it",
                ("ACC_*", *(row.head for row in rows)), tuple(cells))  # fmt: skip
