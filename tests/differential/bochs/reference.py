"""What the reference MMU says about a `Case`.

In: a `Case`. Out: an `Ending`, or the case's accesses as scenarios for `slat walk`.
Guarantee: the same accesses as in Bochs, one after the other, on the same memory: the fetch of the guest's
instruction, then the access it makes. The first that is not allowed decides.
Trusted: no; this is half of the comparison.
"""

import functools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, assert_never

from models import sdm

from . import machine
from .case import Access, Case
from .ending import Ending, Kind, virtualization_exception
from .image import CODE_OFFSET, WRITTEN

# What Bochs' processor has; the wheel is built without protection keys and CET.
FEATURES: tuple[sdm.Feature, ...] = ("nx", "smep", "smap", "pse", "pse36", "page1gb", "la57")
EVERY_EXCEPTION, PIN_CONTROLS = 0xFFFF_FFFF, 0x16
BYTES_4 = 0xFFFF_FFFF


@functools.cache
def processor() -> sdm.Processor:
    """Bochs' processor, as it describes itself."""
    reported = machine.capabilities()
    return sdm.Processor(
        maxphyaddr=reported.maxphyaddr,
        raw_maxphyaddr=reported.maxphyaddr,
        ept_vpid_cap=reported.ept_vpid_cap,
        procbased_ctls=reported.procbased_ctls,
        procbased_ctls2=reported.procbased_ctls2,
        procbased_ctls3=reported.procbased_ctls3,
        features=frozenset(FEATURES),
    )


def expected(case: Case) -> Ending:
    """What the reference MMU says."""
    memory = dict(case.memory)
    outcome: sdm.Outcome | None = None
    for run, request in runs(case):
        outcome = sdm.access(replace(run, memory=memory), request)
        if isinstance(outcome, sdm.VmEntryFailure):
            break
        memory.update(outcome.memory_written)
        if not isinstance(outcome, sdm.Translated):
            break
    assert outcome is not None
    value: int | None = None
    if isinstance(outcome, sdm.Translated):
        value = _transfer(case, memory, outcome.host_physical_address)
    changed = {address: word for address, word in memory.items() if case.memory.get(address, 0) != word}
    return _ending(case, outcome, changed, value)


def runs(case: Case) -> Iterator[tuple[sdm.Machine, sdm.Request]]:
    """The accesses of the case, each on the case's own memory."""
    start = sdm.Machine(processor=processor(), vmcs=_vmcs(case), guest=_guest(case), memory=case.memory)
    if case.kind is Access.FETCH:
        yield start, sdm.LinearAccess(kind="fetch", linear_address=case.linear_address)
        return
    yield start, sdm.LinearAccess(kind="fetch", linear_address=case.code + CODE_OFFSET[case.kind])
    if case.kind is Access.LOAD_PDPTES:
        yield replace(start, guest=replace(start.guest, cr3=case.linear_address)), sdm.PdpteLoad()
    else:
        yield start, sdm.LinearAccess(kind=case.kind.value, linear_address=case.linear_address)


def _transfer(case: Case, memory: dict[int, int], address: int) -> int | None:
    """Moves the four bytes, or runs the instruction; returns what was found there."""
    word, shift = memory.get(address & -8, 0), 8 * (address & 4)
    found = word >> shift & BYTES_4
    match case.kind:
        case Access.FETCH:
            return word >> 8 & BYTES_4
        case Access.READ:
            return found
        case Access.WRITE | Access.RMW:
            stored = WRITTEN if case.kind is Access.WRITE else found + 1 & BYTES_4
            memory[address & -8] = word & ~(BYTES_4 << shift) | stored << shift
            return None
        case Access.LOAD_PDPTES:
            return None


def _ending(case: Case, outcome: sdm.Outcome, changed: dict[int, int], value: int | None) -> Ending:
    match outcome:
        case sdm.Translated():
            return Ending(Kind.ALLOWED, value=value, changed=changed, page=outcome.guest_physical_address)
        case sdm.PageFault():
            linear = outcome.guest_linear_address
            return Ending(Kind.PAGE_FAULT, outcome.error_code, guest_linear_address=linear, changed=changed)
        case sdm.GeneralProtection():
            return Ending(Kind.GENERAL_PROTECTION, changed=changed)
        case sdm.EptViolation() | sdm.SppEvent():
            kind = Kind.SPP_EVENT if isinstance(outcome, sdm.SppEvent) else Kind.EPT_VIOLATION
            physical, linear = outcome.guest_physical_address, outcome.guest_linear_address
            return Ending(kind, outcome.qualification, physical, linear, changed=changed)
        case sdm.EptMisconfiguration():
            physical = outcome.guest_physical_address
            return Ending(Kind.EPT_MISCONFIGURATION, guest_physical_address=physical, changed=changed)
        case sdm.VirtualizationException():
            return virtualization_exception(case, changed)
        case sdm.VmEntryFailure():
            if outcome.vm_instruction_error is not None:
                return Ending(Kind.CONTROL_FAILURE, outcome.vm_instruction_error)
            return Ending(Kind.ENTRY_FAILURE, outcome.qualification or 0)
        case _:
            assert_never(outcome)


def _vmcs(case: Case) -> sdm.Vmcs:
    controls = case.controls
    return sdm.Vmcs(
        eptp=controls.eptp,
        primary_controls=controls.primary,
        secondary_controls=controls.secondary,
        tertiary_controls=controls.tertiary,
        pin_controls=PIN_CONTROLS,
        exception_bitmap=EVERY_EXCEPTION,
        ve_information_address=controls.ve_information_address,
        sppt_pointer=controls.sppt_pointer,
    )


def _guest(case: Case) -> sdm.Guest:
    guest = case.guest
    return sdm.Guest(
        cr0=guest.cr0,
        cr3=guest.cr3,
        cr4=guest.cr4,
        efer=guest.efer,
        cpl=guest.cpl,
        rflags=guest.rflags,
        pdptes=guest.pdptes,
    )


def scenarios(case: Case) -> Iterator[dict[str, Any]]:
    """The accesses of the case as documents of schema slat-scenario-1, each on the case's own memory."""
    for run, request in runs(case):
        cpu, vmcs, guest = run.processor, run.vmcs, run.guest
        access: dict[str, Any] = {"kind": "load_pdptes"}
        if isinstance(request, sdm.LinearAccess):
            access = {"kind": request.kind, "linear_address": hex(request.linear_address)}
        capabilities = ("ept_vpid_cap", "procbased_ctls", "procbased_ctls2", "procbased_ctls3")
        registers = ("cr0", "cr3", "cr4", "efer", "rflags")
        yield {
            "schema": "slat-scenario-1",
            "cpu": {"maxphyaddr": cpu.maxphyaddr, "features": {"pku": False, "cet": False}}
            | {name: hex(getattr(cpu, name)) for name in capabilities},
            "vmcs": {name: hex(getattr(vmcs, name)) for name in vmcs.__slots__},
            "guest": {"cpl": guest.cpl, "pdptes": [hex(entry) for entry in guest.pdptes]}
            | {name: hex(getattr(guest, name)) for name in registers},
            "memory": {hex(address): hex(word) for address, word in sorted(run.memory.items())},
            "access": access,
        }
