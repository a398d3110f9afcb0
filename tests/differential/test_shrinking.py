"""What a comparison shows when it fails: a case in which nothing can be cleared, as a scenario for `slat walk`.

For each comparison a mistake is planted in the reference MMU.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from random import Random
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import test_outcomes
import test_refusals
import test_specs_ept
import test_specs_guest_paging
import test_specs_vectorised
import test_specs_vm_entry
import test_without_ept
from comparison import shrink, simpler_cases
from scenario_writer import scenario_of
from test_planted import bit_6_for_fetches_alone, user_mode_from_the_cpl

from models.scenario import read_scenario, rendering
from models.sdm import Translated, admission, mmu
from models.sdm.ept import vectorised
from models.sdm.vm_entry import enter
from models.sdm.vmx import entry as vm_entry

TRIED = 4_000


def every_walk_is_allowed(patch: pytest.MonkeyPatch) -> None:
    """The vectorised form never lacks a right."""
    patch.setattr(vectorised, "_lacks_rights", lambda configuration, access, walks: np.zeros_like(walks.reached))


def every_eptp_is_valid(patch: pytest.MonkeyPatch) -> None:
    """VM entry looks at no EPTP."""
    patch.setattr(vm_entry, "eptp_failure", lambda eptp, maxphyaddr, capabilities: None)


def without_ept_bit_12_is_lost(patch: pytest.MonkeyPatch) -> None:
    """Without EPT, bit 12 of a guest-physical address is."""
    without_ept = mmu._access_without_ept

    def planted(run: Any, address: int) -> Translated:
        return without_ept(run, address & ~(1 << 12))

    patch.setattr(mmu, "_access_without_ept", planted)


def every_guest_has_shadow_stacks(patch: pytest.MonkeyPatch) -> None:
    """No shadow-stack access is refused for want of one."""
    patch.setattr(admission, "_check_shadow_stack_enabled", lambda guest, user_mode: None)


def exit_reasons_are_words(patch: pytest.MonkeyPatch) -> None:
    """A violation's exit reason is written as a word."""
    patch.setattr(rendering, "EXIT_REASON_EPT_VIOLATION", "48")


PLANTED: dict[ModuleType, Callable[[pytest.MonkeyPatch], None]] = {
    test_specs_ept: bit_6_for_fetches_alone,
    test_specs_guest_paging: user_mode_from_the_cpl,
    test_specs_vectorised: every_walk_is_allowed,
    test_specs_vm_entry: every_eptp_is_valid,
    test_without_ept: without_ept_bit_12_is_lost,
    test_refusals: every_guest_has_shadow_stacks,
    test_outcomes: exit_reasons_are_words,
}


@pytest.fixture(autouse=True)
def _no_vm_entry_is_remembered() -> Iterator[None]:
    enter.cache_clear()
    yield
    enter.cache_clear()


def failing_case(module: ModuleType) -> Any:
    """The first of the random cases that fails."""
    cases = islice(module.cases(Random(1)), TRIED)
    if module is test_specs_vectorised:
        cases = (column for columns in cases for column in columns)
    return next(case for case in cases if module.fails(case))


@pytest.mark.parametrize("module", PLANTED, ids=lambda module: module.__name__)
def test_a_failing_case_is_shown_small_and_as_a_scenario(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    PLANTED[module](monkeypatch)
    case = failing_case(module)
    *answers, document = module.explain(case).splitlines()
    assert len(answers) == len(set(answers)) > 0
    one = read_scenario(json.loads(document))
    assert len(one.machine.memory) < 12, document


def test_the_guest_that_is_shown_fails_when_it_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    user_mode_from_the_cpl(monkeypatch)
    told = test_specs_guest_paging.explain(failing_case(test_specs_guest_paging))
    one = read_scenario(json.loads(told.splitlines()[-1]))
    wrong = mmu.access(one.machine, one.request)
    monkeypatch.undo()
    assert mmu.access(one.machine, one.request) != wrong


def test_nothing_can_be_cleared_in_what_is_left() -> None:
    def fails(case: Any) -> bool:
        return case["a"][0] >= 5 and case["b"]

    small = shrink({"a": (0xFF, 3), "b": True, "c": {1: 2}}, lambda case: {"a", "b"} <= case.keys() and fails(case))
    assert small == {"a": (0x80, 0), "b": True}
    assert all(not ({"a", "b"} <= case.keys() and fails(case)) for case in simpler_cases(small))


def test_a_machine_that_is_written_as_a_scenario_is_read_as_it_was() -> None:
    for asked in islice(test_outcomes.cases(Random(1)), 0, None, 3):
        one = read_scenario(json.loads(json.dumps(scenario_of(asked.machine, asked.request))))
        width = asked.machine.processor.maxphyaddr
        words = {at: word for at, word in asked.machine.memory.items() if word and not at >> width}
        assert one.request == asked.request
        assert one.machine == replace(asked.machine, memory=words)
