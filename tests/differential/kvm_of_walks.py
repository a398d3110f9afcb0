"""What models/kvm says of EPT12 and of faults, asked as the specifications are: a function for each of theirs."""

from __future__ import annotations

from kvm_settings import Value, mbec_of, mmu_fields, mmu_of, rsvd_of, tables_of
from kvm_versions import L1, Side, view

from models.kvm import gpte as entries
from models.kvm import page_fault as faulting
from models.kvm import permissions as rights
from models.kvm import rsvd_bits as reserved
from models.kvm import violation, walk
from models.kvm.asm_vmx import epte_to_prot, user_exec_to_prot
from models.kvm.permissions import Viewer
from models.kvm.pferr import PFERR_RSVD, PFERR_USER, PFERR_WRITE
from models.kvm.role import unpack_role
from models.kvm.violation import LastExit
from models.kvm.walk import GuestWalker, WalkFault, WalkSetting
from models.sdm.vmx.processor import CAP_ADVANCED_EXIT_INFORMATION

# ---- entries


def is_present_gpte(side: Side, host: Value, l1: Value, gpte: int) -> bool:
    return entries.is_present_gpte(side.model, gpte, mbec_of(side, host, l1))


def gpte_access(side: Side, gpte: int) -> int:
    return entries.gpte_access(side.model, gpte)


def guest_gpte_access(side: Side, gpte: int) -> int:
    return entries.gpte_access_64(side.model, gpte)


def prefetch_invalid_gpte(side: Side, host: Value, l1: Value, gpte: int) -> bool:
    mmu = mmu_of(side, host, l1)
    return entries.prefetch_invalid_gpte(side.model, gpte, mmu.guest_rsvd_check, mmu.ept_ad, mbec_of(side, host, l1))


def rsvd_bits_mask(side: Side, gpte: int, at: int, l1: Value) -> int:
    return rsvd_of(side, l1).mask[gpte >> 7 & 1][at]


def bad_mt_xwr(side: Side, execonly: bool) -> int:
    return reserved.reset_rsvds_bits_mask_ept(52, execonly, 3).bad_mt_xwr


def is_bad_mt_xwr(side: Side, execonly: bool, pte: int) -> bool:
    return reserved.is_bad_mt_xwr(side.model, reserved.reset_rsvds_bits_mask_ept(52, execonly, 3), pte)


def is_rsvd_bits_set(side: Side, gpte: int, at: int, l1: Value) -> bool:
    return reserved.is_rsvd_bits_set(side.model, rsvd_of(side, l1), gpte, at)


def ends_kvms_walk(side: Side, host: Value, step: Value, l1: Value) -> bool:
    given = view(side.record("sdm.ept.walk.EptStep"), step)
    return (
        not is_present_gpte(side, host, l1, given.entry)
        or is_rsvd_bits_set(side, given.entry, given.at, l1)
        or entries.is_last_gpte(given.entry, given.at)
    )


# ---- permissions[]


def permissions(side: Side, mmu: Value, index: int) -> int:
    return tables_of(side, mmu).permissions[index]


def permission_fault(side: Side, vcpu: Value, mmu: Value, pte_access: int, pte_pkey: int, access: int) -> int:
    """The vCPU has an MMU of its own, which v1 asks for MBEC."""
    given = view(side.record("kvm.mmu.KvmVcpu"), vcpu)
    in_use = unpack_role(side.model, mmu_fields(side, given.mmu).root_role)
    viewer = Viewer(given.ac, given.cpl, given.pkru, bool(in_use.has_mbec))
    return rights.permission_fault(tables_of(side, mmu), pte_access, pte_pkey, access, viewer)


def mbec_permission_fault(side: Side, vcpu: Value, pte_access: int, access: int) -> bool:
    given = view(side.record("kvm.mmu.KvmVcpu"), vcpu)
    return rights.mbec_permission_fault(side.model, pte_access, access, given.cpl)


# ---- walks and faults


def walk_addr_generic(side: Side, host: Value, ept12: Value, access: int) -> Value:
    """What is granted where there is a fault is 0 here."""
    given = view(side.record("sdm.ept.walk.EptWalk"), ept12)
    l1, mbec = given.controls, mbec_of(side, host, given.controls)
    mmu = mmu_of(side, host, l1)
    entries_down = (given.pml5e, given.pml4e, given.pdpte, given.pde, given.pte)[5 - mmu.root_role.level :]
    setting = WalkSetting(mbec=mbec, viewer=Viewer(mbec=mbec))
    found = walk.walk_entries(mmu, entries_down, given.guest_physical, access, setting)
    if isinstance(found, WalkFault):
        return 0, True, found.error_code, found.exit_qualification
    assert isinstance(found, GuestWalker)
    return found.pte_access, False, access & (PFERR_WRITE | PFERR_USER), 0


def page_fault_access(side: Side, host: Value, l1: Value, pte_access: int, access: int) -> int:
    return faulting.page_fault_access(mmu_of(side, host, l1), pte_access, faulting.fault_of(access, False, False))


def kvms_exit_qualification(side: Side, host: Value, l1: Value, raw: int, access: int) -> int:
    return walk.synthesise_exit_qualification(side.model, access, raw, mbec_of(side, host, l1))


def unreadable_table(side: Side, host: Value, l1: Value, access: int) -> int:
    """The walk of an L1 whose topmost table is in no memory."""
    mbec = mbec_of(side, host, l1)
    setting = WalkSetting(mbec=mbec, viewer=Viewer(mbec=mbec))
    found = walk.walk_addr_generic(mmu_of(side, host, l1), 0, access, lambda level, above: None, setting)
    assert isinstance(found, WalkFault)
    return found.exit_qualification


def vmx_handle_ept_violation(side: Side, host: Value, l1: Value, exit_qualification: int) -> int:
    return violation.vmx_handle_ept_violation(side.model, exit_qualification, mbec_of(side, host, l1))


def nested_ept_inject_page_fault(side: Side, walker: Value, l1: Value, exit: Value, access: int) -> Value:
    found = view(side.record("kvm.paging_tmpl.GuestWalker"), walker)
    last = view(side.record("kvm.nested.LastExit"), exit)
    fault = WalkFault(0, found.error_code, found.exit_qualification, 1, "")
    offered = CAP_ADVANCED_EXIT_INFORMATION if view(side.record(L1), l1).advanced_exit_info else 0
    from_hardware = last.ept_violation or bool(access & PFERR_RSVD)
    told = violation.nested_ept_inject_page_fault(
        side.model, fault, LastExit(last.exit_qualification, from_hardware), offered
    )
    return told.exit_reason, told.exit_qualification


def vmx_translate_nested_gpa(side: Side, access: int, pte_access: int) -> int:
    return violation.vmx_translate_nested_gpa(side.model, access, pte_access)


# ---- constants


def ept_violation_rwx_to_prot(side: Side, epte: int) -> int:
    return epte_to_prot(epte)


def ept_violation_user_exec_to_prot(side: Side, epte: int) -> int:
    return user_exec_to_prot(epte)
