"""Counterexamples that are a guest's translation, on the reference MMU."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import pytest

from models.scenario import read_scenario
from verifier.cli import replay_guest
from verifier.cli.main import run
from verifier.cli.replay_ept import EPT, NEEDED, Verdict
from verifier.cli.replay_guest import NEEDED as GUEST_NEEDED
from verifier.cli.replay_guest import PAGING
from verifier.names.project import read_project
from verifier.names.series import expectation
from verifier.types import typed
from verifier.types.load import load

ROOT = Path(__file__).parents[4]
UNVERIFIED = "verification_violation_with_all_rights"
"""Its walk is one of EPT alone, and needs a guest all the same."""


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_every_example_that_holds_a_guests_walk_is_run_on_the_reference_mmu(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [*examples_of("sdm.paging.walk.GuestWalk"), UNVERIFIED]
    assert len(names) > 8
    assert run(["prove", *names, "--json", str(tmp_path / "report.json"), "--save", str(tmp_path / "walks")]) == 0
    capsys.readouterr()
    claims = json.loads((tmp_path / "report.json").read_text())["results"]
    replayed = {c["name"]: (c["example"] or c["counterexample"])["replayed"] for c in claims}
    assert replayed == {name: ["interpreter", "reference MMU"] for name in names}
    saved = sorted((tmp_path / "walks").iterdir())
    assert [path.name for path in saved] == sorted(f"{name}.walk.json" for name in names)
    assert all(run(["walk", str(path)]) == 0 for path in saved)
    assert all(json.loads(path.read_text())["access"]["linear_address"] for path in saved)


@pytest.mark.parametrize(
    ("claim", "outcome", "told"),
    [
        ("the_cpl_decides", "ept_violation", {"fetch": 1}),
        ("an_ept_violation_beats_the_guests_rights", "page_fault", {}),
        (UNVERIFIED, "ept_violation", {"verification": 1}),
    ],
)
def test_a_guests_saved_scenario_walks_to_what_the_claim_tells(
    claim: str, outcome: str, told: dict[str, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["prove", claim, "--save", str(tmp_path)]) == 0
    capsys.readouterr()
    assert run(["walk", "--json", str(tmp_path / f"{claim}.walk.json")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["outcome"] == outcome
    bits = {"fetch": 2, "verification": 15}
    qualification = int(found.get("exit_qualification", "0"), 16)
    assert {name: qualification >> bits[name] & 1 for name in told} == told


@cache
def checked() -> typed.Checked:
    return load(read_project(ROOT)).checked


def examples_of(record: str) -> list[str]:
    """The claims of the project that a variable of that record type has, and that an example belongs to."""
    wanted = checked().types[record]
    stated = [claim for claim in checked().claims if any(param.type is wanted for param in claim.params)]
    expected = [(claim, expectation(claim.expects, None)) for claim in stated]
    return [c.name for c, said in expected if (said.verdict if said else "proved") == VERDICTS[c.kind]]


VERDICTS = {"witness": "proved", "invariant": "refuted"}
"""Those that come with an example."""


def copied(tmp_path: Path) -> Path:
    """The project's specifications and claims, to be changed."""
    for part in ("specs", "proofs"):
        shutil.copytree(ROOT / part, tmp_path / part)
    return tmp_path


def test_a_disagreement_about_a_guest_is_told_with_its_scenario(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(replay_guest, "run_guest", lambda at: Verdict("#PF", stage="GUEST_RIGHTS"))
    assert run(["prove", "the_cpl_decides", "--no-cache", "--save", str(tmp_path)]) == 70
    told = capsys.readouterr().err
    assert "\n  access          fetch at linear address 0x" in told
    assert "\n  specification   EPT violation at the final address, guest-physical address 0x" in told
    assert "\n  reference MMU   #PF at the guest's rights\n" in told
    (saved,) = tmp_path.iterdir()
    assert f"slat walk DIR/{saved.name}\n" in told
    assert read_scenario(json.loads(saved.read_text())).request


def renamed_function(root: Path) -> None:
    path = root / "specs" / "sdm" / "paging" / "flags.slat"
    path.write_text(path.read_text().replace("rule needs_a_flag(", "rule wants_a_flag("))
    for user in root.rglob("*.slat"):
        user.write_text(user.read_text().replace("needs_a_flag(", "wants_a_flag("))


def test_specifications_without_what_the_replay_asks_for_are_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = copied(tmp_path)
    renamed_function(root)
    assert run(["prove", "bit_6_can_be_read_without_mbec", "--root", str(root)]) == 70
    assert "`sdm.paging.flags.needs_a_flag` is missing" in capsys.readouterr().err


@pytest.mark.parametrize("name", [*(EPT + name for name in NEEDED), *(PAGING + name for name in GUEST_NEEDED)])
def test_the_specifications_have_what_the_replay_asks_for(name: str) -> None:
    assert name in checked().functions
