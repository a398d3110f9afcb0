"""A guest's translation as a scenario for the reference MMU.

In: the values of a `GuestWalk` by field name, with the entries that each walk reads. Out: a slat-scenario-1 document
with a linear access, and the walk that is in its memory.
Guarantee: what `Unrealisable` refuses no machine or no scenario can express. Changed are what selects entries (the
address bits of the guest's entries, the registers above them, the root), what VM entry asks of registers, and PSE-36,
without which 32-bit paging reaches no second EPT PML4E: the caller must see that none of this decides anything.
Trusted: no, checked by tests/differential (specifications against reference MMU).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from verifier.cli.replay_scenario import (
    LEVELS,
    TABLE,
    UNRESTRICTED_GUEST,
    Fields,
    Unrealisable,
    add_areas,
    capabilities,
    maxphyaddr,
    vmcs_fields,
)

PG, WP, PROTECTED, CD = 1 << 31, 1 << 16, 0x31, 1 << 30
PSE, PAE, LA57, CET = 1 << 4, 1 << 5, 1 << 12, 1 << 23
CR4_KEPT = PSE | PAE | LA57 | 1 << 20 | 1 << 21 | 1 << 22 | 1 << 24
LONG_MODE, NXE = 1 << 8 | 1 << 10, 1 << 11
MODES = {
    "NO_PAGING": (), "PAGING_32_BIT": ("pde", "pte"), "PAE_PAGING": ("pde", "pte"),
    "PAGING_4_LEVEL": LEVELS[1:], "PAGING_5_LEVEL": LEVELS,
}  # fmt: skip
"""The guest's levels that lie in memory."""
KINDS: dict[str, Fields] = {
    "READ": {"kind": "read"},
    "WRITE": {"kind": "write"},
    "READ_MODIFY_WRITE": {"kind": "rmw"},
    "FETCH": {"kind": "fetch"},
    "SHADOW_STACK_READ": {"kind": "read", "shadow_stack": True},
    "SHADOW_STACK_WRITE": {"kind": "write", "shadow_stack": True},
    "WRUSS": {"kind": "write", "user_shadow_stack": True},
}


@dataclass(frozen=True, slots=True)
class EptReading:
    """One EPT walk: the entries that it reads from the root down, by level, and whether it ends at a page."""

    address: int
    used: tuple[tuple[str, int], ...]
    page: bool


@dataclass(frozen=True, slots=True)
class GuestReading:
    """One guest entry that is read, through `ept`."""

    level: str
    entry: int
    ept: EptReading


@dataclass(frozen=True, slots=True)
class GuestSituation:
    """One translation: fields by name, `kind`, `mode` and `sub_page` as names of enum members.

    `steps` are the guest entries that are read, `final` the EPT walk of the final address, if it is to be in memory.
    """

    walk: Fields
    paging: Fields
    controls: Fields
    access: Fields
    kind: str
    mode: str
    sub_page: str
    steps: tuple[GuestReading, ...]
    final: EptReading | None


