"""The writer of outcomes against a JSON Schema of the format, on random walks, guests and VM entries."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from comparison import say, seed
from jsonschema import Draft202012Validator
from outcome_schema import OUTCOME
from spec_guests import random_guest_case
from spec_side import specification_of_ept
from spec_walks import random_case
from test_refusals import damaged_guest
from test_without_ept import OFF, pair

from models.scenario import InputError, answer, parse_json, render_outcome
from models.sdm import GeneralProtection, Step, access
from verifier.cli.replay_scenario import Unrealisable, scenario

WALKS, GUESTS = 900, 500


def documents(rng: Random) -> Iterator[tuple[Any, Any]]:
    """Outcomes without and with their steps."""
    spec = specification_of_ept()
    for number in range(WALKS):
        walk, one, around = random_case(rng, **({"ept_violation_ve": True} if number % 3 == 0 else {}))
        try:
            text = json.dumps(scenario(spec.situation(walk, one, around)))
        except Unrealisable:
            continue
        yield answer(parse_json(text)), answer(parse_json(text), steps=True)
    for number in range(GUESTS):
        case = random_guest_case(rng)
        guest = damaged_guest(rng, case.machine.guest) if number % 4 == 0 else case.machine.guest
        vmcs = replace(case.machine.vmcs, eptp=case.machine.vmcs.eptp ^ (1 << 11 if number % 8 == 0 else 0))
        trace = list[Step]()
        try:
            outcome = access(replace(case.machine, guest=guest, vmcs=vmcs), case.request, trace)
        except InputError:
            continue
        yield render_outcome(outcome), render_outcome(outcome, trace)
    for _ in range(GUESTS // 4):
        one, trace = pair(rng), list[Step]()
        outcome = access(replace(one.machine, vmcs=OFF), one.request, trace)
        if not isinstance(outcome, GeneralProtection):
            yield render_outcome(outcome), render_outcome(outcome, trace)


def test_the_fault_of_a_load_of_pdptes_is_no_outcome() -> None:
    with pytest.raises(InputError) as caught:
        render_outcome(GeneralProtection(0x2008, 0x7008, {}))
    assert (caught.value.code, caught.value.path) == ("general_protection", "memory.0x7008")


def test_every_outcome_is_written_as_the_format_says(capsys: pytest.CaptureFixture[str]) -> None:
    start = seed()
    validator, seen, failing = Draft202012Validator(OUTCOME), Counter[str](), list[Any]()
    for plain, traced in documents(Random(start)):
        seen[str(plain["outcome"])] += 1
        steps = traced.pop("steps")
        if plain != traced or not validator.is_valid({**json.loads(json.dumps(plain)), "steps": steps}):
            failing.append({**plain, "steps": steps})
    say(capsys, f"outcomes against JSON Schema (SLAT_SEED={start})", seen.total(), len(failing))
    assert not failing, failing[0]
    assert len(seen) == 7, seen
