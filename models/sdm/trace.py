"""In: what a walk looked at. Out: steps that a person can follow.

Guarantee: a run without a trace makes no step; the steps never influence an outcome.
Trusted: no, checked by tests/unit/models.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the structure that was read or the rule that was applied.

    `address` is where `entry` was read (host-physical for EPT and SPP entries, guest-physical for guest
    entries); both are None for a rule. `note` decodes the entry, and cites the SDM section that decides.
    """

    stage: str
    note: str
    address: int | None = None
    entry: int | None = None


Trace = list[Step]

VM_EXECUTION_CONTROLS = 'SDM "VM-Execution Control Fields"'
SECONDARY_CONTROLS = 'SDM "Definitions of Secondary Processor-Based VM-Execution Controls"'
GUEST_REGISTER_CHECKS = 'SDM "Checks on Guest Control Registers, Debug Registers, and MSRs"'
GUEST_PDPTE_CHECKS = 'SDM "Checks on Guest Page-Directory-Pointer-Table Entries"'
EPT_TRANSLATION = 'SDM "EPT Translation Mechanism"'
EPT_MISCONFIGURATIONS = 'SDM "EPT Misconfigurations"'
EPT_VIOLATIONS = 'SDM "EPT Violations"'
EPT_PRIORITY = 'SDM "Prioritization of EPT Misconfigurations and EPT Violations"'
EPT_FLAGS = 'SDM "Accessed and Dirty Flags for EPT"'
EPT_MEMORY_TYPE = 'SDM "Memory Type Used for Translated Guest-Physical Addresses"'
SPP_ELIGIBILITY = 'SDM "Write Accesses That Are Eligible for Sub-Page Write Permissions"'
SPP_PERMISSION = 'SDM "Determining an Access\'s Sub-Page Write Permission"'
CONVERTIBLE_VIOLATIONS = 'SDM "Convertible EPT Violations"'
VE_DELIVERY = 'SDM "Delivery of Virtualization Exceptions"'
PAGING_MODES = 'SDM "Paging-Mode Enabling"'
PDPTE_REGISTERS = 'SDM "PDPTE Registers"'
ACCESS_RIGHTS = 'SDM "Determination of Access Rights"'
GUEST_FLAGS = 'SDM "Accessed and Dirty Flags"'
PAGE_FAULTS = 'SDM "Page-Fault Exceptions"'


def entry_format(mode: str) -> str:
    """The section that defines the entries of a paging mode ("32-bit", "PAE", "4-level", "5-level")."""
    match mode:
        case "32-bit":
            return 'SDM "32-Bit Paging"'
        case "PAE":
            return 'SDM "PAE Paging"'
        case _:
            return 'SDM "4-Level Paging and 5-Level Paging"'


def flag_names(word: int, names: tuple[tuple[int, str], ...]) -> str:
    """The names of the masks that `word` sets, or "none"."""
    return " ".join(name for mask, name in names if word & mask) or "none"
