"""VM entry, PDPTE loads and memory types: the specifications, by the interpreter, against the reference MMU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from random import Random
from typing import Any

import pytest
from comparison import say, seed, shrink
from scenario_writer import shown
from spec_side import call, make, member, number, record
from spec_vmcs import specified_vmcs
from spec_walks import WIDTH, beyond, controls

from models.sdm import (
    EptMisconfiguration,
    EptViolation,
    GeneralProtection,
    Guest,
    InputError,
    LinearAccess,
    Machine,
    PdpteLoad,
    PhysicalAccess,
    Processor,
    Request,
    Translated,
    Vmcs,
    VmEntryFailure,
    access,
)

CASES = 3_000
ROOT, READ_WRITE_EXECUTE = 0x1000, 0x407
MODELLED_SECONDARY, MODELLED_TERTIARY = (1, 7, 18, 22, 23), (2, 3)
EPTP_BITS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 39, 40, 51, 52, 63)
CAPABILITY_BITS = (0, 6, 7, 8, 14, 16, 17, 21, 22, 23)
GUEST = Guest(cr0=0x80050033, cr3=0, cr4=0x2020, efer=0xD00, cpl=0, rflags=2)
PAE_GUEST = Guest(cr0=0x80010031, cr3=0x2000, cr4=0x20, efer=0, cpl=0, rflags=2)
EPT_TYPES, PAT_TYPES = (0, 1, 4, 5, 6), (0, 1, 4, 5, 6, 7)
MEMORY_TYPE = "sdm.ept.memory_type.MemoryType"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the specifications say of a case, what the reference MMU does, and the case as machine and request.

    A case that is made small must stay `possible`.
    """

    specified: Callable[[Any], Any]
    observed: Callable[[Any], Any]
    machine: Callable[[Any], tuple[Machine, Request]]
    possible: Callable[[Any], bool] = lambda case: True

    def fails(self, case: Any) -> bool:
        """Whether the two sides differ."""
        try:
            return self.possible(case) and self.specified(case) != self.observed(case)
        except InputError:
            return False

    def explain(self, case: Any) -> str:
        """The case with both answers and its scenario."""
        answers = f"specifications {self.specified(case)}\nreference MMU  {self.observed(case)}"
        return f"{answers}\n{shown(*self.machine(case))}"

    def run(self, capsys: pytest.CaptureFixture[str], name: str, cases: Iterable[Any]) -> Counter[Any]:
        """Compares every case; one that fails is made small. Returns how many end in each way."""
        ends, failing = Counter[Any](), list[Any]()
        for case in cases:
            ends[self.observed(case)] += 1
            if self.fails(case):
                failing.append(case)
        say(capsys, name, ends.total(), len(failing))
        assert not failing, self.explain(shrink(failing[0], self.fails))
        return ends


def flip(rng: Random, word: int, bits: tuple[int, ...], chance: float) -> int:
    """The word with some of these bits inverted."""
    return word ^ sum(1 << bit for bit in bits if rng.random() < chance)


def entry_case(rng: Random) -> tuple[Vmcs, Processor]:
    """Random controls and capabilities."""
    capabilities = flip(rng, 0xE341C1, CAPABILITY_BITS, 0.05)
    processor = Processor(maxphyaddr=WIDTH, raw_maxphyaddr=WIDTH, ept_vpid_cap=capabilities)
    processor = replace(
        processor,
        procbased_ctls=flip(rng, processor.procbased_ctls, (1, 17, 31, 49, 63), 0.03),
        procbased_ctls2=flip(rng, processor.procbased_ctls2, (1, 22, 33, 39, 50, 54, 55), 0.03),
        procbased_ctls3=flip(rng, processor.procbased_ctls3, MODELLED_TERTIARY, 0.05),
    )
    vmcs = Vmcs(
        eptp=flip(rng, ROOT | (0x1E if rng.random() < 0.5 else 0x26), EPTP_BITS, 0.03),
        primary_controls=flip(rng, 1 << 31 | 1 << 17, (31, 17), 0.15),
        secondary_controls=flip(rng, 0x2, MODELLED_SECONDARY, 0.2),
        tertiary_controls=flip(rng, 0, MODELLED_TERTIARY, 0.2),
        ve_information_address=flip(rng, 0x5000, (0, 11, 39, 40, 52, 63), 0.05),
        sppt_pointer=flip(rng, 0x6000, (0, 11, 39, 40, 52, 63), 0.05),
    )
    return vmcs, processor


