"""Counterexamples on the reference MMU, and the scenarios that `slat prove --save` writes."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from verifier.cli import replay_ept
from verifier.cli.main import run
from verifier.cli.replay_ept import Verdict

ROOT = Path(__file__).parents[4]
CLAIM = "bit_6_is_for_fetches"
WITHOUT_ACCESS = "user_execution_by_bit_10_alone"


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_a_saved_scenario_walks_to_the_outcome_of_the_counterexample(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["prove", CLAIM, "-v", "--save", str(tmp_path)]) == 0
    assert "replayed on the interpreter and the reference MMU" in capsys.readouterr().out
    (saved,) = tmp_path.iterdir()
    assert saved.name == f"{CLAIM}.walk.json"
    assert run(["walk", "--json", str(saved)]) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["outcome"] == "ept_violation"
    assert int(outcome["exit_qualification"], 16) >> 6 & 1, "the claim is that bit 6 stays clear for a read"


IMPOSSIBLE = """// An example that is no machine.
module proofs.impossible
use sdm.ept.walk

invariant there_is_no_such_processor per SDM "EPT Overview"
  "A processor whose MAXPHYADDR leaves out one bit alone."
  for walk: EptWalk
  assume walk.controls.beyond_maxphyaddr == [40]
  show !walk.controls.mbec
  expect refuted "it is for the report"
"""


def test_an_example_that_no_scenario_expresses_is_replayed_on_the_interpreter_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    (tmp_path / "proofs").mkdir()
    (tmp_path / "proofs" / "impossible.slat").write_text(IMPOSSIBLE)
    monkeypatch.chdir(tmp_path)
    assert run(["prove", "-v", "--save", str(tmp_path / "walks")]) == 0
    assert "replayed on the interpreter)" in capsys.readouterr().out
    assert not list(tmp_path.glob("walks/*"))


def test_a_disagreement_ends_with_70_after_all_verdicts_and_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("specs", "proofs"):
        shutil.copytree(ROOT / part, tmp_path / part)
    monkeypatch.setattr(replay_ept, "run", lambda document: Verdict("TRANSLATED"))
    for _ in range(2):
        assert run(["prove", CLAIM, "-v", "--root", str(tmp_path)]) == 70
        said = capsys.readouterr()
        assert re.fullmatch(TOLD, said.err)
        assert "replayed on the interpreter, contradicted by the reference MMU)" in said.out


TOLD = rf"""disagreement: of the example of `{CLAIM}` specification and reference MMU say different things; one is wrong
  access          read at guest-physical address 0x[0-9a-f]+
  specification   EPT violation, exit qualification 0x[0-9a-f]+ \(defined bits 0x[0-9a-f]+\)
  reference MMU   allowed, host-physical address 0x0
  look closer     slat prove {CLAIM} --save DIR; slat walk DIR/{CLAIM}.walk.json

nothing is claimed until this is settled
"""


def test_the_scenario_that_is_kept_is_one_on_which_the_two_sides_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = replay_ept.run

    def wrong_of_fetches(document: dict[str, Any]) -> Verdict:
        return Verdict("TRANSLATED") if document["access"]["kind"] == "fetch" else real(document)

    monkeypatch.setattr(replay_ept, "run", wrong_of_fetches)
    file = tmp_path / "results.json"
    assert run(["prove", WITHOUT_ACCESS, "--no-cache", "--save", str(tmp_path), "--json", str(file)]) == 70
    assert "\n  access          fetch at guest-physical address 0x" in capsys.readouterr().err
    (scenario,) = (path for path in tmp_path.iterdir() if path != file)
    assert json.loads(scenario.read_text())["access"]["kind"] == "fetch"
    (result,) = json.loads(file.read_text())["results"]
    example = result["counterexample"] or result["example"]
    assert (example["replayed"], example["contradicted_by"]) == (["interpreter"], ["reference MMU"])


def test_a_disagreement_is_told_and_ends_with_70_also_if_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(replay_ept, "run", lambda document: Verdict("TRANSLATED"))
    monkeypatch.setattr("os.replace", full)
    assert run(["prove", CLAIM, "--no-cache", "--json", str(tmp_path / "results.json")]) == 70
    said = capsys.readouterr()
    assert said.err.startswith("error[E603]: cannot write ")
    assert CLAIM in said.err
    assert said.out == ""


@pytest.mark.parametrize("claim", [CLAIM, "the_mode_table"])
def test_a_place_that_cannot_be_written_ends_with_2_also_if_there_is_no_walk(
    claim: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("kept")
    for place in (tmp_path / "file", tmp_path / "file" / "nowhere"):
        assert run(["prove", claim, "--save", str(place)]) == 2
        assert "cannot write" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "kept"
