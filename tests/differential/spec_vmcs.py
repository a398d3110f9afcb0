"""A VMCS and a processor of the reference MMU, as values of the specifications."""

from __future__ import annotations

from typing import Any

from spec_side import make, record
from spec_walks import beyond

from models.sdm import Processor, Vmcs


def specified_vmcs(vmcs: Vmcs, processor: Processor) -> tuple[Any, Any]:
    """The two; what the reference MMU does not model is 0."""
    fields = make(
        record("sdm.vmx.controls.VmExecutionControls"),
        primary=vmcs.primary_controls,
        secondary=vmcs.secondary_controls,
        tertiary=vmcs.tertiary_controls,
        vm_functions=0,
        eptp=vmcs.eptp,
        sppt_pointer=vmcs.sppt_pointer,
        ve_information=vmcs.ve_information_address,
        eptp_list=0,
    )
    cpu = make(
        record("sdm.vmx.processor.Processor"),
        primary=processor.procbased_ctls,
        secondary=processor.procbased_ctls2,
        tertiary=processor.procbased_ctls3,
        vm_functions=0,
        ept_vpid=processor.ept_vpid_cap,
        beyond_maxphyaddr=beyond(processor.maxphyaddr),
    )
    return fields, cpu
