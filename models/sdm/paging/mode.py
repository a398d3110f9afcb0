"""In: CR0, CR4, IA32_EFER, CPU features, the guest-physical width. Out: the mode and its entry formats.

Guarantee: the mode table is total over the states that VM entry accepts; every mask is computed once a
configuration.
Trusted: no, checked by tests/unit/models.

Source: SDM "Paging-Mode Enabling", "Paging-Mode Modifiers", "32-Bit Paging", "PAE Paging", "4-Level Paging
and 5-Level Paging".
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from models.sdm.bits import bits
from models.sdm.vmx import guest as reg
from models.sdm.vmx.processor import Feature

PRESENT = 1 << 0
WRITABLE = 1 << 1
USER = 1 << 2
PWT_PCD_SHIFT = 3
ACCESSED = 1 << 5
DIRTY = 1 << 6
MAPS_PAGE = 1 << 7
EXECUTE_DISABLE = 1 << 63
PROTECTION_KEY_SHIFT = 59

NEVER_A_PAGE = 0
ALWAYS_A_PAGE = -1  # any present entry has a bit in common with it

Mode = Literal["none", "32-bit", "PAE", "4-level", "5-level"]


@dataclass(frozen=True, slots=True, eq=False)
class PagingLevel:
    """One level of the guest's paging structures.

    `entry & page_mask` is non-zero iff a present entry maps a page. `index_shift` and `index_mask` turn a
    linear address into the offset of its entry, which has `entry_bytes` (4 or 8) bytes. `pat_shift` is the
    bit that holds PAT in an entry that maps a page.
    """

    name: str
    index_shift: int
    index_mask: int
    entry_bytes: int
    page_mask: int
    table_reserved: int
    page_reserved: int
    page_address: int
    page_offset: int
    pat_shift: int


@dataclass(frozen=True, slots=True, eq=False)
class PagingConfiguration:
    """Everything that control registers, IA32_EFER and CPU features say about a guest walk.

    `linear_bits` is the width of a linear address (32, 48 or 57), `root_mask` the table address in CR3,
    `table_mask` the one in an entry. The flags hold only where the mode gives them an effect. One object a
    configuration: compared by identity.
    """

    mode: Mode
    levels: tuple[PagingLevel, ...]
    linear_bits: int
    root_mask: int
    table_mask: int
    pdpte_reserved: int
    write_protect: bool
    smep: bool
    smap: bool
    user_keys: bool
    supervisor_keys: bool
    reports_fetches: bool


# The control bits that select a configuration: all others leave it alone.
CR0_RELEVANT = reg.CR0_PG | reg.CR0_WP
CR4_RELEVANT = reg.CR4_PSE | reg.CR4_PAE | reg.CR4_LA57 | reg.CR4_SMEP | reg.CR4_SMAP | reg.CR4_PKE | reg.CR4_PKS
EFER_RELEVANT = reg.EFER_LME | reg.EFER_NXE


def paging_mode(cr0: int, cr4: int, efer: int) -> Mode:
    """The paging mode (SDM "Paging-Mode Enabling")."""
    if not cr0 & reg.CR0_PG:
        return "none"
    if not cr4 & reg.CR4_PAE:
        return "32-bit"
    if not efer & reg.EFER_LME:
        return "PAE"
    return "5-level" if cr4 & reg.CR4_LA57 else "4-level"


def paging_configuration(
    cr0: int, cr4: int, efer: int, features: frozenset[Feature], width: int
) -> PagingConfiguration:
    """The configuration for registers that VM entry accepted; `width` bounds guest-physical addresses."""
    return _configure(cr0 & CR0_RELEVANT, cr4 & CR4_RELEVANT, efer & EFER_RELEVANT, features, width)


@lru_cache(maxsize=1024)
def _configure(cr0: int, cr4: int, efer: int, features: frozenset[Feature], width: int) -> PagingConfiguration:
    mode = paging_mode(cr0, cr4, efer)
    no_execute = bool(efer & reg.EFER_NXE)
    keys = mode in ("4-level", "5-level")
    return PagingConfiguration(
        mode=mode,
        levels=_levels(mode, cr4, features, width, no_execute),
        linear_bits={"4-level": 48, "5-level": 57}.get(mode, 32),
        root_mask={"32-bit": bits(31, 12), "PAE": bits(31, 5)}.get(mode, bits(width - 1, 12)),
        table_mask=bits(width - 1, 12),
        pdpte_reserved=bits(2, 1) | bits(8, 5) | bits(63, width),
        write_protect=bool(cr0 & reg.CR0_WP),
        smep=bool(cr4 & reg.CR4_SMEP),
        smap=bool(cr4 & reg.CR4_SMAP),
        user_keys=keys and bool(cr4 & reg.CR4_PKE),
        supervisor_keys=keys and bool(cr4 & reg.CR4_PKS),
        reports_fetches=bool(cr4 & reg.CR4_SMEP or (cr4 & reg.CR4_PAE and no_execute)),
    )


def _levels(
    mode: Mode, cr4: int, features: frozenset[Feature], width: int, no_execute: bool
) -> tuple[PagingLevel, ...]:
    match mode:
        case "none":
            return ()
        case "32-bit":
            large_pages = bool(cr4 & reg.CR4_PSE)
            return (_page_directory_4_bytes(large_pages, features, width), _page_table_4_bytes())
        case "PAE":
            reserved = bits(62, width) | (0 if no_execute else EXECUTE_DISABLE)
            return (
                _level("guest PDE", 2, MAPS_PAGE, reserved),
                _level("guest PTE", 1, ALWAYS_A_PAGE, reserved),
            )
        case "4-level" | "5-level":
            reserved = bits(51, width) | (0 if no_execute else EXECUTE_DISABLE)
            return _long_mode_levels(mode, features, reserved)


def _long_mode_levels(mode: Mode, features: frozenset[Feature], reserved: int) -> tuple[PagingLevel, ...]:
    levels = (
        _level("guest PML5E", 5, NEVER_A_PAGE, reserved),
        _level("guest PML4E", 4, NEVER_A_PAGE, reserved),
        _level("guest PDPTE", 3, MAPS_PAGE if "page1gb" in features else NEVER_A_PAGE, reserved),
        _level("guest PDE", 2, MAPS_PAGE, reserved),
        _level("guest PTE", 1, ALWAYS_A_PAGE, reserved),
    )
    return levels if mode == "5-level" else levels[1:]


def _level(name: str, number: int, page_mask: int, reserved: int) -> PagingLevel:
    """A level of 8-byte entries: bit 7 is reserved where it maps no page; large pages have PAT in bit 12."""
    page_bits = 3 + 9 * number
    return PagingLevel(
        name=name,
        index_shift=page_bits - 3,
        index_mask=0xFF8,
        entry_bytes=8,
        page_mask=page_mask,
        table_reserved=reserved | (MAPS_PAGE if page_mask == NEVER_A_PAGE else 0),
        page_reserved=reserved | bits(page_bits - 1, 13),
        page_address=bits(51, page_bits),
        page_offset=bits(page_bits - 1, 0),
        pat_shift=7 if number == 1 else 12,
    )


def _page_directory_4_bytes(large_pages: bool, features: frozenset[Feature], width: int) -> PagingLevel:
    """With CR4.PSE = 0 bit 7 is ignored. With PSE-36, bits 20:13 are bits 39:32 of the page's address."""
    address_bits = min(40, width) if "pse36" in features else 32
    return PagingLevel(
        name="guest PDE",
        index_shift=20,
        index_mask=0xFFC,
        entry_bytes=4,
        page_mask=MAPS_PAGE if large_pages else NEVER_A_PAGE,
        table_reserved=0,
        page_reserved=bits(21, address_bits - 19),
        page_address=bits(31, 22),
        page_offset=bits(21, 0),
        pat_shift=12,
    )


def _page_table_4_bytes() -> PagingLevel:
    return PagingLevel(
        name="guest PTE",
        index_shift=10,
        index_mask=0xFFC,
        entry_bytes=4,
        page_mask=ALWAYS_A_PAGE,
        table_reserved=0,
        page_reserved=0,
        page_address=bits(31, 12),
        page_offset=bits(11, 0),
        pat_shift=7,
    )


def page_base(level: PagingLevel, entry: int) -> int:
    """The guest-physical address of the page that `entry` maps, PSE-36 included."""
    base = entry & level.page_address
    if level.entry_bytes == 4 and level.page_mask != ALWAYS_A_PAGE:
        base |= (entry >> 13 & 0xFF) << 32
    return base
