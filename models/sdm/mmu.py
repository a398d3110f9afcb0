"""In: a machine and a request. Out: what the processor does, as one outcome.

Guarantee: VM entry first, then guest paging, then EPT on the final address; exactly one outcome. The
machine is never changed. An access that no guest could make is an `InputError`.
Trusted: no, checked by tests/tables, tests/unit/models and tests/differential.

Cached translations do not exist here: every access walks.
"""

from typing import assert_never

from models.sdm.admission import admit_linear, admit_physical
from models.sdm.ept.access import EptAccess, final_access, page_properties, physical_access
from models.sdm.ept.entry import EPT_OFF, EptPage
from models.sdm.ept.memory_type import WRITE_BACK, effective_memory_type
from models.sdm.ept.walk import translate
from models.sdm.errors import InputError
from models.sdm.memory import PhysicalMemory
from models.sdm.outcome import Exit, MemoryType, Outcome, Translated, VmEntryFailure
from models.sdm.paging.mode import PagingConfiguration
from models.sdm.paging.pdpte import LoadedPdptes, load_pdptes, read_pdptes
from models.sdm.paging.rights import GuestPage
from models.sdm.paging.walk import walk
from models.sdm.requests import LinearAccess, PdpteLoad, PhysicalAccess, Request
from models.sdm.run import Machine, Run
from models.sdm.trace import EPT_MEMORY_TYPE, SECONDARY_CONTROLS, Step, Trace
from models.sdm.vm_entry import enter, pdpte_failure
from models.sdm.vmx.guest import CR0_CD


def access(machine: Machine, request: Request, trace: Trace | None = None) -> Outcome:
    """Performs one access in the guest right after VM entry; appends its steps to `trace` if one is given.

    Raises `InputError` for a control that is not modelled, for invalid state that is no matter of paging, and
    for a request that the guest state rules out (a non-canonical address, a shadow-stack access without CET).
    """
    entered = enter(machine.processor, machine.vmcs, machine.guest)
    if isinstance(entered, VmEntryFailure):
        return _failed_entry(entered, trace)
    paging, pdptes = entered.paging, machine.guest.pdptes
    memory = PhysicalMemory(machine.memory)
    if entered.ept is EPT_OFF and paging.mode == "PAE":
        pdptes = read_pdptes(memory, machine.guest.cr3 & paging.root_mask)
        failure = pdpte_failure(paging, pdptes)
        if failure is not None:
            return _failed_entry(failure, trace)
    run = Run(machine.vmcs, machine.guest, memory, entered.ept, request.circumstances, pdptes, None, trace)
    match request:
        case LinearAccess():
            return _access_linear(run, paging, request)
        case PhysicalAccess():
            return _access_physical(run, machine, request)
        case PdpteLoad():
            return _load_pdptes(run, paging)
        case _:
            assert_never(request)


def _failed_entry(failure: VmEntryFailure, trace: Trace | None) -> VmEntryFailure:
    if trace is not None:
        trace.append(Step("VM entry", f"fails: {failure.because}"))
    return failure


def _access_linear(run: Run, paging: PagingConfiguration, request: LinearAccess) -> Outcome:
    intent = admit_linear(run.guest, paging, request)
    linear_address = request.linear_address
    run.linear_address = linear_address
    page = walk(run, paging, linear_address, intent)
    if not isinstance(page, GuestPage):
        return page
    if run.ept is EPT_OFF:
        return _access_without_ept(run, page.guest_physical_address)
    shadow_stack = ("user" if intent.user_mode else "supervisor") if intent.shadow_stack else "none"
    properties = page_properties(page.user, page.writable, page.execute_disable)
    final = final_access(run.ept, request.kind, properties, shadow_stack, page.unverified)
    # A page without an index (CR0.PG = 0) has PAT memory type WB.
    pat_type = WRITE_BACK if page.pat_index is None else run.guest.ia32_pat >> 8 * page.pat_index & 7
    return _access_through_ept(run, page.guest_physical_address, final, pat_type)


def _access_physical(run: Run, machine: Machine, request: PhysicalAccess) -> Outcome:
    shadow_stack = admit_physical(machine, run.ept is not EPT_OFF, request)
    address = request.guest_physical_address
    if run.ept is EPT_OFF:
        return _access_without_ept(run, address)
    # Decision: a guest-physical address alone has no PAT memory type; it counts as WB.
    return _access_through_ept(run, address, physical_access(run.ept, request, shadow_stack), WRITE_BACK)


def _access_without_ept(run: Run, address: int) -> Translated:
    """Guest-physical is host-physical; the memory type, which MTRRs and the PAT would give, is not modelled."""
    run.step("EPT off", f"the guest-physical address is the host-physical one ({SECONDARY_CONTROLS})", address)
    return Translated(address, address, run.linear_address, None, run.memory.changed())


def _access_through_ept(run: Run, address: int, final: EptAccess, pat_type: int) -> Outcome:
    if run.trace is not None:
        run.step("EPT", "for the final address", address)
    page = translate(run, address, final)
    if not isinstance(page, EptPage):
        return page
    memory_type = _memory_type(run, page.entry, pat_type)
    changed = run.memory.changed()
    return Translated(page.host_physical_address, address, run.linear_address, memory_type, changed)


def _load_pdptes(run: Run, paging: PagingConfiguration) -> Translated | Exit:
    if paging.mode != "PAE":
        raise InputError("invalid_access", "access.kind", "PDPTEs are loaded under PAE paging only")
    loaded = load_pdptes(run, paging)
    if not isinstance(loaded, LoadedPdptes):
        return loaded
    return Translated(
        loaded.host_physical_address,
        loaded.guest_physical_address,
        None,
        None if loaded.ept_entry is None else _memory_type(run, loaded.ept_entry, WRITE_BACK),
        run.memory.changed(),
    )


def _memory_type(run: Run, ept_entry: int, pat_type: int) -> MemoryType:
    memory_type = effective_memory_type(ept_entry, pat_type, bool(run.guest.cr0 & CR0_CD))
    if run.trace is not None:
        run.step("memory type", f"{memory_type} ({EPT_MEMORY_TYPE})")
    return memory_type
