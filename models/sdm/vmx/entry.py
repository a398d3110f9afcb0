"""In: a processor, a VMCS, a guest. Out: why VM entry fails, or None.

Guarantee: every check of the SDM that concerns EPT, its controls or paging; other invalid guest state is
an `InputError`, because no VM entry could have led to the access.
Trusted: no, checked by tests/tables and tests/unit/models.

Not checked: IA32_VMX_CR0_FIXED0/1 and IA32_VMX_CR4_FIXED0/1 are no part of a processor here, so CR0.NE and
CR4.VMXE may have either value; CR0.PE and CR0.PG are bound only by "unrestricted guest". CR4.PCIDE and CR4.PKS
have no feature flag and count as supported; the VM-entry control "IA-32e mode guest" is taken to equal
IA32_EFER.LMA.
"""

from models.sdm.bits import bits
from models.sdm.errors import InputError
from models.sdm.vmx import controls as ctl
from models.sdm.vmx import guest as reg
from models.sdm.vmx import processor as cap
from models.sdm.vmx.controls import Vmcs
from models.sdm.vmx.guest import Guest
from models.sdm.vmx.processor import Feature, Processor

LOW_32 = bits(31, 0)

# "must have enable EPT = 1", of the modelled controls (SDM "VM-Execution Control Fields").
NEEDS_EPT_SECONDARY = (
    (ctl.UNRESTRICTED_GUEST, "unrestricted guest"),
    (ctl.MODE_BASED_EXECUTE_CONTROL, "mode-based execute control for EPT"),
    (ctl.SUB_PAGE_WRITE_PERMISSIONS, "sub-page write permissions for EPT"),
)
NEEDS_EPT_TERTIARY = (
    (ctl.EPT_PAGING_WRITE_CONTROL, "EPT paging-write control"),
    (ctl.GUEST_PAGING_VERIFICATION, "guest-paging verification"),
)
PIN_ALLOWED = ctl.PIN_CONTROLS.modelled | ctl.PIN_CONTROLS.default1


def control_failure(processor: Processor, vmcs: Vmcs, secondary: int, tertiary: int) -> str | None:
    """Why the VM-execution controls fail with VM-instruction error 7 (SDM "VM-Execution Control Fields").

    `secondary` and `tertiary` are the controls in force.
    """
    failure = _settings_failure(processor, vmcs, secondary, tertiary)
    if failure is not None:
        return failure
    width = processor.maxphyaddr
    if secondary & ctl.ENABLE_EPT:
        failure = eptp_failure(vmcs.eptp, width, processor.ept_vpid_cap)
        if failure is not None:
            return failure
    else:
        for in_force, needing in ((secondary, NEEDS_EPT_SECONDARY), (tertiary, NEEDS_EPT_TERTIARY)):
            for control, name in needing:
                if in_force & control:
                    return f'"{name}" is 1 and "enable EPT" is 0'
    if secondary & ctl.EPT_VIOLATION_VE and not _is_table_address(vmcs.ve_information_address, width):
        return "the virtualization-exception information address is misaligned or beyond MAXPHYADDR"
    if secondary & ctl.SUB_PAGE_WRITE_PERMISSIONS and not _is_table_address(vmcs.sppt_pointer, width):
        return "the SPPTP is misaligned or beyond MAXPHYADDR"
    return None


def _settings_failure(processor: Processor, vmcs: Vmcs, secondary: int, tertiary: int) -> str | None:
    pin = vmcs.pin_controls
    if pin & ~PIN_ALLOWED:
        return "a pin-based control is 1 that the processor does not support"
    if pin & ctl.VIRTUAL_NMIS and not pin & ctl.NMI_EXITING:
        return '"virtual NMIs" is 1 and "NMI exiting" is 0'
    if not _setting_allowed(vmcs.primary_controls, processor.procbased_ctls):
        return "a primary processor-based control has a setting that the processor does not allow"
    activated = vmcs.primary_controls & ctl.ACTIVATE_SECONDARY_CONTROLS
    if activated and not _setting_allowed(secondary, processor.procbased_ctls2):
        return "a secondary processor-based control has a setting that the processor does not allow"
    if tertiary & ~processor.procbased_ctls3:
        return "a tertiary processor-based control has a setting that the processor does not allow"
    return None


