"""One chain of guest entries and one access to a linear address, on both sides.

The reference MMU runs without EPT where the table says nothing of EPT; the specifications know no such guest, and get
an EPT that grants everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ept_cases import ALL_CAPABILITIES
from guest_cases import AC, PAGE, chain
from spec_side import make, number, record, specification_of_guests
from spec_walks import beyond, controls

from models.sdm import ALL_FEATURES, Guest, LinearAccess, Machine, Processor, Translated, Vmcs, access

LEVELS = ("pml5e", "pml4e", "pdpte", "pde", "pte")
USED = {"none": (), "32-bit": LEVELS[3:], "PAE": LEVELS[3:], "4-level": LEVELS[1:], "5-level": LEVELS}
WIDTH = 40
EPT_ROOT, EPT_PDPT = 0x20_0000, 0x20_1000
EVERY_RIGHT, LARGE, WRITE_BACK = 0x407, 1 << 7, 6 << 3
OPEN = EVERY_RIGHT | LARGE | WRITE_BACK
"""Of a 1-GByte page: one holds the guest's tables, the next is the guest's page."""
SPEC_KINDS = {"read": "READ", "write": "WRITE", "rmw": "READ_MODIFY_WRITE", "fetch": "FETCH"}


@dataclass(frozen=True)
class Case:
    """An access to a guest's linear address 0 (or without paging, to that of its page).

    `tables` and `page` are the EPT entries of the two pages, `settings` those of `EptControls` that are true.
    """

    mode: str
    guest: Guest
    entries: tuple[int, ...]
    kind: str = "read"
    width: int = WIDTH
    tables: int = OPEN
    page: int = OPEN
    settings: frozenset[str] = field(default_factory=frozenset)

    @property
    def memory(self) -> dict[int, int]:
        """The guest's own words."""
        return chain(self.mode, *self.entries) if self.entries else {}


def without_ept(case: Case) -> Any:
    """The outcome by the reference MMU, with EPT off."""
    processor = Processor(maxphyaddr=case.width, raw_maxphyaddr=case.width, ept_vpid_cap=0, features=ALL_FEATURES)
    vmcs = Vmcs(eptp=0, primary_controls=0, secondary_controls=0)
    machine = Machine(processor=processor, vmcs=vmcs, guest=case.guest, memory=case.memory)
    return access(machine, LinearAccess(kind=case.kind, linear_address=0))


def under_ept(case: Case) -> Any:
    """The outcome by the reference MMU, with EPT."""
    on = case.settings
    ept = {EPT_ROOT: EPT_PDPT | EVERY_RIGHT, EPT_PDPT: case.tables, EPT_PDPT + 8: case.page | PAGE}
    capabilities = ALL_CAPABILITIES if "execute_only" in on else ALL_CAPABILITIES & ~1
    vmcs = Vmcs(
        eptp=EPT_ROOT | 0x1E | ("accessed_dirty" in on) << 6,
        primary_controls=1 << 31 | 1 << 17,
        secondary_controls=0x82 | ("mbec" in on) << 22,
        tertiary_controls=("paging_write" in on) << 2,
    )
    pdptes = {"pdptes": (case.memory[case.guest.cr3], 0, 0, 0)} if case.mode == "PAE" else {}
    guest = Guest(**{name: getattr(case.guest, name) for name in Guest.__slots__} | pdptes)
    processor = Processor(maxphyaddr=case.width, raw_maxphyaddr=case.width, ept_vpid_cap=capabilities)
    machine = Machine(processor=processor, vmcs=vmcs, guest=guest, memory=case.memory | ept)
    return access(machine, LinearAccess(kind=case.kind, linear_address=linear_address(case)))


def linear_address(case: Case) -> int:
    return 0 if case.entries else PAGE


def walk_of(case: Case) -> Any:
    """The translation as a value of the specifications."""
    guest, words = case.guest, list(case.memory.values())
    pdpte = words.pop(0) if case.mode == "PAE" else 0
    own = dict.fromkeys(LEVELS, 0) | dict(zip(USED[case.mode], words, strict=False))
    reads = record("sdm.paging.walk.EptReads")
    table, page = (
        make(reads, guest_physical=at, pml5e=0, pml4e=EPT_PDPT | EVERY_RIGHT, pdpte=mapping, pde=0, pte=0)
        for at, mapping in ((0, case.tables), (PAGE, case.page | PAGE))
    )
    kind = number("sdm.paging.rights.GuestAccessKind", SPEC_KINDS[case.kind])
    return make(
        record("sdm.paging.walk.GuestWalk"),
        paging=make(
            record("sdm.paging.mode.GuestPaging"),
            cr0=guest.cr0, cr4=guest.cr4, efer=guest.efer, ac=bool(guest.rflags & AC), pkru=guest.pkru,
            pkrs=guest.pkrs, page_1g=True, pse36=True, beyond_maxphyaddr=beyond(case.width),
        ),
        controls=controls(WIDTH, advanced_exit_info=True, **dict.fromkeys(case.settings, True)),
        root=EPT_ROOT,
        access=make(record("sdm.paging.rights.GuestAccess"), kind=kind, cpl=guest.cpl, implicit=False),
        pdpte_register=pdpte,
        final=page,
        sub_page=0,
        **{level: make(record("sdm.paging.walk.GuestRead"), entry=own[level], ept=table) for level in LEVELS},
    )  # fmt: skip


def by_specs(case: Case) -> Any:
    """The verdict of the specifications."""
    return specification_of_guests().verdict(walk_of(case))


def allowed(outcome: Any) -> bool:
    """Whether the reference MMU does the access."""
    return isinstance(outcome, Translated)
