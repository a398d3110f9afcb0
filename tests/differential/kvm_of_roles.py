"""What models/kvm says of roles, MMUs and AMD, asked as the specifications are: a function for each of theirs."""

from __future__ import annotations

from kvm_settings import WIDTH, Value, cpu_role_of, kvm_of, mbec_of, mmu_fields, mmu_of, shadow_ept, words
from kvm_versions import Side, view

from models.kvm import role as roles
from models.kvm import svm
from models.kvm.capabilities import NestedMsrs
from models.kvm.mmu import Mmu, init_direct_mmu
from models.kvm.mmu import mmu_has_mbec as predicate
from models.kvm.mmu import nested_ept_init_mmu_context as init_mmu_context
from models.kvm.role import DirectRoot, Registers, pack_role, unpack_role
from models.kvm.svm import SVM_MISC_ENABLE_GMET, SVM_MISC_ENABLE_NP, HostState, NestedFault

REGS, SVM_HOST = "kvm.role.KvmMmuRoleRegs", "kvm.svm.SvmHost"

# ---- roles


def _registers(side: Side, regs: Value) -> tuple[Registers, bool]:
    """KvmMmuRoleRegs, and whether L2 runs."""
    given = vars(view(side.record(REGS), regs)).copy()
    guest_mode = given.pop("guest_mode")
    return Registers(**given), guest_mode


def kvm_calc_cpu_role(side: Side, regs: Value) -> Value:
    given, guest_mode = _registers(side, regs)
    return words(side, roles.kvm_calc_cpu_role(side.model, given, False, guest_mode))


def guest_level(side: Side, regs: Value) -> int:
    """Of a guest with paging."""
    given, _ = _registers(side, (True, *regs[1:]))
    return roles.kvm_calc_cpu_role(side.model, given, False, False).base.level


def kvm_calc_shadow_ept_root_page_role(side: Side, l1: Value) -> Value:
    return words(side, roles.kvm_calc_shadow_ept_root_page_role(side.model, shadow_ept(side, l1)))


def _flag(side: Side, value: bool) -> tuple[bool, ...]:
    """In rfc, what the specifications keep in the MMU, though it is the vCPU's: arch.pt_guest_exec_control."""
    return (value,) if side.name == "rfc" else ()


def _mmu_words(side: Side, mmu: Mmu, ept: bool) -> Value:
    """The KvmMmu of an MMU, without what is not its own."""
    return words(side, mmu.cpu_role), pack_role(side.model, mmu.root_role), ept, ept


def kvm_init_shadow_ept_mmu(side: Side, host: Value, l1: Value) -> Value:
    """Until its first VM entry, as the specifications have it."""
    return _mmu_words(side, mmu_of(side, host, l1), True)


def nested_ept_init_mmu_context(side: Side, host: Value, before: Value, l1: Value) -> Value:
    given, mmu = mmu_fields(side, before), Mmu(side.model)
    mmu.cpu_role = cpu_role_of(side, given.cpu_role)
    mmu.root_role = unpack_role(side.model, given.root_role)
    init_mmu_context(kvm_of(side, host), mmu, shadow_ept(side, l1), NestedMsrs(0, 0), WIDTH)
    return _mmu_words(side, mmu, True)


def kvm_calc_tdp_mmu_root_page_role(
    side: Side, cpu_role: Value, tdp_has_smep: bool, shadow_user_mask: int, ad_enabled: bool
) -> int:
    guest_mode = bool(cpu_role_of(side, cpu_role).base.guest_mode)
    root = DirectRoot(4, ad_enabled, tdp_has_smep, shadow_user_mask, guest_mode)
    return pack_role(side.model, roles.kvm_calc_tdp_mmu_root_page_role(side.model, root))


def kvm_init_shadow_npt_mmu(side: Side, regs: Value, gmet: bool) -> Value:
    given, _ = _registers(side, regs)
    state = HostState(
        wp=given.cr0_wp,
        smep=given.cr4_smep,
        smap=given.cr4_smap,
        pke=given.cr4_pke,
        nxe=given.efer_nx,
        la57=given.cr4_la57,
        gmet=gmet,
        pse=given.cr4_pse,
        pae=given.cr4_pae,
        lma=given.efer_lma,
    )
    cpu_role, root_role = svm.kvm_init_shadow_npt_mmu(side.model, state, 4)
    return words(side, cpu_role), pack_role(side.model, root_role), False, True, *_flag(side, False)


def kvm_mmu_child_role(side: Side, parent: int, direct: bool, access: int) -> int:
    role = roles.kvm_mmu_child_role(unpack_role(side.model, parent), direct, access)
    return pack_role(side.model, role)


def may_be_synced(side: Side, one: int, mmu: Value) -> bool:
    return not (one ^ mmu_fields(side, mmu).root_role) & ~roles.sync_role_ignore(side.model)


def mmu_has_mbec(side: Side, host: Value, l1: Value) -> bool:
    return mbec_of(side, host, l1)


def l2_vcpu(side: Side, host: Value, l1: Value) -> Value:
    flag = _flag(side, mbec_of(side, host, l1))
    return host, (*_mmu_words(side, mmu_of(side, host, l1), True), *flag), 0, False, 0


def l1_vcpu(side: Side, host: Value) -> Value:
    """The CPU role is that of a guest without paging, which the model's direct MMU does not ask for."""
    kvm = kvm_of(side, host)
    mmu = init_direct_mmu(kvm, 4, guest_mode=False)
    mmu.cpu_role = roles.kvm_calc_cpu_role(side.model, Registers(cr0_pg=False), False, False)
    flag = _flag(side, predicate(kvm, mmu, mmu))
    return host, (*_mmu_words(side, mmu, False), *flag), 0, False, 0


# ---- AMD


def _gmet_enabled(side: Side, host: Value) -> bool:
    given = view(side.record(SVM_HOST), host)
    return side.model.gmet and given.gmet_param and given.npt and given.gmet


def svm_translate_nested_gpa(side: Side, access: int, vmcb12_gmet: bool) -> int:
    return svm.svm_translate_nested_gpa(side.model, access, vmcb12_gmet)


def cached_gmet(side: Side, host: Value, vmcb12_misc: int) -> bool:
    given = view(side.record(SVM_HOST), host)
    offered = not side.model.gmet or (_gmet_enabled(side, host) and given.guest_cap)
    return bool(svm.cached_misc_ctl(vmcb12_misc, True, offered) & SVM_MISC_ENABLE_GMET)


def vmcb02_gmet(side: Side, host: Value, nested_npt: bool, vmcb12_misc: int) -> bool:
    vmcb01 = SVM_MISC_ENABLE_NP | (SVM_MISC_ENABLE_GMET if _gmet_enabled(side, host) else 0)
    cached = (SVM_MISC_ENABLE_NP if nested_npt else 0) | (
        SVM_MISC_ENABLE_GMET if cached_gmet(side, host, vmcb12_misc) else 0
    )
    return bool(svm.vmcb02_misc_ctl(side.model, vmcb01, cached) & SVM_MISC_ENABLE_GMET)


def npf_error_code(side: Side, exit_info: int, cpl: int, vmcb_gmet: bool, sev_es: bool) -> int:
    return svm.npf_interception(side.model, NestedFault(exit_info, vmcb_gmet, cpl, sev_es))