def cases(rng: Random) -> Iterator[tuple[Vmcs, Processor]]:
    """Random VM entries."""
    while True:
        yield entry_case(rng)


def fails(case: tuple[Vmcs, Processor]) -> bool:
    """Whether the two sides differ."""
    return ENTRIES.fails(case)


def explain(case: tuple[Vmcs, Processor]) -> str:
    """A failing VM entry made small."""
    return ENTRIES.explain(shrink(case, fails))


def entry_machine(case: tuple[Vmcs, Processor]) -> tuple[Machine, Request]:
    vmcs, processor = case
    processor = replace(processor, maxphyaddr=WIDTH, raw_maxphyaddr=WIDTH)
    machine = Machine(processor=processor, vmcs=vmcs, guest=GUEST, memory={})
    return machine, PhysicalAccess(kind="read", guest_physical_address=0)


def entry_specified(case: tuple[Vmcs, Processor]) -> bool:
    machine, _ = entry_machine(case)
    return bool(call("sdm.vmx.entry.vm_entry_refuses", *specified_vmcs(machine.vmcs, machine.processor)))


def entry_observed(case: tuple[Vmcs, Processor]) -> bool:
    outcome = access(*entry_machine(case))
    return isinstance(outcome, VmEntryFailure) and outcome.vm_instruction_error == 7


ENTRIES = Comparison(entry_specified, entry_observed, entry_machine)


def test_specs_and_model_refuse_the_same_vm_entries(capsys: pytest.CaptureFixture[str]) -> None:
    start = seed()
    rng = Random(start)
    name = f"specs against model, VM entry (SLAT_SEED={start})"
    ends = ENTRIES.run(capsys, name, (entry_case(rng) for _ in range(CASES)))
    assert min(ends[True], ends[False]) > CASES // 10, ends


def one_page(leaf: int, **flags: bool) -> tuple[Any, dict[int, int]]:
    """A walk for guest-physical address 2000H through three tables to `leaf`: for both sides."""
    tables = {
        level: 0x1000 * (position + 3) | READ_WRITE_EXECUTE for position, level in enumerate(("pml4e", "pdpte", "pde"))
    }
    walk = make(
        record("sdm.ept.walk.EptWalk"),
        controls=controls(**flags),
        root=ROOT,
        guest_physical=0x2000,
        pml5e=0,
        **tables,
        pte=leaf,
    )
    words = list(tables.values())
    return walk, {ROOT: words[0], 0x3000: words[1], 0x4000: words[2], 0x5010: leaf}


LOAD_FLAGS = ("accessed_dirty", "mbec", "execute_only")
Load = tuple[tuple[bool, ...], int, tuple[int, ...]]
"""The flags, the EPT entry that maps the page of the PDPTEs, the PDPTEs."""


def load_case(rng: Random) -> Load:
    """A load of PDPTEs that often set reserved bits, through a page that EPT often denies."""
    flags = tuple(rng.random() < 0.5 for _ in LOAD_FLAGS)
    leaf = 0x7000 | 6 << 3 | rng.choice((0x407, 0x1, 0x401, 0x3, 0x2, 0x4, 0x400, 0))
    return flags, leaf, tuple(flip(rng, 0x9001, (0, 1, 2, 5, 8, 9, 40, 63), 0.03) for _ in range(4))


def load_machine(case: Load) -> tuple[Machine, Request]:
    (accessed_dirty, mbec, execute_only), leaf, pdptes = case
    _, memory = one_page(leaf)
    page = leaf & (1 << WIDTH) - 0x1000
    machine = Machine(
        processor=Processor(maxphyaddr=WIDTH, raw_maxphyaddr=WIDTH, ept_vpid_cap=0xE341C0 | execute_only),
        vmcs=Vmcs(
            eptp=ROOT | 0x1E | accessed_dirty << 6,
            primary_controls=1 << 31,
            secondary_controls=0x2 | mbec << 22,
        ),
        guest=PAE_GUEST,
        memory={page + 8 * position: pdpte for position, pdpte in enumerate(pdptes)} | memory,
    )
    return machine, PdpteLoad()