def _setting_allowed(value: int, capability: int) -> bool:
    """`capability`: the settings that must be 1 in 31:0, those that may be 1 in 63:32."""
    return not (value & ~(capability >> 32) or capability & LOW_32 & ~value)


def eptp_failure(eptp: int, maxphyaddr: int, capabilities: int) -> str | None:
    """Why an EPTP is invalid (SDM "VM-Execution Control Fields", "Format of Extended-Page-Table Pointer")."""
    memory_type = eptp & 7
    if not (memory_type == 0 and capabilities & cap.CAP_UNCACHEABLE) and not (
        memory_type == 6 and capabilities & cap.CAP_WRITE_BACK
    ):
        return f"EPTP[2:0] = {memory_type} is no supported memory type"
    length = (eptp >> 3 & 7) + 1
    if not (length == 4 and capabilities & cap.CAP_WALK_LENGTH_4) and not (
        length == 5 and capabilities & cap.CAP_WALK_LENGTH_5
    ):
        return f"EPTP[5:3] = {length - 1} is no supported page-walk length"
    if eptp >> 6 & 1 and not capabilities & cap.CAP_ACCESSED_DIRTY:
        return "EPTP[6] = 1 and accessed and dirty flags for EPT are not supported"
    # Decision: the SDM reserves bits 11:7 in the list of checks and defines bit 7 in the format; bit 7 is
    # taken as allowed where the capability says that supervisor shadow-stack control is supported.
    if eptp >> 7 & 1 and not capabilities & cap.CAP_SUPERVISOR_SHADOW_STACK:
        return "EPTP[7] = 1 and supervisor shadow-stack control is not supported"
    if eptp & bits(11, 8):
        return "EPTP[11:8] is not 0"
    if eptp >> maxphyaddr:
        return f"EPTP[63:{maxphyaddr}] is not 0 (MAXPHYADDR = {maxphyaddr})"
    return None


def _is_table_address(pointer: int, maxphyaddr: int) -> bool:
    return not pointer & bits(11, 0) and not pointer >> maxphyaddr


def guest_state_failure(guest: Guest, features: frozenset[Feature], width: int, unrestricted: bool) -> str | None:
    """Why the guest's paging state fails VM entry with basic exit reason 33, qualification 0.

    SDM "Checks on Guest Control Registers, Debug Registers, and MSRs"; `width` bounds guest-physical
    addresses. Raises `InputError` for invalid state that is no matter of paging.
    """
    refuse_invalid_state(guest)
    failure = control_register_failure(guest, features, unrestricted)
    if failure is not None:
        return failure
    if guest.cr3 >> width:
        return f"CR3[63:{width}] is not 0"
    if not all(guest.ia32_pat >> shift & 0xFF in PAT_MEMORY_TYPES for shift in range(0, 64, 8)):
        return "an entry of IA32_PAT holds no memory type"
    return None


def unloadable(pdptes: tuple[int, ...], reserved: int) -> int | None:
    """The index of the first present PDPTE that sets a reserved bit, or None.

    SDM "Checks on Guest Page-Directory-Pointer-Table Entries".
    """
    return next((i for i, pdpte in enumerate(pdptes) if pdpte & 1 and pdpte & reserved), None)


PAT_MEMORY_TYPES = (0, 1, 4, 5, 6, 7)
CR4_DEFINED = bits(14, 0) | bits(25, 16) | 1 << 32  # LASS and LAM_SUP are refused by name
EFER_DEFINED = 1 << 0 | reg.EFER_LME | reg.EFER_LMA | reg.EFER_NXE
RFLAGS_RESERVED = bits(63, 22) | 1 << 15 | 1 << 5 | 1 << 3


