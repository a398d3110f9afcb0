"""Guests as scenarios: what is realised, and what no scenario expresses."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from verifier.cli.replay_ept import fields_of, kind_of, made_of, number_of, specification
from verifier.cli.replay_guest import GuestSpecification, compare_guest, guest_specification
from verifier.cli.replay_guest_around import guest_around
from verifier.cli.replay_scenario import Unrealisable
from verifier.core.values import Value
from verifier.names.project import read_project
from verifier.types.kinds import Record, Type
from verifier.types.load import load

ROOT = Path(__file__).parents[4]
PG, WP, PSE, PAE, PKS = 1 << 31, 1 << 16, 1 << 4, 1 << 5, 1 << 24
LONG_MODE = {"cr0": PG, "cr4": PAE, "efer": 1 << 8}
PRESENT, WRITABLE, USER, ACCESSED, DIRTY, LARGE = 1, 2, 4, 1 << 5, 1 << 6, 1 << 7
OPEN = PRESENT | WRITABLE | USER | ACCESSED
R, W, X, WRITE_BACK = 1, 2, 4, 6 << 3
PAGE = {"pml4e": R | W | X, "pdpte": R | W | X | LARGE | WRITE_BACK}
"""An EPT walk with every right, to a page of 1 GByte."""
LEVELS = ("pml5e", "pml4e", "pdpte", "pde", "pte")


@cache
def spec() -> GuestSpecification:
    checked = load(read_project(ROOT)).checked
    found = guest_specification(checked, specification(checked))
    assert found is not None
    return found


def inner(record: Type, name: str) -> Record:
    """The record type of a field."""
    assert isinstance(record, Record)
    kind = kind_of(record, name)
    assert isinstance(kind, Record)
    return kind


def guest(paging: dict[str, Any], kind: str = "READ", **given: Any) -> Value:
    """A walk in which EPT grants everything and every guest entry is open, but for what is given."""
    number = number_of(kind_of(inner(spec().walk, "access"), "kind"), kind)
    access = {"kind": number, **given.pop("access", {})}
    controls = {"page_1g": True, "page_2m": True, **given.pop("controls", {})}
    open_walk = {level: {"entry": OPEN, "ept": PAGE} for level in LEVELS} | {"final": PAGE}
    return made_of(spec().walk, open_walk | given | {"paging": paging, "controls": controls, "access": access})


def test_entries_and_addresses_that_a_machine_can_hold_stay_as_they_are() -> None:
    tables = {
        "pml4e": {"entry": OPEN | 0x2000, "ept": PAGE | {"guest_physical": 0x1008}},
        "pdpte": {"entry": OPEN | 0x3000, "ept": PAGE | {"guest_physical": 0x2010}},
        "pde": {"entry": OPEN | 0x4000, "ept": PAGE | {"guest_physical": 0x3018}},
        "pte": {"entry": OPEN | 0x5000, "ept": PAGE | {"guest_physical": 0x4020}},
        "final": PAGE | {"guest_physical": 0x5123},
    }
    ept = {"pml4e": 0x10_0000 | R | W | X}
    tables = {
        name: (reads | ept if name == "final" else reads | {"ept": reads["ept"] | ept})
        for name, reads in tables.items()
    }
    walk = guest(LONG_MODE, root=0x20_0000, **tables)
    at, there, said, seen = compare_guest(spec(), walk)
    assert fields_of(spec().walk, there)["final"] == fields_of(spec().walk, walk)["final"]
    assert at.document["access"]["linear_address"] == hex(1 << 39 | 2 << 30 | 3 << 21 | 4 << 12 | 0x123)
    assert at.document["guest"]["cr3"] == "0x1000"
    assert at.document["memory"]["0x1008"] == hex(OPEN | 0x2000)
    assert said == seen
    assert (said.outcome, said.host_physical_address) == ("TRANSLATED", 0x5123)


def test_tables_of_a_minimal_example_that_lie_in_one_word_are_moved() -> None:
    other = PAGE | {"pml4e": R | X, "pdpte": R | X | LARGE | WRITE_BACK}
    at, there, said, seen = compare_guest(spec(), guest(LONG_MODE, pte={"entry": OPEN, "ept": other}))
    walk = fields_of(spec().walk, there)
    assert walk["pde"][0] & ~OPEN != 0, "the page of the PTE is another than that of the PDE"
    assert len(set(at.addresses.values())) == 5
    assert said == seen
    assert said.outcome == "TRANSLATED"


@pytest.mark.parametrize("kind", ["SHADOW_STACK_READ", "SHADOW_STACK_WRITE", "WRUSS"])
def test_registers_become_those_that_vm_entry_accepts(kind: str) -> None:
    pte = {"entry": PRESENT | USER * (kind == "WRUSS") | ACCESSED | DIRTY, "ept": PAGE}
    at, _, said, seen = compare_guest(spec(), guest(LONG_MODE, kind, pte=pte, access={"cpl": 1}))
    assert int(at.document["guest"]["cr0"], 16) & WP
    assert said == seen
    assert said.outcome == "TRANSLATED"


def test_pse_36_reaches_a_second_pml4e_in_32_bit_paging() -> None:
    final = {"pml4e": W}
    walk = guest({"cr0": PG, "cr4": PSE}, pde={"entry": OPEN | LARGE, "ept": PAGE}, final=final)
    at, _, said, seen = compare_guest(spec(), walk)
    assert at.addresses["final"] >> 39 == 1
    assert said == seen
    assert (said.outcome, said.stage) == ("EPT_MISCONFIGURATION", "FINAL_ADDRESS")


@pytest.mark.parametrize("five_level", [False, True])
def test_an_address_too_wide_for_ept_stays_one(five_level: bool) -> None:
    final = PAGE | {"guest_physical": 1 << 51, "pml5e": R | W | X}
    levels = {level: {"entry": OPEN, "ept": PAGE | {"pml5e": R | W | X}} for level in LEVELS}
    _, _, said, seen = compare_guest(
        spec(), guest(LONG_MODE, final=final, controls={"five_level": five_level}, **levels)
    )
    assert said == seen
    assert said.outcome == ("TRANSLATED" if five_level else "EPT_VIOLATION")
    assert said.guest_physical_address >> 48 == (0 if five_level else 8) or five_level


def beyond(width: int) -> int:
    return (1 << 52) - (1 << width)


UNREALISABLE = {
    "are no bits 51:MAXPHYADDR": lambda: guest(LONG_MODE, controls={"beyond_maxphyaddr": 1 << 40}),
    "never narrower than MAXPHYADDR": lambda: guest({**LONG_MODE, "beyond_maxphyaddr": beyond(40)}),
    "loads no PDPTE with a reserved bit": lambda: guest({"cr0": PG, "cr4": PAE}, pdpte_register=0b11),
    "in the only PML4E that they can reach": lambda: guest({"cr0": PG}, final={"pml4e": R | X}),
    "nothing references a guest-physical address": lambda: guest({"cr0": PG}, final={"guest_physical": 1 << 48}),
    "ends in another way": lambda: guest(
        {**LONG_MODE, "cr4": PAE | PKS, "pkrs": 2},
        "SHADOW_STACK_WRITE",
        pte={"entry": PRESENT | ACCESSED | DIRTY, "ept": PAGE},
    ),
}


@pytest.mark.parametrize("reason", UNREALISABLE)
def test_what_no_scenario_expresses_is_refused_with_the_reason(reason: str) -> None:
    with pytest.raises(Unrealisable, match=reason):
        compare_guest(spec(), UNREALISABLE[reason]())


def access(kind: str, **linear: bool) -> Value:
    """An access through guest entries that are not all in paging-write pages."""
    number = number_of(kind_of(spec().ept.access, "kind"), kind)
    return made_of(spec().ept.access, {"kind": number, "linear": linear})


@pytest.mark.parametrize("user_mode", [False, True])
@pytest.mark.parametrize("kind", ["DATA_READ", "DATA_WRITE", "READ_MODIFY_WRITE", "INSTRUCTION_FETCH"])
def test_a_guest_is_made_around_an_access_that_verification_denies(kind: str, user_mode: bool) -> None:
    controls = {"paging_write": True, "guest_paging_verification": True, "page_1g": True, "mbec": True}
    page = {"pml4e": R | W | X | 1 << 10, "pdpte": R | W | X | 1 << 10 | LARGE | WRITE_BACK | 1 << 57}
    walk = made_of(spec().ept.walk, {"controls": controls, **page})
    one = access(kind, user_mode=user_mode, writable=True)
    _, there, said, seen = compare_guest(spec(), guest_around(spec(), walk, one))
    ept_walk, ept_access = spec().at_the_final_address(there)
    assert ept_access == one
    assert fields_of(spec().ept.walk, ept_walk) | {"guest_physical": 0} == fields_of(spec().ept.walk, walk)
    assert said == seen
    assert (said.outcome, said.qualification >> 15 & 1) == ("EPT_VIOLATION", 1)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (lambda: access("PDPTE_LOAD"), "accesses to a translation alone"),
        (lambda: access("INSTRUCTION_FETCH", execute_disable=True), "no linear access looks like that"),
        (lambda: access("USER_SHADOW_STACK_READ", writable=True, user_mode=True), "no linear access looks like that"),
    ],
)
def test_no_guest_is_made_around_an_access_that_none_makes(one: Any, reason: str) -> None:
    with pytest.raises(Unrealisable, match=reason):
        guest_around(spec(), made_of(spec().ept.walk, {}), one())