def load_specified(case: Load) -> str:
    flags, leaf, pdptes = case
    walk, _ = one_page(leaf, **dict(zip(LOAD_FLAGS, flags, strict=True)))
    paging = make(
        record("sdm.paging.mode.GuestPaging"),
        cr0=PAE_GUEST.cr0, cr4=PAE_GUEST.cr4, efer=0, ac=False, pkru=0, pkrs=0, page_1g=True, pse36=True,
        beyond_maxphyaddr=beyond(WIDTH),
    )  # fmt: skip
    return member("sdm.paging.pdpte.PdpteLoad", call("sdm.paging.pdpte.pdpte_load", walk, pdptes, paging))


def load_observed(case: Load) -> str:
    match access(*load_machine(case)):
        case Translated():
            return "LOADED"
        case GeneralProtection():
            return "GENERAL_PROTECTION"
        case EptViolation() | EptMisconfiguration():
            return "EPT_EXIT"
        case outcome:
            return type(outcome).__name__


LOADS = Comparison(load_specified, load_observed, load_machine, lambda case: case[1] >> 12 == 7)


def test_specs_and_model_agree_on_loads_of_pdptes(capsys: pytest.CaptureFixture[str]) -> None:
    start = seed()
    rng = Random(start)
    name = f"specs against model, PDPTE loads (SLAT_SEED={start})"
    ends = LOADS.run(capsys, name, (load_case(rng) for _ in range(CASES // 3)))
    assert min(ends["LOADED"], ends["GENERAL_PROTECTION"], ends["EPT_EXIT"]) > 50, ends


Cell = tuple[int, int, bool, bool, bool]
"""EPT and PAT type, ignore PAT, CR0.CD, CR0.PG."""


def type_machine(cell: Cell) -> tuple[Machine, Request]:
    """A guest page whose PAT index is 0."""
    ept, pat, ignore_pat, cache_disable, paging = cell
    _, memory = one_page(0x7000 | READ_WRITE_EXECUTE | ept << 3 | ignore_pat << 6)
    address, guest = 0x2000, replace(PAE_GUEST, ia32_pat=0x0606060606060600 | pat, pdptes=(0x2001, 0, 0, 0))
    if paging:
        memory[0x7000] = 0x2003 | 1 << 5  # the page directory and the page table are the page itself
        address = 0
    cr0 = (guest.cr0 if paging else 0x11) | cache_disable << 30
    machine = Machine(
        processor=Processor(maxphyaddr=WIDTH, raw_maxphyaddr=WIDTH, ept_vpid_cap=0xE341C1),
        vmcs=Vmcs(eptp=ROOT | 0x1E, primary_controls=1 << 31, secondary_controls=0x82),
        guest=replace(guest, cr0=cr0),
        memory=memory,
    )
    return machine, LinearAccess(kind="read", linear_address=address)


def type_specified(cell: Cell) -> str:
    ept, pat, ignore_pat, cache_disable, paging = cell
    selected = call("sdm.ept.memory_type.guest_memory_type", paging, pat)
    said = call("sdm.ept.memory_type.effective_memory_type", ept, ignore_pat, selected, cache_disable)
    return member(MEMORY_TYPE, said)


def type_observed(cell: Cell) -> str:
    outcome = access(*type_machine(cell))
    return str(outcome.effective_memory_type) if isinstance(outcome, Translated) else type(outcome).__name__


TYPES = Comparison(
    type_specified, type_observed, type_machine, lambda cell: cell[0] in EPT_TYPES and cell[1] in PAT_TYPES
)


def test_specs_and_model_agree_on_every_effective_memory_type(capsys: pytest.CaptureFixture[str]) -> None:
    flags = (False, True)
    cells = product(EPT_TYPES, PAT_TYPES, flags, flags, flags)
    ends = TYPES.run(capsys, "specs against model, effective memory types", cells)
    assert set(ends) == {"UC", "WC", "WT", "WP", "WB"}
    assert number(MEMORY_TYPE, "UC_MINUS") == 7
