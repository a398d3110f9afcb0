"""The roles of MMUs: their bits in every version, and what each bit follows from.

In: versions, and the one whose definitions are read. Out: sections for the base and the extended role.
Guarantee: places are those of the typed layouts, formulas those of the functions that make roles.
Trusted: no, checked by tests/unit/verifier/tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from verifier.tables import layout
from verifier.tables.bits import position
from verifier.tables.derivation import derive, texts
from verifier.tables.table import Cell, Grid, Section
from verifier.tables.version import Definitions

BASE, EXTENDED = "kvm.asm_kvm_host.KvmMmuPageRole", "kvm.asm_kvm_host.KvmMmuExtendedRole"
NEVER = "0"


@dataclass(frozen=True, slots=True)
class Maker:
    """`function` makes the roles of an MMU, where inputs have the values in `given`.

    `base` and `extended` lead to them in what it gives; `other` to a second base role, if there are two.
    """

    title: str
    function: str
    base: str
    extended: str | None
    other: str | None = None
    given: Mapping[str, int] = field(default_factory=dict[str, int])


GUEST = Maker("guest", "kvm.role.kvm_calc_cpu_role", "base", "ext", None, {"cr0_pg": 1})
UNPAGED = Maker("guest", "kvm.role.kvm_calc_cpu_role", "base", "ext", None, {"cr0_pg": 0})
SECOND_LEVEL = ("root_role", "cpu_role.ext", "cpu_role.base")
MAKERS = (
    GUEST,
    Maker("shadow EPT", "kvm.role.kvm_init_shadow_ept_mmu", *SECOND_LEVEL),
    Maker("nested NPT", "kvm.role.kvm_init_shadow_npt_mmu", *SECOND_LEVEL),
    Maker("direct", "kvm.role.kvm_calc_tdp_mmu_root_page_role", "", None),
)


def places(versions: Sequence[Definitions]) -> list[Section]:
    """Where each bit is in each version."""
    return [layout.section(name, versions) for name in (BASE, EXTENDED)]


def section(version: Definitions) -> Section:
    """What each bit follows from."""
    where = f", in {version.label}" if version.label else ""
    makers = tuple((maker.title, f"{maker.function.rsplit('.', 1)[-1]}()") for maker in MAKERS)
    grids = (_derived(version, "base", BASE, False), _derived(version, "extended", EXTENDED, True))
    return Section(f"What the bits follow from{where}", makers, grids, tuple(_notes(version)))


def _derived(version: Definitions, key: str, name: str, extended: bool) -> Grid:
    makers = {maker.title: _texts(version, maker, extended) for maker in MAKERS if maker.extended or not extended}
    cells: list[tuple[Cell, ...]] = []
    for f in sorted(version.layout(name).fields, key=lambda f: -f.low):
        cells.append((position(f.high, f.low), f.name, *(made[f.name] for made in makers.values())))
    return Grid(key, f"The {key} role", ("bits", "field", *makers), tuple(cells))


def _texts(version: Definitions, maker: Maker, extended: bool) -> dict[str, str]:
    """What each field follows from; where the guest's own role says something else, that is added."""
    derived = derive(version.function(maker.function), maker.given)
    if extended:
        return texts(derived, maker.extended or "")
    role = texts(derived, maker.base)
    if maker.other is None:
        return role
    other = texts(derived, maker.other)
    return {name: text if text == other[name] else f"{text} (cpu_role: {other[name]})" for name, text in role.items()}


def _notes(version: Definitions) -> Iterator[str]:
    """What is left of a role without paging, and what the specification leaves out."""
    roles = _texts(version, UNPAGED, False) | _texts(version, UNPAGED, True)
    left = ", ".join(f"{name} = {text}" for name, text in roles.items() if text != NEVER)
    yield f"A guest counts with CR0.PG = 1. Without paging: {left}, all else {NEVER}."
    for function in (version.function(maker.function) for maker in MAKERS):
        if function.reading:
            yield f"Reading of {function.short_name}(): {function.reading}."
