"""In: L2's guest-physical address and an access. Out: what KVM's own walk of EPT12 finds, or the fault it reports.

Guarantee: level by level not present before misconfigured, the rights only after the whole walk; the qualification
that L1 would see is made here, as the version makes it.
Trusted: no, checked by tests/unit/models/kvm and tests/differential (shadow against composition).

Source: FNAME(walk_addr_generic), FNAME(update_accessed_dirty_bits) (mmu/paging_tmpl.h), for EPT.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from models.kvm.asm_vmx import (
    EPT_VIOLATION_ACC_INSTR,
    EPT_VIOLATION_ACC_READ,
    EPT_VIOLATION_ACC_WRITE,
    EPT_VIOLATION_GVA_IS_VALID,
    EPT_VIOLATION_GVA_TRANSLATED,
    VMX_EPT_ACCESS,
    VMX_EPT_DIRTY,
    epte_to_prot,
    user_exec_to_prot,
)
from models.kvm.gpte import gpte_access, is_last_gpte, is_present_gpte, protect_clean_gpte
from models.kvm.mmu import Mmu
from models.kvm.permissions import Viewer, permission_fault
from models.kvm.pferr import (
    PFERR_FETCH,
    PFERR_GUEST_PAGE,
    PFERR_PRESENT,
    PFERR_RSVD,
    PFERR_USER,
    PFERR_WRITE,
)
from models.kvm.rsvd_bits import is_rsvd_bits_set
from models.kvm.version import Version
from models.sdm.bits import WORD, bits

ReadGpte = Callable[[int, int], int | None]
"""Level and the entry above (the EPTP at first) to the entry, or None if L1 has no memory there."""
LEVEL_NAMES = {5: "PML5E", 4: "PML4E", 3: "PDPTE", 2: "PDE", 1: "PTE"}
ADDRESS = bits(51, 12)


@dataclass(frozen=True, slots=True)
class WalkFault:
    """struct x86_exception: PFERR_RSVD in `error_code` makes it an EPT misconfiguration, without a qualification."""

    address: int
    error_code: int
    exit_qualification: int
    level: int
    why: str


@dataclass(frozen=True, slots=True)
class GuestWalker:
    """struct guest_walker of a walk that succeeded.

    By level: `ptes` are the entries, `pt_access` the rights of those above. `pte_access` has the rights of all of
    them, without ACC_WRITE while the page is clean; `gfn` is L1's page. `sets_flags`: accessed or dirty flags are
    still to be set in EPT12.
    """

    level: int
    ptes: dict[int, int]
    pt_access: dict[int, int]
    pte_access: int
    gfn: int
    sets_flags: bool


@dataclass(frozen=True, slots=True)
class WalkSetting:
    """What a walk takes from the vCPU. `mbec`: mmu_has_mbec(), as the version computes it."""

    mbec: bool
    viewer: Viewer = field(default_factory=Viewer)


def synthesise_exit_qualification(version: Version, access: int, raw: int, mbec: bool) -> int:
    """The qualification of an EPT violation for L1; `raw` is the AND of all entries read, all ones before the first.

    newest adds bits 7 and 8; elsewhere they come from hardware, see violation.py.
    """
    write, fetch = access & PFERR_WRITE, access & PFERR_FETCH
    qualification = EPT_VIOLATION_ACC_WRITE if write else 0
    if not version.user_from_qualification:
        qualification |= EPT_VIOLATION_ACC_READ if access & PFERR_USER else 0
        qualification |= EPT_VIOLATION_ACC_INSTR if fetch else 0
    else:
        if not write:
            qualification |= EPT_VIOLATION_ACC_INSTR if fetch else EPT_VIOLATION_ACC_READ
        if access & PFERR_GUEST_PAGE:
            qualification |= EPT_VIOLATION_ACC_READ
    qualification |= epte_to_prot(raw)
    if mbec:
        qualification |= user_exec_to_prot(raw)
    if version.hardware_bits_from_hardware:
        qualification |= EPT_VIOLATION_GVA_IS_VALID
        qualification |= 0 if access & PFERR_GUEST_PAGE else EPT_VIOLATION_GVA_TRANSLATED
    return qualification


def walk_addr_generic(
    mmu: Mmu, address: int, access: int, read: ReadGpte, setting: WalkSetting
) -> GuestWalker | WalkFault:
    """Walks EPT12 for L2's guest-physical `address`. `access` are PFERR_* bits, without PFERR_RSVD."""
    version, level = mmu.version, mmu.root_role.level
    raw, above = WORD, 0
    ptes: dict[int, int] = {}
    pt_access: dict[int, int] = {}

    def fault(error_code: int, why: str) -> WalkFault:
        # PFERR_FETCH is left out: has_pferr_fetch() of nested EPT is 0.
        error_code |= access & (PFERR_WRITE | PFERR_USER)
        misconfigured = error_code & PFERR_RSVD
        shown = 0 if misconfigured else synthesise_exit_qualification(version, access, raw, setting.mbec)
        return WalkFault(address, error_code, shown, level, why)

    while True:
        pte = read(level, above)
        if pte is None:
            return fault(0, "L1 has no memory there")
        higher, raw = raw, raw & pte
        if not is_present_gpte(version, pte, setting.mbec):
            return fault(0, "not present")
        if is_rsvd_bits_set(version, mmu.guest_rsvd_check, pte, level):
            return fault(PFERR_RSVD | PFERR_PRESENT, "misconfigured")
        ptes[level], pt_access[level] = pte, gpte_access(version, higher)
        if is_last_gpte(pte, level):
            break
        above, level = pte, level - 1
    pte_access = gpte_access(version, raw)
    error_code = permission_fault(mmu.permission_tables, pte_access, 0, access, setting.viewer)
    if error_code:
        return fault(error_code, "a right is missing")
    return _finish(mmu, address, access, _Found(level, ptes, pt_access, raw, pte_access))


@dataclass(frozen=True, slots=True)
class _Found:
    level: int
    ptes: dict[int, int]
    pt_access: dict[int, int]
    raw: int
    pte_access: int


def _finish(mmu: Mmu, address: int, access: int, found: _Found) -> GuestWalker:
    """L1's page, and what the accessed and dirty flags make of the rights."""
    pte, level = found.ptes[found.level], found.level
    offset = bits(11 + 9 * (level - 1), 12)
    gfn = (pte & ADDRESS & ~offset | address & offset) >> 12
    pte_access = found.pte_access
    done = bool(found.raw & VMX_EPT_ACCESS)
    if access & PFERR_WRITE:
        done = done and bool(pte & VMX_EPT_DIRTY)
    else:
        pte_access = protect_clean_gpte(mmu.version, pte_access, pte, mmu.ept_ad)
    return GuestWalker(level, found.ptes, found.pt_access, pte_access, gfn, mmu.ept_ad and not done)


def accessed_dirty_updates(walker: GuestWalker, write: bool) -> dict[int, int]:
    """By level, the entries that update_accessed_dirty_bits() writes back."""
    updates: dict[int, int] = {}
    for level, pte in walker.ptes.items():
        flagged = pte | VMX_EPT_ACCESS
        if write and level == walker.level:
            flagged |= VMX_EPT_DIRTY
        if flagged != pte:
            updates[level] = flagged
    return updates


def walk_entries(
    mmu: Mmu, entries: Sequence[int], address: int, access: int, setting: WalkSetting
) -> GuestWalker | WalkFault:
    """The walk that meets `entries`, from the root's down, wherever they are."""
    return walk_addr_generic(mmu, address, access, lambda level, _: entries[mmu.root_role.level - level], setting)
