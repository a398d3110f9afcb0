"""The EPT specifications, by the interpreter, against the reference MMU.

Compared are the outcome (#VE included), the exit qualification and the mask of its defined bits, the host-physical
address, and every word of the EPT tables that changes (accessed and dirty flags).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import product
from random import Random

import pytest
from comparison import say, seed, shrink
from spec_side import plain_body_meaning, project, specification_of_ept
from spec_walks import (
    PATTERNS,
    Case,
    Core,
    chain,
    circumstances,
    core_accesses,
    core_controls,
    disagrees,
    random_case,
)

from verifier.cli.replay_ept import compare, specification
from verifier.cli.replay_scenario import Unrealisable
from verifier.core import interpret
from verifier.types.load import load

RANDOM_CASES = 3_000


def assert_agreement(capsys: pytest.CaptureFixture[str], name: str, cases: Iterable[Case]) -> Counter[str]:
    """Compares every case; returns how many end in each outcome."""
    spec, outcomes, failing = specification_of_ept(), Counter[str](), list[Case]()
    for case in cases:
        try:
            _, expected, observed = compare(spec, *case)
        except Unrealisable:
            outcomes["not realisable"] += 1
            continue
        outcomes[observed.outcome] += 1
        if expected != observed:
            failing.append(case)
    say(capsys, name, outcomes.total() - outcomes["not realisable"], len(failing))
    assert not failing, explain(failing[0])
    return outcomes


def cases(rng: Random) -> Iterator[Case]:
    """Random walks and accesses."""
    while True:
        yield random_case(rng)


def fails(case: Case) -> bool:
    """Whether the two sides differ."""
    return disagrees(case)


def explain(case: Case) -> str:
    """A failing case made small, with both verdicts and the scenario."""
    document, expected, observed = compare(specification_of_ept(), *shrink(case, disagrees))
    return f"specifications {expected}\nreference MMU  {observed}\n{json.dumps(document)}"


@pytest.mark.parametrize("levels", [2, 3])
def test_specs_and_model_agree_on_every_chain_access_and_control(
    levels: int, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, around, accesses = specification_of_ept(), circumstances(), core_accesses()
    count, failing = 0, list[Case]()
    for settings in core_controls():
        core = Core(settings)
        for patterns in product(PATTERNS, repeat=levels):
            walk = chain(patterns, settings)
            for position, access in enumerate(accesses):
                count += 1
                if spec.verdict(walk, access, around) != core.verdict(walk, position):
                    failing.append((walk, access, around))
    say(capsys, f"specs against model, permission core, every chain of {levels} levels", count, len(failing))
    assert not failing, explain(failing[0])
    assert count == 16**levels * 17 * 8


def test_specs_and_model_agree_on_random_entries_accesses_and_controls(capsys: pytest.CaptureFixture[str]) -> None:
    start = seed()
    rng = Random(start)
    name = f"specs against model, random 64-bit entries (SLAT_SEED={start})"
    some = (random_case(rng, **({"sub_page_write": True} if turn % 2 else {})) for turn in range(RANDOM_CASES))
    outcomes = assert_agreement(capsys, name, some)
    wanted = {"TRANSLATED", "EPT_VIOLATION", "EPT_MISCONFIGURATION", "SUB_PAGE_EVENT", "#VE"}
    assert all(outcomes[outcome] > 0 for outcome in wanted), outcomes


def test_the_interpreter_remembers_only_what_it_would_compute_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, remembering = Random(3), specification_of_ept()
    cases = [random_case(rng) for _ in range(100)]
    remembered = [remembering.verdict(*case) for case in cases]
    monkeypatch.setattr(interpret, "body_meaning", plain_body_meaning)
    plain = specification(load(project()).checked)
    assert plain is not None
    assert [plain.verdict(*case) for case in cases] == remembered


def test_random_cases_depend_on_the_seed_alone() -> None:
    assert random_case(Random(7)) == random_case(Random(7))


@pytest.mark.parametrize("number", range(3))
def test_a_shrunk_case_fails_and_nothing_in_it_can_be_cleared(number: int) -> None:
    rng = Random(number)

    def has_two_bits(case: Case) -> bool:
        return bin(case[0][4]).count("1") >= 2

    case = next(case for case in iter(lambda: random_case(rng), None) if has_two_bits(case))
    small = shrink(case, has_two_bits)
    assert bin(small[0][4]).count("1") == 2
    assert small[0][3] == 0
    assert small[1][2] == (False, False, False)
