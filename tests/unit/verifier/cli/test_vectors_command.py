"""`slat vectors`: what it takes for a gap, what it refuses, and where it writes."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conformance.small import MAIN
from golden.cases import Said, make_project, slat
from test_small_commands import completions

from verifier.cli import replay_ept, vectors
from verifier.cli.replay_case import decisive
from verifier.cli.replay_ept import Verdict
from verifier.obligations.prove import Options

ROOT = Path(__file__).parents[4]
HEAD = """{about}module vectors.{name}
use sdm.ept.access
use sdm.ept.entry
use sdm.ept.misconfiguration
use sdm.ept.violation
use sdm.ept.walk
use vectors.access_test

"""
WITNESS = """witness a per SDM "EPT Violations"
  for walk: EptWalk, access: EptAccess{more}
  assume {assumed}
  show {shown}
"""
TEST = "an_access_test(walk, access)"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The processor's part of the specifications, and what an access test sets up."""
    root = tmp_path_factory.mktemp("machine")
    shutil.copytree(ROOT / "specs" / "sdm", root / "specs" / "sdm")
    shutil.copy(ROOT / "specs" / "MANUALS.toml", root / "specs")
    (root / "vectors").mkdir()
    shutil.copy(ROOT / "vectors" / "access_test.slat", root / "vectors")
    return root


def gap(root: Path, text: str, name: str = "mine", about: str = "// Something.\n") -> None:
    """Writes a gap, the only one beside what a test adds."""
    for path in (root / "vectors").rglob("*.slat"):
        if path.name != "access_test.slat":
            path.unlink()
    add(root, text, name, about)


def add(root: Path, text: str, name: str, about: str = "") -> None:
    path = root / "vectors" / f"{name.replace('.', '/')}.slat"
    path.parent.mkdir(exist_ok=True)
    path.write_text(HEAD.format(about=about, name=name) + text)


def witness(assumed: str = TEST, shown: str = "made_by(access)", more: str = "") -> str:
    return WITNESS.format(assumed=assumed, shown=shown, more=more)


def told(root: Path, *words: str) -> Said:
    said = slat(root, "vectors", "--jobs", "1", *words)
    assert "Traceback" not in said.err
    return said


def rejected(root: Path, text: str) -> str:
    """The one diagnostic of a gap, without its excerpt."""
    gap(root, text)
    said = told(root)
    assert (said.exit_code, said.out, said.codes) == (2, "", ["E605"])
    return said.err.splitlines()[0].removeprefix("error[E605]: ")


def test_a_project_without_gaps_says_what_one_is(tmp_path: Path):
    said = told(make_project(tmp_path))
    assert (said.exit_code, said.out, said.codes) == (2, "", ["E603"])
    assert f"there is no `vectors` in `{tmp_path}`" in said.err


def test_a_file_without_a_witness_is_no_gap_and_an_unknown_name_gets_advice(machine: Path):
    gap(machine, witness())
    for word, problem in (
        ("mien", "`mien` is no gap\n = help: did you mean `mine`?"),
        ("", "`` is no gap\n = help: `slat vectors --list` names them all"),
        ("access_test", "`vectors/access_test.slat` holds no witness"),
    ):
        said = told(machine, "--gap", word)
        assert (said.exit_code, said.out) == (2, "")
        assert said.err.startswith(f"error[E603]: {problem}")


def test_gaps_of_one_name_in_two_folders_are_two(machine: Path):
    gap(machine, witness(), "one.mine")
    add(machine, witness(), "two.mine")
    found = json.loads(told(machine, "--format", "json").out)
    assert [one["name"] for one in found["gaps"]] == ["one.mine", "two.mine"]
    assert [one["name"].rpartition(".")[0] for one in found["vectors"]] == ["one.mine.a"] * 4
    assert all(len(one["decides"]) == 2 for one in found["vectors"]), "the same access is written once"


def test_a_gap_that_is_asked_for_twice_is_written_once(machine: Path):
    gap(machine, witness())
    said = told(machine, "--gap", "mine", "--gap", "mine")
    assert (said.exit_code, said.err) == (0, "")
    assert " * again: slat vectors --gap mine\n" in said.out


def test_words_of_a_comment_end_no_comment_and_move_no_cursor(machine: Path):
    gap(machine, witness(), about="// It ends */ here \u202e and \x1b[2J. Not there.\n")
    said = told(machine, "--list")
    assert "It ends */ here ? and ?[2J\n" in said.out
    assert "\n * mine: It ends * / here ? and ?[2J. Not there.\n" in told(machine).out


def test_an_access_that_no_test_makes_is_an_error_at_its_witness(machine: Path):
    allowed = rejected(machine, witness("true", "denied(walk, access)"))
    assert "is no access test: no operation of the guest is a" in allowed
    assert rejected(machine, witness(f"{TEST} && walk.controls.five_level")) == "`mine.a` has no case"
    assert rejected(machine, witness(f"{TEST} && {TEST.replace('walk', 'other')}", more=", other: EptWalk")) == (
        "`mine.a.read` is no access test: the reference MMU makes 2 accesses of it, not one"
    )


