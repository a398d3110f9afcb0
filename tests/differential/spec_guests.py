"""Random guests under EPT: memory for the reference MMU, and the same walk as a value of the specifications.

The memory is made while it is walked: each table page and each page is new, so that what one level reads never
depends on another but where the architecture shares it (the upper EPT entries of neighbouring addresses).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from spec_side import make, number, parts, record, specification_of_guests
from spec_walks import CONTROLS, WRITE_BACK, controls, pattern_bits

from models.sdm import ALL_FEATURES, Guest, LinearAccess, Machine, Processor, Vmcs
from verifier.cli.replay_guest import compare_guest
from verifier.cli.replay_scenario import Unrealisable

Value = tuple[Any, ...]

LEVELS = ("pml5e", "pml4e", "pdpte", "pde", "pte")
TABLE = (1 << 52) - (1 << 12)
WIDTH = 44
ROOT = 0x1000
GIGABYTE = 1 << 30
PRESENT, PAGE_SIZE, XD = 1 << 0, 1 << 7, 1 << 63
MODES = {"none": (), "32-bit": (3, 4), "PAE": (3, 4), "4-level": (1, 2, 3, 4), "5-level": (0, 1, 2, 3, 4)}
"""The positions in `LEVELS` of the levels that lie in memory."""
KINDS = ("READ", "WRITE", "READ_MODIFY_WRITE", "FETCH", "SHADOW_STACK_READ", "SHADOW_STACK_WRITE", "WRUSS")
MODEL_KINDS = ("read", "write", "rmw", "fetch", "read", "write", "write")


@dataclass(frozen=True, slots=True)
class GuestCase:
    """One access of one guest, on both sides; `tables` are the guest-physical addresses of its entries."""

    machine: Machine
    request: LinearAccess
    walk: Value
    tables: tuple[int, ...]
    places: tuple[int, ...]


@dataclass(slots=True)
class Builder:
    """Host memory under construction: `flags` are the EPT controls, `wide` the guest's physical-address bits."""

    rng: Random
    flags: dict[str, bool]
    memory: dict[int, int] = field(default_factory=dict[int, int])
    pages: int = 0

    def _new_page(self, size: int) -> int:
        self.pages += 1
        return self.pages * GIGABYTE & -size

    def ept_walk(self, address: int) -> tuple[Value, int | None]:
        """The five entries that a walk for a guest-physical address would read, and the host-physical address."""
        read = dict.fromkeys(LEVELS, 0)
        table = ROOT
        host = None
        for level in range(0 if self.flags["five_level"] else 1, 5):
            place = table | address >> 9 * (5 - level) & 0xFF8
            if place not in self.memory:
                self.memory[place] = self._ept_entry(level)
            entry = read[LEVELS[level]] = self.memory[place]
            if level == 4 or (level in (2, 3) and entry & PAGE_SIZE):
                offset = (1 << 12 + 9 * (4 - level)) - 1
                host = entry & TABLE & ~offset | address & offset
                break
            table = entry & TABLE
        reads = record("sdm.paging.walk.EptReads")
        return make(reads, guest_physical=address, **read), host

    def _ept_entry(self, level: int) -> int:
        rng = self.rng
        page = level == 4 or (level in (2, 3) and rng.random() < 0.2)
        entry = self._new_page(1 << 12) | pattern_bits(15 if rng.random() < 0.93 else rng.randrange(16))
        entry |= sum(1 << bit for bit in (8, 9, 57, 58, 60, 61, 63) if rng.random() < 0.6)
        if page:
            entry |= WRITE_BACK | (PAGE_SIZE if level != 4 else 0)
        return entry ^ 1 << rng.randrange(64) if rng.random() < 0.01 else entry


