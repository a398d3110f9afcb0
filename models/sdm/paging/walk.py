"""In: a linear address and an access. Out: the page that the guest's tables give it, or what stops the walk.

Guarantee: for each level the EPT access to the entry, then P, then the reserved bits; then the access
rights; then the accessed and dirty flags. The final EPT access is the caller's.
Trusted: no, checked by tests/tables, tests/unit/models and tests/differential (Bochs).

Source: SDM "Prioritization of EPT Misconfigurations and EPT Violations", "Accessed and Dirty Flags".
"""

from typing import NamedTuple

from models.sdm.ept.access import GUEST_FLAG_UPDATE, guest_entry_access
from models.sdm.ept.entry import EPT_OFF, PAGING_WRITE, EptPage
from models.sdm.ept.walk import translate
from models.sdm.outcome import Exit, PageFault
from models.sdm.paging.mode import (
    ACCESSED,
    DIRTY,
    EXECUTE_DISABLE,
    PRESENT,
    PWT_PCD_SHIFT,
    USER,
    WRITABLE,
    PagingConfiguration,
    PagingLevel,
    page_base,
)
from models.sdm.paging.notes import describe_entry, describe_page
from models.sdm.paging.rights import (
    PF_PRESENT,
    PF_PROTECTION_KEY,
    PF_RESERVED,
    GuestPage,
    Intent,
    denied,
    error_code,
    key_denies,
)
from models.sdm.run import Run
from models.sdm.trace import (
    ACCESS_RIGHTS,
    GUEST_FLAGS,
    PAGE_FAULTS,
    PAGING_MODES,
    PDPTE_REGISTERS,
    entry_format,
)


class UsedEntry(NamedTuple):
    """One guest paging-structure entry that a walk read; like `EptPage` there are many of them.

    `verified`: the EPT entry that maps it sets bit 58, as guest-paging verification asks.
    """

    guest_physical_address: int
    host_physical_address: int
    entry: int
    verified: bool


def walk(run: Run, paging: PagingConfiguration, linear_address: int, intent: Intent) -> GuestPage | Exit:
    """Translates a linear address to a guest-physical one, as far as the guest's own paging is concerned."""
    if paging.mode == "none":
        run.step("guest paging", f"CR0.PG = 0: the linear address is the guest-physical one ({PAGING_MODES})")
        # With paging off a linear address counts as a user-mode one, to a writable and executable page.
        return GuestPage(linear_address, True, True, False, True, 0, None, False)
    used: list[UsedEntry] = []
    page = _walk_tables(run, paging, linear_address, intent, used)
    if not isinstance(page, GuestPage):
        return page
    if run.trace is not None:
        run.step("guest page", describe_page(page), page.guest_physical_address)
    if denied(paging, run.guest, intent, page):
        run.step("guest rights", f"denied: #PF ({ACCESS_RIGHTS})")
        key = PF_PROTECTION_KEY if key_denies(paging, run.guest, intent, page) else 0
        return _page_fault(run, paging, linear_address, intent, PF_PRESENT | key)
    if run.trace is not None:
        run.step("guest rights", f"allowed ({ACCESS_RIGHTS})")
    stopped = _set_flags(run, used, intent)
    return page if stopped is None else stopped


