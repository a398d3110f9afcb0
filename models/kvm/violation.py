"""In: the exit qualification of L2's EPT violation. Out: KVM's error code; and what L1 is told of a fault of its own.

Guarantee: `handle_ept_violation` and `nested_ept_inject_page_fault` are the kernel's, bit for bit.
Trusted: no, checked by tests/unit/models/kvm, tests/tables and tests/differential.

Source: __vmx_handle_ept_violation() (vmx/common.h), nested_ept_inject_page_fault(), vmx_translate_nested_gpa()
(vmx/nested.c).
"""

from dataclasses import dataclass

from models.kvm.asm_vmx import (
    EPT_VIOLATION_ACC_INSTR,
    EPT_VIOLATION_ACC_READ,
    EPT_VIOLATION_ACC_WRITE,
    EPT_VIOLATION_GVA_IS_VALID,
    EPT_VIOLATION_GVA_NX,
    EPT_VIOLATION_GVA_TRANSLATED,
    EPT_VIOLATION_GVA_USER,
    EPT_VIOLATION_GVA_WRITABLE,
    EPT_VIOLATION_PROT_USER_EXEC,
    EXIT_REASON_EPT_MISCONFIG,
    EXIT_REASON_EPT_VIOLATION,
    EXIT_REASON_PML_FULL,
    NMI_UNBLOCKING,
)
from models.kvm.masks import PT_USER
from models.kvm.pferr import (
    PFERR_FETCH,
    PFERR_GUEST_FINAL,
    PFERR_GUEST_PAGE,
    PFERR_PRESENT,
    PFERR_PRIVATE_ACCESS,
    PFERR_RSVD,
    PFERR_USER,
    PFERR_USER_FETCH,
    PFERR_WRITE,
)
from models.kvm.version import Version
from models.kvm.walk import WalkFault
from models.sdm.vmx.processor import CAP_ADVANCED_EXIT_INFORMATION

VALID_AND_TRANSLATED = EPT_VIOLATION_GVA_IS_VALID | EPT_VIOLATION_GVA_TRANSLATED
PAGE_PROPERTIES = EPT_VIOLATION_GVA_USER | EPT_VIOLATION_GVA_WRITABLE | EPT_VIOLATION_GVA_NX


def vmx_handle_ept_violation(version: Version, qualification: int, mbec: bool, private: bool = False) -> int:
    """The error code of an EPT violation. `mbec`: the version's predicate on vcpu->arch.mmu; `private`: TDX."""
    error_code = PFERR_WRITE if qualification & EPT_VIOLATION_ACC_WRITE else 0
    if not version.user_from_qualification and qualification & EPT_VIOLATION_ACC_READ:
        error_code |= PFERR_USER
    if qualification & EPT_VIOLATION_ACC_INSTR:
        error_code |= PFERR_FETCH
        if version.tells_user_fetch and mbec and qualification & EPT_VIOLATION_PROT_USER_EXEC:
            error_code |= PFERR_USER_FETCH
    if qualification & _present_mask(version, mbec):
        error_code |= PFERR_PRESENT
    # rfc's base looks for bit 7 in the error code, where it never is.
    if version.guest_bits and qualification & EPT_VIOLATION_GVA_IS_VALID:
        final = qualification & EPT_VIOLATION_GVA_TRANSLATED
        error_code |= PFERR_GUEST_FINAL if final else PFERR_GUEST_PAGE
        if version.user_from_qualification and final and qualification & EPT_VIOLATION_GVA_USER:
            error_code |= PFERR_USER
    return error_code | (PFERR_PRIVATE_ACCESS if private else 0)


def _present_mask(version: Version, mbec: bool) -> int:
    """The bits that tell of a present entry. v1 made bit 6 one of them whatever the mode."""
    mask = version.prot_mask if version.tells_user_fetch else version.prot_mask & ~EPT_VIOLATION_PROT_USER_EXEC
    return mask | (EPT_VIOLATION_PROT_USER_EXEC if version.present_by_bit_6 and mbec else 0)


@dataclass(frozen=True, slots=True)
class Injected:
    """The exit that L1 sees."""

    exit_reason: int
    exit_qualification: int
    guest_physical_address: int


@dataclass(frozen=True, slots=True)
class LastExit:
    """vmcs02's last exit: its qualification as the hardware left it, and whether KVM takes the fault for its own."""

    qualification: int
    from_hardware: bool


def nested_ept_inject_page_fault(
    version: Version, fault: WalkFault, last: LastExit, ept_caps: int, pml_full: bool = False
) -> Injected:
    """What L1 is told. `ept_caps`: what it was offered.

    Until v5, bits 7 and 8 (with advanced information, 7 to 11) are those of vmcs02's last exit, whatever that was.
    """
    if pml_full:
        return Injected(EXIT_REASON_PML_FULL, last.qualification & NMI_UNBLOCKING, fault.address)
    if fault.error_code & PFERR_RSVD:
        return Injected(EXIT_REASON_EPT_MISCONFIG, 0, fault.address)
    mask = VALID_AND_TRANSLATED
    if version.advanced_information and ept_caps & CAP_ADVANCED_EXIT_INFORMATION:
        mask |= PAGE_PROPERTIES
    qualification = fault.exit_qualification
    if not version.hardware_bits_from_hardware:
        qualification |= last.qualification & mask
    elif last.from_hardware:
        qualification = qualification & ~VALID_AND_TRANSLATED | last.qualification & mask
    return Injected(EXIT_REASON_EPT_VIOLATION, qualification, fault.address)


def vmx_translate_nested_gpa(version: Version, access: int, pte_access: int) -> int:
    """The access with which KVM walks EPT12 for a guest-physical address that L2's own tables gave.

    `pte_access`: the rights of L2's translation, 0 for its tables; v3 gives raw bits, of which only U/S counts.
    Before v3 every such walk was a user access, which EPT took for a data read.
    """
    if not version.user_from_qualification:
        return access | PFERR_USER
    access &= ~PFERR_USER
    user = version.acc.user if version.pte_access_in_acc else PT_USER
    return access | (PFERR_USER if pte_access & user and access & PFERR_GUEST_FINAL else 0)
