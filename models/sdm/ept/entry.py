"""In: a processor's EPT capabilities and the controls in force. Out: the entry formats of that configuration.

Guarantee: `misconfiguration` is the SDM's list, word for word; every mask is computed once a configuration.
Trusted: no, checked by tests/tables (present, misconfiguration) and tests/unit/models.

    63   62    61   60   59  58   57   56:52  51:M   M-1:12   11   10  9  8  7     6     5:3  2  1  0
    SVE  ign.  SPP  SSS  -   PWA  VGP  ign.   rsvd.  address  ign  XU  D  A  leaf  IPAT  MT   X  W  R

X governs fetches from supervisor-mode linear addresses only (XS), and XU exists, if MBE = 1. Bits 63 to 57,
9 and 6 to 3 belong to entries that map a page; elsewhere 6:3 are reserved and the others ignored.
Sources: SDM tables "Format of an EPT ... Entry", "EPT Misconfigurations".
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from models.sdm.bits import bits
from models.sdm.vmx import controls as ctl
from models.sdm.vmx import processor as cap

READ = 1 << 0
WRITE = 1 << 1
EXECUTE = 1 << 2  # XS with MBE
IGNORE_PAT = 1 << 6
MAPS_PAGE = 1 << 7
ACCESSED = 1 << 8
DIRTY = 1 << 9
EXECUTE_USER = 1 << 10  # XU, with MBE only
VERIFY_GUEST_PAGING = 1 << 57
PAGING_WRITE = 1 << 58
SUPERVISOR_SHADOW_STACK = 1 << 60
SUB_PAGE_WRITE = 1 << 61
SUPPRESS_VE = 1 << 63

EPT_TYPE_SHIFT = 3  # the memory type is bits 5:3
TABLE_ADDRESS = bits(51, 12)
RESERVED_MEMORY_TYPES = (2, 3, 7)

NEVER_A_PAGE = 0
ALWAYS_A_PAGE = -1  # any present entry has a bit in common with it


@dataclass(frozen=True, slots=True, eq=False)
class EptLevel:
    """One level of the EPT paging structures.

    `entry & page_mask` is non-zero iff a present entry maps a page. `index_shift` moves the index bits of
    a guest-physical address to bits 11:3, the offset of the entry in its table. `table_reserved` and
    `page_reserved` are the reserved bits of an entry that references a table and that maps a page.
    `entry & plain_table_mask == READ` and `entry & plain_page_mask == plain_page` hold for the common entries
    alone: readable, without a reserved bit, referencing a table and mapping a page.
    """

    name: str
    number: int
    index_shift: int
    page_mask: int
    table_reserved: int
    page_reserved: int
    page_address: int
    page_offset: int
    plain_table_mask: int
    plain_page_mask: int
    plain_page: int


@dataclass(frozen=True, slots=True, eq=False)
class EptConfiguration:
    """Everything that the capabilities, EPTP[7:0] and the controls say about an EPT walk.

    `levels` run from the root to the page table; `guest_physical_bits` is 48 or 57; `present_mask` holds
    the bits of which a present entry sets one (SDM "EPT Translation Mechanism"). One object a configuration:
    compared by identity.
    """

    levels: tuple[EptLevel, ...]
    guest_physical_bits: int
    present_mask: int
    mode_based: bool
    execute_only: bool
    accessed_dirty: bool
    supervisor_shadow_stack: bool
    paging_write_control: bool
    guest_paging_verification: bool
    sub_page_write: bool
    convertible: bool
    advanced_information: bool
    maxphyaddr: int


EPT_OFF = EptConfiguration(
    levels=(),
    guest_physical_bits=0,
    present_mask=0,
    mode_based=False,
    execute_only=False,
    accessed_dirty=False,
    supervisor_shadow_stack=False,
    paging_write_control=False,
    guest_paging_verification=False,
    sub_page_write=False,
    convertible=False,
    advanced_information=False,
    maxphyaddr=0,
)
"""The configuration while "enable EPT" is 0: guest-physical addresses are host-physical, nothing walks."""


def misconfiguration(configuration: EptConfiguration, level: EptLevel, entry: int) -> str | None:
    """Why a present entry is misconfigured, or None (SDM "EPT Misconfigurations").

    Decision: bit 58 of an entry that is not present is no misconfiguration, because not present comes first.
    """
    maps_page = entry & level.page_mask
    if not entry & READ:
        if entry & WRITE:
            return "writable and not readable"
        # Present, neither readable nor writable: so executable, through XS or XU.
        if not configuration.execute_only:
            return "execute-only, which the processor does not support"
        if maps_page and entry & PAGING_WRITE and configuration.paging_write_control:
            return "paging-writable and not readable"
    if maps_page:
        if entry & level.page_reserved:
            return "a reserved bit is set"
        if entry >> 3 & 7 in RESERVED_MEMORY_TYPES:
            return "the memory type is reserved"
    elif entry & level.table_reserved:
        return "a reserved bit is set"
    return None


@lru_cache(maxsize=1024)
def configure(maxphyaddr: int, capabilities: int, eptp: int, secondary: int, tertiary: int) -> EptConfiguration:
    """The configuration for a valid EPTP, of which only bits 7:0 matter, and the controls in force."""
    five_levels = eptp >> 3 & 7 == 4
    mode_based = bool(secondary & ctl.MODE_BASED_EXECUTE_CONTROL)
    paging_write = bool(tertiary & ctl.EPT_PAGING_WRITE_CONTROL)
    return EptConfiguration(
        levels=_levels(maxphyaddr, capabilities)[0 if five_levels else 1 :],
        guest_physical_bits=57 if five_levels else 48,
        present_mask=READ | WRITE | EXECUTE | (EXECUTE_USER if mode_based else 0),
        mode_based=mode_based,
        execute_only=bool(capabilities & cap.CAP_EXECUTE_ONLY),
        accessed_dirty=bool(eptp >> 6 & 1),
        supervisor_shadow_stack=bool(eptp >> 7 & 1),
        paging_write_control=paging_write,
        guest_paging_verification=paging_write and bool(tertiary & ctl.GUEST_PAGING_VERIFICATION),
        sub_page_write=bool(secondary & ctl.SUB_PAGE_WRITE_PERMISSIONS),
        convertible=bool(secondary & ctl.EPT_VIOLATION_VE),
        advanced_information=bool(capabilities & cap.CAP_ADVANCED_EXIT_INFORMATION),
        maxphyaddr=maxphyaddr,
    )


def _levels(maxphyaddr: int, capabilities: int) -> tuple[EptLevel, ...]:
    beyond = bits(51, maxphyaddr)

    def level(name: str, number: int, page_mask: int, table_reserved: int) -> EptLevel:
        page_bits = 3 + 9 * number
        page_reserved = bits(page_bits - 1, 12) | beyond
        plain_page = READ | (page_mask & MAPS_PAGE if number > 1 else 0)
        return EptLevel(
            name=name,
            number=number,
            index_shift=page_bits - 3,
            page_mask=page_mask,
            table_reserved=table_reserved | beyond,
            plain_table_mask=READ | MAPS_PAGE | table_reserved | beyond if number > 1 else 0,
            plain_page_mask=plain_page | page_reserved if page_mask else 0,
            plain_page=plain_page,
            page_reserved=page_reserved,
            page_address=bits(51, page_bits),
            page_offset=bits(page_bits - 1, 0),
        )

    def large(name: str, number: int, supported: int) -> EptLevel:
        if supported:
            return level(name, number, MAPS_PAGE, bits(6, 3))
        # "Not all processors allow bit 7 to be set": it is one more reserved bit there.
        return level(name, number, NEVER_A_PAGE, bits(7, 3))

    return (
        level("EPT PML5E", 5, NEVER_A_PAGE, bits(7, 3)),
        level("EPT PML4E", 4, NEVER_A_PAGE, bits(7, 3)),
        large("EPT PDPTE", 3, capabilities & cap.CAP_PAGE_1G),
        large("EPT PDE", 2, capabilities & cap.CAP_PAGE_2M),
        level("EPT PTE", 1, ALWAYS_A_PAGE, 0),
    )


class EptPage(NamedTuple):
    """What a complete EPT walk found, with every entry present and well configured.

    A NamedTuple, because a walk of the guest's tables makes one for each of them.

    `above` is the AND of the entries that reference a table, `entry` the one that maps the page, both as
    64-bit words; `used` are the host-physical addresses of all of them, from the root down.
    """

    host_physical_address: int
    entry: int
    above: int
    level: EptLevel
    used: list[int]
