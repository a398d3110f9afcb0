"""In: an exit qualification or an EPT entry. Out: KVM's names for its bits.

Guarantee: nothing but positions; the versions differ in three masks, which version.py holds.
Trusted: no, checked by tests/unit/models/kvm.

Source: arch/x86/include/asm/vmx.h.
"""

VMX_EPT_READABLE = 1 << 0
VMX_EPT_WRITABLE = 1 << 1
VMX_EPT_EXECUTABLE = 1 << 2
VMX_EPT_MT_SHIFT = 3
VMX_EPT_IPAT = 1 << 6
VMX_EPT_ACCESS = 1 << 8
VMX_EPT_DIRTY = 1 << 9
VMX_EPT_USER_EXECUTABLE = 1 << 10
VMX_EPT_SUPPRESS_VE = 1 << 63

EPT_VIOLATION_ACC_READ = 1 << 0
EPT_VIOLATION_ACC_WRITE = 1 << 1
EPT_VIOLATION_ACC_INSTR = 1 << 2
EPT_VIOLATION_PROT_READ = 1 << 3
EPT_VIOLATION_PROT_WRITE = 1 << 4
EPT_VIOLATION_PROT_EXEC = 1 << 5
EPT_VIOLATION_PROT_USER_EXEC = 1 << 6
EPT_VIOLATION_GVA_IS_VALID = 1 << 7
EPT_VIOLATION_GVA_TRANSLATED = 1 << 8
EPT_VIOLATION_GVA_USER = 1 << 9
EPT_VIOLATION_GVA_WRITABLE = 1 << 10
EPT_VIOLATION_GVA_NX = 1 << 11
NMI_UNBLOCKING = 1 << 12

EXIT_REASON_EPT_VIOLATION = 48
EXIT_REASON_EPT_MISCONFIG = 49
EXIT_REASON_PML_FULL = 62

MTRR_TYPE_WRBACK = 6


def epte_to_prot(entry: int) -> int:
    """EPT_VIOLATION_RWX_TO_PROT (in rfc READ_, WRITE_ and EXEC_TO_PROT): bits 2:0 of an entry as bits 5:3."""
    return (entry & 7) << 3


def user_exec_to_prot(entry: int) -> int:
    """EPT_VIOLATION_USER_EXEC_TO_PROT: bit 10 of an entry as bit 6."""
    return (entry & VMX_EPT_USER_EXECUTABLE) >> 4
