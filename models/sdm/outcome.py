"""In: nothing. Out: everything an access can end in, one record a case.

Guarantee: each record holds exactly what the SDM defines for its case; undefined bits are 0.
Trusted: no, checked by tests/tables.

`memory_written` maps the host-physical address of every 64-bit word that the access changed to its new
value. A linear address is None where the SDM leaves the guest-linear address undefined.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

EXIT_REASON_EXCEPTION = 0
EXIT_REASON_INVALID_GUEST_STATE = 33
EXIT_REASON_EPT_VIOLATION = 48
EXIT_REASON_EPT_MISCONFIGURATION = 49
EXIT_REASON_SPP_EVENT = 66
INVALID_CONTROL_FIELDS = 7

MemoryType = Literal["UC", "WC", "WT", "WP", "WB"]


@dataclass(frozen=True, slots=True)
class Translated:
    """The access is allowed. `effective_memory_type` is None without EPT: MTRRs are not modelled."""

    host_physical_address: int
    guest_physical_address: int
    guest_linear_address: int | None
    effective_memory_type: MemoryType | None
    memory_written: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class PageFault:
    """#PF with its error code (SDM "Page-Fault Exceptions"); CR2 is the linear address."""

    guest_linear_address: int
    error_code: int
    memory_written: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class GeneralProtection:
    """#GP(0) of a PDPTE load: the entry at this guest-physical address sets a reserved bit."""

    guest_physical_address: int
    host_physical_address: int
    memory_written: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class EptViolation:
    """A VM exit with basic exit reason 48; `defined` is the mask of the defined bits of `qualification`."""

    guest_physical_address: int
    guest_linear_address: int | None
    qualification: int
    defined: int
    memory_written: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class EptMisconfiguration:
    """A VM exit with basic exit reason 49: no qualification, no guest-linear address."""

    guest_physical_address: int
    memory_written: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class VirtualizationException:
    """#VE: the fields of the information area at `address` (host-physical).

    `defined` masks `qualification` as for an EPT violation. `intercepted`: bit 20 of the exception bitmap
    is set, so a VM exit with basic exit reason 0 follows. A linear address that is not valid is stored as 0.
    """

    address: int
    qualification: int
    defined: int
    guest_linear_address: int
    guest_physical_address: int
    eptp_index: int
    intercepted: bool
    memory_written: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class SppEvent:
    """A VM exit with basic exit reason 66: an SPP miss (bit 11 of the qualification) or misconfiguration."""

    guest_physical_address: int
    guest_linear_address: int | None
    qualification: int
    defined: int
    memory_written: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class VmEntryFailure:
    """VM entry fails before the access.

    Either VMfailValid with `vm_instruction_error` 7 (controls), or a VM exit with basic exit reason 33 and
    `qualification` (2 for the PDPTEs, else 0); what does not apply is None. `because` is one sentence.
    """

    because: str
    vm_instruction_error: int | None = None
    exit_reason: int | None = None
    qualification: int | None = None


Exit = (
    PageFault
    | GeneralProtection
    | EptViolation
    | EptMisconfiguration
    | VirtualizationException
    | SppEvent
    | VmEntryFailure
)
Outcome = Translated | Exit
