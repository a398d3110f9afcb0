"""In: L0, an L1 with its memory and its vmcs12, an L2. Out: what accesses of L2 do, KVM's part included.

Guarantee: only L0's memory (a copy) and KVM's own state change, and they keep what they learn from one access to the
next and from one VM entry to the next.
Trusted: no, checked by tests/unit/models/kvm and tests/differential (shadow against composition).

L1's memory is where L0's slots, or a given EPT01, say; EPT12 is read there. An L2 without EPT12 runs on KVM's direct
page tables. Left out: checks of VM entry that concern neither EPT nor paging, PML, #VE, APIC pages, SMM, shadow paging
without EPT.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from models.kvm.attempt import Attempt, Running
from models.kvm.capabilities import EVERYTHING, Host, UserSpace, hardware_setup, restrict, tdp_level
from models.kvm.capabilities import vmx_secondary_exec_control as vmcs01_controls
from models.kvm.fetch import Fetcher, Place
from models.kvm.l1_memory import Ept01Memory, L1Memory, Slot, SlotMemory, read_l1
from models.kvm.mmu import Mmu, init_direct_mmu, nested_ept_init_mmu_context
from models.kvm.outcome import Answer
from models.kvm.role import PG_LEVEL_4K, ShadowEpt
from models.kvm.shadow_pages import ShadowPages
from models.kvm.tracking import mark_spte_for_access_track
from models.kvm.version import Version
from models.kvm.vmcs02 import (
    TABLE,
    EntryFailure,
    construct_eptp,
    nested_cpu_has2,
    nested_ept_ad_enabled,
    nested_ept_mbec_enabled,
    nested_vmx_check_controls,
    prepare_vmcs02,
)
from models.sdm import Guest, InputError, Request, Trace, Vmcs
from models.sdm.ept.entry import configure
from models.sdm.outcome import EXIT_REASON_INVALID_GUEST_STATE
from models.sdm.paging.mode import paging_configuration, paging_mode
from models.sdm.vm_entry import pdpte_failure
from models.sdm.vmx.controls import ENABLE_EPT, refuse_unmodelled_controls
from models.sdm.vmx.processor import CAP_EXECUTE_ONLY


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """L0 and what it gives L1. Either `ept01`, the EPTP of tables in L0's memory, or `slots` say where L1's memory is;
    without either, L1's addresses are L0's, up to half of the address space.

    `vmcs01_secondary`: None for KVM's own choice. `shadow_pages`: where KVM's page tables begin in L0's memory, by
    default in the upper half; pages with a word in them are left alone.
    """

    version: Version
    host: Host
    user_space: UserSpace = EVERYTHING
    slots: tuple[Slot, ...] = ()
    ept01: int | None = None
    vmcs01_secondary: int | None = None
    shadow_pages: int | None = None


class Nested:
    """One L1, and the L2 that it runs. `running` is None before a VM entry that succeeds."""

    def __init__(self, setting: Setting, memory: Mapping[int, int]) -> None:
        self.setting = setting
        self.kvm = hardware_setup(setting.version, setting.host)
        if not self.kvm.enable_ept:
            raise InputError("unmodelled_control", "host.parameters.ept", "without EPT KVM shadows in another way")
        self.msrs = restrict(self.kvm, setting.user_space)
        width, half = setting.user_space.maxphyaddr, 1 << setting.host.processor.maxphyaddr - 1
        self.l1_maxphyaddr = setting.host.processor.maxphyaddr if width is None else width
        self.memory = dict(memory)
        self.l1 = self._l1_memory(half)
        first = half if setting.shadow_pages is None else setting.shadow_pages
        self.pages = ShadowPages(self.kvm, self.memory, self.l1, first)
        self.guest_mmu = Mmu(setting.version)
        self.root_mmu = init_direct_mmu(self.kvm, tdp_level(self.kvm, self.l1_maxphyaddr), guest_mode=True)
        self.running: Running | None = None
        self.generation = 0
        self.prefetch_count = 8

    def _l1_memory(self, half: int) -> L1Memory:
        setting, processor = self.setting, self.setting.host.processor
        if setting.ept01 is None:
            return SlotMemory(setting.slots or (Slot(0, 0, half),))
        controls = setting.vmcs01_secondary
        controls = vmcs01_controls(self.kvm) if controls is None else controls
        configuration = configure(processor.maxphyaddr, processor.ept_vpid_cap, setting.ept01 & 0xFF, controls, 0)
        return Ept01Memory(self.memory, configuration, setting.ept01, self.kvm.masks)

    # ---- what L1 does

    def enter(self, vmcs12: Vmcs, guest: Guest) -> EntryFailure | None:
        """L1 runs L2. Raises `InputError` "unmodelled_control" for a control of vmcs12 that models/sdm lacks."""
        self.running = None
        _refuse_unmodelled(vmcs12)
        because = nested_vmx_check_controls(self.kvm, vmcs12, self.msrs, self.l1_maxphyaddr)
        if because is not None:
            return EntryFailure(because, vm_instruction_error=7)
        if guest.cr3 >> self.l1_maxphyaddr:
            because = f"CR3[63:{self.l1_maxphyaddr}] is not 0"
            return EntryFailure(because, exit_reason=EXIT_REASON_INVALID_GUEST_STATE, qualification=0)
        if nested_cpu_has2(vmcs12, ENABLE_EPT):
            self._run(vmcs12, guest, self._shadow_ept_mmu(vmcs12), (vmcs12.eptp & TABLE) >> 12)
            return None
        loaded = self._load_pdptes(guest)
        if isinstance(loaded, EntryFailure):
            return loaded
        self._run(vmcs12, loaded, self.root_mmu, 0)
        return None

    def _load_pdptes(self, guest: Guest) -> Guest | EntryFailure:
        """load_pdptrs() for an L2 without EPT12: the four words at CR3 in L1's memory."""
        if paging_mode(guest.cr0, guest.cr4, guest.efer) != "PAE":
            return guest
        features = self.setting.host.processor.features
        paging = paging_configuration(guest.cr0, guest.cr4, guest.efer, features, self.l1_maxphyaddr)
        root = guest.cr3 & paging.root_mask
        first, second, third, fourth = (read_l1(self.memory, self.l1, root + 8 * i) or 0 for i in range(4))
        pdptes = first, second, third, fourth
        failure = pdpte_failure(paging, pdptes)
        if failure is not None:
            return EntryFailure(failure.because, None, failure.exit_reason, failure.qualification)
        return replace(guest, pdptes=pdptes)

    def _shadow_ept_mmu(self, vmcs12: Vmcs) -> Mmu:
        chosen = ShadowEpt(
            level=(vmcs12.eptp >> 3 & 7) + 1,
            accessed_dirty=nested_ept_ad_enabled(vmcs12),
            execonly=bool(self.msrs.ept_caps & CAP_EXECUTE_ONLY),
            mbec=nested_ept_mbec_enabled(vmcs12),
        )
        nested_ept_init_mmu_context(self.kvm, self.guest_mmu, chosen, self.msrs, self.l1_maxphyaddr)
        return self.guest_mmu

    def _run(self, vmcs12: Vmcs, guest: Guest, mmu: Mmu, root_gfn: int) -> None:
        root = self.pages.get_page(root_gfn, mmu.root_role)
        fetcher = Fetcher(self.pages, mmu, root)
        fetcher.generation, fetcher.prefetch_count = self.generation, self.prefetch_count
        # Decision: every VM entry brings shadow pages back into sync, as INVEPT would; L1 is taken to have executed it.
        fetcher.sync_roots()
        eptp = construct_eptp(self.kvm, root.address, root.role.level, vmcs12)
        vmcs02 = prepare_vmcs02(self.kvm, self.setting.vmcs01_secondary, vmcs12, eptp)
        self.running = Running(self.kvm, self.msrs, self.memory, self.l1, mmu, fetcher, vmcs12, vmcs02, guest)

    def l1_writes(self, address: int, word: int) -> None:
        """L1 writes a word of its memory; what KVM shadows of it and still watches is dropped (kvm_mmu_track_write()).

        L1 has no memory there: nothing happens.
        """
        backing = self.l1.find(address >> 12)
        if backing is None:
            return
        self.memory[backing.pfn << 12 | address & 0xFF8] = word
        for page in self.pages.shadows.get(address >> 12, ()):
            if not page.unsync:
                self.pages.zap(page, (address & 0xFFF) >> 3)

    # ---- what L2 does

    def access(self, request: Request, trace: Trace | None = None) -> Answer:
        """One access of L2, to its end. `enter` must have succeeded."""
        assert self.running is not None, "L2 is not running"
        return Attempt(self.running, trace).complete(request)

    # ---- what L0 does meanwhile

    def age(self) -> None:
        """kvm_age_gfn() of everything: each page's next access shows again."""
        for page, index, spte in self.pages.leaves():
            self.pages.write(page, index, mark_spte_for_access_track(self.kvm.masks, spte))

    def write_protect(self) -> None:
        """Dirty logging begins: no page is writable until it is written."""
        for _, _, spte in list(self.pages.leaves()):
            self.pages.write_protect((spte & TABLE) >> 12, pt_protect=False)

    def split_huge_pages(self, most: int | None = None) -> None:
        """Huge pages, all or so many, become tables of their parts, one level down."""
        assert self.running is not None, "L2 is not running"
        huge = [(page, index) for page, index, _ in self.pages.leaves() if page.role.level > PG_LEVEL_4K]
        for page, index in huge[:most]:
            self.running.fetcher.split(Place(page, index))

    def zap_all(self) -> None:
        """Every SPTE that maps a page goes."""
        for page, index, _ in list(self.pages.leaves()):
            self.pages.zap(page, index)

    def new_memslots(self) -> None:
        """The memory slots change their generation, so that MMIO SPTEs are out of date."""
        self.generation += 1
        if self.running is not None:
            self.running.fetcher.generation = self.generation


def _refuse_unmodelled(vmcs12: Vmcs) -> None:
    try:
        refuse_unmodelled_controls(vmcs12)
    except InputError as error:
        raise InputError(error.code, error.path.replace("vmcs.", "vmcs12.", 1), error.message) from None
