"""In: an L2 that runs, and an access. Out: what the access does; between two tries, what KVM does about the exit.

Guarantee: the processor of models/sdm runs L2 under vmcs02; KVM acts on nothing but the exit, its own state and L0's
memory. An access that can never end is found out.
Trusted: no, checked by tests/unit/models/kvm and tests/differential (shadow against composition).

Source: handle_ept_violation(), handle_ept_misconfig() (vmx/vmx.c), kvm_mmu_page_fault(), handle_mmio_page_fault()
(mmu/mmu.c), FNAME(page_fault) (mmu/paging_tmpl.h).
"""

from dataclasses import dataclass

from models.kvm.asm_vmx import EXIT_REASON_EPT_MISCONFIG, EXIT_REASON_EPT_VIOLATION
from models.kvm.capabilities import Kvm, NestedMsrs
from models.kvm.emulate import emulated_access
from models.kvm.fetch import Fetcher, Result, index_of
from models.kvm.l1_memory import L1Memory, read_l1
from models.kvm.mmio_spte import check_mmio_spte, is_mmio_spte
from models.kvm.mmu import Mmu, mmu_has_mbec
from models.kvm.notes import GpteRead, note_error_code, note_exit, note_gpte, note_result, note_walk_fault
from models.kvm.outcome import Answer, Emulated, Final, Fix, ReflectedExit, Stuck
from models.kvm.page_fault import fault_of
from models.kvm.permissions import Viewer
from models.kvm.pferr import PFERR_RSVD, PFERR_WRITE
from models.kvm.violation import LastExit, nested_ept_inject_page_fault, vmx_handle_ept_violation
from models.kvm.vmcs02 import EntryFailure
from models.kvm.walk import ADDRESS, GuestWalker, WalkFault, WalkSetting, accessed_dirty_updates, walk_addr_generic
from models.sdm import (
    EptMisconfiguration,
    EptViolation,
    GeneralProtection,
    Guest,
    Machine,
    Outcome,
    PageFault,
    Request,
    Trace,
    Translated,
    Vmcs,
    VmEntryFailure,
    access,
)
from models.sdm.bits import WORD
from models.sdm.vmx.guest import RFLAGS_AC

TRIES = 200
"""More exits than any access needs: each of five guest tables and a page, each found through five levels."""


@dataclass(slots=True)
class Running:
    """An L2 that L1 has entered. `mmu` is vcpu->arch.mmu; `generation` that of L0's memory slots."""

    kvm: Kvm
    msrs: NestedMsrs
    memory: dict[int, int]
    l1: L1Memory
    mmu: Mmu
    fetcher: Fetcher
    vmcs12: Vmcs
    vmcs02: Vmcs
    guest: Guest

    @property
    def mbec(self) -> bool:
        """What the version's predicate says of vcpu->arch.mmu."""
        return mmu_has_mbec(self.kvm, self.mmu, self.mmu)

    def viewer(self) -> Viewer:
        """What permission_fault() asks of the vCPU."""
        guest = self.guest
        return Viewer(bool(guest.rflags & RFLAGS_AC), guest.cpl, guest.pkru, self.mbec)

    def read_gpte(self, address: int, level: int, above: int) -> tuple[int, int | None]:
        """Where the entry of EPT12 for L2's `address` is in L1's memory, and its value; `above` is 0 for the root."""
        at = (above or self.vmcs12.eptp) & ADDRESS | 8 * index_of(address, level)
        return at, read_l1(self.memory, self.l1, at)