def test_a_neighbour_must_be_one_that_the_guest_can_read(machine: Path):
    leaf = "last(used(walk)).at == PTE && last(used(walk)).entry.r"
    neighbour = ", neighbour: EptEntry"
    unreadable = "is no access test: the guest cannot read the neighbour"
    assert unreadable in rejected(machine, witness(f"{TEST} && {leaf} && !neighbour.r", more=neighbour))
    assert unreadable in rejected(machine, witness(f"{TEST} && neighbour.r", more=neighbour))
    reserved = f"{TEST} && {leaf} && neighbour == EptEntry([4, 0])"
    assert unreadable in rejected(machine, witness(reserved, more=neighbour))
    gap(machine, witness(f"{TEST} && {leaf} && neighbour == EptEntry([14, 2:0])", more=neighbour))
    assert told(machine).out.count("\t\t.neighbour = EPT_RA | EPT_WA | EPT_EA,\n") == 4


def test_all_wrong_witnesses_are_told_in_one_run(machine: Path):
    gap(machine, witness("true", "denied(walk, access)") + "\n" + witness("false").replace("witness a", "witness b"))
    said = told(machine)
    assert (said.exit_code, said.codes) == (2, ["E605", "E605"])
    assert "`mine.b` has no case" in said.err
    assert "is no access test" in said.err


def test_nothing_is_claimed_where_a_budget_runs_out(machine: Path, monkeypatch: pytest.MonkeyPatch):
    gap(machine, witness(shown="denied(walk, access)"))
    monkeypatch.setattr(vectors, "OPTIONS", Options(budget=1, explained=False))
    said = told(machine, "--no-cache")
    assert (said.exit_code, said.out) == (3, "")
    assert said.err == "the budget ran out at `mine.a.none`; nothing is claimed\n"


def test_a_place_that_takes_no_file_is_told_before_anything_is_decided(machine: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(vectors, "_collect", None)
    for place in ("vectors", "specs/MANUALS.toml/cases.c", ""):
        said = told(machine, "-o", place)
        assert (said.exit_code, said.out, said.codes) == (2, "", ["E603"])


def test_a_file_is_written_whole_or_not_at_all(machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    gap(machine, witness())
    place = tmp_path / "new" / "cases.c"
    said = told(machine, "-o", str(place))
    assert (said.exit_code, said.out, said.err) == (0, "", f"{place}: 4 vectors of 1 gap\n")
    assert place.read_text() == told(machine).out
    place.write_text("before")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("verifier.files._take_over", full)
    said = told(machine, "-o", str(place))
    assert (said.exit_code, said.out) == (2, "")
    assert f"cannot write `{place}`: no space left on device" in said.err
    assert [path.name for path in place.parent.iterdir()] == ["cases.c"]
    assert place.read_text() == "before"


def test_the_walk_of_each_case_is_kept_where_save_says(machine: Path, tmp_path: Path):
    gap(machine, witness())
    said = told(machine, "--format", "json", "--save", str(tmp_path / "walks"))
    assert (said.exit_code, said.err) == (0, "")
    kept = {path.name: json.loads(path.read_text()) for path in (tmp_path / "walks").iterdir()}
    assert kept == {
        f"{one['name'].removeprefix('mine.')}.walk.json": one["scenario"] for one in json.loads(said.out)["vectors"]
    }


def test_nothing_is_written_but_the_walks_where_the_reference_mmu_says_something_else(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    gap(machine, witness())
    monkeypatch.setattr(replay_ept, "run", lambda document: Verdict("TRANSLATED"))
    said = told(machine, "-o", str(tmp_path / "cases.c"), "--save", str(tmp_path / "walks"))
    assert (said.exit_code, said.out) == (70, "")
    closer = "slat vectors --gap mine --save DIR; slat walk DIR/a.read.walk.json"
    assert f"look closer     {closer}\n" in said.err
    assert said.err.endswith("nothing is claimed until this is settled\n")
    assert [path.name for path in tmp_path.iterdir()] == ["walks"]
    assert (tmp_path / "walks" / "a.read.walk.json").exists()


def test_standard_output_by_its_other_name_holds_the_document_alone(machine: Path):
    gap(machine, witness())
    command = [sys.executable, "-c", MAIN, "vectors", "--format", "json", "-o", "/dev/stdout"]
    done = subprocess.run(command, capture_output=True, check=False, text=True, cwd=machine, timeout=600)
    assert (done.returncode, done.stderr) == (0, "/dev/stdout: 4 vectors of 1 gap\n")
    assert json.loads(done.stdout)["schema"] == "slat-vectors-1"


def test_the_shell_is_offered_the_gaps_that_hold_witnesses(machine: Path):
    gap(machine, witness())
    add(machine, witness(), "more")
    assert completions(machine, "slat vectors --gap ") == ["plain,mine", "plain,more"]
    assert completions(machine, "slat vectors --gap mo") == ["plain,more"]
    assert completions(machine / "vectors", "slat vectors --gap mi") == ["plain,mine"]


def test_nothing_is_offered_where_there_are_no_gaps(tmp_path: Path):
    assert completions(tmp_path, "slat vectors --gap ") == [""]
    assert completions(make_project(tmp_path), "slat vectors --gap ") == [""]


def test_capabilities_that_hide_one_another_are_named_too():
    has = {"a": False, "b": False, "c": True}
    assert decisive(has, lambda other: not (other["a"] and other["b"])) == ("a",), "one of the two is enough"
    assert decisive(has, lambda other: not other["b"]) == ("b",)
    assert decisive(has, lambda other: other["c"] or other["a"]) == ("c",)
    assert decisive({"a": True, "b": True}, lambda other: other["a"] or other["b"]) == ("a",)
    assert decisive(has, lambda _: True) == ()
