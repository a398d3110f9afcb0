"""The reference MMU against Bochs: families chosen by hand, and random walks.

SLAT_SEED sets the seed of the random walks.
"""

import json
import os
from random import Random, SystemRandom

import pytest

from models.scenario import Scenario, parse_json, read_scenario

from .compare import disagreements, shrink, simpler_walks, verdict
from .directed import FAMILIES
from .ending import Kind
from .generate import walks
from .masks import MASKS, predict
from .reference import runs, scenarios
from .walk import case

RANDOM_CASES = 20_000


@pytest.mark.parametrize("name", FAMILIES)
def test_bochs_agrees_on_every_walk_of_the_family(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    family = list(FAMILIES[name]())
    found = disagreements(family)
    text = verdict(name, len(family), found)
    with capsys.disabled():
        print(f"\n{text.splitlines()[0]}")
    assert not found, text


def test_bochs_agrees_on_random_walks(capsys: pytest.CaptureFixture[str]) -> None:
    seed = int(os.environ.get("SLAT_SEED") or SystemRandom().getrandbits(32))
    found = disagreements(walks(Random(seed), RANDOM_CASES))
    text = verdict(f"random walks with SLAT_SEED={seed}", RANDOM_CASES, found)
    with capsys.disabled():
        print(f"\n{text.splitlines()[0]}")
    assert not found, text


def test_random_walks_end_in_every_way() -> None:
    endings = {predict(case(walk), MASKS).kind for walk in walks(Random(1), 4000)}
    assert endings == set(Kind) - {Kind.OTHER}


def test_the_scenarios_that_a_report_shows_are_what_the_reference_mmu_was_asked() -> None:
    for walk in walks(Random(1), 200):
        one = case(walk)
        documents = [parse_json(json.dumps(document)) for document in scenarios(one)]
        assert [read_scenario(document) for document in documents] == [Scenario(*run) for run in runs(one)]


def test_a_disagreement_shrinks_to_a_walk_of_which_nothing_can_be_left_out() -> None:
    found = disagreements(walks(Random(1), 500), masks=())
    small = shrink(found[0], masks=())
    assert disagreements([small.walk], masks=())
    assert not disagreements(simpler_walks(small.walk), masks=())
