"""In: a processor, a VMCS, a guest. Out: the configurations that the guest runs with, or why VM entry fails.

Guarantee: controls first, then guest state, then the PDPTE fields; nothing here looks at memory.
Trusted: no, checked by tests/tables and tests/unit/models.

Source: SDM "Checks on VMX Controls" and the sections that vmx/entry.py names. Machines that differ in memory
alone are checked once.
"""

from dataclasses import dataclass
from functools import lru_cache

from models.sdm.ept.entry import EPT_OFF, EptConfiguration, configure
from models.sdm.outcome import EXIT_REASON_INVALID_GUEST_STATE, INVALID_CONTROL_FIELDS, VmEntryFailure
from models.sdm.paging.mode import PagingConfiguration, paging_configuration
from models.sdm.trace import GUEST_PDPTE_CHECKS, GUEST_REGISTER_CHECKS, VM_EXECUTION_CONTROLS
from models.sdm.vmx.controls import (
    ENABLE_EPT,
    UNRESTRICTED_GUEST,
    Vmcs,
    refuse_unmodelled_controls,
    secondary_in_force,
    tertiary_in_force,
)
from models.sdm.vmx.entry import control_failure, guest_state_failure, unloadable
from models.sdm.vmx.guest import Guest
from models.sdm.vmx.processor import Processor


@dataclass(frozen=True, slots=True)
class Entered:
    """A guest after VM entry. `ept` is EPT_OFF while EPT is off."""

    ept: EptConfiguration
    paging: PagingConfiguration


@lru_cache(maxsize=1024)
def enter(processor: Processor, vmcs: Vmcs, guest: Guest) -> Entered | VmEntryFailure:
    """VM entry, but for the PDPTEs that PAE paging without EPT loads from memory.

    Raises `InputError` for a control that is not modelled and for invalid state that is no matter of paging.
    """
    refuse_unmodelled_controls(vmcs)
    secondary, tertiary = secondary_in_force(vmcs), tertiary_in_force(vmcs)
    because = control_failure(processor, vmcs, secondary, tertiary)
    if because is not None:
        why = f"{because} ({VM_EXECUTION_CONTROLS})"
        return VmEntryFailure(why, vm_instruction_error=INVALID_CONTROL_FIELDS)
    # Guest-physical addresses have the width that CPUID reports while EPT is on (SDM "EPT Overview").
    width = processor.raw_maxphyaddr if secondary & ENABLE_EPT else processor.maxphyaddr
    unrestricted = bool(secondary & UNRESTRICTED_GUEST)
    because = guest_state_failure(guest, processor.features, width, unrestricted)
    if because is not None:
        why = f"{because} ({GUEST_REGISTER_CHECKS})"
        return VmEntryFailure(why, exit_reason=EXIT_REASON_INVALID_GUEST_STATE, qualification=0)
    paging = paging_configuration(guest.cr0, guest.cr4, guest.efer, processor.features, width)
    if not secondary & ENABLE_EPT:
        return Entered(EPT_OFF, paging)
    if paging.mode == "PAE" and (failure := pdpte_failure(paging, guest.pdptes)) is not None:
        return failure
    eptp = vmcs.eptp & 0xFF
    return Entered(configure(processor.maxphyaddr, processor.ept_vpid_cap, eptp, secondary, tertiary), paging)


def pdpte_failure(paging: PagingConfiguration, pdptes: tuple[int, ...]) -> VmEntryFailure | None:
    """The failure of a VM entry that loads these PDPTEs, or None."""
    index = unloadable(pdptes, paging.pdpte_reserved)
    if index is None:
        return None
    why = f"PDPTE{index} sets a reserved bit ({GUEST_PDPTE_CHECKS})"
    return VmEntryFailure(why, exit_reason=EXIT_REASON_INVALID_GUEST_STATE, qualification=2)
