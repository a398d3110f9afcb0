"""Restricted User Mode against MBEC on the reference MMU, and both against the specifications.

Where RUM1's assumptions hold, a random trace of L2 has the same accesses done in both modes, which are those that the
protections and the guest's own rights allow. Where one of them does not, the two differ, and on the side that
`proofs/hyperv` says. Last, one access at a time, in every situation: the specifications say the same as the model.
"""

from __future__ import annotations

from collections import Counter
from itertools import product
from random import Random
from typing import Any, get_args

import pytest
from comparison import say, seed
from spec_side import call, make, number, record
from spec_walks import WALK, controls

from models.hyperv import (
    L2,
    NO_PAGING,
    NO_SMEP,
    SMEP,
    Access,
    OtherExit,
    Page,
    Registers,
    Transition,
    Workload,
    replay,
    report,
)
from models.hyperv.exits import Mode
from models.hyperv.l2 import KERNEL_EXECUTE, READ, USER_EXECUTE, WRITE
from models.hyperv.trace import Event
from models.sdm import AccessKind

EVENTS, TRACES, PAGES = 400, 12, 24
RIGHTS = (0, READ, READ | WRITE)
EXECUTE = (0, USER_EXECUTE, KERNEL_EXECUTE | USER_EXECUTE)
UNSUPPORTED = KERNEL_EXECUTE
KINDS: tuple[AccessKind, ...] = get_args(AccessKind)
SPEC_KINDS = ("READ", "WRITE", "READ_MODIFY_WRITE", "FETCH")


def random_pages(rng: Random, *more: int) -> list[Page]:
    """Pages with protections that the TLFS lists, and with `more` in place of some execute rights."""
    return [
        Page(
            protection=(rights := rng.choice(RIGHTS)) and rights | rng.choice((*EXECUTE, *more)),
            user=rng.random() < 0.5,
            writable=rng.random() < 0.7,
        )
        for _ in range(PAGES)
    ]


def random_trace(rng: Random) -> list[Event]:
    """Accesses, and every now and then a transition or an exit."""
    events: list[Event] = []
    for _ in range(EVENTS):
        if rng.random() < 0.2:
            events.append(rng.choice((Transition(3), Transition(0), OtherExit(), OtherExit(injects=True))))
        events.append(Access(rng.choice(KINDS), rng.randrange(PAGES)))
    return events


def both(pages: list[Page], events: list[Event], registers: Registers = SMEP) -> tuple[list[bool], list[bool]]:
    """Which accesses are done: in Restricted User Mode, and under MBEC."""
    l2 = L2(pages, registers)
    modes: tuple[Mode, Mode] = get_args(Mode)
    first, second = (replay(events, l2, mode).done for mode in modes)
    return first, second


def allowed(pages: list[Page], events: list[Event]) -> list[bool]:
    """The same by the rules themselves: protections by the mode of the code, the guest's rights with SMEP and WP."""
    cpl, found = 0, list[bool]()
    for event in events:
        match event:
            case Access(kind, page):
                found.append(allows(pages[page], kind, cpl == 3))
            case Transition(to):
                cpl = to
            case OtherExit(injects):
                cpl = 0 if injects else cpl
    return found


def allows(page: Page, kind: AccessKind, user_mode: bool) -> bool:
    """Whether the guest's entry and the protection let one access pass."""
    execute = USER_EXECUTE if user_mode else KERNEL_EXECUTE
    needed = {"read": READ, "write": WRITE, "rmw": READ | WRITE, "fetch": execute}[kind]
    guest = page.user if user_mode else not (page.user and kind == "fetch")
    return guest and (page.writable or kind in ("read", "fetch")) and page.protection & needed == needed


def test_both_modes_do_the_same_accesses_under_the_assumptions_of_rum1(capsys: pytest.CaptureFixture[str]) -> None:
    start = seed()
    rng, differing, done = Random(start), 0, Counter[bool]()
    for _ in range(TRACES):
        pages, events = random_pages(rng), random_trace(rng)
        rum, mbec = both(pages, events)
        differing += sum(one != other for one, other in zip(rum, mbec, strict=True))
        done.update(rum)
        assert mbec == allowed(pages, events)
    say(capsys, f"Restricted User Mode against MBEC (SLAT_SEED={start})", done.total(), differing)
    assert not differing
    assert min(done[True], done[False]) > 500


@pytest.mark.parametrize("registers", [NO_SMEP, NO_PAGING], ids=["RUM2", "RUM3"])
def test_without_smep_or_paging_restricted_user_mode_is_the_stricter(registers: Registers) -> None:
    rng = Random(1)
    pairs = [
        pair for _ in range(TRACES) for pair in zip(*both(random_pages(rng), random_trace(rng), registers), strict=True)
    ]
    assert (False, True) in pairs
    assert (True, False) not in pairs