def random_guest_case(rng: Random, **fixed: bool) -> GuestCase:
    """Any paging mode, any control but the `fixed` ones, mostly complete walks."""
    flags = {f.name: rng.random() < 0.5 for f in record(CONTROLS).fields if f.name != "beyond_maxphyaddr"}
    flags |= {"page_1g": True, "page_2m": True, "ept_violation_ve": False, "sub_page_write": False, **fixed}
    mode = rng.choice(tuple(MODES))
    features = frozenset(f for f in ALL_FEATURES if f not in ("page1gb", "pse36") or rng.random() < 0.7)
    kind = rng.randrange(7)
    guest = _registers(rng, mode, kind)
    implicit = kind not in (3, 6) and rng.random() < 0.2
    linear = _linear_address(rng, mode)
    builder = Builder(rng, flags)
    layout = Layout(builder, guest, mode, "page1gb" in features, "pse36" in features)
    reads, tables, places, final, pdpte = layout.walk(linear)
    final_reads, _ = builder.ept_walk(final)
    walk = make(
        record("sdm.paging.walk.GuestWalk"),
        paging=_paging(guest, features),
        controls=controls(WIDTH, **flags),
        root=ROOT,
        access=make(
            record("sdm.paging.rights.GuestAccess"),
            kind=number("sdm.paging.rights.GuestAccessKind", KINDS[kind]), cpl=guest.cpl, implicit=implicit,
        ),
        pdpte_register=pdpte,
        final=final_reads,
        sub_page=0,
        **reads,
    )  # fmt: skip
    request = LinearAccess(
        kind=MODEL_KINDS[kind],
        linear_address=linear,
        shadow_stack=kind in (4, 5),
        user_shadow_stack=kind == 6,
        implicit_supervisor=implicit,
    )
    guest = replace(guest, cr3=layout.cr3, pdptes=layout.pdptes)
    machine = Machine(processor=_processor(flags, features), vmcs=_vmcs(flags), guest=guest, memory=builder.memory)
    return GuestCase(machine, request, walk, tables, places)


def without_addresses(rng: Random, walk: Value) -> Value:
    """The walk as a solver might leave it: most addresses are 0, and those that are read fit to no entry."""
    fields = parts(record("sdm.paging.walk.GuestWalk"), walk)
    kept = rng.getrandbits(3) << 30
    addresses = TABLE & -GIGABYTE

    def ept(reads: Value) -> Value:
        address, *entries = reads
        changed = address ^ rng.getrandbits(48) if rng.random() < 0.5 else address & 0xF << 48
        return changed, *(entry & (~addresses | kept) for entry in entries)

    for level in LEVELS:
        entry, reads = fields[level]
        fields[level] = entry & ~(addresses & (1 << WIDTH) - 1), ept(reads)
    return tuple((fields | {"root": 0, "final": ept(fields["final"])}).values())


def disagrees_about(walk: Value) -> bool:
    """Whether interpreter and reference MMU differ on the walk as a scenario; one that is none does not count."""
    try:
        _, _, expected, observed = compare_guest(specification_of_guests(), walk)
    except Unrealisable:
        return False
    return expected != observed


def _paging(guest: Guest, features: frozenset[Any]) -> Value:
    """The guest's registers as the specifications have them."""
    return make(
        record("sdm.paging.mode.GuestPaging"),
        cr0=guest.cr0, cr4=guest.cr4, efer=guest.efer, ac=bool(guest.rflags >> 18 & 1), pkru=guest.pkru,
        pkrs=guest.pkrs, page_1g="page1gb" in features, pse36="pse36" in features,
        beyond_maxphyaddr=(1 << 52) - (1 << WIDTH),
    )  # fmt: skip


def _registers(rng: Random, mode: str, kind: int) -> Guest:
    def some(mask: int) -> int:
        return mask if rng.random() < 0.5 else 0

    shadow_stack = kind >= 4
    cr0 = 0x31 | (1 << 16 if shadow_stack else some(1 << 16)) | (0 if mode == "none" else 1 << 31)
    cr4 = some(1 << 4) | some(1 << 20) | some(1 << 21) | some(1 << 22) | some(1 << 24)
    cr4 |= 1 << 23 if shadow_stack else 0
    cr4 |= {"none": some(1 << 5), "32-bit": 0, "PAE": 1 << 5, "4-level": 1 << 5, "5-level": 1 << 5 | 1 << 12}[mode]
    efer = some(1 << 11) | (0x500 if mode in ("4-level", "5-level") else 0)
    return Guest(
        cr0=cr0, cr3=0, cr4=cr4, efer=efer, cpl=0 if kind == 6 else rng.choice((0, 3)), rflags=2 | some(1 << 18),
        pkru=rng.getrandbits(32) & rng.getrandbits(32), pkrs=rng.getrandbits(32) & rng.getrandbits(32),
        ia32_s_cet=1, ia32_u_cet=1,
    )  # fmt: skip


def _linear_address(rng: Random, mode: str) -> int:
    width = {"4-level": 48, "5-level": 57}.get(mode, 32)
    address = rng.getrandbits(width)
    sign = width > 32 and address >> width - 1
    return address | ((1 << 64) - (1 << width) if sign else 0)


