"""In: a fault's error code and the SPTE it met. Out: whether KVM can do without its lock, how a page may be mapped.

Guarantee: each function is the kernel's; none looks at memory.
Trusted: no, checked by tests/unit/models/kvm and tests/differential.

Source: page_fault_can_be_fast(), fast_page_fault(), kvm_mmu_hugepage_adjust(), disallowed_hugepage_adjust()
(mmu/mmu.c), FNAME(page_fault) (mmu/paging_tmpl.h).
"""

from dataclasses import dataclass
from typing import Literal

from models.kvm.gpte import gpte_access
from models.kvm.masks import PT_WRITABLE, ShadowMasks
from models.kvm.mmu import Mmu
from models.kvm.permissions import table_fault
from models.kvm.pferr import PFERR_FETCH, PFERR_PRESENT, PFERR_RSVD, PFERR_USER, PFERR_WRITE
from models.kvm.role import PG_LEVEL_4K, is_cr4_smep
from models.kvm.spte import (
    Fault,
    is_access_allowed,
    is_access_track_spte,
    is_large_pte,
    is_last_spte,
    is_mmu_writable_spte,
    is_shadow_present_pte,
)
from models.kvm.tracking import restore_acc_track_spte

FastVerdict = Literal["invalid", "spurious", "fixed"]


def page_fault_access(mmu: Mmu, pte_access: int, fault: Fault) -> int:
    """The rights with which memory of L1 is mapped after a fault that EPT12 allows.

    rfc's base compiles the exception for a kernel that writes with CR0.WP = 0 for EPT, too.
    """
    acc, role = mmu.version.acc, mmu.cpu_role
    exception = mmu.version.wp_exception_for_ept and fault.write and not role.base.cr0_wp and not fault.user
    if not exception or pte_access & acc.write:
        return pte_access
    pte_access = pte_access & ~acc.user | acc.write
    return pte_access & ~acc.exec if is_cr4_smep(role) else pte_access


def fault_of(error_code: int, is_tdp: bool, mbec: bool, prefetch: bool = False) -> Fault:
    """struct kvm_page_fault of an error code."""
    return Fault(
        error_code=error_code,
        exec=bool(error_code & PFERR_FETCH),
        write=bool(error_code & PFERR_WRITE),
        user=bool(error_code & PFERR_USER),
        present=bool(error_code & PFERR_PRESENT),
        rsvd=bool(error_code & PFERR_RSVD),
        is_tdp=is_tdp,
        mbec=mbec,
        prefetch=prefetch,
    )


def page_fault_can_be_fast(masks: ShadowMasks, fault: Fault) -> bool:
    """Whether restoring an access-tracked SPTE, or W, could be all that is wanted."""
    if fault.rsvd:
        return False
    return fault.write if fault.present else not masks.kvm_ad_enabled


def spte_permission_fault(mmu: Mmu, spte: int, fault: Fault) -> bool:
    """newest: whether the SPTE denies the access, by a second permissions[] made for SPTEs.

    Decision: of the error code, W, U and F count, and the SPTE is read as gpte_access() reads an entry of EPT12.
    """
    assert mmu.spte_tables is not None, "newest alone decides by a table"
    low = fault.error_code & (PFERR_WRITE | PFERR_USER | PFERR_FETCH)
    return table_fault(mmu.spte_tables.permissions, gpte_access(mmu.version, spte), low)


def is_spurious(masks: ShadowMasks, mmu: Mmu, spte: int, fault: Fault) -> bool:
    """Whether a present leaf SPTE allows the access, as the version decides it."""
    if masks.version.spte_permissions:
        return not spte_permission_fault(mmu, spte, fault)
    return is_access_allowed(masks, spte, fault)


def fast_page_fault(masks: ShadowMasks, mmu: Mmu, spte: int, level: int, fault: Fault) -> tuple[FastVerdict, int]:
    """What becomes of the leaf SPTE of a direct MMU without taking the lock."""
    if not page_fault_can_be_fast(masks, fault) or not is_shadow_present_pte(spte) or not is_last_spte(spte, level):
        return "invalid", spte
    if is_spurious(masks, mmu, spte, fault):
        return "spurious", spte
    fixed = spte
    if not masks.kvm_ad_enabled and is_access_track_spte(masks, spte):
        fixed = restore_acc_track_spte(masks, fixed) | masks.accessed
    if fault.write and is_mmu_writable_spte(masks, fixed):
        fixed |= PT_WRITABLE | masks.dirty
    if fixed == spte or not is_spurious(masks, mmu, fixed, fault):
        return "invalid", spte
    return "fixed", fixed


@dataclass(frozen=True, slots=True)
class GoalLevel:
    """How large the page may be, and would be without NX huge pages (`required`), which `disallowed` it."""

    goal: int
    required: int
    disallowed: bool


def kvm_mmu_hugepage_adjust(max_level: int, mapping_level: int, exec_fault: bool, nx_huge_pages: bool) -> GoalLevel:
    """`max_level`: of EPT12's page; `mapping_level`: what host, memory slot and shadowed tables allow."""
    disallowed = exec_fault and nx_huge_pages
    required = min(max_level, mapping_level)
    goal = PG_LEVEL_4K if disallowed else required
    return GoalLevel(goal, required, disallowed)


def disallowed_hugepage_adjust(spte: int, level: int, goal: int, nx_huge_page_disallowed: bool) -> int:
    """The goal, one lower where a table that the workaround split stands already."""
    table = is_shadow_present_pte(spte) and not is_large_pte(spte)
    return goal - 1 if level > PG_LEVEL_4K and level == goal and table and nx_huge_page_disallowed else goal
