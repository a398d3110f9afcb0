"""What models/kvm says of controls and capabilities, asked as the specifications are: a function for each of theirs."""

from __future__ import annotations

from kvm_settings import EPT, MBEC, WIDTH, Value, kvm_of, mmu_of
from kvm_versions import L1, Side, view

from models.kvm import UserSpace, capabilities, vmcs02
from models.kvm.capabilities import NestedMsrs, nested_vmx_setup_secondary_ctls, restrict
from models.kvm.mmu import Mmu, mmu_has_mbec
from models.sdm import InputError, Vmcs
from models.sdm.vmx import controls as ctl
from models.sdm.vmx import processor as cap

VMM, VMCS12 = "kvm.host.UserSpace", "kvm.host.Vmcs12"
SECONDARY = ctl.ACTIVATE_SECONDARY_CONTROLS
EPTP = 0x101E

# ---- who gets MBEC


def cpu_has_ept_mbec(side: Side, host: Value) -> bool:
    return bool(kvm_of(side, host).config.secondary & MBEC)


def enable_ept(side: Side, host: Value) -> bool:
    return kvm_of(side, host).enable_ept


def enable_mbec(side: Side, host: Value) -> bool:
    return kvm_of(side, host).enable_mbec


def has_pt_guest_exec_control(side: Side, host: Value) -> bool:
    kvm, mmu = kvm_of(side, host), Mmu(side.model)
    return mmu_has_mbec(kvm, mmu, mmu)


def vmcs01_mbec(side: Side, host: Value) -> bool:
    return bool(capabilities.vmx_secondary_exec_control(kvm_of(side, host)) & MBEC)


def vt_tdp_has_smep(side: Side, host: Value, tdx: bool) -> bool:
    return capabilities.vmx_tdp_has_smep(kvm_of(side, host), tdx)


def kvm_ad_enabled(side: Side, host: Value) -> bool:
    return kvm_of(side, host).masks.kvm_ad_enabled


def kvm_mmu_set_ept_masks(side: Side, host: Value) -> Value:
    masks = kvm_of(side, host).masks
    return tuple(getattr(masks, field.name) for field in side.record("kvm.spte.ShadowMasks").fields)


def nested_mbec_allowed(side: Side, host: Value) -> bool:
    return bool(nested_vmx_setup_secondary_ctls(kvm_of(side, host)).secondary_ctls_high & MBEC)


def nested_exit_info_allowed(side: Side, host: Value) -> bool:
    return bool(nested_vmx_setup_secondary_ctls(kvm_of(side, host)).ept_caps & cap.CAP_ADVANCED_EXIT_INFORMATION)


def _msrs_of(side: Side, host: Value, vmm: Value) -> NestedMsrs:
    """What L1 reads."""
    kvm, chosen = kvm_of(side, host), view(side.record(VMM), vmm)
    offered = nested_vmx_setup_secondary_ctls(kvm)
    controls = offered.secondary_ctls_high & ~(0 if chosen.mbec else MBEC)
    caps = offered.ept_caps & ~(0 if chosen.advanced_exit_info else cap.CAP_ADVANCED_EXIT_INFORMATION)
    return restrict(kvm, UserSpace(secondary_controls=controls, ept_vpid_cap=caps))


def mbec_offered(side: Side, host: Value, vmm: Value) -> bool:
    return bool(_msrs_of(side, host, vmm).secondary_ctls_high & MBEC)


def exit_info_offered(side: Side, host: Value, vmm: Value) -> bool:
    return bool(_msrs_of(side, host, vmm).ept_caps & cap.CAP_ADVANCED_EXIT_INFORMATION)


def restores_mbec(side: Side, host: Value) -> bool:
    kvm = kvm_of(side, host)
    wanted = nested_vmx_setup_secondary_ctls(kvm).secondary_ctls_high | MBEC
    try:
        restrict(kvm, UserSpace(secondary_controls=wanted))
    except InputError:
        return False
    return True


def evmcs_filter_2ndexec(side: Side, host: Value, allowed: int) -> int:
    """Of EPT and MBEC, all that the specifications know."""
    return capabilities.evmcs_supported_2ndexec(kvm_of(side, host)) & allowed & (EPT | MBEC)


# ---- vmcs12 and vmcs02


def _vmcs12_of_controls(side: Side, vmcs12: Value) -> Vmcs:
    """A VMCS with the controls of a Vmcs12, and an EPTP that KVM accepts."""
    given = view(side.record(VMCS12), vmcs12)
    primary = SECONDARY if given.secondary else 0
    secondary = (EPT if given.ept else 0) | (MBEC if given.mbec else 0)
    return Vmcs(eptp=EPTP, primary_controls=primary, secondary_controls=secondary)


def vmcs12_mbec(side: Side, vmcs12: Value) -> bool:
    return vmcs02.nested_ept_mbec_enabled(_vmcs12_of_controls(side, vmcs12))