@dataclass(slots=True)
class Layout:
    """The guest's own tables, laid out while they are walked."""

    builder: Builder
    guest: Guest
    mode: str
    page_1g: bool
    pse36: bool
    cr3: int = 0
    pdptes: tuple[int, int, int, int] = (0, 0, 0, 0)

    def walk(self, linear: int) -> tuple[dict[str, Value], tuple[int, ...], tuple[int, ...], int, int]:
        """What the walk reads, its entries' guest- and host-physical addresses, the final address, the PDPTE."""
        nothing = self._read(0, self._no_walk(0))
        reads = dict.fromkeys(LEVELS, nothing)
        if self.mode == "none":
            return reads, (), (), linear, 0
        table, pdpte = self._root(linear)
        tables, places = list[int](), list[int]()
        for level in MODES[self.mode]:
            address = table | self._index(linear, level)
            ept, host = self.builder.ept_walk(address)
            entry = self._entry(level)
            if host is not None:
                shift = 8 * (host & 4)
                self.builder.memory[host & -8] = entry << shift
            reads[LEVELS[level]] = self._read(entry, ept)
            tables, places = [*tables, address], [*places, host or 0]
            if level == 4 or self._maps_page(level, entry):
                return reads, tuple(tables), tuple(places), self._page(level, entry, linear), pdpte
            table = entry & (0xFFFF_F000 if self.mode == "32-bit" else (1 << WIDTH) - 0x1000)
        raise AssertionError("the last level maps a page")

    def _root(self, linear: int) -> tuple[int, int]:
        table = self._new_guest_page()
        if self.mode != "PAE":
            self.cr3 = table
            return table, 0
        pdpte = table | (1 if self.builder.rng.random() < 0.95 else 0)
        self.pdptes = (pdpte,) * 4
        return table, pdpte

    def _new_guest_page(self) -> int:
        return self.builder.rng.getrandbits(20 if self.mode == "32-bit" else WIDTH - 12) << 12

    def _index(self, linear: int, level: int) -> int:
        if self.mode == "32-bit":
            return linear >> (20 if level == 3 else 10) & 0xFFC
        return linear >> 9 * (5 - level) & 0xFF8

    def _entry(self, level: int) -> int:
        rng = self.builder.rng
        entry = self._new_guest_page()
        entry |= sum(1 << bit for bit in (0, 1, 2) if rng.random() < 0.92)
        entry |= sum(1 << bit for bit in (3, 4, 5, 6, 8, 9, 11) if rng.random() < 0.5)
        if level != 4 and rng.random() < 0.2:
            entry |= PAGE_SIZE
            entry &= ~((1 << 12 + 9 * (4 - level)) - (1 << 13)) if rng.random() < 0.8 else -1
        if self.mode == "32-bit":
            return entry
        entry |= rng.getrandbits(4) << 59 if self.mode != "PAE" else 0
        entry |= XD if rng.random() < 0.08 else 0
        return entry ^ 1 << rng.randrange(64) if rng.random() < 0.02 else entry

    def _maps_page(self, level: int, entry: int) -> bool:
        if not entry & PAGE_SIZE:
            return False
        if level == 3:
            return self.mode != "32-bit" or bool(self.guest.cr4 >> 4 & 1)
        return level == 2 and self.page_1g

    def _page(self, level: int, entry: int, linear: int) -> int:
        if self.mode == "32-bit" and level == 3:
            high = entry >> 13 & 0xFF if self.pse36 else 0
            return high << 32 | entry & 0xFFC0_0000 | linear & 0x3F_FFFF
        offset = (1 << 12 + 9 * (4 - level)) - 1
        return entry & TABLE & (1 << WIDTH) - 1 & ~offset | linear & offset

    def _no_walk(self, address: int) -> Value:
        return make(record("sdm.paging.walk.EptReads"), guest_physical=address, **dict.fromkeys(LEVELS, 0))

    def _read(self, entry: int, ept: Value) -> Value:
        return make(record("sdm.paging.walk.GuestRead"), entry=entry, ept=ept)


def _processor(flags: dict[str, bool], features: frozenset[Any]) -> Processor:
    capabilities = 0x2041C0 | 1 << 23 | 3 << 16 | flags["execute_only"] | flags["advanced_exit_info"] << 22
    return Processor(maxphyaddr=WIDTH, raw_maxphyaddr=WIDTH, ept_vpid_cap=capabilities, features=features)


def _vmcs(flags: dict[str, bool]) -> Vmcs:
    eptp = ROOT | 6 | (4 if flags["five_level"] else 3) << 3
    return Vmcs(
        eptp=eptp | flags["accessed_dirty"] << 6 | flags["supervisor_shadow_stack"] << 7,
        primary_controls=1 << 31 | 1 << 17,
        secondary_controls=0x82 | flags["mbec"] << 22,
        tertiary_controls=flags["paging_write"] << 2 | flags["guest_paging_verification"] << 3,
    )
