"""The guest-paging specifications, by the interpreter, against the reference MMU, at random.

Compared are the outcome and the stage at which it is decided, the exit qualification of the final access, and which
of the guest's entries get a flag. The specifications leave out error codes and the addresses of guest entries.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from comparison import say, seed
from spec_guests import GuestCase, random_guest_case
from spec_side import call, member, parts, record
from spec_walks import circumstances

from models.sdm import EptMisconfiguration, EptViolation, PageFault, Translated, access

CASES = 2_000
OUTCOME, STAGE = "sdm.ept.outcome.EptOutcome", "sdm.paging.translation.Stage"
TRANSLATION = 1 << 8
PRESENT_NOT_RESERVED = 0b1001


def specified(case: GuestCase) -> tuple[Any, ...]:
    """(ending, how it can be told from outside) by the specifications."""
    walk = case.walk
    of = record("sdm.paging.translation.GuestOutcome")
    ending = parts(of, call("sdm.paging.translation.guest_outcome", walk))
    stage, outcome = member(STAGE, ending["stage"]), member(OUTCOME, ending["ept"])
    if ending["page_fault"]:
        return "#PF", stage == "GUEST_RIGHTS"
    if outcome == "EPT_VIOLATION":
        return outcome, stage == "FINAL_ADDRESS", specified_qualification(walk) if stage == "FINAL_ADDRESS" else None
    if outcome == "TRANSLATED":
        return outcome, specified_flags(case)
    return (outcome,)


def specified_qualification(walk: Any) -> tuple[int, int]:
    """The qualification of the final access and its defined bits."""
    final = parts(record("sdm.paging.walk.GuestWalk"), walk)["final"]
    arguments = (
        call("sdm.paging.walk.ept_walk", final, walk),
        call("sdm.paging.translation.final_access", walk),
        circumstances(),
    )
    defined = call("sdm.ept.qualification.defined_bits", *arguments)
    return call("sdm.ept.qualification.qualification", *arguments) & defined, defined


def specified_flags(case: GuestCase) -> frozenset[int]:
    """The words of memory that hold a guest entry of which a flag is set."""
    if not case.tables:
        return frozenset()
    used = call("sdm.paging.walk.guest_used", case.walk)
    places = zip(used, case.places, strict=True)
    return frozenset(at & -8 for step, at in places if call("sdm.paging.flags.needs_a_flag", step, case.walk))


def observed(case: GuestCase) -> tuple[Any, ...]:
    """The same by the reference MMU."""
    outcome = access(case.machine, case.request)
    match outcome:
        case PageFault():
            return "#PF", outcome.error_code & PRESENT_NOT_RESERVED == 1
        case EptViolation():
            final = bool(outcome.qualification & TRANSLATION)
            return "EPT_VIOLATION", final, (outcome.qualification, outcome.defined) if final else None
        case EptMisconfiguration():
            return ("EPT_MISCONFIGURATION",)
        case Translated():
            return "TRANSLATED", frozenset(outcome.memory_written) & {place & -8 for place in case.places}
        case _:
            return (type(outcome).__name__, getattr(outcome, "because", ""))


def test_specs_and_model_agree_on_random_guests(capsys: pytest.CaptureFixture[str]) -> None:
    start = seed()
    endings, failing = Counter[Any](), list[int]()
    for number in range(CASES):
        case = random_guest_case(Random(f"{start}/{number}"))
        found = observed(case)
        endings[found[:2] if found[0] != "TRANSLATED" else found[0]] += 1
        if specified(case) != found:
            failing.append(number)
    say(capsys, f"specs against model, guest paging (SLAT_SEED={start})", CASES, len(failing))
    assert not failing, explain(start, failing[0])
    assert len(endings) == 6, endings
    assert min(endings.values()) >= 10, endings


def explain(start: int, number: int) -> str:
    """A failing case: what both say, and the case."""
    case = random_guest_case(Random(f"{start}/{number}"))
    return f"specifications {specified(case)}\nreference MMU  {observed(case)}\n{case}"
