"""In: an answer of KVM's model. Out: the slat-nested-outcome-1 document, a dict ready for `json`.

Guarantee: as of slat-outcome-1: "0x..." strings for addresses, entries and masks, equal answers give equal bytes.
Trusted: no, checked by tests/unit/models/kvm.

If L0 mended anything, "outcome" is "fixed_by_l0", "fixed" tells what, and "retried" holds the outcome that followed.
"""

from typing import assert_never

from models.kvm.nested import Nested
from models.kvm.outcome import Answer, Emulated, Final, Fix, ReflectedExit, Stuck
from models.kvm.pferr import pferr_names
from models.kvm.scenario.reading import NestedScenario, read_nested_scenario
from models.kvm.shadow_pages import SpteWrite
from models.kvm.vmcs02 import EntryFailure, nested_ept_mbec_enabled
from models.scenario.rendering import Document, render_outcome
from models.sdm import GeneralProtection, PageFault, Step, Trace, Translated, Vmcs
from models.sdm.outcome import EXIT_REASON_EPT_VIOLATION
from models.sdm.vmx.processor import CAP_ADVANCED_EXIT_INFORMATION

SCHEMA = "slat-nested-outcome-1"
ALWAYS_DEFINED, USER_EXECUTABLE, PAGE_PROPERTIES = 0x1B1BF, 1 << 6, 7 << 9


def run(scenario: NestedScenario, trace: Trace | None = None) -> tuple[Nested, Answer]:
    """L1 runs L2, and L2 performs the access. Raises `InputError`."""
    nested = Nested(scenario.setting, scenario.memory)
    failure = nested.enter(scenario.vmcs12, scenario.guest)
    if failure is None:
        return nested, nested.access(scenario.request, trace)
    if trace is not None:
        trace.append(Step("VM entry", f"of L2 fails: {failure.because}"))
    return nested, Answer(failure, (), (), {}, ())


def answer_nested(document: object, steps: bool = False) -> Document:
    """The slat-nested-outcome-1 document for a parsed scenario, with its steps if asked for. Raises `InputError`."""
    scenario = read_nested_scenario(document)
    trace: list[Step] | None = [] if steps else None
    nested, answer = run(scenario, trace)
    return render_nested(nested, answer, trace)


def render_nested(nested: Nested, answer: Answer, trace: Trace | None = None) -> Document:
    """The document of an answer, with "steps" if a trace is given."""
    document: Document = {"schema": SCHEMA, "series": nested.setting.version.name}
    if nested.running is not None:
        document["vmcs02"] = _vmcs02(nested.running.vmcs02)
    fixed = [fix for fix in answer.fixes if fix.result in ("fixed", "spurious")]
    if fixed:
        document["outcome"] = "fixed_by_l0"
        document["fixed"] = [_fix(fix) for fix in fixed]
        document["retried"] = _final(nested, answer.final)
    else:
        document |= _final(nested, answer.final)
    document["sptes_written"] = [_spte(write) for write in answer.sptes]
    document["memory_written"] = {hex(at): hex(word) for at, word in answer.memory_written.items()}
    if answer.warnings:
        document["warnings"] = list(answer.warnings)
    if trace is not None:
        document["steps"] = [_step(step) for step in trace]
    return document


def _vmcs02(vmcs: Vmcs) -> Document:
    keys = ("eptp", "primary_controls", "secondary_controls", "pin_controls", "exception_bitmap")
    return {key: hex(getattr(vmcs, key)) for key in keys}


def _fix(fix: Fix) -> Document:
    document: Document = {"exit_reason": fix.exit_reason}
    if fix.qualification is not None:
        document["exit_qualification"] = hex(fix.qualification)
    document["guest_physical_address"] = hex(fix.guest_physical_address)
    document["error_code"] = hex(fix.error_code)
    document["error_code_bits"] = pferr_names(fix.error_code)
    document["result"] = fix.result
    return document


def defined_for_l1(nested: Nested) -> int:
    """The bits of an EPT violation's qualification that mean something to L1, by what it was offered and chose."""
    assert nested.running is not None, "L2 was running"
    mode_based = nested_ept_mbec_enabled(nested.running.vmcs12)
    advanced = nested.msrs.ept_caps & CAP_ADVANCED_EXIT_INFORMATION
    return ALWAYS_DEFINED | (USER_EXECUTABLE if mode_based else 0) | (PAGE_PROPERTIES if advanced else 0)


def _final(nested: Nested, final: Final) -> Document:
    match final:
        case Translated() | PageFault() | GeneralProtection():
            plain = render_outcome(final)
            return {key: value for key, value in plain.items() if key not in ("schema", "memory_written")}
        case ReflectedExit():
            document: Document = {
                "outcome": "reflected_exit",
                "guest_physical_address": hex(final.guest_physical_address),
                "exit_reason": final.exit_reason,
            }
            if final.exit_reason == EXIT_REASON_EPT_VIOLATION:
                document["exit_qualification"] = hex(final.exit_qualification)
                document["exit_qualification_defined"] = hex(defined_for_l1(nested))
            return document
        case Emulated():
            address = hex(final.guest_physical_address)
            return {"outcome": "ok", "guest_physical_address": address, "emulated_by_l0": final.why}
        case Stuck():
            address = hex(final.guest_physical_address)
            return {"outcome": "stuck", "guest_physical_address": address, "because": final.because}
        case EntryFailure():
            return _entry_failure(final)
        case _:
            assert_never(final)


def _entry_failure(failure: EntryFailure) -> Document:
    document: Document = {"outcome": "vmcs12_entry_failure", "because": failure.because}
    if failure.vm_instruction_error is not None:
        document["vm_instruction_error"] = failure.vm_instruction_error
    if failure.exit_reason is not None:
        document["exit_reason"] = failure.exit_reason
        document["exit_qualification"] = hex(failure.qualification or 0)
    return document


def _spte(write: SpteWrite) -> Document:
    return {
        "address": hex(write.address),
        "level": write.level,
        "before": hex(write.before),
        "after": hex(write.after),
    }


def _step(step: Step) -> Document:
    document: Document = {"stage": step.stage}
    if step.address is not None:
        document["address"] = hex(step.address)
    if step.entry is not None:
        document["entry"] = hex(step.entry)
    document["note"] = step.note
    return document
