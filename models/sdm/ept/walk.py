"""In: a guest-physical address and an access. Out: the page that EPT maps it to, or how EPT stops it.

Guarantee: exactly one outcome, in the SDM's order: level by level not present before misconfigured, and the
access rights, the AND over all entries used, only after the whole walk.
Trusted: no, checked by tests/tables, tests/differential (the specs, Bochs).

Source: SDM "EPT Translation Mechanism", "Prioritization of EPT Misconfigurations and EPT Violations".
"""

from models.sdm.ept.access import EptAccess
from models.sdm.ept.entry import (
    ACCESSED,
    DIRTY,
    EPT_TYPE_SHIFT,
    PAGING_WRITE,
    READ,
    RESERVED_MEMORY_TYPES,
    SUPERVISOR_SHADOW_STACK,
    TABLE_ADDRESS,
    VERIFY_GUEST_PAGING,
    WRITE,
    EptConfiguration,
    EptPage,
    misconfiguration,
)
from models.sdm.ept.notes import describe_access, describe_entry
from models.sdm.ept.sub_page import is_eligible, sub_page_verdict
from models.sdm.ept.violation import Denial, event_bits, violation
from models.sdm.outcome import EptMisconfiguration, EptViolation, Exit, SppEvent, VirtualizationException
from models.sdm.run import Run
from models.sdm.trace import (
    EPT_FLAGS,
    EPT_MISCONFIGURATIONS,
    EPT_PRIORITY,
    EPT_TRANSLATION,
    EPT_VIOLATIONS,
)

Q_SPP_MISS = 1 << 11


def translate(run: Run, address: int, access: EptAccess) -> EptPage | Exit:
    """Accesses the guest-physical `address` through EPT and sets the accessed and dirty flags of EPT."""
    page = _walk(run, address, access)
    if not isinstance(page, EptPage):
        return page
    missing = missing_rights(run.ept, page, access)
    if run.trace is not None:
        run.step("EPT rights", describe_access(run.ept, access, page, missing))
    if missing:
        stopped = _denied(run, address, access, page, missing)
        if stopped is not None:
            return stopped
    # Decision: rights, SPP included, come before guest-paging verification; both give an EPT violation.
    if access.unverified and page.entry & VERIFY_GUEST_PAGING:
        run.step("EPT rights", f"guest-paging verification fails: EPT violation ({EPT_VIOLATIONS})")
        return violation(run, address, access, Denial(page.entry, page, verification=True))
    if run.ept.accessed_dirty:
        _set_flags(run, page, access)
    return page


def _walk(
    run: Run, address: int, access: EptAccess
) -> EptPage | EptMisconfiguration | EptViolation | VirtualizationException:
    """Steps 1a to 1c: the entries from the root down to the one that maps a page."""
    configuration, trace = run.ept, run.trace
    if address >> configuration.guest_physical_bits:
        note = f"GPA[51:{configuration.guest_physical_bits}] is not 0: EPT violation ({EPT_TRANSLATION})"
        run.step("EPT", note)
        return violation(run, address, access, Denial(entry=None))
    written, given = run.memory.written, run.memory.given
    table = run.ept_root
    above = -1
    used: list[int] = []
    for level in configuration.levels:
        at = table | address >> level.index_shift & 0xFF8
        entry = written[at] if at in written else given.get(at, 0)
        used.append(at)
        if entry & level.plain_table_mask == READ and trace is None:
            above &= entry
            table = entry & TABLE_ADDRESS
            continue
        if entry & level.plain_page_mask != level.plain_page or entry >> EPT_TYPE_SHIFT & 7 in RESERVED_MEMORY_TYPES:
            if not entry & configuration.present_mask:
                run.step(level.name, f"not present: EPT violation ({EPT_PRIORITY})", at, entry)
                return violation(run, address, access, Denial(entry))
            reason = misconfiguration(configuration, level, entry)
            if reason is not None:
                run.step(level.name, f"{reason}: EPT misconfiguration ({EPT_MISCONFIGURATIONS})", at, entry)
                return EptMisconfiguration(address, run.memory.changed())
        if trace is not None:
            run.step(level.name, describe_entry(configuration, level, entry, above & entry), at, entry)
        if entry & level.page_mask:
            target = entry & level.page_address | address & level.page_offset
            return EptPage(target, entry, above, level, used)
        above &= entry
        table = entry & TABLE_ADDRESS
    raise AssertionError("an entry of an EPT page table always maps a page")


def missing_rights(configuration: EptConfiguration, page: EptPage, access: EptAccess) -> int:
    """The rights (bits of an entry) that the access needs and the entries do not grant; 0 allows it.

    Source: SDM "EPT Violations".
    """
    if access.supervisor_shadow_stack:
        # Readable throughout, writable down to the last table, and marked in the entry that maps the page,
        # whose W takes no part.
        granted = page.above & page.entry & READ | page.above & WRITE
        if not page.entry & SUPERVISOR_SHADOW_STACK:
            granted &= ~WRITE
        return (READ | WRITE) & ~granted
    missing = access.required & ~(page.above & page.entry)
    if (
        missing == WRITE
        and access.paging_write
        and configuration.paging_write_control
        and page.above & WRITE
        and page.entry & PAGING_WRITE
    ):
        return 0
    return missing


def _denied(
    run: Run, address: int, access: EptAccess, page: EptPage, missing: int
) -> EptViolation | VirtualizationException | SppEvent | None:
    """The exit of an access that lacks rights, or None if sub-page write permissions allow it."""
    if access.sub_page_eligible and is_eligible(run, page, missing):
        verdict = sub_page_verdict(run, address)
        if verdict == "allowed":
            return None
        if verdict != "denied":
            qualification, defined = event_bits(run)
            if verdict == "miss":
                qualification |= Q_SPP_MISS
            return SppEvent(address, run.linear_address, qualification, defined | Q_SPP_MISS, run.memory.changed())
    return violation(run, address, access, Denial(page.entry, page))


def _set_flags(run: Run, page: EptPage, access: EptAccess) -> None:
    """Accessed in every entry used, dirty in the one that maps the page on a write.

    Decision: a walk that fails sets none, and a write that SPP allows marks the page dirty like any other.
    """
    memory = run.memory
    if not page.above & page.entry & ACCESSED:
        for at in page.used:
            memory.set_bits(at, ACCESSED)
        run.step("EPT flags", f"accessed flags set ({EPT_FLAGS})")
    if access.writes and not page.entry & DIRTY:
        memory.set_bits(page.used[-1], DIRTY)
        run.step("EPT flags", f"dirty flag set ({EPT_FLAGS})", page.used[-1])
