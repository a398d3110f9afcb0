"""In: a guest in PAE mode. Out: its PDPTE registers, or which of them cannot be loaded.

Guarantee: reserved bits are checked when the registers are loaded, never when they are used.
Trusted: no, checked by tests/unit/models.

Source: SDM "PDPTE Registers", "Checks on Guest Page-Directory-Pointer-Table Entries", "Loading
Page-Directory-Pointer-Table Entries".
"""

from dataclasses import dataclass

from models.sdm.ept.access import PDPTE_READ
from models.sdm.ept.entry import EPT_OFF, EptPage
from models.sdm.ept.walk import translate
from models.sdm.memory import PhysicalMemory
from models.sdm.outcome import Exit, GeneralProtection
from models.sdm.paging.mode import PagingConfiguration
from models.sdm.run import Run
from models.sdm.trace import PDPTE_REGISTERS
from models.sdm.vmx.entry import unloadable


def read_pdptes(memory: PhysicalMemory, host_physical_address: int) -> tuple[int, ...]:
    """The four PDPTEs of a 32-byte aligned table."""
    return tuple(memory.read(host_physical_address + offset) for offset in range(0, 32, 8))


@dataclass(frozen=True, slots=True)
class LoadedPdptes:
    """A table of PDPTEs that was loaded; `ept_entry` is the EPT entry that maps it, None without EPT."""

    guest_physical_address: int
    host_physical_address: int
    ept_entry: int | None


def load_pdptes(run: Run, paging: PagingConfiguration) -> LoadedPdptes | Exit:
    """MOV to CR3 under PAE paging.

    An EPT violation or misconfiguration comes first; the values are checked once they have been read.
    """
    table = run.guest.cr3 & paging.root_mask
    host, ept_entry = table, None
    if run.ept is not EPT_OFF:
        run.step("EPT", "for the PDPTEs: a plain read", table)
        page = translate(run, table, PDPTE_READ)
        if not isinstance(page, EptPage):
            return page
        host, ept_entry = page.host_physical_address, page.entry
    pdptes = read_pdptes(run.memory, host)
    for index, pdpte in enumerate(pdptes):
        run.step("guest PDPTE", f"loaded into register {index}", table + 8 * index, pdpte)
    wrong = unloadable(pdptes, paging.pdpte_reserved)
    if wrong is not None:
        run.step("guest PDPTE", f"register {wrong}: a reserved bit is set: #GP(0) ({PDPTE_REGISTERS})")
        return GeneralProtection(table + 8 * wrong, host + 8 * wrong, run.memory.changed())
    return LoadedPdptes(table, host, ept_entry)
