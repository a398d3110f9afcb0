"""Walks with every entry in view: a `Walk` names the bits of each entry, `case` lays it out in memory.

In: a `Walk`. Out: a `Case`.
Guarantee: an entry's bits are used as they are; only addresses are added. Every guest-physical page of the walk
has EPT entries of its own below the PML4E, so each of its permissions can be chosen alone.
Trusted: no, checked by test_harness.py.
"""

from dataclasses import dataclass
from enum import Enum

from .case import Access, Case, Controls, Guest
from .image import CODE_PAGE, instruction

P, RW, US, ACCESSED, DIRTY, PS, XD = 1 << 0, 1 << 1, 1 << 2, 1 << 5, 1 << 6, 1 << 7, 1 << 63
R, W, X, XU = 1 << 0, 1 << 1, 1 << 2, 1 << 10
EPT_TABLE, EPT_LEAF, EPT_LARGE = R | W | X | XU, R | W | X | XU | 6 << 3, R | W | X | XU | 6 << 3 | PS
CR0_WP, CR0_PG, CR0_BASE = 1 << 16, 1 << 31, 0x31
CR4_PSE, CR4_PAE, CR4_LA57, CR4_SMEP, CR4_SMAP, CR4_VMXE = 1 << 4, 1 << 5, 1 << 12, 1 << 20, 1 << 21, 1 << 13
EFER_LONG, EFER_NXE = 0x500, 0x800
AC = 1 << 18
MUST_BE_ONE = 0x0400_6172  # of the primary controls
USE_SECONDARY, EPT, UNRESTRICTED, VE, MBE, SPP = (1 << bit for bit in (31, 1, 7, 18, 22, 23))
EPT_AD = 1 << 6
MARK = 0x5EED_CAFE  # of the instruction at the final address

EPT_ROOT, EPT_TABLES, VE_AREA, SPP_TABLES, PDPT = 0x60_0000, 0x61_0000, 0x64_0000, 0x65_0000, 0x66_0460  # host-physical
HIGH = 1 << 39  # guest-physical pages of the walk under test lie above, if they can; those of the code below
GIGABYTE = 1 << 30
CODE_TOP = 1  # the index of the code's entry in the guest's top table, with 4-level and 5-level paging
CODE = 3 * GIGABYTE | CODE_PAGE % GIGABYTE  # the low 32 bits of the code's linear address
SCATTER = (
    0x2A75_1000  # a page's address differs in these bits from the address it is mapped at, as far as its size allows
)


class Paging(Enum):
    """Guest paging modes; the value is the number of entries from the top to a 4-KByte page."""

    NONE = 0
    BITS32 = 2
    PAE = 3
    LEVEL4 = 4
    LEVEL5 = 5


@dataclass(frozen=True, slots=True)
class Walk:
    """One access. Entry bits go from the top level down; addresses are left out.

    `guest` are the bits of the guest's entries, one for each level down to the leaf (PAE: the first is the PDPTE
    register; a large page has fewer). `pml4es` are those of the EPT PML4Es for guest-physical addresses below and
    above 2^39. `ept` has, for each guest paging structure of the walk and at last the page itself, the bits of its
    EPT PDPTE, PDE and PTE; a large page has fewer. `spp` are the bits of the SPP entries for the page, the last one
    being the vector. `ve_busy` says that the #VE area is in use.
    """

    paging: Paging
    kind: Access
    linear_address: int
    guest: tuple[int, ...]
    ept: tuple[tuple[int, ...], ...]
    pml4es: tuple[int, int] = (EPT_TABLE, EPT_TABLE)
    eptp: int = EPT_ROOT | 3 << 3 | 6
    primary: int = USE_SECONDARY | MUST_BE_ONE
    secondary: int = EPT | UNRESTRICTED | MBE
    cpl: int = 0
    wp: bool = True
    cr4: int = 0  # PSE, SMEP and SMAP
    nxe: bool = True
    ac: bool = False
    cr3: int = 0  # the bits of CR3 besides the address
    spp: tuple[int, int, int, int] = (1, 1, 1, 0)
    ve_busy: bool = False
    tertiary: int = 0
    ve_area: int = VE_AREA
    sppt: int = SPP_TABLES


def plain(paging: Paging, kind: Access, cpl: int = 0) -> Walk:
    """A walk that allows everything to this privilege level, with 4-KByte pages and all flags still clear."""
    if kind is Access.LOAD_PDPTES:
        return Walk(paging, kind, 3 * GIGABYTE | 0x8_3460, (P, P, P), ((EPT_TABLE, EPT_TABLE, EPT_LEAF),))
    user = US if cpl else 0
    guest = [P | RW | user] * paging.value
    if paging is Paging.PAE:
        guest[0] = P
    address = 0x7F12_3476_7890 if paging in (Paging.LEVEL4, Paging.LEVEL5) else 0x3476_7890
    pages = paging.value + (0 if paging is Paging.PAE else 1)
    return Walk(paging, kind, address, tuple(guest), ((EPT_TABLE, EPT_TABLE, EPT_LEAF),) * pages, cpl=cpl)