def _walk_tables(
    run: Run, paging: PagingConfiguration, linear_address: int, intent: Intent, used: list[UsedEntry]
) -> GuestPage | Exit:
    table = _root(run, paging, linear_address)
    if table is None:
        return _page_fault(run, paging, linear_address, intent, 0)
    every, above, any_of = -1, -1, 0
    for level in paging.levels:
        address = table | linear_address >> level.index_shift & level.index_mask
        found = _read_entry(run, level, address)
        if not isinstance(found, UsedEntry):
            return found
        used.append(found)
        entry = found.entry
        if not entry & PRESENT:
            run.step(level.name, f"P = 0: #PF ({PAGE_FAULTS})", address, entry)
            return _page_fault(run, paging, linear_address, intent, 0)
        maps_page = entry & level.page_mask
        if entry & (level.page_reserved if maps_page else level.table_reserved):
            run.step(level.name, f"a reserved bit is set: #PF ({entry_format(paging.mode)})", address, entry)
            return _page_fault(run, paging, linear_address, intent, PF_PRESENT | PF_RESERVED)
        if run.trace is not None:
            run.step(level.name, describe_entry(paging, level, entry), address, entry)
        above = every
        every &= entry
        any_of |= entry
        if maps_page:
            return GuestPage(
                guest_physical_address=page_base(level, entry) | linear_address & level.page_offset,
                user=bool(every & USER),
                writable=bool(every & WRITABLE),
                execute_disable=bool(any_of & EXECUTE_DISABLE),
                above_writable=bool(above & WRITABLE),
                entry=entry,
                pat_index=entry >> PWT_PCD_SHIFT & 3 | (entry >> level.pat_shift & 1) << 2,
                unverified=run.ept.guest_paging_verification and not all(at.verified for at in used),
            )
        table = entry & paging.table_mask
    raise AssertionError("an entry of a guest page table always maps a page")


def _root(run: Run, paging: PagingConfiguration, linear_address: int) -> int | None:
    """The guest-physical address of the first table, or None if a PDPTE register says P = 0."""
    if paging.mode != "PAE":
        return run.guest.cr3 & paging.root_mask
    # The register is no memory access, carries no rights and has no flags.
    index = linear_address >> 30
    pdpte = run.pdptes[index]
    note = f"-> page directory {hex(pdpte)}" if pdpte & PRESENT else f"P = 0: #PF ({PAGE_FAULTS})"
    run.step("guest PDPTE", f"register {index}: {note} ({PDPTE_REGISTERS})", None, pdpte)
    return pdpte & paging.table_mask if pdpte & PRESENT else None


def _read_entry(run: Run, level: PagingLevel, address: int) -> UsedEntry | Exit:
    """Reads the entry at a guest-physical address, through EPT if it is on."""
    if run.ept is EPT_OFF:
        host, verified = address, True
    else:
        if run.trace is not None:
            run.step("EPT", f"for the {level.name}", address)
        page = translate(run, address, guest_entry_access(run.ept))
        if not isinstance(page, EptPage):
            return page
        host = page.host_physical_address
        verified = bool(page.entry & PAGING_WRITE)
    if level.entry_bytes == 8:
        return UsedEntry(address, host, run.memory.read(host), verified)
    return UsedEntry(address, host, run.memory.read(host & ~7) >> 8 * (host & 4) & 0xFFFF_FFFF, verified)


def _set_flags(run: Run, used: list[UsedEntry], intent: Intent) -> Exit | None:
    """Sets the accessed flag of every entry used and, on a write, the dirty flag of the last.

    With EPTP[6] = 0 each update is a write of its own, which EPT may deny; with EPTP[6] = 1 the reading
    access counted as a write already.

    Decision: the SDM orders the updates neither among themselves nor against the final EPT access. Here they
    follow the access rights, from the root down, and precede the final EPT access; a #PF leaves all flags as
    they were, and an update that EPT denies leaves those above it set.
    """
    last = used[-1]
    for read in used:
        flags = ACCESSED | DIRTY if read is last and intent.writes else ACCESSED
        if read.entry & flags == flags:
            continue
        host = read.host_physical_address
        if run.ept is not EPT_OFF and not run.ept.accessed_dirty:
            run.step("EPT", f"to set a guest flag ({GUEST_FLAGS})", read.guest_physical_address)
            page = translate(run, read.guest_physical_address, GUEST_FLAG_UPDATE)
            if not isinstance(page, EptPage):
                return page
        run.memory.set_bits(host & ~7, flags << 8 * (host & 4))
        run.step("guest flags", f"{_flag_text(flags)} set ({GUEST_FLAGS})", read.guest_physical_address)
    return None


def _flag_text(flags: int) -> str:
    return "accessed and dirty" if flags & DIRTY else "accessed"


def _page_fault(run: Run, paging: PagingConfiguration, linear_address: int, intent: Intent, cause: int) -> PageFault:
    return PageFault(linear_address, error_code(paging, intent, cause), run.memory.changed())
