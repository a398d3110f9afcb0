"""VM entry, PDPTE loads and memory types: the specifications, by the interpreter, against the reference MMU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

import pytest
from comparison import say, seed
from spec_side import call, make, member, number, record
from spec_vmcs import specified_vmcs
from spec_walks import WIDTH, beyond, controls

from models.sdm import (
    EptMisconfiguration,
    EptViolation,
    GeneralProtection,
    Guest,
    LinearAccess,
    Machine,
    PdpteLoad,
    PhysicalAccess,
    Processor,
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


def compare(capsys: pytest.CaptureFixture[str], name: str, verdicts: Iterable[tuple[Any, Any, Any]]) -> Counter[Any]:
    """Each verdict is (specified, observed, the case)."""
    ends, failing = Counter[Any](), list[Any]()
    for specified, observed, case in verdicts:
        ends[observed] += 1
        if specified != observed:
            failing.append((specified, observed, case))
    say(capsys, name, ends.total(), len(failing))
    assert not failing, "specified {}, observed {}: {}".format(*failing[0])
    return ends


def flip(rng: Random, word: int, bits: tuple[int, ...], chance: float) -> int:
    """The word with some of these bits inverted."""
    return word ^ sum(1 << bit for bit in bits if rng.random() < chance)


def entry_case(rng: Random) -> tuple[bool, bool, Any]:
    """Random controls and capabilities; whether each side refuses VM entry, and the case."""
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
    request = PhysicalAccess(kind="read", guest_physical_address=0)
    outcome = access(Machine(processor=processor, vmcs=vmcs, guest=GUEST, memory={}), request)
    observed = isinstance(outcome, VmEntryFailure) and outcome.vm_instruction_error == 7
    return bool(call("sdm.vmx.entry.vm_entry_refuses", *specified_vmcs(vmcs, processor))), observed, (vmcs, processor)


def test_specs_and_model_refuse_the_same_vm_entries(capsys: pytest.CaptureFixture[str]) -> None:
    start = seed()
    rng = Random(start)
    name = f"specs against model, VM entry (SLAT_SEED={start})"
    ends = compare(capsys, name, (entry_case(rng) for _ in range(CASES)))
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


def pdpte_case(rng: Random) -> tuple[str, str, Any]:
    """A load of PDPTEs that often set reserved bits, through a page that EPT often denies."""
    flags = {"accessed_dirty": rng.random() < 0.5, "mbec": rng.random() < 0.5, "execute_only": rng.random() < 0.5}
    leaf = 0x7000 | 6 << 3 | rng.choice((0x407, 0x1, 0x401, 0x3, 0x2, 0x4, 0x400, 0))
    walk, memory = one_page(leaf, **flags)
    pdptes = tuple(flip(rng, 0x9001, (0, 1, 2, 5, 8, 9, 40, 63), 0.03) for _ in range(4))
    memory |= {0x7000 + 8 * position: pdpte for position, pdpte in enumerate(pdptes)}
    machine = Machine(
        processor=Processor(maxphyaddr=WIDTH, raw_maxphyaddr=WIDTH, ept_vpid_cap=0xE341C0 | flags["execute_only"]),
        vmcs=Vmcs(
            eptp=ROOT | 0x1E | flags["accessed_dirty"] << 6,
            primary_controls=1 << 31,
            secondary_controls=0x2 | flags["mbec"] << 22,
        ),
        guest=PAE_GUEST,
        memory=memory,
    )
    paging = make(
        record("sdm.paging.mode.GuestPaging"),
        cr0=PAE_GUEST.cr0, cr4=PAE_GUEST.cr4, efer=0, ac=False, pkru=0, pkrs=0, page_1g=True, pse36=True,
        beyond_maxphyaddr=beyond(WIDTH),
    )  # fmt: skip
    said = member("sdm.paging.pdpte.PdpteLoad", call("sdm.paging.pdpte.pdpte_load", walk, pdptes, paging))
    match access(machine, PdpteLoad()):
        case Translated():
            return said, "LOADED", machine
        case GeneralProtection():
            return said, "GENERAL_PROTECTION", machine
        case EptViolation() | EptMisconfiguration():
            return said, "EPT_EXIT", machine
        case outcome:
            return said, type(outcome).__name__, machine


def test_specs_and_model_agree_on_loads_of_pdptes(capsys: pytest.CaptureFixture[str]) -> None:
    start = seed()
    rng = Random(start)
    name = f"specs against model, PDPTE loads (SLAT_SEED={start})"
    ends = compare(capsys, name, (pdpte_case(rng) for _ in range(CASES // 3)))
    assert min(ends["LOADED"], ends["GENERAL_PROTECTION"], ends["EPT_EXIT"]) > 50, ends


def memory_type_case(ept: int, pat: int, ignore_pat: bool, cache_disable: bool, paging: bool) -> tuple[str, str, Any]:
    """One cell of the table, with a guest page whose PAT index is 0."""
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
    selected = call("sdm.ept.memory_type.guest_memory_type", paging, pat)
    said = call("sdm.ept.memory_type.effective_memory_type", ept, ignore_pat, selected, cache_disable)
    outcome = access(machine, LinearAccess(kind="read", linear_address=address))
    observed = outcome.effective_memory_type if isinstance(outcome, Translated) else type(outcome).__name__
    return member(MEMORY_TYPE, said), str(observed), machine


def test_specs_and_model_agree_on_every_effective_memory_type(capsys: pytest.CaptureFixture[str]) -> None:
    flags = (False, True)
    cases = (memory_type_case(*case) for case in product(EPT_TYPES, PAT_TYPES, flags, flags, flags))
    ends = compare(capsys, "specs against model, effective memory types", cases)
    assert set(ends) == {"UC", "WC", "WT", "WP", "WB"}
    assert number(MEMORY_TYPE, "UC_MINUS") == 7
