"""In: vmcs12, and what L1 was offered. Out: why KVM fails its VM entry, or the controls that L2 runs with.

Guarantee: every check of KVM that concerns EPT and MBEC; guest state is checked by the processor, on vmcs02.
Trusted: no, checked by tests/unit/models/kvm and tests/tables.

Source: nested_vmx_check_controls(), nested_vmx_check_eptp(), prepare_vmcs02_early() (vmx/nested.c),
construct_eptp() (vmx/vmx.c).
"""

from dataclasses import dataclass

from models.kvm.capabilities import ENABLE_PML, MBEC, Kvm, NestedMsrs, vmx_secondary_exec_control
from models.sdm import Vmcs
from models.sdm.bits import bits
from models.sdm.vmx import controls as ctl
from models.sdm.vmx import processor as cap
from models.sdm.vmx.controls import ACTIVATE_SECONDARY_CONTROLS, ACTIVATE_TERTIARY_CONTROLS, secondary_in_force

EPTP_AD = 1 << 6
EPTP_WB = 6
TABLE = bits(51, 12)


@dataclass(frozen=True, slots=True)
class EntryFailure:
    """L1's VM entry fails: VMfailValid with `vm_instruction_error` 7, or an exit with reason 33."""

    because: str
    vm_instruction_error: int | None = None
    exit_reason: int | None = None
    qualification: int | None = None


def nested_cpu_has2(vmcs12: Vmcs, control: int) -> bool:
    """Whether a secondary control is in force."""
    return bool(secondary_in_force(vmcs12) & control)


def nested_ept_ad_enabled(vmcs12: Vmcs) -> bool:
    """Whether the EPTP asks for accessed and dirty flags, be EPT in force or not."""
    return bool(vmcs12.eptp & EPTP_AD)


def nested_ept_mbec_enabled(vmcs12: Vmcs) -> bool:
    """Whether L1 runs L2 with MBEC."""
    return nested_cpu_has2(vmcs12, MBEC)


def nested_vmx_check_controls(kvm: Kvm, vmcs12: Vmcs, msrs: NestedMsrs, maxphyaddr: int) -> str | None:
    """Why the controls fail with VM-instruction error 7. `maxphyaddr`: L1's."""
    allowed = kvm.host.processor.procbased_ctls
    allowed_primary = allowed >> 32 & ~ACTIVATE_TERTIARY_CONTROLS
    if vmcs12.pin_controls & ctl.VIRTUAL_NMIS and not vmcs12.pin_controls & ctl.NMI_EXITING:
        return '"virtual NMIs" is 1 and "NMI exiting" is 0'
    if vmcs12.primary_controls & ~allowed_primary or bits(31, 0) & allowed & ~vmcs12.primary_controls:
        return "a primary processor-based control has a setting that KVM does not offer"
    if secondary_in_force(vmcs12) & ~msrs.secondary_ctls_high:
        extra = secondary_in_force(vmcs12) & ~msrs.secondary_ctls_high
        return f"secondary controls {hex(extra)} are 1 and not offered to L1"
    if nested_cpu_has2(vmcs12, ctl.ENABLE_EPT):
        return nested_vmx_check_eptp(vmcs12.eptp, msrs.ept_caps, maxphyaddr)
    if nested_cpu_has2(vmcs12, ctl.UNRESTRICTED_GUEST):
        return '"unrestricted guest" is 1 and "enable EPT" is 0'
    if nested_ept_mbec_enabled(vmcs12):
        return '"mode-based execute control for EPT" is 1 and "enable EPT" is 0'
    return None


def nested_vmx_check_eptp(eptp: int, ept_caps: int, maxphyaddr: int) -> str | None:
    """Why KVM refuses an EPTP of L1, or None."""
    memory_type = eptp & 7
    if not (memory_type == EPTP_WB and ept_caps & cap.CAP_WRITE_BACK) and not (
        memory_type == 0 and ept_caps & cap.CAP_UNCACHEABLE
    ):
        return f"EPTP[2:0] = {memory_type} is no memory type that L1 was offered"
    length = (eptp >> 3 & 7) + 1
    offered = {4: cap.CAP_WALK_LENGTH_4, 5: cap.CAP_WALK_LENGTH_5}.get(length, 0)
    if not ept_caps & offered:
        return f"EPTP[5:3] = {length - 1} is no page-walk length that L1 was offered"
    if eptp >> maxphyaddr or eptp & bits(11, 7):
        return "a reserved bit of the EPTP is set"
    if eptp & EPTP_AD and not ept_caps & cap.CAP_ACCESSED_DIRTY:
        return "EPTP[6] = 1 and L1 was not offered accessed and dirty flags"
    return None


def prepare_vmcs02_secondary(kvm: Kvm, vmcs01: int, vmcs12: Vmcs) -> int:
    """vmcs02's secondary controls. `vmcs01`: its own, see vmx_secondary_exec_control()."""
    only_from_vmcs12 = MBEC if kvm.version.mode_in_vmcs12_alone else 0
    controls = vmcs01 & ~only_from_vmcs12 | secondary_in_force(vmcs12)
    if not nested_cpu_has2(vmcs12, ctl.UNRESTRICTED_GUEST):
        controls &= ~ctl.UNRESTRICTED_GUEST
    return controls & ~ENABLE_PML


def construct_eptp(kvm: Kvm, root: int, level: int, vmcs12: Vmcs) -> int:
    """The EPTP of a root while L2 runs. The flags follow vmcs12's EPTP even where L1 uses no EPT."""
    flags = EPTP_AD if kvm.enable_ept_ad_bits and nested_ept_ad_enabled(vmcs12) else 0
    return root | EPTP_WB | level - 1 << 3 | flags


def prepare_vmcs02(kvm: Kvm, vmcs01_secondary: int | None, vmcs12: Vmcs, eptp: int) -> Vmcs:
    """vmcs02. KVM itself takes NMIs and external interrupts; other pin-based controls of L1 are added."""
    vmcs01 = vmx_secondary_exec_control(kvm) if vmcs01_secondary is None else vmcs01_secondary
    return Vmcs(
        eptp=eptp,
        primary_controls=vmcs12.primary_controls | ACTIVATE_SECONDARY_CONTROLS,
        secondary_controls=prepare_vmcs02_secondary(kvm, vmcs01, vmcs12),
        pin_controls=vmcs12.pin_controls | ctl.NMI_EXITING | ctl.VIRTUAL_NMIS,
        exception_bitmap=vmcs12.exception_bitmap,
    )