class Attempt:
    """One access under way: what it has written, which exits L0 has dealt with."""

    def __init__(self, running: Running, trace: Trace | None) -> None:
        self.running, self.trace = running, trace
        self.version, self.pages = running.kvm.version, running.fetcher.pages
        self.fixes: list[Fix] = []
        self.before: dict[int, int] = {}
        self.changes = 0
        self.first_spte, self.first_warning = len(self.pages.written), len(running.fetcher.warnings)
        processor = running.kvm.host.processor
        self.machine = Machine(processor=processor, vmcs=running.vmcs02, guest=running.guest, memory=running.memory)

    def complete(self, request: Request) -> Answer:
        """Tries until L2, L1 or L0's emulator has the result."""
        for _ in range(TRIES):
            seen = self.changes + len(self.pages.written)
            final = self._try(request)
            if final is not None:
                return self._answer(final)
            if self.changes + len(self.pages.written) == seen:
                last = self.fixes[-1]
                return self._answer(Stuck(f"the exit recurs for ever ({last.result})", last.guest_physical_address))
        return self._answer(Stuck(f"{TRIES} exits without an end", self.fixes[-1].guest_physical_address))

    def _try(self, request: Request) -> Final | None:
        """L2 tries once; None if it may try again."""
        outcome = access(self.machine, request, self.trace)
        self._apply(outcome)
        if isinstance(outcome, Translated | PageFault | GeneralProtection):
            return outcome
        if isinstance(outcome, VmEntryFailure):
            error, reason = outcome.vm_instruction_error, outcome.exit_reason
            return EntryFailure(outcome.because, error, reason, outcome.qualification)
        if isinstance(outcome, EptViolation):
            return self._violation(outcome)
        assert isinstance(outcome, EptMisconfiguration), "vmcs02 has no control for #VE or SPP"
        return self._misconfiguration(request, outcome.guest_physical_address)

    def _apply(self, outcome: Outcome) -> None:
        """The words that the processor wrote."""
        if not isinstance(outcome, VmEntryFailure):
            for at, word in outcome.memory_written.items():
                self._write(at, word)

    def _write(self, at: int, word: int) -> None:
        memory = self.running.memory
        self.before.setdefault(at, memory.get(at, 0))
        memory[at] = word
        self.changes += 1

    def _violation(self, outcome: EptViolation) -> Final | None:
        running, address = self.running, outcome.guest_physical_address
        qualification = outcome.qualification | running.kvm.host.undefined_bits & ~outcome.defined
        note_exit(self.trace, EXIT_REASON_EPT_VIOLATION, qualification, address)
        error_code = vmx_handle_ept_violation(self.version, qualification, running.mbec)
        return self._page_fault(address, error_code, LastExit(qualification, True))

    def _misconfiguration(self, request: Request, address: int) -> Final | None:
        """An MMIO SPTE, perhaps one of an older generation of memory slots."""
        running, masks = self.running, self.running.kvm.masks
        note_exit(self.trace, EXIT_REASON_EPT_MISCONFIG, None, address)
        spte = running.fetcher.leaf_spte(address)
        if spte is None or not is_mmio_spte(masks, spte):
            return Stuck(f"SPTE {hex(spte or 0)} is misconfigured and no MMIO SPTE: KVM gives up", address)
        undefined = running.kvm.host.undefined_bits
        if not check_mmio_spte(masks, spte, running.fetcher.generation):
            # FNAME(page_fault) says of every fault that it is the hardware's.
            return self._page_fault(address, PFERR_RSVD, LastExit(undefined, True))
        if not running.mmu.root_role.direct:
            wanted = emulated_access(self.version, self.machine, request, address)
            walked = self._walk(address, wanted)
            if isinstance(walked, WalkFault):
                return self._inject(walked, LastExit(undefined, False))
        return Emulated("mmio", address)

    def _page_fault(self, address: int, error_code: int, last: LastExit) -> Final | None:
        """kvm_mmu_do_page_fault()."""
        running, fetcher = self.running, self.running.fetcher
        note_error_code(self.trace, error_code)
        direct = bool(running.mmu.root_role.direct)
        fault = fault_of(error_code, direct, running.mbec)
        first = len(self.pages.written)
        if direct:
            result = fetcher.direct_fault(address, fault)
        else:
            walked = self._walk(address, error_code & ~PFERR_RSVD)
            if isinstance(walked, WalkFault):
                return self._inject(walked, last)
            result = fetcher.shadow_fault(address, fault, walked)
        note_result(self.trace, running.kvm.masks, result, self.pages.written[first:])
        return self._fixed(address, error_code, last, result)

    def _inject(self, fault: WalkFault, last: LastExit) -> ReflectedExit:
        told = nested_ept_inject_page_fault(self.version, fault, last, self.running.msrs.ept_caps)
        return ReflectedExit(told.exit_reason, told.exit_qualification, told.guest_physical_address)

    def _fixed(self, address: int, error_code: int, last: LastExit, result: Result) -> Final | None:
        reason, shown = EXIT_REASON_EPT_VIOLATION, last.qualification
        if error_code & PFERR_RSVD:
            reason, shown = EXIT_REASON_EPT_MISCONFIG, None
        self.fixes.append(Fix(reason, shown, address, error_code, result))
        return None if result in ("fixed", "spurious") else Emulated(result, address)

    def _walk(self, address: int, wanted: int) -> GuestWalker | WalkFault:
        """Walks EPT12, and sets its accessed and dirty flags."""
        running = self.running
        places: dict[int, int] = {}
        rights = WORD

        def read(level: int, above: int) -> int | None:
            nonlocal rights
            places[level], entry = running.read_gpte(address, level, above)
            rights &= entry or 0
            note_gpte(self.trace, self.version, GpteRead(level, places[level], entry, rights))
            return entry

        setting = WalkSetting(running.mbec, running.viewer())
        walked = walk_addr_generic(running.mmu, address, wanted, read, setting)
        if isinstance(walked, WalkFault):
            note_walk_fault(self.trace, walked)
        elif walked.sets_flags:
            for level, entry in accessed_dirty_updates(walked, bool(wanted & PFERR_WRITE)).items():
                self._set_flags(places[level], entry)
        return walked

    def _set_flags(self, at: int, entry: int) -> None:
        """Writes an entry of EPT12 back, unless L1 has it in read-only memory."""
        backing = self.running.l1.find(at >> 12)
        if backing is not None and backing.writable:
            self._write(backing.pfn << 12 | at & 0xFFF, entry)

    def _answer(self, final: Final) -> Answer:
        memory, warnings = self.running.memory, self.running.fetcher.warnings
        sptes = tuple(self.pages.written[self.first_spte :])
        for write in sptes:
            self.before.setdefault(write.address, write.before)
        changed = {at: memory[at] for at, was in sorted(self.before.items()) if memory[at] != was}
        return Answer(final, tuple(self.fixes), sptes, changed, tuple(warnings[self.first_warning :]))
