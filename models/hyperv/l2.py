"""In: pages of L2 with their protections. Out: what becomes of L2's accesses under EPT_K, EPT_U and an EPT with MBEC.

Guarantee: the three EPTs differ in the right to execute alone; every access is performed by the reference MMU.
Trusted: no, checked by tests/unit/models/hyperv and tests/differential.

Addresses are the same at all levels: L2's linear, guest-physical and host-physical.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from models.sdm import AccessKind, Guest, LinearAccess, Machine, Outcome, Processor, Vmcs, access

READ, WRITE, KERNEL_EXECUTE, USER_EXECUTE = 1, 2, 4, 8
"""VTL protections (TLFS "Permission Bits (Low 4 Bits)"): R, W, KMX, UMX."""

Ept = Literal["EPT_K", "EPT_U", "MBEC"]
ROOTS: dict[Ept, int] = {"EPT_K": 0x40_0000, "EPT_U": 0x41_0000, "MBEC": 0x42_0000}

FIRST_PAGE = 0x10_0000
PAGES = 256
GUEST_TABLES = 0x1000  # PML4, page-directory-pointer table, page directory, page table
OPEN_GUEST_ENTRY = 0x67  # P, R/W, U/S, accessed, dirty
OPEN_EPT_ENTRY = 0x407  # R, W, X, and bit 10
WRITE_BACK = 6 << 3
ENABLE_EPT, UNRESTRICTED_GUEST, MODE_BASED_EXECUTE_CONTROL = 1 << 1, 1 << 7, 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`protection`: what the higher VTL allows; `user` and `writable`: U/S and R/W of L2's own entry."""

    protection: int
    user: bool
    writable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """L2's control registers; the default is 64-bit mode with SMEP."""

    cr0: int = 0x8005_0033
    cr4: int = 0x10_2020
    efer: int = 0xD00


SMEP = Registers()
NO_SMEP = Registers(cr4=0x2020)
NO_PAGING = Registers(cr0=0x5_0033, efer=0)


class L2:
    """L2 at each CPL under each EPT, ready to try an access; page n lies at `address(n)`."""

    def __init__(self, pages: Sequence[Page], registers: Registers = SMEP) -> None:
        if len(pages) > PAGES:
            raise ValueError(f"{len(pages)} pages, and there is room for {PAGES}")
        self.pages = tuple(pages)
        memory = _guest_tables(self.pages)
        for ept in ROOTS:
            memory |= _ept(ept, self.pages)
        self._machines = {(ept, cpl): _machine(memory, ept, cpl, registers) for ept in ROOTS for cpl in range(4)}

    def attempt(self, ept: Ept, cpl: int, kind: AccessKind, page: int) -> Outcome:
        """One access to the first byte of a page."""
        return access(self._machines[ept, cpl], LinearAccess(kind=kind, linear_address=address(page)))


def address(page: int) -> int:
    """Where page n lies."""
    return FIRST_PAGE + 0x1000 * page


def _guest_tables(pages: Sequence[Page]) -> dict[int, int]:
    memory = {
        GUEST_TABLES + 0x1000 * level: GUEST_TABLES + 0x1000 * (level + 1) | OPEN_GUEST_ENTRY for level in range(3)
    }
    table = GUEST_TABLES + 0x3000
    for number, page in enumerate(pages):
        at = address(number)
        closed = (0 if page.user else 4) | (0 if page.writable else 2)
        memory[table + (at >> 9)] = at | OPEN_GUEST_ENTRY & ~closed
    return memory


def _ept(ept: Ept, pages: Sequence[Page]) -> dict[int, int]:
    root = ROOTS[ept]
    memory = {root + 0x1000 * level: root + 0x1000 * (level + 1) | OPEN_EPT_ENTRY for level in range(3)}
    table = root + 0x3000
    for at in range(GUEST_TABLES, GUEST_TABLES + 0x4000, 0x1000):
        memory[table + (at >> 9)] = at | READ | WRITE | WRITE_BACK
    for number, page in enumerate(pages):
        at = address(number)
        memory[table + (at >> 9)] = at | _rights(ept, page.protection) | WRITE_BACK
    return memory


def _rights(ept: Ept, protection: int) -> int:
    """Bits 10 and 2:0 of an EPT entry: MBEC has a bit for each mode, a view bit 2 for its own."""
    kernel, user = protection & KERNEL_EXECUTE, (protection & USER_EXECUTE) >> 1
    data = protection & (READ | WRITE)
    if ept == "MBEC":
        return data | kernel | user << 8
    return data | (kernel if ept == "EPT_K" else user)


def _machine(memory: dict[int, int], ept: Ept, cpl: int, registers: Registers) -> Machine:
    secondary = ENABLE_EPT | UNRESTRICTED_GUEST | (MODE_BASED_EXECUTE_CONTROL if ept == "MBEC" else 0)
    return Machine(
        processor=Processor(maxphyaddr=40, raw_maxphyaddr=40, ept_vpid_cap=0x6734141),
        vmcs=Vmcs(eptp=ROOTS[ept] | 0x1E, primary_controls=1 << 31, secondary_controls=secondary),
        guest=Guest(cr0=registers.cr0, cr3=GUEST_TABLES, cr4=registers.cr4, efer=registers.efer, cpl=cpl, rflags=2),
        memory=memory,
    )
