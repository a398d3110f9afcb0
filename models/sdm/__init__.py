"""In: a processor, a VMCS, a guest and memory. Out: what one memory access does.

Guarantee: the names here are the public interface of the reference MMU; README.md describes it.
Trusted: no, checked by tests/tables, tests/unit/models and tests/differential.
"""

from models.sdm.errors import InputError
from models.sdm.mmu import access
from models.sdm.outcome import (
    EptMisconfiguration,
    EptViolation,
    GeneralProtection,
    Outcome,
    PageFault,
    SppEvent,
    Translated,
    VirtualizationException,
    VmEntryFailure,
)
from models.sdm.requests import (
    AccessKind,
    Circumstances,
    LinearAccess,
    PdpteLoad,
    PhysicalAccess,
    Request,
)
from models.sdm.run import Machine
from models.sdm.trace import Step, Trace
from models.sdm.vmx.controls import Vmcs
from models.sdm.vmx.guest import Guest
from models.sdm.vmx.processor import ALL_FEATURES, Feature, Processor

__all__ = [
    "ALL_FEATURES",
    "AccessKind",
    "Circumstances",
    "EptMisconfiguration",
    "EptViolation",
    "Feature",
    "GeneralProtection",
    "Guest",
    "InputError",
    "LinearAccess",
    "Machine",
    "Outcome",
    "PageFault",
    "PdpteLoad",
    "PhysicalAccess",
    "Processor",
    "Request",
    "SppEvent",
    "Step",
    "Trace",
    "Translated",
    "VirtualizationException",
    "VmEntryFailure",
    "Vmcs",
    "access",
]