def case(walk: Walk) -> Case:
    """Lays the walk out in memory, with a path to the guest's code of its own."""
    layout = _Layout(walk)
    layout.write_access()
    layout.write_code()
    layout.write_control_areas()
    controls = Controls(walk.eptp, walk.primary, walk.secondary, walk.tertiary, walk.ve_area, walk.sppt)
    return Case(controls, layout.guest(), layout.memory, walk.kind, walk.linear_address, layout.code_address())


class _Layout:
    """The memory of one case, as it grows."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.ept_on = bool(walk.primary & USE_SECONDARY and walk.secondary & EPT)
        self.pdptes = [0, 0, 0, 0]
        self.cr3 = 0
        self.page = 0  # the final guest-physical address
        self.frames: dict[int, int] = {}  # guest-physical page: host-physical page
        self.memory: dict[int, int] = {}
        for high in (0, 1):
            self.memory[EPT_ROOT + 8 * high] = (EPT_TABLES + 0x1000 * high) | walk.pml4es[high]

    def guest(self) -> Guest:
        walk = self.walk
        cr0 = CR0_BASE | CR0_WP * walk.wp | CR0_PG * (walk.paging is not Paging.NONE)
        wide = walk.paging in (Paging.LEVEL4, Paging.LEVEL5)
        cr4 = walk.cr4 | CR4_VMXE | CR4_PAE * (wide or walk.paging is Paging.PAE)
        cr4 |= CR4_LA57 * (walk.paging is Paging.LEVEL5)
        efer = EFER_LONG * wide | EFER_NXE * walk.nxe
        first, second, third, fourth = self.pdptes
        return Guest(cr0, self.cr3 | walk.cr3, cr4, efer, walk.cpl, 2 | AC * walk.ac, (first, second, third, fourth))

    def code_address(self) -> int:
        match self.walk.paging:
            case Paging.LEVEL4:
                return CODE_TOP << 39 | CODE
            case Paging.LEVEL5:
                return CODE_TOP << 48 | CODE
            case _:
                return CODE

    def host(self, address: int) -> int:
        """The host-physical address that EPT gives to a guest-physical one, in a page that has been mapped."""
        return self.frames[address & -0x1000] | address & 0xFFF

    def write_access(self) -> None:
        """The walk under test: guest entries, the EPT entries of their tables, and the page."""
        walk = self.walk
        if walk.kind is Access.LOAD_PDPTES:
            self._map(walk.linear_address, walk.ept[0])
            for index, bits in enumerate(walk.guest):
                self.memory[self.host(walk.linear_address) + 8 * index] = bits
            return
        self.page = self._page()
        places = [self._place(number) for number in range(len(walk.guest))] + [self.page]
        chains = iter(walk.ept)
        for number, bits in enumerate(walk.guest):
            if walk.paging is Paging.PAE and number == 0:
                self.pdptes[walk.linear_address // GIGABYTE] = places[1] | bits
                continue
            self._map(places[number], next(chains))
            self._write_entry(places[number], number, self._address(number, places[number + 1]) | bits)
        self._map(self.page, next(chains))
        self.memory[self.host(self.page) & -8] = instruction(MARK)
        self.cr3 = places[0] if walk.guest and walk.paging is not Paging.PAE else 0

    def _place(self, number: int) -> int:
        """The guest-physical address of the guest's table with this number, from the top."""
        slot = number if self.walk.paging is Paging.BITS32 else HIGH // GIGABYTE + number
        return slot * GIGABYTE + 0x40_5000

    def _page(self) -> int:
        """The final guest-physical address."""
        walk = self.walk
        if walk.paging is Paging.NONE:
            return walk.linear_address
        small = len(walk.guest) == walk.paging.value
        top = 2 * GIGABYTE if walk.paging is Paging.BITS32 and small else HIGH + 6 * GIGABYTE
        return top + (walk.linear_address % GIGABYTE ^ _scatter(self._page_bits()))

    def _page_bits(self) -> int:
        """How many low bits of the linear address are the offset in the page that the guest's tables map."""
        missing = self.walk.paging.value - len(self.walk.guest)
        return 12 + missing * (10 if self.walk.paging is Paging.BITS32 else 9)

    def _address(self, number: int, target: int) -> int:
        """The address bits of the entry with this number, which references a table or a page at `target`."""
        if number < len(self.walk.guest) - 1:
            return target
        if self.walk.paging is Paging.BITS32 and number == 0:  # PSE-36: bits 39:32 go into bits 20:13
            return target & 0xFFC0_0000 | target >> 32 << 13
        return target & -1 << self._page_bits()

    def _write_entry(self, table: int, number: int, entry: int) -> None:
        """Writes an entry of the walk under test into the table at this guest-physical address."""
        walk = self.walk
        if walk.paging is Paging.BITS32:
            self._write_half(table + (walk.linear_address >> (22 - 10 * number) & 0x3FF) * 4, entry)
        else:
            shift = 12 + 9 * (walk.paging.value - 1 - number)
            self.memory[self.host(table) + (walk.linear_address >> shift & 0x1FF) * 8] = entry

    def _write_half(self, address: int, entry: int) -> None:
        word = self.host(address) & -8
        self.memory[word] = self.memory.get(word, 0) | (entry & 0xFFFF_FFFF) << 8 * (address & 4)

    def write_code(self) -> None:
        """The path to the guest's code: always allowed, but for what it shares with the walk under test."""
        bits = P | RW | ACCESSED | DIRTY | (US if self.walk.cpl else 0)
        page = (2 * GIGABYTE | CODE % GIGABYTE) if self.ept_on else CODE_PAGE
        match self.walk.paging:
            case Paging.NONE:
                page = CODE
            case Paging.BITS32:
                page, table = CODE, 3 * GIGABYTE | 0x9000
                self._write_half(self.cr3 + (CODE >> 22) * 4, table | bits)
                self._map_code(table)
                self._write_half(table + (CODE >> 12 & 0x3FF) * 4, CODE & -0x1000 | bits)
            case Paging.PAE:
                self.pdptes[3] = GIGABYTE | P
                self._write_code_entry(GIGABYTE, CODE >> 21 & 0x1FF, page & -(1 << 21) | bits | PS)
                if self.walk.kind is Access.LOAD_PDPTES:
                    self.memory[self.host(self.walk.linear_address) + 24] = GIGABYTE | P
            case Paging.LEVEL4:
                self.memory[self.host(self.cr3) + 8 * CODE_TOP] = GIGABYTE | bits
                self._write_code_entry(GIGABYTE, CODE >> 30, page & -GIGABYTE | bits | PS)
            case Paging.LEVEL5:
                self.memory[self.host(self.cr3) + 8 * CODE_TOP] = 0x1000 | bits
                self._write_code_entry(0x1000, 0, GIGABYTE | bits)
                self._write_code_entry(GIGABYTE, CODE >> 30, page & -GIGABYTE | bits | PS)
        self._map(page, (EPT_TABLE, EPT_TABLE, EPT_LEAF), CODE_PAGE)

    def write_control_areas(self) -> None:
        """What the controls point to: the #VE information area, SPP tables, and without EPT the PDPTEs."""
        walk = self.walk
        if walk.secondary & VE:
            self.memory.update((VE_AREA + 8 * word, 0) for word in range(5))
            self.memory[VE_AREA] = 0xFFFF_FFFF << 32 if walk.ve_busy else 0
        if walk.secondary & SPP:
            for level, bits in enumerate(walk.spp):
                table, index = SPP_TABLES + 0x1000 * level, self.page >> 39 - 9 * level & 0x1FF
                self.memory[table + 8 * index] = bits | (table + 0x1000 if level < 3 else 0)
        if walk.paging is Paging.PAE and not self.ept_on:
            self.cr3 = PDPT
            self.memory.update((PDPT + 8 * number, entry) for number, entry in enumerate(self.pdptes))

    def _write_code_entry(self, table: int, index: int, entry: int) -> None:
        self._map_code(table)
        self.memory[self.host(table) + 8 * index] = entry

    def _map_code(self, table: int) -> None:
        self._map(table, (EPT_TABLE, EPT_TABLE, EPT_LEAF))

    def _map(self, guest: int, bits: tuple[int, ...], page: int | None = None) -> None:
        """Writes the EPT entries below the PML4E for one guest-physical page: to this host-physical page, or any."""
        slot = guest // HIGH << 3 | guest // GIGABYTE & 7
        if page is None:
            page = (0x150 | slot) * GIGABYTE + (guest % GIGABYTE ^ _scatter(39 - 9 * len(bits))) & -0x1000
        self.frames[guest & -0x1000] = page if self.ept_on else guest & -0x1000
        tables = (EPT_TABLES + 0x1000 * (guest // HIGH), EPT_TABLES + 0x1_0000 + 0x2000 * slot)
        for number, (table, shift) in enumerate(((tables[0], 30), (tables[1], 21), (tables[1] + 0x1000, 12))):
            if number == len(bits):
                break
            last = number == len(bits) - 1
            target = page & -(1 << shift) if last else tables[1] + 0x1000 * number
            self.memory[table + (guest >> shift & 0x1FF) * 8] = target | bits[number]


def _scatter(page_bits: int) -> int:
    """The bits of `SCATTER` that lie in the number of a page with this many bits of offset."""
    return SCATTER & -1 << page_bits
