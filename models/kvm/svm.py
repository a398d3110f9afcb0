"""In: AMD's nested paging with GMET. Out: what KVM makes of it in the same code.

Guarantee: roles, error codes and vmcb02's bit only; there is no AMD processor in models/sdm to run them on.
Trusted: no, checked by tests/unit/models/kvm and tests/tables (permissions[] with and without GMET).

Source: kvm_init_shadow_npt_mmu() (mmu/mmu.c), npf_interception() (svm/svm.c), nested_vmcb02_prepare_control(),
svm_translate_nested_gpa() (svm/nested.c). GMET takes the place of CR4.SMEP in the role.
"""

from dataclasses import dataclass, replace

from models.kvm.pferr import PFERR_FETCH, PFERR_USER
from models.kvm.role import CpuRole, PageRole, Registers, kvm_calc_cpu_role
from models.kvm.version import Version

SVM_MISC_ENABLE_NP = 1 << 0
SVM_MISC_ENABLE_GMET = 1 << 3


@dataclass(frozen=True, slots=True)
class HostState:
    """L1's own registers, which its nested paging obeys, and the GMET bit of vmcb12."""

    wp: bool
    smep: bool
    smap: bool
    pke: bool
    nxe: bool
    la57: bool = False
    gmet: bool = False
    pse: bool = False
    pae: bool = True
    lma: bool = True


def kvm_init_shadow_npt_mmu(version: Version, host: HostState, tdp_level: int) -> tuple[CpuRole, PageRole]:
    """cpu_role and root role of nested NPT. Without `npt_fixed_bits` L1's SMAP counts, and WP never does."""
    fixed = version.npt_fixed_bits
    regs = Registers(
        cr0_wp=fixed,
        cr4_pse=host.pse,
        cr4_pae=host.pae,
        cr4_smap=host.smap and not fixed,
        cr4_smep=host.smep,
        cr4_la57=host.la57,
        efer_nx=host.nxe,
        efer_lma=host.lma,
    )
    role = kvm_calc_cpu_role(version, regs, smm=False, guest_mode=True)
    if version.gmet:
        role = CpuRole(replace(role.base, cr4_smep=int(host.gmet)), role.ext)
    passthrough = tdp_level == 5 and role.base.level == 4
    return role, replace(role.base, level=tdp_level, passthrough=int(passthrough))


def svm_translate_nested_gpa(version: Version, access: int, gmet: bool) -> int:
    """The access with which KVM walks L1's nested tables: a user's, unless GMET makes the mode count."""
    return access if version.gmet and gmet else access | PFERR_USER


@dataclass(frozen=True, slots=True)
class NestedFault:
    """#NPF: EXITINFO1, and what the VMCB says of the guest."""

    error_code: int
    gmet: bool
    cpl: int
    sev_es: bool = False


def npf_interception(version: Version, fault: NestedFault) -> int:
    """The error code; with GMET the processor may report U wrongly for a fetch (erratum 1218)."""
    spared = fault.sev_es and version.erratum_1218_spares_sev_es
    if not version.gmet or not fault.gmet or not fault.error_code & PFERR_FETCH or spared:
        return fault.error_code
    return fault.error_code & ~PFERR_USER | (PFERR_USER if fault.cpl == 3 else 0)


def cached_misc_ctl(misc_ctl: int, np_offered: bool, gmet_offered: bool) -> int:
    """vmcb12's field as KVM keeps it: without what L1 was not offered."""
    misc_ctl &= ~(0 if np_offered else SVM_MISC_ENABLE_NP)
    return misc_ctl & ~(0 if gmet_offered else SVM_MISC_ENABLE_GMET)


def vmcb02_misc_ctl(version: Version, vmcb01: int, vmcb12: int) -> int:
    """vmcb02's field; `vmcb12` is the cached one. GMET is L1's choice with nested NPT, else L0's."""
    kept = SVM_MISC_ENABLE_NP | SVM_MISC_ENABLE_GMET if version.narrow_misc_ctl else ~0
    misc_ctl = vmcb01 & kept
    if not version.gmet or not vmcb12 & SVM_MISC_ENABLE_NP:
        return misc_ctl
    return misc_ctl & ~SVM_MISC_ENABLE_GMET | vmcb12 & SVM_MISC_ENABLE_GMET