def refuse_invalid_state(guest: Guest) -> None:
    """Raises `InputError` for guest state that is invalid and no matter of paging, or not modelled."""
    for bit, name in ((reg.CR4_LASS, "LASS"), (reg.CR4_LAM_SUP, "LAM_SUP")):
        if guest.cr4 & bit:
            raise InputError("unmodelled_control", "guest.cr4", f"CR4.{name} is set and not modelled")
    protected, virtual_8086 = guest.cr0 & reg.CR0_PE, guest.rflags & reg.RFLAGS_VM
    rules = (
        ("cr0", guest.cr0 >> 32, "bits 63:32 are reserved"),
        ("cr4", guest.cr4 & ~CR4_DEFINED, f"{hex(guest.cr4 & ~CR4_DEFINED)} are reserved bits"),
        ("efer", guest.efer & ~EFER_DEFINED, f"{hex(guest.efer & ~EFER_DEFINED)} are reserved bits"),
        ("rflags", guest.rflags & RFLAGS_RESERVED, "bits 63:22, 15, 5 and 3 are reserved"),
        ("rflags", not guest.rflags & 2, "bit 1 is always 1"),
        ("rflags", virtual_8086 and guest.efer & reg.EFER_LMA, "RFLAGS.VM is 1 in IA-32e mode"),
        ("rflags", virtual_8086 and not protected, "RFLAGS.VM is 1 while CR0.PE is 0"),
        ("cpl", virtual_8086 and guest.cpl != 3, "the CPL is 3 in virtual-8086 mode"),
        ("cpl", not protected and guest.cpl != 0, "the CPL is 0 in real-address mode"),
        ("ia32_s_cet", guest.ia32_s_cet & bits(9, 6), "bits 9:6 are reserved"),
        ("ia32_u_cet", guest.ia32_u_cet & bits(9, 6), "bits 9:6 are reserved"),
    )
    for field, violated, message in rules:
        if violated:
            raise InputError("invalid_guest_state", f"guest.{field}", message)


CR4_FEATURES: tuple[tuple[int, Feature, str], ...] = (
    (reg.CR4_PSE, "pse", "PSE"),
    (reg.CR4_LA57, "la57", "LA57"),
    (reg.CR4_SMEP, "smep", "SMEP"),
    (reg.CR4_SMAP, "smap", "SMAP"),
    (reg.CR4_PKE, "pku", "PKE"),
    (reg.CR4_CET, "cet", "CET"),
)


def control_register_failure(guest: Guest, features: frozenset[Feature], unrestricted: bool) -> str | None:
    """Why CR0, CR4 and IA32_EFER do not fit together or the processor, as far as paging is concerned."""
    cr0, cr4, efer = guest.cr0, guest.cr4, guest.efer
    paging, long_mode = bool(cr0 & reg.CR0_PG), bool(efer & reg.EFER_LMA)
    rules = (
        (paging and not cr0 & reg.CR0_PE, "CR0.PG is 1 and CR0.PE is 0"),
        (
            not unrestricted and not paging,
            'CR0.PE or CR0.PG is 0 and "unrestricted guest" is 0',
        ),
        (paging and long_mode != bool(efer & reg.EFER_LME), "IA32_EFER.LMA is not CR0.PG AND IA32_EFER.LME"),
        (long_mode and not paging, "IA32_EFER.LMA is 1 and CR0.PG is 0"),
        (long_mode and not cr4 & reg.CR4_PAE, "IA32_EFER.LMA is 1 and CR4.PAE is 0"),
        (not long_mode and cr4 & reg.CR4_PCIDE, "CR4.PCIDE is 1 outside IA-32e mode"),
        (cr4 & reg.CR4_CET and not cr0 & reg.CR0_WP, "CR4.CET is 1 and CR0.WP is 0"),
        (efer & reg.EFER_NXE and "nx" not in features, "IA32_EFER.NXE is 1 and not supported"),
    )
    for violated, reason in rules:
        if violated:
            return reason
    for bit, feature, name in CR4_FEATURES:
        if cr4 & bit and feature not in features:
            return f"CR4.{name} is 1 and not supported"
    return None