@dataclass(frozen=True, slots=True)
class Realised:
    """The document, and what of the walk is another than it was: `entries` and `addresses` by the guest's level.

    `addresses` are those of the guest's entries, and under "final" that of the access.
    """

    document: Fields
    paging: Fields
    access: Fields
    root: int
    pdpte_register: int
    entries: dict[str, int]
    addresses: dict[str, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """An EPT walk that is to be in memory, of an address of which the `free` bits are ours."""

    reading: EptReading
    preferred: int
    free: int


@dataclass(slots=True)
class Memory:
    """Host memory under construction: each word belongs to one EPT level or to one guest entry."""

    root: int
    words: dict[int, int] = field(default_factory=dict[int, int])
    owners: dict[int, str] = field(default_factory=dict[int, str])

    def place_ept(self, walks: list[Wanted]) -> list[int]:
        """Writes the entries of EPT walks, and gives the guest-physical addresses that find them there.

        Level by level, because the tables of the upper ones have the fewest entries that an address can select.
        """
        addresses = [walk.preferred for walk in walks]
        tables = [self.root] * len(walks)
        for level in LEVELS:
            for number, walk in enumerate(walks):
                entry = dict(walk.reading.used).get(level)
                if entry is not None:
                    index = self._place(tables[number], level, entry, (addresses[number], walk.free))
                    addresses[number] = addresses[number] & ~(0x1FF << _shift(level)) | index << _shift(level)
                    tables[number] = entry & TABLE
        return addresses

    def _place(self, table: int, level: str, entry: int, address: tuple[int, int]) -> int:
        """The index of the entry in its table; the address has bits that are free to choose."""
        own, free = (bits >> _shift(level) & 0x1FF for bits in address)
        for index in (own, *(index for index in range(512) if (index ^ own) & ~free == 0)):
            place = table | index << 3
            owner = self.owners.setdefault(place, level)
            if self.words.setdefault(place, entry) == entry and owner == level:
                return index
        raise Unrealisable(f"two EPT walks read different entries in the only {level.upper()} that they can reach")

    def place_guest(self, reading: GuestReading, page: int, preferred: int, size: int) -> int:
        """Writes a guest entry into its page, if EPT lets it be read; its guest-physical address."""
        if not reading.ept.page:
            return page | preferred * size
        level, mapping = reading.ept.used[-1]
        offset = (1 << _shift(level)) - 1
        choices = (page | index * size for index in (preferred, *range(4096 // size)))
        places = ((address, mapping & TABLE & ~offset | address & offset) for address in choices)
        address, place = next(found for found in places if found[1] & -8 not in self.owners)  # a page has room
        self.words[place & -8], self.owners[place & -8] = reading.entry << 8 * (place & 7), "guest"
        return address


def _shift(level: str) -> int:
    """Of the lowest bit that an 8-byte entry of that level translates, be it EPT's or the guest's."""
    return 12 + 9 * (4 - LEVELS.index(level))


def realise(at: GuestSituation) -> Realised:
    """The document. Raises `Unrealisable`."""
    width, raw = maxphyaddr(at.controls["beyond_maxphyaddr"]), maxphyaddr(at.paging["beyond_maxphyaddr"])
    if raw < width:
        raise Unrealisable("guest-physical addresses are never narrower than MAXPHYADDR")
    if at.mode == "PAE_PAGING" and at.walk["pdpte_register"] & 1 and at.walk["pdpte_register"] & _never_loaded(raw):
        raise Unrealisable("VM entry loads no PDPTE with a reserved bit")
    paging, access = _registers(at), _access(at)
    layout = Layout(at, raw, Memory(at.walk["root"] & TABLE & (1 << width) - 1))
    layout.place()
    memory = layout.memory
    vmcs = vmcs_fields(at.controls, memory.root)
    if at.mode == "NO_PAGING":
        vmcs["secondary_controls"] |= UNRESTRICTED_GUEST
    add_areas(at.controls, vmcs, memory.words, layout.addresses.get("final", 0), at.sub_page)
    document: Fields = {
        "schema": "slat-scenario-1",
        "cpu": {
            "maxphyaddr": width,
            "raw_maxphyaddr": raw,
            "ept_vpid_cap": hex(capabilities(at.controls)),
            "features": {"page1gb": paging["page_1g"], "pse36": paging["pse36"]},
        },
        "vmcs": {key: hex(value) for key, value in vmcs.items()},
        "guest": _guest(paging, access["cpl"], layout),
        "memory": {hex(place): hex(word) for place, word in sorted(memory.words.items()) if word},
        "access": {**KINDS[at.kind], "linear_address": hex(layout.linear_address())},
    }
    if access["implicit"]:
        document["access"]["implicit_supervisor"] = True
    return Realised(document, paging, access, memory.root, layout.pdpte, layout.entries, layout.addresses)


def _never_loaded(raw: int) -> int:
    """The reserved bits of a PDPTE."""
    return (1 << 64) - (1 << raw) | 0xF << 5 | 3 << 1


def _registers(at: GuestSituation) -> Fields:
    """The guest's registers with what VM entry asks for, and without what nothing here looks at."""
    cr0, cr4, efer = at.paging["cr0"] & (PG | WP | CD) | PROTECTED, at.paging["cr4"] & CR4_KEPT, at.paging["efer"]
    if "SHADOW_STACK" in at.kind or at.kind == "WRUSS":
        cr0, cr4 = cr0 | WP, cr4 | CET
    long_mode = LONG_MODE if at.mode in ("PAGING_4_LEVEL", "PAGING_5_LEVEL") else 0
    large = at.mode == "PAGING_32_BIT" and at.final is not None and at.steps[-1].level == "pde"
    pse36 = at.paging["pse36"] or large
    return {**at.paging, "cr0": cr0, "cr4": cr4, "efer": efer & NXE | long_mode, "pse36": pse36}


def _access(at: GuestSituation) -> Fields:
    """The access without flags that such an access cannot have."""
    wruss = at.kind == "WRUSS"
    implicit = at.access["implicit"] and at.kind not in ("FETCH", "WRUSS")
    return {**at.access, "cpl": 0 if wruss else at.access["cpl"], "implicit": implicit}


@dataclass(slots=True)
class Layout:
    """Where the guest's entries lie; `raw` is the width of guest-physical addresses."""

    at: GuestSituation
    raw: int
    memory: Memory
    cr3: int = 0
    pdpte: int = 0
    entries: dict[str, int] = field(default_factory=dict[str, int])
    addresses: dict[str, int] = field(default_factory=dict[str, int])

    def place(self) -> None:
        """Fills memory: first the EPT entries, whose places the addresses bind, then the guest's."""
        at = self.at
        self.pdpte = at.walk["pdpte_register"]
        walks = [self._wanted(step.ept, *self._reference(position)) for position, step in enumerate(at.steps)]
        if at.final is not None:
            walks.append(self._wanted(at.final, *self._page()))
        addresses = self.memory.place_ept(walks)
        for position, address in enumerate(addresses[: len(at.steps)]):
            self._refer(position, address)
        if at.final is not None:
            self._map(addresses[-1])
        for position, step in enumerate(at.steps):
            placed = GuestReading(step.level, self.entries.setdefault(step.level, self._entry(step)), step.ept)
            preferred = (step.ept.address & 0xFFF) // self._size
            self.addresses[step.level] = self.memory.place_guest(placed, addresses[position], preferred, self._size)
        if self.addresses.get("final", -1) in [self.addresses[step.level] for step in at.steps]:
            self.addresses["final"] ^= 1  # no entry lies at an odd address

    @property
    def _size(self) -> int:
        return 4 if self.at.mode == "PAGING_32_BIT" else 8

    def _entry(self, step: GuestReading) -> int:
        return step.entry & 0xFFFF_FFFF if self._size == 4 else step.entry

    def _address_mask(self, shift: int) -> int:
        """The address bits of an entry or register that references a table, or maps a page of that size."""
        return (1 << (32 if self._size == 4 else self.raw)) - (1 << shift)

    def _reference(self, position: int) -> tuple[int, int]:
        """What references the page of an entry, as an address, and which of its bits are free."""
        mask = self._address_mask(12)
        if position:
            return self._entry(self.at.steps[position - 1]) & mask, mask
        register = self.pdpte if self.at.mode == "PAE_PAGING" else self.at.steps[0].ept.address
        return register & mask, mask

    def _refer(self, position: int, page: int) -> None:
        """Makes what references the page of an entry do so."""
        mask = self._address_mask(12)
        if position:
            above = self.at.steps[position - 1]
            self.entries[above.level] = self._entry(above) & ~mask | page
        elif self.at.mode == "PAE_PAGING":
            self.pdpte = self.pdpte & ~mask | page
        else:
            self.cr3 = page

    def _page(self) -> tuple[int, int]:
        """The address of the access as the last entry and the linear address give it, and which bits are free."""
        assert self.at.final is not None
        if not self.at.steps:
            return self.at.final.address & 0xFFFF_FFFF, 0xFFFF_FFFF
        mask, offset, high = self._page_masks()
        entry = self._entry(self.at.steps[-1])
        return entry & mask | self.at.final.address & offset | (entry << 19 & high), mask | offset | high

    def _map(self, address: int) -> None:
        """Makes the last entry map the page of that address."""
        self.addresses["final"] = address
        if self.at.steps:
            mask, _, high = self._page_masks()
            page = self.at.steps[-1]
            kept = self._entry(page) & ~(mask | high >> 19)
            self.entries[page.level] = kept | address & mask | (address & high) >> 19

    def _page_masks(self) -> tuple[int, int, int]:
        """Of an address: the bits that the last entry holds, those of the linear address, those of PSE-36."""
        level = self.at.steps[-1].level
        shift = self._page_shift(level)
        high = 0xFF << 32 & (1 << self.raw) - 1 if self._size == 4 and level == "pde" else 0
        return self._address_mask(shift), (1 << shift) - 1, high

    def _page_shift(self, level: str) -> int:
        """Of the lowest bit of a linear address that the guest's entry of that level translates."""
        return 22 if self._size == 4 and level == "pde" else _shift(level)

    def _wanted(self, reading: EptReading, preferred: int, free: int) -> Wanted:
        """The address is too wide for EPT exactly if that of the reading is."""
        top = 0 if self.at.controls["five_level"] else 0xF << 48
        if reading.address & top:
            preferred |= reading.address & free & top or (0 if preferred & top else free & top)
        else:
            preferred &= ~(free & top)
        if bool(preferred & top) != bool(reading.address & top):
            raise Unrealisable("nothing references a guest-physical address of that width")
        return Wanted(reading, preferred, free & ~top)

    def linear_address(self) -> int:
        """The address whose translation reads all this; PDPTE registers are all the same."""
        address = 0
        for step in self.at.steps:
            index = (self.addresses[step.level] & 0xFFF) // self._size
            address |= index << self._page_shift(step.level)
        offset = (1 << (self._page_shift(self.at.steps[-1].level) if self.at.steps else 32)) - 1
        address |= self.addresses.get("final", 0) & offset
        width = {"PAGING_4_LEVEL": 48, "PAGING_5_LEVEL": 57}.get(self.at.mode, 64)
        return address | ((1 << 64) - (1 << width) if address >> width - 1 else 0)


def _guest(paging: Fields, cpl: int, layout: Layout) -> Fields:
    pdptes = [hex(layout.pdpte)] * 4 if layout.at.mode == "PAE_PAGING" else ["0x0"] * 4
    words = {
        "cr0": paging["cr0"], "cr3": layout.cr3, "cr4": paging["cr4"], "efer": paging["efer"], "cpl": cpl,
        "rflags": 2 | paging["ac"] << 18, "pkru": paging["pkru"], "pkrs": paging["pkrs"],
        "ia32_s_cet": 1, "ia32_u_cet": 1,
    }  # fmt: skip
    return {key: hex(word) for key, word in words.items()} | {"pdptes": pdptes}
