"""Bochs and the program in it do what `Case` and `Observation` say, on facts of the SDM that are easy to check by hand.

The reference MMU has no part in these tests.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from . import build, machine
from . import walk as w
from .case import Access, Observation
from .ending import Ending, Kind, observed
from .image import PROGRAM, WRITTEN, instruction
from .walk import Paging, Walk, case, plain

VIOLATION, MISCONFIGURATION, VMCALL, ENTRY_FAILURE = 48, 49, 18, 0x8000_0021
USER_AND_WRITABLE, XU_ALLOWED = 1 << 9 | 1 << 10, 1 << 6
READ_AND_WRITE, ALLOWED_RIGHTS = 0x3, 0x78


def look(walk: Walk) -> Observation:
    return machine.run([case(walk)])[0]


def end(walk: Walk) -> Ending:
    return observed(case(walk), look(walk))


def with_page(walk: Walk, entry: int) -> Walk:
    return replace(walk, ept=(*walk.ept[:-1], (w.EPT_TABLE, w.EPT_TABLE, entry)))


def every_access() -> Iterator[Walk]:
    for paging in Paging:
        for kind in Access:
            for cpl in (0, 3):
                if kind is not Access.LOAD_PDPTES or (paging is Paging.PAE and cpl == 0):
                    yield plain(paging, kind, cpl)


@pytest.mark.parametrize(
    "walk", list(every_access()), ids=lambda walk: f"{walk.paging.name}-{walk.kind.value}-{walk.cpl}"
)
def test_an_allowed_access_ends_in_vmcall_at_the_page_that_the_tables_name(walk: Walk) -> None:
    observation, one = look(walk), case(walk)
    page = next((address for address, word in one.memory.items() if word == instruction(w.MARK)), None)
    assert observation.exit_reason == VMCALL
    match walk.kind:
        case Access.FETCH:
            assert observation.value == w.MARK
        case Access.READ:
            assert observation.value == instruction(w.MARK) & 0xFFFF_FFFF
        case Access.WRITE:
            assert page is not None
            assert observation.changed[page] & 0xFFFF_FFFF == WRITTEN
        case Access.RMW:
            assert page is not None
            assert observation.changed[page] == instruction(w.MARK) + 1
        case Access.LOAD_PDPTES:
            assert not observation.changed


def test_an_allowed_access_sets_the_accessed_flag_of_each_guest_entry_and_the_dirty_flag_of_the_last() -> None:
    walk = plain(Paging.LEVEL4, Access.WRITE)
    one, observation = case(walk), look(walk)
    flags = sorted(one.memory[address] ^ word for address, word in observation.changed.items())
    assert flags[:4] == [w.ACCESSED, w.ACCESSED, w.ACCESSED, w.ACCESSED | w.DIRTY]


def test_an_entry_that_is_not_present_is_a_violation_without_rights() -> None:
    walk = with_page(plain(Paging.NONE, Access.READ), 0)
    observation = look(walk)
    assert observation.exit_reason == VIOLATION
    assert observation.exit_qualification & ALLOWED_RIGHTS == 0
    assert observation.guest_physical_address == observation.guest_linear_address == walk.linear_address


@pytest.mark.parametrize("bits", [w.W, w.W | w.X, w.W | w.XU])
def test_write_without_read_is_a_misconfiguration(bits: int) -> None:
    assert look(with_page(plain(Paging.NONE, Access.READ), bits | 6 << 3)).exit_reason == MISCONFIGURATION


@pytest.mark.parametrize(("secondary", "reason"), [(0, VIOLATION), (w.MBE, VMCALL)])
def test_an_entry_with_bit_10_alone_is_present_with_mbe_only(secondary: int, reason: int) -> None:
    walk = replace(plain(Paging.NONE, Access.FETCH), secondary=w.EPT | w.UNRESTRICTED | secondary)
    assert look(with_page(walk, w.XU | 6 << 3)).exit_reason == reason


def test_mbe_without_ept_fails_vm_entry_with_error_7() -> None:
    assert look(replace(plain(Paging.LEVEL4, Access.READ), secondary=w.MBE)).entry_error == 7


def test_a_reserved_bit_in_a_pdpte_fails_vm_entry_after_the_controls() -> None:
    walk = plain(Paging.PAE, Access.READ)
    observation = look(replace(walk, guest=(w.P | 1 << 1, *walk.guest[1:])))
    assert (observation.exit_reason, observation.exit_qualification) == (ENTRY_FAILURE, 2)


@pytest.mark.parametrize(("user", "bits"), [(w.US, w.XU), (0, w.X)])
def test_the_page_and_not_the_cpl_selects_which_bit_governs_a_fetch(user: int, bits: int) -> None:
    walk = plain(Paging.LEVEL4, Access.FETCH)
    walk = replace(walk, guest=tuple(entry | user for entry in walk.guest))
    assert look(with_page(walk, w.R | bits | 6 << 3)).exit_reason == VMCALL
    assert look(with_page(walk, w.R | (w.X ^ w.XU ^ bits) | 6 << 3)).exit_reason == VIOLATION


def test_a_user_leaf_under_a_supervisor_entry_is_a_supervisor_page() -> None:
    walk = plain(Paging.LEVEL4, Access.FETCH)
    walk = replace(walk, guest=(*walk.guest[:3], walk.guest[3] | w.US))
    assert look(with_page(walk, w.R | w.X | 6 << 3)).exit_reason == VMCALL
    assert look(with_page(walk, w.R | w.XU | 6 << 3)).exit_reason == VIOLATION


def test_without_paging_a_fetch_is_user_mode_and_writable() -> None:
    walk = plain(Paging.NONE, Access.FETCH)
    assert look(with_page(walk, w.R | w.XU | 6 << 3)).exit_reason == VMCALL
    observation = look(with_page(walk, w.R | w.X | 6 << 3))
    assert observation.exit_qualification & (USER_AND_WRITABLE | XU_ALLOWED) == USER_AND_WRITABLE


def test_a_guest_page_fault_comes_before_an_ept_violation_of_the_page() -> None:
    walk = with_page(plain(Paging.LEVEL4, Access.WRITE, cpl=3), 0)
    ending = end(replace(walk, guest=(*walk.guest[:3], w.P | w.US)))
    assert (ending.kind, ending.code, ending.guest_linear_address) == (Kind.PAGE_FAULT, 0x7, walk.linear_address)


def test_an_ept_violation_of_a_guest_table_comes_before_a_page_fault_further_down() -> None:
    walk = plain(Paging.LEVEL4, Access.READ)
    no_table = (w.EPT_TABLE, w.EPT_TABLE, 0)
    ending = end(replace(walk, guest=(*walk.guest[:3], 0), ept=(*walk.ept[:3], no_table, walk.ept[4])))
    assert ending.kind is Kind.EPT_VIOLATION
    assert ending.code & 1 << 8 == 0


def test_with_ept_accessed_and_dirty_flags_a_guest_table_is_written_and_its_leaf_gets_dirty() -> None:
    walk = replace(plain(Paging.LEVEL4, Access.READ), eptp=w.EPT_ROOT | 3 << 3 | 6 | w.EPT_AD)
    read_only = (w.EPT_TABLE, w.EPT_TABLE, w.EPT_LEAF & ~w.W)
    ending = end(replace(walk, ept=(*walk.ept[:3], read_only, walk.ept[4])))
    assert (ending.kind, ending.code & READ_AND_WRITE) == (Kind.EPT_VIOLATION, 2)
    one, observation = case(walk), look(walk)
    dirty = [address for address, word in observation.changed.items() if word & ~one.memory[address] & 1 << 9]
    assert len(dirty) == 4 + 1  # the four tables, and that of the code's own table


def test_a_virtualization_exception_leaves_its_information_in_memory() -> None:
    walk = replace(plain(Paging.NONE, Access.READ), secondary=w.EPT | w.UNRESTRICTED | w.MBE | w.VE)
    ending = end(with_page(walk, 0))
    assert ending.kind is Kind.VIRTUALIZATION_EXCEPTION
    assert ending.guest_physical_address == ending.guest_linear_address == walk.linear_address
    assert ending.changed[w.VE_AREA] == 0xFFFF_FFFF << 32 | VIOLATION
    assert end(replace(with_page(walk, 0), ve_busy=True)).kind is Kind.EPT_VIOLATION


def test_a_sub_page_that_must_not_be_written_is_a_violation_and_a_missing_entry_an_spp_event() -> None:
    walk = replace(plain(Paging.NONE, Access.WRITE), secondary=w.EPT | w.UNRESTRICTED | w.SPP)
    walk = with_page(walk, w.R | 6 << 3 | 1 << 61)
    assert end(replace(walk, spp=(1, 1, 1, 0))).kind is Kind.EPT_VIOLATION
    assert end(replace(walk, spp=(1, 1, 1, 0x5555_5555_5555_5555))).kind is Kind.ALLOWED
    ending = end(replace(walk, spp=(1, 0, 1, 0)))
    assert (ending.kind, ending.code) == (Kind.SPP_EVENT, 1 << 11)


def test_cases_do_not_see_each_other() -> None:
    cases = [case(walk) for walk in every_access()]
    cases += [case(with_page(plain(paging, Access.READ), 0)) for paging in Paging]
    alone = [machine.run([one])[0] for one in cases]
    assert machine.run(cases) == alone
    assert machine.run(cases[::-1]) == alone[::-1]


def test_more_cases_than_fit_at_once_keep_their_order() -> None:
    walk = plain(Paging.NONE, Access.READ)
    walks = [replace(walk, linear_address=0x1000 * number) for number in range(2 * machine.BATCH + 1)]
    observations = machine.run([case(with_page(walk, 0)) for walk in walks])
    assert [one.guest_linear_address for one in observations] == [walk.linear_address for walk in walks]


def test_a_change_of_memory_that_is_not_listed_is_refused_and_does_not_last() -> None:
    one = case(plain(Paging.NONE, Access.WRITE))
    mark = instruction(w.MARK)
    unlisted = replace(one, memory={address: word for address, word in one.memory.items() if word != mark})
    with pytest.raises(ValueError, match="does not list"):
        machine.run([unlisted])
    assert machine.run([one])[0].exit_reason == VMCALL


@pytest.mark.parametrize("address", [0x1004, PROGRAM, -8])
def test_memory_that_cannot_be_listed_is_refused(address: int) -> None:
    one = case(plain(Paging.NONE, Access.READ))
    with pytest.raises(ValueError, match="memory is listed by"):
        machine.run([replace(one, memory={**one.memory, address: 0})])


def test_the_processor_has_what_the_comparison_is_about() -> None:
    reported = machine.capabilities()
    assert reported.maxphyaddr == 40
    controls = w.EPT | w.UNRESTRICTED | w.VE | w.MBE | w.SPP
    assert reported.procbased_ctls2 >> 32 & controls == controls
    features = 1 << 0 | 1 << 16 | 1 << 17 | 1 << 21 | 1 << 22  # execute-only, 2M, 1G, A/D, advanced information
    assert reported.ept_vpid_cap & features == features
    assert reported.procbased_ctls & 0xFFFF_FFFF == w.MUST_BE_ONE


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert build.missing() is None
    monkeypatch.setenv("PATH", "")
    assert build.missing() == "gcc is not installed"
