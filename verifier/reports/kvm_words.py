"""Values in KVM's own words.

In: the value of a bitfield, by the names of its fields; the name of a truth value. Out: an expression of C macros.
Guarantee: the fields say which macro it is, not the bits, so that each series is told in its own layout; what KVM has
no macro for is a number.
Trusted: no, checked by tests/unit/verifier/reports against the layouts of the specifications.

Sources: LINUX "VMX_EPT_*_MASK", "EPT_VIOLATION_*", "SPTE_MMU_PRESENT_MASK", "ACC_*", "PFERR_*".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from verifier.core.show import Named

EPT_ENTRY: Mapping[str, str] = {
    "r": "VMX_EPT_READABLE_MASK",
    "w": "VMX_EPT_WRITABLE_MASK",
    "x": "VMX_EPT_EXECUTABLE_MASK",
    "xs": "VMX_EPT_EXECUTABLE_MASK",
    "xu": "VMX_EPT_USER_EXECUTABLE_MASK",
    "ipat": "VMX_EPT_IPAT_BIT",
    "ps": "PT_PAGE_SIZE_MASK",
    "accessed": "VMX_EPT_ACCESS_BIT",
    "dirty": "VMX_EPT_DIRTY_BIT",
    "sve": "VMX_EPT_SUPPRESS_VE_BIT",
}
SPTE: Mapping[str, str] = EPT_ENTRY | {
    "mmu_present": "SPTE_MMU_PRESENT_MASK",
    "host_writable": "EPT_SPTE_HOST_WRITABLE",
    "mmu_writable": "EPT_SPTE_MMU_WRITABLE",
    "suppress_ve": "VMX_EPT_SUPPRESS_VE_BIT",
    **{
        f"saved_{right}": f"({EPT_ENTRY[right]} << SHADOW_ACC_TRACK_SAVED_BITS_SHIFT)"
        for right in ("r", "x", "xs", "xu")
    },
}
ACC: Mapping[str, str] = {name: f"ACC_{name.upper()}_MASK" for name in ("read", "write", "user", "exec", "user_exec")}
PFERR: Mapping[str, str] = {
    name: f"PFERR_{name.upper()}_MASK"
    for name in ("present", "write", "user", "rsvd", "fetch", "pk", "ss", "sgx", "guest_rmp", "guest_final",
                 "guest_page", "guest_enc", "guest_sizem", "guest_vmpl", "user_fetch")
} | {name: f"PFERR_{name.upper()}" for name in ("implicit_access", "private_access")}  # fmt: skip
EPT_VIOLATION: Mapping[str, str] = {
    name: f"EPT_VIOLATION_{name.upper()}"
    for name in ("acc_read", "acc_write", "acc_instr", "prot_read", "prot_write", "prot_exec", "prot_user_exec",
                 "exec_for_ring3_lin", "gva_is_valid", "gva_translated", "gva_user", "gva_writable", "gva_nx")
}  # fmt: skip
QUALIFICATION: Mapping[str, str] = {  # in the order of the bits, from 0 up
    "read": "EPT_VIOLATION_ACC_READ",
    "write": "EPT_VIOLATION_ACC_WRITE",
    "fetch": "EPT_VIOLATION_ACC_INSTR",
    "readable": "EPT_VIOLATION_PROT_READ",
    "writable": "EPT_VIOLATION_PROT_WRITE",
    "executable": "EPT_VIOLATION_PROT_EXEC",
    "user_executable": "EPT_VIOLATION_PROT_USER_EXEC",
    "linear_address_valid": "EPT_VIOLATION_GVA_IS_VALID",
    "translation": "EPT_VIOLATION_GVA_TRANSLATED",
    "user_mode_address": "EPT_VIOLATION_GVA_USER",
    "read_write_page": "EPT_VIOLATION_GVA_WRITABLE",
    "execute_disable_page": "EPT_VIOLATION_GVA_NX",
    "nmi_unblocking": "INTR_INFO_UNBLOCK_NMI",
}
GUEST_ENTRY: Mapping[str, str] = {
    "p": "PT_PRESENT_MASK", "rw": "PT_WRITABLE_MASK", "us": "PT_USER_MASK", "accessed": "PT_ACCESSED_MASK",
    "dirty": "PT_DIRTY_MASK", "ps": "PT_PAGE_SIZE_MASK", "xd": "PT64_NX_MASK",
}  # fmt: skip
LAYOUTS: Mapping[str, Mapping[str, str]] = {
    "sdm.ept.entry.EptEntry": EPT_ENTRY,
    "sdm.ept.walk.Rights": EPT_ENTRY,
    "sdm.ept.qualification.EptViolationQualification": QUALIFICATION,
    "sdm.paging.entry.GuestEntry": GUEST_ENTRY,
    "sdm.paging.mode.Cr0": {name: f"X86_CR0_{name.upper()}" for name in ("pe", "wp", "cd", "pg")},
    "sdm.paging.mode.Cr4": {
        name: f"X86_CR4_{name.upper()}" for name in ("pse", "pae", "la57", "smep", "smap", "pke", "cet")
    },
    "sdm.paging.mode.Efer": {"lme": "EFER_LME", "lma": "EFER_LMA", "nxe": "EFER_NX"},
    "kvm.spte.Spte": SPTE,
    "kvm.acc.Acc": ACC,
    "kvm.asm_kvm_host.Pferr": PFERR,
    "kvm.asm_vmx.EptViolation": EPT_VIOLATION,
}
"""The macro of a field that is not 0, by the name of its bitfield."""

ADDRESSES = ("address", "pfn")
MEMORY_TYPES: Mapping[int, str] = {
    0: "MTRR_TYPE_UNCACHABLE", 1: "MTRR_TYPE_WRCOMB", 4: "MTRR_TYPE_WRTHROUGH", 5: "MTRR_TYPE_WRPROT",
    6: "MTRR_TYPE_WRBACK",
}  # fmt: skip
AD_TYPES: Mapping[int, str] = {1: "SPTE_TDP_AD_DISABLED", 2: "SPTE_TDP_AD_WRPROT_ONLY"}

FLAGS: Mapping[str, str] = {
    "five_level": "VMX_EPTP_PWL_5",
    "accessed_dirty": "VMX_EPTP_AD_ENABLE_BIT",
    "ept": "SECONDARY_EXEC_ENABLE_EPT",
    "ept_violation_ve": "SECONDARY_EXEC_EPT_VIOLATION_VE",
    "mbec": "SECONDARY_EXEC_MODE_BASED_EPT_EXEC",
    "execute_only": "VMX_EPT_EXECUTE_ONLY_BIT",
    "page_2m": "VMX_EPT_2MB_PAGE_BIT",
    "page_1g": "VMX_EPT_1GB_PAGE_BIT",
    "advanced_exit_info": "VMX_EPT_ADVANCED_VMEXIT_INFO_BIT",
    "nmi_exiting": "PIN_BASED_NMI_EXITING",
    "virtual_nmis": "PIN_BASED_VIRTUAL_NMIS",
}
"""Controls and capabilities, whoever has them: a processor, L0, user space or L1."""


def in_macros(value: Named) -> str:
    """`A | B`; the fields of a bitfield that KVM has no macros for as C initialises them."""
    macros = LAYOUTS.get(value.kind)
    if macros is None:
        fields = ", ".join(f".{name or 'other'} = {number}" for name, _, number in value.fields)
        return f"{{ {fields or '0'} }}"
    return " | ".join(_field(macros, *field) for field in value.fields) or "0"


def _field(macros: Mapping[str, str], name: str, low: int, value: int) -> str:
    if name == "memtype":
        return f"({MEMORY_TYPES.get(value, value)} << VMX_EPT_MT_EPTE_SHIFT)"
    if name == "ad_type" and value in AD_TYPES:
        return AD_TYPES[value]
    if name in macros:
        return macros[name]
    return hex(value << low) if name in ADDRESSES or value != 1 else f"BIT_ULL({low})"


def qualification_in_macros(qualification: int) -> str:
    """The defined bits of an exit qualification; those that KVM has no names for by their number."""
    return " | ".join(_qualification(qualification)) or "0"


def _qualification(qualification: int) -> Iterator[str]:
    names = dict(enumerate(QUALIFICATION.values()))
    for position in range(qualification.bit_length()):
        if qualification >> position & 1:
            yield names.get(position, f"BIT_ULL({position})")
