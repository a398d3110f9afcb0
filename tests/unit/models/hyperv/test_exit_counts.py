"""What an event of L2 costs under Restricted User Mode and under MBEC."""

from __future__ import annotations

from collections import Counter

import pytest

from models.hyperv import L2, Access, Nesting, OtherExit, Page, Replay, Transition, all_exits, replay
from models.hyperv.exits import Mode
from models.hyperv.l2 import KERNEL_EXECUTE, READ, USER_EXECUTE, WRITE
from models.hyperv.trace import Event

KERNEL, USER, VERIFIED, DATA, NOTHING = range(5)
MODES: tuple[Mode, ...] = ("Restricted User Mode", "MBEC")
MEMORY = L2(
    [
        Page(protection=READ | KERNEL_EXECUTE | USER_EXECUTE, user=False),
        Page(protection=READ | USER_EXECUTE, user=True),
        Page(protection=READ | KERNEL_EXECUTE | USER_EXECUTE, user=True),
        Page(protection=READ | WRITE | USER_EXECUTE, user=False),
        Page(protection=0, user=True),
    ]
)
TO_USER, TO_KERNEL = "switch to EPT_U (V2)", "switch to EPT_K (V1)"


def run(mode: Mode, *events: Event) -> Replay:
    return replay(events, MEMORY, mode)


def round_trip(page: int) -> tuple[Event, ...]:
    return Transition(3), Access("fetch", page), Transition(0), Access("fetch", KERNEL)


def test_a_round_trip_costs_two_switches_and_mbec_none():
    rum, mbec = (run(mode, *round_trip(USER)) for mode in MODES)
    assert rum.exits == {TO_USER: 1, TO_KERNEL: 1}
    assert rum.eptp_writes == 2
    assert mbec.exits == {}
    assert rum.done == mbec.done == [True, True]


def test_user_code_in_a_page_with_kmx_stays_in_the_view_of_the_kernel():
    assert run("Restricted User Mode", *round_trip(VERIFIED)).exits == {}


def test_a_second_fetch_in_the_same_stay_costs_nothing_more():
    events = (Transition(3), Access("fetch", USER), Access("fetch", VERIFIED), Access("fetch", USER))
    assert run("Restricted User Mode", *events).exits == {TO_USER: 1}


def test_data_accesses_of_user_mode_cost_no_switch():
    result = run("Restricted User Mode", Transition(3), Access("read", USER))
    assert result.exits == {}
    assert result.done == [True]


@pytest.mark.parametrize("mode", MODES)
def test_the_kernel_that_runs_unverified_code_is_stopped_in_both_modes(mode: Mode):
    result = run(mode, Access("fetch", DATA))
    assert result.exits == {"protection violated": 1}
    assert result.eptp_writes == 0
    assert result.done == [False]


@pytest.mark.parametrize("mode", MODES)
def test_a_page_without_any_right_is_no_matter_of_views(mode: Mode):
    assert run(mode, Transition(3), Access("fetch", NOTHING)).exits == {"protection violated": 1}


@pytest.mark.parametrize("mode", MODES)
def test_a_page_fault_of_the_guest_is_no_exit(mode: Mode):
    result = run(mode, Transition(3), Access("read", KERNEL))
    assert result.exits == {}
    assert result.done == [False]


def test_an_injected_event_takes_the_switch_to_the_kernel_with_it():
    entered = (Transition(3), Access("fetch", USER), OtherExit(injects=True), Access("fetch", KERNEL))
    result = run("Restricted User Mode", *entered, Transition(3), Access("fetch", USER))
    assert result.exits == {TO_USER: 2, "other exit of L2": 1}
    assert result.eptp_writes == 3
    assert result.done == [True, True, True]
    assert run("MBEC", *entered).exits == {"other exit of L2": 1}


def test_an_exit_without_an_event_leaves_the_view_as_it_is():
    result = run("Restricted User Mode", Transition(3), Access("fetch", USER), OtherExit(), Access("fetch", USER))
    assert result.exits == {TO_USER: 1, "other exit of L2": 1}


def test_each_exit_of_l2_costs_what_l1_does_to_handle_it():
    replayed = Replay(exits=Counter({TO_USER: 3, TO_KERNEL: 2}), eptp_writes=5)
    nesting = Nesting(vmreads=7, vmwrites=2)
    assert all_exits(replayed, nesting) == {
        TO_USER: 3, TO_KERNEL: 2, "VMRESUME by L1": 5, "VMREAD by L1": 35, "VMWRITE by L1": 15,
    }  # fmt: skip


def test_an_enlightened_vmcs_leaves_vmresume():
    replayed = Replay(exits=Counter({"other exit of L2": 4}), eptp_writes=1)
    counts = all_exits(replayed, Nesting(enlightened_vmcs=True))
    assert counts == {"other exit of L2": 4, "VMRESUME by L1": 4}


def test_more_pages_than_fit_are_refused():
    with pytest.raises(ValueError, match="257 pages"):
        L2([Page(protection=READ, user=True)] * 257)
