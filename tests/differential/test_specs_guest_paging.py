"""The guest-paging specifications, by the interpreter, against the reference MMU, at random.

Compared are the outcome and the stage at which it is decided, the exit qualification of the final access, and which
of the guest's entries get a flag; of guests that are made scenarios, as counterexamples are, every exit qualification
and every word that is written. The specifications leave out error codes and the addresses of guest entries.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from comparison import say, seed, shrink
from scenario_writer import shown
from spec_guests import GuestCase, disagrees_about, random_guest_case, without_addresses
from spec_side import call, member, parts, record, specification_of_guests
from spec_walks import circumstances

from models.sdm import EptMisconfiguration, EptViolation, PageFault, Translated, access
from verifier.cli.replay_guest import compare_guest
from verifier.cli.replay_scenario import Unrealisable

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
    endings, failing = Counter[Any](), list[GuestCase]()
    for number in range(CASES):
        case = random_guest_case(Random(f"{start}/{number}"))
        found = observed(case)
        endings[found[:2] if found[0] != "TRANSLATED" else found[0]] += 1
        if specified(case) != found:
            failing.append(case)
    say(capsys, f"specs against model, guest paging (SLAT_SEED={start})", CASES, len(failing))
    assert not failing, explain(failing[0])
    assert len(endings) == 6, endings
    assert min(endings.values()) >= 10, endings


def cases(rng: Random) -> Iterator[GuestCase]:
    """Random guests."""
    while True:
        yield random_guest_case(rng)


def fails(case: GuestCase) -> bool:
    """Whether the two sides differ."""
    return specified(case) != observed(case)


def explain(case: GuestCase) -> str:
    """A failing case: what both say, and its scenario, made small if it fails as a scenario too."""
    if disagrees_about(case.walk):
        return explain_walk(case.walk)
    scenario = shown(case.machine, case.request)
    return f"specifications {specified(case)}\nreference MMU  {observed(case)}\n{scenario}"


def explain_walk(walk: Any) -> str:
    """A walk that fails as a scenario, made small."""
    at, _, said, seen = compare_guest(specification_of_guests(), shrink(walk, disagrees_about))
    return f"specifications {said}\nreference MMU  {seen}\n{json.dumps(at.document)}"


def with_sub_page(walk: Any, answer: int) -> Any:
    """The walk with this answer of the sub-page permission table, should anybody ask it."""
    fields = parts(record("sdm.paging.walk.GuestWalk"), walk) | {"sub_page": answer}
    return tuple(fields.values())


def test_specs_and_model_agree_on_guests_that_are_made_scenarios(capsys: pytest.CaptureFixture[str]) -> None:
    start = seed()
    spec, endings, failing = specification_of_guests(), Counter[str](), list[Any]()
    for number in range(CASES):
        rng = Random(f"{start}/{number}")
        controls = {"sub_page_write": rng.random() < 0.3, "ept_violation_ve": rng.random() < 0.3}
        walk = with_sub_page(random_guest_case(rng, **controls).walk, rng.randrange(4))
        walk = without_addresses(rng, walk) if rng.random() < 0.5 else walk
        try:
            _, _, said, seen = compare_guest(spec, walk)
        except Unrealisable:
            endings["not realisable"] += 1
            continue
        endings[f"{seen.outcome} {seen.stage}"] += 1
        if said != seen:
            failing.append(walk)
    name = f"specs against model, guests as scenarios (SLAT_SEED={start})"
    say(capsys, name, endings.total() - endings["not realisable"], len(failing))
    assert not failing, explain_walk(failing[0])
    assert endings["not realisable"] < CASES // 3, endings
    assert len(endings) > 9, endings