def vmcs12_refused(side: Side, host: Value, vmm: Value, vmcs12: Value) -> bool:
    entry, kvm = _vmcs12_of_controls(side, vmcs12), kvm_of(side, host)
    return vmcs02.nested_vmx_check_controls(kvm, entry, _msrs_of(side, host, vmm), WIDTH) is not None


def vmcs02_mbec(side: Side, host: Value, vmcs12: Value) -> bool:
    kvm, entry = kvm_of(side, host), _vmcs12_of_controls(side, vmcs12)
    vmcs01 = capabilities.vmx_secondary_exec_control(kvm)
    return bool(vmcs02.prepare_vmcs02_secondary(kvm, vmcs01, entry) & MBEC)


def _vmcs12_under(side: Side, l1: Value) -> Vmcs:
    """The vmcs12 of an L1 that selects these controls."""
    given = view(side.record(L1), l1)
    secondary = EPT | (MBEC if given.mbec else 0) | (ctl.EPT_VIOLATION_VE if given.ept_violation_ve else 0)
    secondary |= ctl.SUB_PAGE_WRITE_PERMISSIONS if given.sub_page_write else 0
    tertiary = ctl.EPT_PAGING_WRITE_CONTROL if given.paging_write else 0
    tertiary |= ctl.GUEST_PAGING_VERIFICATION if given.guest_paging_verification else 0
    length = 4 if given.five_level else 3
    flags = (1 << 6 if given.accessed_dirty else 0) | (1 << 7 if given.supervisor_shadow_stack else 0)
    return Vmcs(
        eptp=0x1000 | flags | length << 3 | 6,
        primary_controls=SECONDARY | (ctl.ACTIVATE_TERTIARY_CONTROLS if tertiary else 0),
        secondary_controls=secondary,
        tertiary_controls=tertiary,
    )


def l1_runs_l2(side: Side, host: Value, vmm: Value, l1: Value) -> bool:
    """Execute-only support is a capability that L1 must have been offered if it relies on it."""
    given, msrs, kvm = view(side.record(L1), l1), _msrs_of(side, host, vmm), kvm_of(side, host)
    if vmcs02.nested_vmx_check_controls(kvm, _vmcs12_under(side, l1), msrs, WIDTH) is not None:
        return False
    sizes = bool(msrs.ept_caps & cap.CAP_PAGE_2M), bool(msrs.ept_caps & cap.CAP_PAGE_1G)
    told = bool(msrs.ept_caps & cap.CAP_ADVANCED_EXIT_INFORMATION)
    offered = bool(msrs.ept_caps & cap.CAP_EXECUTE_ONLY)
    return (
        sizes == (given.page_2m, given.page_1g)
        and told == given.advanced_exit_info
        and (offered or not given.execute_only)
    )


def vmcs02_controls(side: Side, host: Value, l1: Value) -> Value:
    """What is selected by vmcs02; page sizes and MAXPHYADDR are those that are given."""
    kvm, entry, mmu = kvm_of(side, host), _vmcs12_under(side, l1), mmu_of(side, host, l1)
    eptp = vmcs02.construct_eptp(kvm, 0x1000, mmu.root_role.level, entry)
    return _controls(side, l1, vmcs02.prepare_vmcs02(kvm, None, entry, eptp), kvm.config.ept)


def vmcs01_controls(side: Side, host: Value) -> Value:
    """Of an EPT01 with four levels, and a processor with 52 address bits and large pages."""
    kvm, kind = kvm_of(side, host), side.record(L1)
    eptp = 0x101E | (1 << 6 if kvm.enable_ept_ad_bits else 0)
    vmcs = Vmcs(eptp=eptp, primary_controls=SECONDARY, secondary_controls=capabilities.vmx_secondary_exec_control(kvm))
    named = {"page_2m": True, "page_1g": True, "beyond_maxphyaddr": 0}
    return _controls(side, tuple(named.get(field.name, False) for field in kind.fields), vmcs, kvm.config.ept)


def _controls(side: Side, l1: Value, vmcs: Vmcs, caps: int) -> Value:
    kind, secondary = side.record(L1), vmcs.secondary_controls
    given = vars(view(kind, l1)) | {
        "five_level": vmcs.eptp >> 3 & 7 == 4,
        "accessed_dirty": bool(vmcs.eptp & 1 << 6),
        "supervisor_shadow_stack": bool(vmcs.eptp & 1 << 7),
        "ept_violation_ve": bool(secondary & ctl.EPT_VIOLATION_VE),
        "mbec": bool(secondary & MBEC),
        "sub_page_write": bool(secondary & ctl.SUB_PAGE_WRITE_PERMISSIONS),
        "paging_write": bool(vmcs.tertiary_controls & ctl.EPT_PAGING_WRITE_CONTROL),
        "guest_paging_verification": bool(vmcs.tertiary_controls & ctl.GUEST_PAGING_VERIFICATION),
        "execute_only": bool(caps & cap.CAP_EXECUTE_ONLY),
        "advanced_exit_info": bool(caps & cap.CAP_ADVANCED_EXIT_INFORMATION),
    }
    return tuple(given[field.name] for field in kind.fields)
