"""The writer of outcomes against a JSON Schema of the format, on random walks, guests and VM entries."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from random import Random
from typing import Any

import pytest
from comparison import say, seed, shrink
from jsonschema import Draft202012Validator
from outcome_schema import OUTCOME
from scenario_writer import shown
from spec_guests import random_guest_case
from spec_side import make, number, parts, record, specification_of_ept
from spec_walks import (
    ACCESS,
    KIND,
    LEVELS,
    WALK,
    Case,
    circumstances,
    controls,
    ordinary_access,
    random_case,
)
from test_refusals import damaged_guest
from test_without_ept import OFF, pair

from models.scenario import InputError, read_scenario, render_outcome
from models.sdm import GeneralProtection, Machine, Request, Step, access
from verifier.cli.replay_scenario import Unrealisable, scenario

WALKS, GUESTS = 900, 500


VALIDATOR = Draft202012Validator(OUTCOME)


@dataclass(frozen=True, slots=True)
class Asked:
    """An access on a machine."""

    machine: Machine
    request: Request

    @property
    def documents(self) -> tuple[Any, Any]:
        """Its outcome as a document, without and with its steps. Raises `InputError`."""
        trace = list[Step]()
        outcome = access(self.machine, self.request, trace)
        return render_outcome(outcome), render_outcome(outcome, trace)


def walks(rng: Random) -> Iterator[Asked]:
    """Accesses to guest-physical addresses."""
    spec = specification_of_ept()
    some = (random_case(rng, **({"ept_violation_ve": True} if turn % 3 == 0 else {})) for turn in range(WALKS))
    for case in chain([sub_page_miss()], some):
        try:
            one = read_scenario(scenario(spec.situation(*case)))
        except Unrealisable:
            continue
        yield Asked(one.machine, one.request)


def sub_page_miss() -> Case:
    """A write that the sub-page permission table does not answer, which is rare at random."""
    tables = dict.fromkeys(LEVELS, 7) | {"pte": 1 | 6 << 3 | 1 << 61}
    walk = make(record(WALK), controls=controls(sub_page_write=True), root=0x1000, guest_physical=0x2000, **tables)
    access = parts(record(ACCESS), ordinary_access(number(KIND, "DATA_WRITE"))) | {"sub_page": 2}
    return walk, tuple(access.values()), circumstances()


def guests(rng: Random) -> Iterator[Asked]:
    """Accesses to linear addresses; VM entry often fails."""
    for turn in range(GUESTS):
        case = random_guest_case(rng)
        guest = damaged_guest(rng, case.machine.guest) if turn % 4 == 0 else case.machine.guest
        vmcs = replace(case.machine.vmcs, eptp=case.machine.vmcs.eptp ^ (1 << 11 if turn % 8 == 0 else 0))
        yield Asked(replace(case.machine, guest=guest, vmcs=vmcs), case.request)
    for _ in range(GUESTS // 4):
        one = pair(rng)
        yield Asked(replace(one.machine, vmcs=OFF), one.request)


def cases(rng: Random) -> Iterator[Asked]:
    """All of them."""
    return chain(walks(rng), guests(rng))


def fails(asked: Asked) -> bool:
    """Whether the outcome is written as the format does not say, or the steps change it."""
    try:
        plain, traced = asked.documents
    except InputError:
        return False
    steps = traced.pop("steps")
    return plain != traced or not VALIDATOR.is_valid({**json.loads(json.dumps(plain)), "steps": steps})


def explain(asked: Asked) -> str:
    """A failing case made small, with what is written and the scenario."""

    def again(case: Any) -> Asked:
        vmcs, guest, memory, request = case
        return Asked(replace(asked.machine, vmcs=vmcs, guest=guest, memory=memory), request)

    case = asked.machine.vmcs, asked.machine.guest, asked.machine.memory, asked.request
    small = again(shrink(case, lambda case: fails(again(case))))
    return f"{json.dumps(small.documents[1])}\n{shown(small.machine, small.request)}"


def test_the_fault_of_a_load_of_pdptes_is_no_outcome() -> None:
    with pytest.raises(InputError) as caught:
        render_outcome(GeneralProtection(0x2008, 0x7008, {}))
    assert (caught.value.code, caught.value.path) == ("general_protection", "memory.0x7008")


def test_every_outcome_is_written_as_the_format_says(capsys: pytest.CaptureFixture[str]) -> None:
    start = seed()
    seen, failing = Counter[str](), list[Asked]()
    for asked in cases(Random(start)):
        try:
            seen[asked.documents[0]["outcome"]] += 1
        except InputError:
            continue
        if fails(asked):
            failing.append(asked)
    say(capsys, f"outcomes against JSON Schema (SLAT_SEED={start})", seen.total(), len(failing))
    assert not failing, explain(failing[0])
    assert len(seen) == 7, seen
