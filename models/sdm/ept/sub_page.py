"""In: a write that EPT denies for want of W alone. Out: what sub-page write permissions make of it.

Guarantee: SPP only ever allows a write that EPT denied, or turns its violation into an SPP event.
Trusted: no, checked by tests/unit/models.

    SPPT L4E, L3E, L2E:  0 valid   11:1 reserved   M-1:12 next table   63:M reserved
    SPPT L1E (vector):   bit 2S allows writes to sub-page S = GPA[11:7]; odd bits are reserved

Source: SDM "Sub-Page Write Permissions" and its subsections.
"""

from typing import Literal

from models.sdm.bits import bits
from models.sdm.ept.entry import SUB_PAGE_WRITE, TABLE_ADDRESS, WRITE, EptPage
from models.sdm.run import Run
from models.sdm.trace import SPP_ELIGIBILITY, SPP_PERMISSION

VALID = 1 << 0
ODD_BITS = 0xAAAA_AAAA_AAAA_AAAA
VECTOR_LEVEL = 1

SubPageVerdict = Literal["allowed", "denied", "miss", "misconfiguration"]


def is_eligible(run: Run, page: EptPage, missing: int) -> bool:
    """Whether the page and the missing rights admit SPP; whether the access does is its own affair.

    Decision: as the SDM words it, a page that is executable only is eligible too.
    """
    return bool(run.ept.sub_page_write and missing == WRITE and page.level.number == 1 and page.entry & SUB_PAGE_WRITE)


def sub_page_verdict(run: Run, address: int) -> SubPageVerdict:
    """Walks the SPP table for a guest-physical address, of which bits 47:7 select.

    Decision: with 5-level EPT bits 56:48 take no part, because the table has four levels only.
    """
    run.step("SPP", f"eligible write: the sub-page permission table decides ({SPP_ELIGIBILITY})")
    table = run.vmcs.sppt_pointer
    reserved = bits(11, 1) | bits(63, run.ept.maxphyaddr)
    for level in (4, 3, 2):
        at = table | address >> 9 * level & 0xFF8
        entry = run.memory.read(at)
        if not entry & VALID:
            run.step(f"SPPT L{level}E", f"not valid: SPP miss ({SPP_PERMISSION})", at, entry)
            return "miss"
        if entry & reserved:
            note = f"a reserved bit is set: SPP misconfiguration ({SPP_PERMISSION})"
            run.step(f"SPPT L{level}E", note, at, entry)
            return "misconfiguration"
        run.step(f"SPPT L{level}E", f"-> table {hex(entry & TABLE_ADDRESS)}", at, entry)
        table = entry & TABLE_ADDRESS
    at = table | address >> 9 * VECTOR_LEVEL & 0xFF8
    return _vector_verdict(run, at, address >> 7 & 0x1F)


def _vector_verdict(run: Run, at: int, sub_page: int) -> SubPageVerdict:
    vector = run.memory.read(at)
    if vector & ODD_BITS:
        note = f"an odd bit is set: SPP misconfiguration ({SPP_PERMISSION})"
        run.step("SPPT L1E", note, at, vector)
        return "misconfiguration"
    allowed = vector >> 2 * sub_page & 1
    verdict = "writable" if allowed else "not writable: EPT violation"
    run.step("SPPT L1E", f"sub-page {sub_page} is {verdict} ({SPP_PERMISSION})", at, vector)
    return "allowed" if allowed else "denied"
