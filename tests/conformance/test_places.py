"""Places where `slat prove` writes: checked before anything is decided, written whole or not at all."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
import small
from commands import Slat

from verifier.obligations import run as running

OPTIONS = ("--json", "--smtlib", "--save")


@pytest.fixture
def nothing_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise AssertionError("a solver was asked before the places were checked")

    monkeypatch.setattr(running, "solve", forbidden)


@pytest.mark.usefixtures("nothing_decided")
@pytest.mark.parametrize("option", OPTIONS)
def test_a_place_that_cannot_be_written_is_exit_2_at_once_and_leaves_nothing_behind(
    slat: Slat, option: str, tmp_path: Path
):
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    places = ["file/x", "folder" if option == "--json" else "file", "pipe"]
    for place in places:
        said = slat(option, str(tmp_path / place))
        assert (said.code, said.out) == (2, ""), place
        assert f"error[E603]: cannot write `{tmp_path / place}`: " in said.err
    assert (tmp_path / "file").read_text() == "kept"
    assert list((tmp_path / "folder").iterdir()) == []
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder", "pipe", "project"}


@pytest.mark.usefixtures("nothing_decided")
@pytest.mark.parametrize("option", [*OPTIONS, "--root"])
def test_an_empty_word_is_no_place(slat: Slat, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    said = slat(option, "")
    assert (said.code, said.out) == (2, "")
    assert "error[E603]: an empty word is no path" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


def test_results_are_written_through_a_link_to_an_unreadable_file(slat: Slat, tmp_path: Path):
    (tmp_path / "file").write_text("before")
    (tmp_path / "file").chmod(0o200)
    (tmp_path / "link").symlink_to("file")
    assert slat("--json", str(tmp_path / "link")).code == 0
    assert (tmp_path / "link").is_symlink()
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o200
    (tmp_path / "file").chmod(0o600)
    assert json.loads((tmp_path / "file").read_text())["schema"] == "slat-prove-1"


@pytest.mark.parametrize(("numbers", "code"), [((1, 3), 0), ((1, 7), 2)], ids=["null", "full"])
def test_a_device_stays_a_device(slat: Slat, numbers: tuple[int, int], code: int, tmp_path: Path):
    device = tmp_path / "device"
    try:
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(*numbers))
        os.close(os.open(device, os.O_WRONLY))
    except PermissionError:
        pytest.skip("nobody else may make a device that works")
    said = slat("--json", str(device))
    assert said.code == code
    assert said.err == ("" if code == 0 else f"error[E603]: cannot write `{device}`: no space left on device\n\n")
    assert device.is_char_device()


def test_the_json_file_is_the_json_format(slat: Slat, tmp_path: Path):
    file = tmp_path / "new" / "results.json"
    assert slat("--json", str(file)).code == 0
    assert json.loads(file.read_text()) == json.loads(slat("--format", "json").out)
    assert [path.name for path in file.parent.iterdir()] == ["results.json"]


def test_results_can_be_written_to_standard_output(slat: Slat):
    said = slat("D1", "--json", "/dev/stdout")
    document, end = json.JSONDecoder().raw_decode(said.out)
    assert document["summary"]["claims"] == 1
    assert "1 claim, 1 proved" in said.out[end:]


def test_smtlib_writes_one_file_for_each_claim_that_was_asked_for(slat: Slat, tmp_path: Path):
    assert slat("D1", "D4", "--smtlib", str(tmp_path / "out")).code == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["proofs.doors.a_key_without_red_opens.smt2", "proofs.doors.a_red_key_opens.smt2"]
    for path in (tmp_path / "out").iterdir():
        assert "(check-sat" in path.read_text()


def test_a_folder_is_written_whole_or_not_at_all_and_files_of_the_user_stay(slat: Slat, tmp_path: Path):
    out = tmp_path / "out"
    (out / "proofs.doors.a_red_key_opens.smt2").mkdir(parents=True)
    (out / "mine").write_text("kept")
    json_file = tmp_path / "results.json"
    said = slat("--smtlib", str(out), "--json", str(json_file))
    assert (said.code, said.out) == (2, "")
    assert f"cannot write `{out / 'proofs.doors.a_red_key_opens.smt2'}`: is a directory" in said.err
    assert sorted(path.name for path in out.iterdir()) == ["mine", "proofs.doors.a_red_key_opens.smt2"]
    assert not json_file.exists()
    (out / "proofs.doors.a_red_key_opens.smt2").rmdir()
    assert slat("--smtlib", str(out)).code == 0
    assert (out / "mine").read_text() == "kept"
    assert len(list(out.iterdir())) == 1 + small.CLAIMS.count("show")
