"""Escalations: an access that EPT12 denies L2 and KVM's entry lets pass, drawn in four lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from golden.cases import slat

from verifier.cli import replay
from verifier.cli.replay_ept import Verdict

ROOT = Path(__file__).parents[4]
WORDS = ("prove", "--jobs", "1", "--no-cache")
BAD = "i17_xu_mask_is_bit_2"
DRAWN = {
    "access": "an escalation: L2 can fetch from a supervisor-mode address",
    "EPT12": "PML4E 0x401 = R bit 10, PDPTE 0x481 = R PS bit 10",
    "role": "MBEC off in vmcs12, off in vmcs02, level=4 access=read|write|user_exec|exec ad_disabled guest_mode",
    "hardware": "EPT violation under EPT12, exit qualification 0x18c",
    "KVM": "after a read EPT02 has SPTE 0x8000000000000975 = R X …, and lets it pass",
}


def drawn(*words: str) -> list[object]:
    """The escalations of the examples that a run finds."""
    said = slat(ROOT, *WORDS, "--format", "json", *words)
    assert said.exit_code == 0
    examples = [r["counterexample"] or r["example"] for r in json.loads(said.out)["results"]]
    return [example and example["escalation"] for example in examples]


def test_what_a_reviewer_found_is_drawn_and_each_walk_is_a_scenario_that_ends_as_it_says(tmp_path: Path):
    assert drawn("--series", BAD, "l2_within_l1", "--save", str(tmp_path)) == [DRAWN]
    for walk, outcome, entries in (("ept12", "ept_violation", 2), ("ept02", "ok", 4)):
        file = tmp_path / f"l2_within_l1.{BAD}.escalation.{walk}.json"
        scenario = json.loads(file.read_text())
        assert (scenario["access"]["kind"], len(scenario["memory"])) == ("fetch", entries)
        assert json.loads(slat(ROOT, "walk", str(file), "--json").out)["outcome"] == outcome


def test_nothing_is_drawn_where_kvm_lets_nothing_pass_that_l1_withholds():
    assert drawn("l2_within_l1", "l2_within_l1_needs_equal_mbec", "l2_page_that_only_user_mode_executes") == [None] * 3


def test_nothing_is_drawn_of_a_walk_after_which_kvm_maps_no_page():
    assert drawn("--series", BAD, "bit_10_is_inert_in_ept12_without_mbec") == [None]


def test_nothing_is_drawn_of_a_version_in_which_the_functions_are_others():
    (found,) = drawn("--series", "old", "l2_within_l1_needs_equal_mbec")
    assert found is None


def test_where_the_reference_mmu_denies_what_is_drawn_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch):
    real = replay.compare

    def other(spec, walk, access, around):
        document, said, seen = real(spec, walk, access, around)
        return (document, said, Verdict("EPT_VIOLATION")) if len(document["memory"]) == 4 else (document, said, seen)

    monkeypatch.setattr(replay, "compare", other)
    said = slat(ROOT, *WORDS, "--series", BAD, "l2_within_l1")
    assert said.exit_code == 70
    assert f"l2_within_l1.{BAD}.escalation.ept02.json" in said.err
    assert "nothing is claimed until this is settled" in said.err
