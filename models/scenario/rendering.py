"""In: an outcome and its steps. Out: the slat-outcome-1 document, a dict ready for `json`.

Guarantee: addresses, entries and masks are "0x..." strings, reasons and numbers plain integers, keys that do
not apply are absent, and equal outcomes give equal bytes.
Trusted: no, checked by tests/unit/models.
"""

from typing import assert_never

from models.sdm import (
    EptMisconfiguration,
    EptViolation,
    GeneralProtection,
    InputError,
    Outcome,
    PageFault,
    SppEvent,
    Step,
    Trace,
    Translated,
    VirtualizationException,
    VmEntryFailure,
)
from models.sdm.outcome import (
    EXIT_REASON_EPT_MISCONFIGURATION,
    EXIT_REASON_EPT_VIOLATION,
    EXIT_REASON_EXCEPTION,
    EXIT_REASON_SPP_EVENT,
)

SCHEMA = "slat-outcome-1"
ALL_DEFINED = hex((1 << 64) - 1)

Document = dict[str, object]


def render_outcome(outcome: Outcome, trace: Trace | None = None) -> Document:
    """The document of an outcome, with "steps" if a trace is given.

    Raises `InputError` "general_protection" for the #GP(0) of a PDPTE load, which the format cannot say.
    """
    document: Document = {"schema": SCHEMA}
    match outcome:
        case Translated():
            document |= _translated(outcome)
        case PageFault():
            document |= {
                "outcome": "page_fault",
                "guest_linear_address": hex(outcome.guest_linear_address),
                "page_fault_error_code": hex(outcome.error_code),
            }
        case EptViolation():
            document |= _exit("ept_violation", EXIT_REASON_EPT_VIOLATION, outcome)
        case SppEvent():
            document |= _exit("spp_event", EXIT_REASON_SPP_EVENT, outcome)
        case EptMisconfiguration():
            document |= {
                "outcome": "ept_misconfiguration",
                "guest_physical_address": hex(outcome.guest_physical_address),
                "exit_reason": EXIT_REASON_EPT_MISCONFIGURATION,
            }
        case VirtualizationException():
            document |= _virtualization_exception(outcome)
        case VmEntryFailure():
            document |= _vm_entry_failure(outcome)
        case GeneralProtection():
            message = "a PDPTE with a reserved bit: the load raises #GP(0), no outcome of an access"
            raise InputError("general_protection", f"memory.{hex(outcome.host_physical_address)}", message)
        case _:
            assert_never(outcome)
    if not isinstance(outcome, VmEntryFailure):
        written = outcome.memory_written
        document["memory_written"] = {hex(address): hex(word) for address, word in written.items()}
    if trace is not None:
        document["steps"] = [_step(step) for step in trace]
    return document


def _translated(outcome: Translated) -> Document:
    document: Document = {
        "outcome": "ok",
        "host_physical_address": hex(outcome.host_physical_address),
        "guest_physical_address": hex(outcome.guest_physical_address),
    }
    if outcome.guest_linear_address is not None:
        document["guest_linear_address"] = hex(outcome.guest_linear_address)
    if outcome.effective_memory_type is not None:
        document["effective_memory_type"] = outcome.effective_memory_type
    return document


def _exit(name: str, reason: int, outcome: EptViolation | SppEvent) -> Document:
    document: Document = {
        "outcome": name,
        "guest_physical_address": hex(outcome.guest_physical_address),
    }
    if outcome.guest_linear_address is not None:
        document["guest_linear_address"] = hex(outcome.guest_linear_address)
    document["exit_reason"] = reason
    document["exit_qualification"] = hex(outcome.qualification)
    document["exit_qualification_defined"] = hex(outcome.defined)
    return document


def _virtualization_exception(outcome: VirtualizationException) -> Document:
    document: Document = {
        "outcome": "virtualization_exception",
        "guest_physical_address": hex(outcome.guest_physical_address),
        "virtualization_exception_information": {
            "address": hex(outcome.address),
            "exit_reason": EXIT_REASON_EPT_VIOLATION,
            "exit_qualification": hex(outcome.qualification),
            "exit_qualification_defined": hex(outcome.defined),
            "guest_linear_address": hex(outcome.guest_linear_address),
            "guest_physical_address": hex(outcome.guest_physical_address),
            "eptp_index": outcome.eptp_index,
        },
    }
    if outcome.intercepted:
        document["exit_reason"] = EXIT_REASON_EXCEPTION
    return document


def _vm_entry_failure(outcome: VmEntryFailure) -> Document:
    document: Document = {"outcome": "vm_entry_failure"}
    if outcome.vm_instruction_error is not None:
        document["vm_instruction_error"] = outcome.vm_instruction_error
    if outcome.exit_reason is not None:
        document["exit_reason"] = outcome.exit_reason
    if outcome.qualification is not None:
        document["exit_qualification"] = hex(outcome.qualification)
        document["exit_qualification_defined"] = ALL_DEFINED
    return document


def _step(step: Step) -> Document:
    document: Document = {"stage": step.stage}
    if step.address is not None:
        document["address"] = hex(step.address)
    if step.entry is not None:
        document["entry"] = hex(step.entry)
    document["note"] = step.note
    return document
