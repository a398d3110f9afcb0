"""In: a convertible EPT violation. Out: the #VE and the information area it writes, or None.

Guarantee: the area is written only if the exception is delivered; its address was checked at VM entry.
Trusted: no, checked by tests/unit/models.

    byte 0  dword  exit reason, 48            byte 16  qword  guest-linear address
    byte 4  dword  FFFFFFFFH while in use     byte 24  qword  guest-physical address
    byte 8  qword  exit qualification         byte 32  word   EPTP index

Source: SDM "Virtualization Exceptions" and its subsections.
"""

from models.sdm.outcome import EXIT_REASON_EPT_VIOLATION, EptViolation, VirtualizationException
from models.sdm.run import Run
from models.sdm.trace import CONVERTIBLE_VIOLATIONS, VE_DELIVERY
from models.sdm.vmx.guest import CR0_PE

IN_USE = 0xFFFF_FFFF
VECTOR = 20


def deliver(run: Run, violation: EptViolation) -> VirtualizationException | None:
    """Delivers a convertible EPT violation as #VE, if the state of the processor and the area allow it."""
    area = run.vmcs.ve_information_address
    obstacle = _obstacle(run, area)
    if obstacle is not None:
        run.step("#VE", f"convertible, but {obstacle}: VM exit instead ({CONVERTIBLE_VIOLATIONS})", area)
        return None
    linear_address = violation.guest_linear_address or 0
    memory = run.memory
    memory.write(area, IN_USE << 32 | EXIT_REASON_EPT_VIOLATION)
    memory.write(area + 8, violation.qualification)
    memory.write(area + 16, linear_address)
    memory.write(area + 24, violation.guest_physical_address)
    memory.write(area + 32, memory.read(area + 32) & ~0xFFFF | run.vmcs.eptp_index)
    intercepted = bool(run.vmcs.exception_bitmap >> VECTOR & 1)
    then = "a VM exit, by bit 20 of the exception bitmap" if intercepted else "vector 20"
    run.step("#VE", f"information area written; {then} ({VE_DELIVERY})", area)
    return VirtualizationException(
        address=area,
        qualification=violation.qualification,
        defined=violation.defined,
        guest_linear_address=linear_address,
        guest_physical_address=violation.guest_physical_address,
        eptp_index=run.vmcs.eptp_index,
        intercepted=intercepted,
        memory_written=memory.changed(),
    )


def _obstacle(run: Run, area: int) -> str | None:
    if not run.guest.cr0 & CR0_PE:
        return "CR0.PE is 0"
    if run.circumstances.event_delivery:
        return "an event is being delivered"
    # Decision: the SDM names Intel PT output and PEBS; every access with bit 16 set counts as one of them.
    if run.circumstances.asynchronous:
        return "the access is asynchronous to instruction execution"
    if run.memory.read(area) >> 32:
        return "the dword at byte 4 of the information area is not 0"
    return None
