"""`slat report --html DIR`: exit codes, and a directory that is replaced whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from conformance import small
from conformance.commands import Slat, content

from verifier.cli import report
from verifier.cli.main import run
from verifier.cli.site_folder import MANIFEST
from verifier.obligations import prove


@pytest.fixture
def slat(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Slat:
    return Slat(small.write(tmp_path / "project"), capfd, "report")


def neighbours(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.iterdir())


def test_a_site_is_written_and_the_first_page_named_on_standard_output(slat: Slat, tmp_path: Path):
    site = tmp_path / "new" / "site"
    said = slat("--html", str(site))
    assert (said.code, said.err) == (0, "")
    assert said.out == f"{site}/index.html: 5 claims, 3 proved, 2 refuted, 1 reachable, all as expected\n"
    found = content(site)
    assert sorted(found) == found[MANIFEST].decode().splitlines()
    assert neighbours(site) == ["site"]


def test_a_verdict_that_is_not_the_expected_one_is_exit_1_and_the_site_says_so(tmp_path: Path, slat: Slat):
    small.write(slat.root, small.CLAIMS + small.WRONG)
    said = slat("--html", str(tmp_path / "site"))
    assert said.code == 1
    assert "1 not as expected" in said.out
    assert b"refuted, expected proved" in (tmp_path / "site" / "index.html").read_bytes()


def test_a_budget_that_ran_out_is_exit_3(slat: Slat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    small.write(slat.root, small.CLAIMS + small.HARD)
    monkeypatch.setattr(report, "Options", lambda: prove.Options(budget=1000))
    assert slat("--html", str(tmp_path / "site")).code == 3
    assert b"the budget ran out" in (tmp_path / "site" / "index.html").read_bytes()


def test_a_second_run_replaces_the_first_and_leaves_the_same_bytes_and_permissions(slat: Slat, tmp_path: Path):
    site = tmp_path / "site"
    assert slat("--html", str(site)).code == 0
    first = content(site)
    (site / "proofs" / "doors.html").write_text("changed")
    (site / "index.html").unlink()
    site.chmod(0o750)
    assert slat("--html", str(site)).code == 0
    assert content(site) == first
    assert stat.S_IMODE(site.stat().st_mode) == 0o750
    assert neighbours(site) == ["project", "site"]


def test_what_a_site_no_longer_has_is_gone(slat: Slat, tmp_path: Path):
    site = tmp_path / "site"
    assert slat("--html", str(site)).code == 0
    (slat.root / "proofs" / "doors.slat").unlink()
    assert slat("--html", str(site)).code == 0
    assert not (site / "proofs").exists()
    assert not (site / "examples").exists()


@pytest.mark.parametrize("place", ["mine.txt", "proofs/mine.txt", "proofs/link", "other/.git/config"])
def test_a_directory_with_anything_else_in_it_is_left_alone(slat: Slat, tmp_path: Path, place: str):
    site = tmp_path / "site"
    assert slat("--html", str(site)).code == 0
    mine = site / place
    mine.parent.mkdir(parents=True, exist_ok=True)
    if place.endswith("link"):
        mine.symlink_to(tmp_path)
    else:
        mine.write_text("mine")
    before = content(site)
    said = slat("--html", str(site))
    assert (said.code, said.out) == (2, "")
    assert f"error[E603]: `{site}` holds `{place}`, which `slat report` did not write" in said.err
    assert "= help: name a directory that is new or empty" in said.err
    assert content(site) == before


def test_a_directory_that_holds_no_site_is_left_alone_and_nothing_is_decided(
    slat: Slat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def forbidden(*_: object) -> None:
        raise AssertionError("claims were decided before the place was checked")

    monkeypatch.setattr(report, "decide", forbidden)
    said = slat("--html", str(slat.root))
    assert said.code == 2
    assert "which `slat report` did not write" in said.err
    assert "more, which" in said.err
    assert neighbours(slat.root) == ["project"]


def test_an_empty_directory_and_a_link_to_one_are_filled(slat: Slat, tmp_path: Path):
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to("real")
    assert slat("--html", str(tmp_path / "link")).code == 0
    assert (tmp_path / "link").is_symlink()
    assert (real / "index.html").is_file()
    assert neighbours(real) == ["link", "project", "real"]


def test_a_place_that_cannot_be_written_is_exit_2_with_its_name(slat: Slat, tmp_path: Path):
    (tmp_path / "file").write_text("kept")
    os.mkfifo(tmp_path / "pipe")
    for place, problem in (("file", "not a directory"), ("file/x", "not a directory"), ("pipe", "not a directory")):
        said = slat("--html", str(tmp_path / place))
        assert (said.code, said.out) == (2, ""), place
        assert f"error[E603]: cannot write `{tmp_path / place}`: {problem}" in said.err
    assert (tmp_path / "file").read_text() == "kept"
    assert neighbours(tmp_path / "file") == ["file", "pipe", "project"]


def test_a_directory_without_permission_is_exit_2(slat: Slat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "closed").mkdir(mode=0o555)
    if os.access(tmp_path / "closed", os.W_OK):  # the superuser may write anywhere
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "closed")
    said = slat("--html", str(tmp_path / "closed" / "site"))
    assert said.code == 2
    assert f"cannot write `{tmp_path / 'closed' / 'site'}`: permission denied" in said.err


def test_a_full_disk_is_exit_2_and_leaves_what_was_there(slat: Slat, small_disk: Path):
    site = small_disk / "site"
    site.mkdir()
    (site / MANIFEST).write_text(f"index.html\n{MANIFEST}\n")
    (site / "index.html").write_text("an earlier site")
    said = slat("--html", str(site))
    assert (said.code, said.out) == (2, "")
    assert said.err == f"error[E603]: cannot write `{site}`: no space left on device\n\n"
    assert (site / "index.html").read_text() == "an earlier site"
    assert neighbours(site) == ["site"]


def test_a_file_system_of_its_own_cannot_be_replaced_and_stays(slat: Slat, small_disk: Path):
    said = slat("--html", str(small_disk))
    assert said.code == 2
    assert f"cannot write `{small_disk}`: " in said.err
    assert list(small_disk.iterdir()) == []
    assert neighbours(small_disk) == ["disk", "project"]


@pytest.mark.parametrize("words", [[], ["--html", ""], ["--html", "x", "--series", "v9"], ["--html", "x", "claims"]])
def test_what_cannot_be_followed_is_exit_2(slat: Slat, words: list[str], capfd: pytest.CaptureFixture[str]):
    assert run(["report", "--root", str(slat.root), *words]) == 2
    assert "rror" in capfd.readouterr().err
    assert not Path("x").exists()


def test_where_judges_differ_no_site_is_written(slat: Slat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def differ(*_: object) -> None:
        raise prove.Disagreement("a_red_key_opens: solvers disagree")

    monkeypatch.setattr("verifier.cli.deciding.run", differ)
    said = slat("--html", str(tmp_path / "site"))
    assert (said.code, said.out) == (70, "")
    assert "internal error: a_red_key_opens: solvers disagree" in said.err
    assert not (tmp_path / "site").exists()