def test_kmx_without_umx_makes_restricted_user_mode_the_laxer() -> None:
    rng = Random(1)
    pairs = [
        pair
        for _ in range(TRACES)
        for pair in zip(*both(random_pages(rng, UNSUPPORTED, UNSUPPORTED), random_trace(rng)), strict=True)
    ]
    assert (True, False) in pairs
    assert (False, True) not in pairs


# ---- one access at a time, by the specifications

HELPER = Page(protection=READ | USER_EXECUTE, user=True)
"""A page from which user mode runs in EPT_U alone."""
SITUATIONS: dict[str, tuple[list[Event], int]] = {
    "kernel": ([], 0),
    "user in EPT_K": ([Transition(3)], 3),
    "user in EPT_U": ([Transition(3), Access("fetch", 1)], 3),
}


def observed(page: Page, kind: AccessKind, situation: str, registers: Registers) -> tuple[bool, bool]:
    """(done in Restricted User Mode, done under MBEC) by the model."""
    events = [*SITUATIONS[situation][0], Access(kind, 0)]
    rum, mbec = both([page, HELPER], events, registers)
    return rum[-1], mbec[-1]


def specified(page: Page, kind: AccessKind, situation: str, registers: Registers) -> tuple[bool, bool]:
    """The same by the specifications."""
    cpl = SITUATIONS[situation][1]
    view = number("hyperv.restricted_user_mode.View", "USER_VIEW" if "EPT_U" in situation else "KERNEL_VIEW")
    request, walk = guest_request(page, kind, cpl, registers), mbec_walk(page)
    return (
        call("hyperv.restricted_user_mode.done_in_restricted_user_mode", request, walk, view),
        call("hyperv.guest_request.done", request, walk),
    )


def guest_request(page: Page, kind: AccessKind, cpl: int, registers: Registers) -> Any:
    """One access as a `GuestRequest`."""
    kinds = "sdm.paging.rights.GuestAccessKind"
    spec_kind = number(kinds, SPEC_KINDS[KINDS.index(kind)])
    mapping = make(
        record("sdm.ept.linear_address.GuestMapping"),
        paging=bool(registers.cr0 >> 31),
        user=page.user,
        writable=page.writable,
        execute_disable=False,
        xd_enabled=True,
    )
    paging = {field.name: 0 for field in record("sdm.paging.mode.GuestPaging").fields}
    paging |= {"cr0": registers.cr0, "cr4": registers.cr4, "efer": registers.efer}
    paging |= {"ac": False, "page_1g": True, "pse36": True}
    return make(
        record("hyperv.guest_request.GuestRequest"),
        access=make(record("sdm.paging.rights.GuestAccess"), kind=spec_kind, cpl=cpl, implicit=False),
        page=make(record("sdm.paging.rights.GuestPage"), mapping=mapping, shadow_stack=False, key=0),
        paging=make(record("sdm.paging.mode.GuestPaging"), **paging),
        guest_paging_verified=False,
        sub_page=0,
    )


def mbec_walk(page: Page) -> Any:
    """The `EptWalk` of a page under tables that grant everything."""
    rights = page.protection & 7 | (page.protection >> 3) << 10
    upper = dict.fromkeys(("pml5e", "pml4e", "pdpte", "pde"), 0x407 | 0x1000)
    settings = controls(mbec=True, execute_only=True)
    return make(
        record(WALK), controls=settings, root=0x1000, guest_physical=0x2000, **upper, pte=rights | 6 << 3 | 0x5000
    )


def test_specs_and_model_agree_on_every_access_in_every_situation(capsys: pytest.CaptureFixture[str]) -> None:
    cases, failing, answers = 0, list[Any](), Counter[Any]()
    pages = [
        Page(protection=p, user=user, writable=w) for p in range(16) for user in (False, True) for w in (False, True)
    ]
    for case in product(pages, KINDS, SITUATIONS, (SMEP, NO_SMEP, NO_PAGING)):
        found = observed(*case)
        cases, answers[found] = cases + 1, answers[found] + 1
        if found != specified(*case):
            failing.append((case, found))
    say(capsys, "specs against model, Restricted User Mode", cases, len(failing))
    assert not failing, failing[0]
    assert len(answers) == 4, answers


def test_the_report_compares_the_modes_with_the_letter() -> None:
    text = report()
    assert "1,180,000       200,000       275,000        50,000" in text
    assert "1,200,000       200,000             -        50,000" in text


def test_what_is_no_workload_and_no_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="no share"):
        Workload(verified=101)
    with pytest.raises(ValueError, match="no round trip"):
        Workload(milliseconds=0)
    with pytest.raises(ValueError, match="room for 256"):
        L2([HELPER] * 257)
