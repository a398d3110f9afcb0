"""`slat new-series`: a skeleton that is sound, and nothing at all where it cannot be written."""

from __future__ import annotations

import contextlib
import os
import shutil
import tomllib
from pathlib import Path

import pytest
from golden.cases import Said, slat
from golden.versions import CLAIMS, project

SERIES = Path("specs") / "kvm" / "series"
MAILS = """\
From mboxrd@z Thu Jan  1 00:00:00 1970
From: "A. Developer" <a@example.org>
Subject: [PATCH v7 0/2] KVM: x86/mmu: more bits
Date: Tue, 5 May 2026 10:00:00 +0200
Message-ID: <20260505.0@example.org>

A cover.

From mboxrd@z Thu Jan  1 00:00:00 1970
From: =?utf-8?q?B=C3=A4rbel?= <b@example.org>
Subject: [PATCH v7 2/2] KVM: VMX: say "yes" to
 the second bit, at last, in a long subject
Date: no day
Message-ID: <20260505.2@example.org>

diff
From mboxrd@z Thu Jan  1 00:00:00 1970
From: a@example.org
Subject: Re: [PATCH v7 1/2] KVM: x86/mmu: the first bit
Message-ID: <answer@example.org>

> diff
From mboxrd@z Thu Jan  1 00:00:00 1970
From: a@example.org
Subject: [PATCH v7 1/2] KVM: x86/mmu: the first bit
Date: Tue, 5 May 2026 10:00:01 +0200
Message-ID: <20260505.1@example.org>

From: is no header here.
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return project(tmp_path / "project")


def tree(root: Path) -> dict[str, str]:
    """Every file and directory of a project, but for what is remembered of proofs."""
    return {
        path.relative_to(root).as_posix(): path.read_text() if path.is_file() else ""
        for path in root.rglob("*")
        if ".slat/" not in path.as_posix() and path.name != ".slat"
    }


def sound(root: Path) -> bool:
    """Whether everything is well-typed, and everything in a new series laid out."""
    new = [str(folder) for folder in (root / SERIES).iterdir() if (folder / "README.md").exists()]
    return slat(root, "check").exit_code == 0 and (not new or slat(root, "fmt", "--check", *new).exit_code == 0)


def refused(root: Path, *words: str) -> Said:
    """What is said of a command line that is bad input, after which everything is as it was."""
    before = tree(root)
    said = slat(root, "new-series", *words)
    assert (said.exit_code, said.out) == (2, "")
    assert tree(root) == before
    return said


def test_a_new_series_is_sound_and_laid_out_and_its_verdicts_are_those_of_its_base(root: Path):
    said = slat(root, "new-series", "mine", "--base", "v5")
    assert (said.exit_code, said.err) == (0, "")
    files = ["README.md", "series.toml", "01-first-change.slat"]
    assert said.out == "".join(f"wrote {SERIES / 'mine' / file}\n" for file in files) + (
        f"\nNext: write into {SERIES / 'mine' / files[2]} what the patch changes; then\n"
        "  slat check\n  slat prove --series mine\n"
    )
    assert slat(root, "check").out == "well-typed: 2 modules, 3 claims, 5 series\n"
    assert sound(root)
    said = slat(root, "prove", "--series", "mine", "--jobs", "1")
    assert said.exit_code == 0
    assert "3 claims, 3 proved, 0 refuted, all as expected" in said.out


def test_every_command_takes_a_new_series(root: Path):
    assert slat(root, "new-series", "mine", "--base", "v5", "--patch", "[PATCH] as no manual lists it").exit_code == 0
    for line in ("table layout Acc --series mine", "diff mine", "prove --series all --jobs 1", "report --html site"):
        said = slat(root, *line.split())
        assert (said.exit_code, said.err) == (0, ""), line
    page = (root / "site" / SERIES / "mine" / "01-as-no-manual-lists-it.html").read_text()
    assert "as no manual lists it" in page


def test_two_runs_write_the_same_bytes(root: Path):
    def written() -> dict[str, str]:
        assert slat(root, "new-series", "mine", "--base", "old", "--patch", "x: y").exit_code == 0
        found = tree(root)
        shutil.rmtree(root / SERIES / "mine")
        return found

    assert written() == written()


def test_a_series_on_a_version_with_its_own_verdicts_expects_those(root: Path):
    assert slat(root, "new-series", "later", "--base", "newest").exit_code == 0
    said = slat(root, "prove", "--series", "later", "--jobs", "1")
    assert said.exit_code == 0
    assert said.out.count("not modelled") == 3
    assert slat(root, "new-series", "latest", "--base", "later").exit_code == 0
    assert slat(root, "prove", "--series", "latest", "--jobs", "1").exit_code == 0


def test_a_claim_that_a_patch_breaks_is_not_as_expected(root: Path):
    assert slat(root, "new-series", "mine", "--base", "v5", "--amend", "kvm.spte.executable").exit_code == 0
    patch = root / SERIES / "mine" / "01-first-change.slat"
    assert slat(root, "prove", "--series", "mine", "--jobs", "1").exit_code == 0
    text = patch.read_text()
    assert "amend kvm.spte seen\n\nreplace fn executable(a: Acc, user: bool)" in text
    patch.write_text(text.replace("else a.exec", "else a.user_exec"))
    said = slat(root, "prove", "--series", "mine", "--jobs", "1")
    assert said.exit_code == 1
    assert "NOT AS EXPECTED (proved)" in said.out
    assert "2 as expected" not in said.out


def test_definitions_are_copied_as_they_are_in_the_base_with_their_comments(root: Path):
    (root / "specs" / "kvm" / "mmu.slat").write_text(
        'module kvm.mmu\n\n// about it\nfn levels(x: bool) -> bits(3) per LINUX "make_spte()"\n'
        "  = if x then 4 // why\n    else 5\n"
    )
    words = ("--amend", "kvm.spte.executable", "--amend", "kvm.mmu.levels", "--amend", "kvm.spte.Acc")
    assert slat(root, "new-series", "mine", "--base", "old", *words, "--amend", "kvm.mmu.levels").exit_code == 0
    text = (root / SERIES / "mine" / "01-first-change.slat").read_text()
    assert text.count("\namend ") == 2
    assert text.count("levels") == 1
    assert "// why" in text
    assert 'bits Acc : 3 per LINUX "make_spte()" { [0] read  [1] exec }' in text
    assert sound(root)


@pytest.mark.parametrize(
    ("subject", "file"),
    [
        ("[PATCH v2 3/4] KVM: x86/mmu: split XS/XU bits for EPT", "01-split-xs-xu-bits-for.slat"),
        ('say "no"', "01-say-no.slat"),
        ("KVM: 2M pages", "01-patch-2m-pages.slat"),
        ("KVM: Größe", "01-gr-e.slat"),
        ("[RFC] [PATCH] KVM: for", "01-patch-for.slat"),
        ("…", "01-patch.slat"),
    ],
)
def test_a_file_is_named_by_what_a_subject_says(root: Path, subject: str, file: str):
    assert slat(root, "new-series", "mine", "--base", "v5", "--patch", subject).exit_code == 0
    assert (root / SERIES / "mine" / file).exists()
    assert sound(root)


def test_the_patches_of_a_mailbox_are_listed_in_their_order(root: Path, tmp_path: Path):
    mails = tmp_path / "v7.mbx"
    mails.write_text(MAILS)
    assert slat(root, "new-series", "theirs", "--base", "v5", "--mbox", str(mails)).exit_code == 0
    listed = tomllib.loads((root / SERIES / "theirs" / "series.toml").read_text())
    assert listed["title"] == "theirs, 2 patches"
    first, second = listed["patch"]
    assert first == {
        "file": "01-the-first-bit.slat",
        "title": "[PATCH v7 1/2] KVM: x86/mmu: the first bit",
        "author": "a@example.org",
        "date": "2026-05-05",
        "message_id": "20260505.1@example.org",
    }
    assert second["title"] == "[PATCH v7 2/2] KVM: VMX: say 'yes' to the second bit, at last, in a long subject"
    assert (second["author"], second["date"]) == ("Bärbel", "unknown")
    assert sound(root)
    assert slat(root, "prove", "--series", "theirs", "--upto", "1", "--jobs", "1").exit_code == 0


@pytest.mark.parametrize(
    ("mails", "said"),
    [
        (None, "error[E601]: cannot read `v7.mbx`: no such file or directory"),
        (b"", "error[E603]: there is no patch in `v7.mbx`"),
        (b"\xff\x00From \nSubject: [PATCH", "error[E603]: there is no patch in `v7.mbx`"),
        (MAILS.split("From mboxrd")[1].encode(), "error[E603]: there is no patch in `v7.mbx`"),
    ],
)
def test_a_mailbox_without_a_patch_is_exit_2(root: Path, mails: bytes | None, said: str):
    if mails is not None:
        (root / "v7.mbx").write_bytes(mails)
    before = tree(root) if mails is None or b"\xff" not in mails else None
    found = slat(root, "new-series", "mine", "--base", "v5", "--mbox", "v7.mbx")
    assert found.exit_code == 2
    assert said in found.err
    assert before is None or tree(root) == before
    assert not (root / SERIES / "mine").exists()


@pytest.mark.parametrize(
    "subject", ["=?latin-9?q?=A4?= [PATCH] x", "[PATCH] =?x-none?b?////?=", "[PATCH] \x07\x1b[2J x"]
)
def test_a_subject_that_cannot_be_decoded_does_no_harm(root: Path, subject: str):
    (root / "v7.mbx").write_text(f"From x\nSubject: {subject}\nFrom: \nDate: 99999999999999\n\n")
    code = slat(root, "new-series", "mine", "--base", "v5", "--mbox", "v7.mbx").exit_code
    assert code in (0, 2)
    assert (root / SERIES / "mine").exists() == (code == 0)
    assert sound(root)


NAMES = ["", "V5", "5v", "x-y", "../x", "x/y", "a" * 41, "all", "known_bad", "match", "ü", "a b", "x\x1b"]


@pytest.mark.parametrize("name", NAMES)
def test_a_word_that_is_no_name_is_exit_2(root: Path, name: str):
    assert "is no name for a series" in refused(root, name, "--base", "v5").err


def test_a_name_that_is_taken_or_means_something_else_is_exit_2(root: Path):
    for name in ("v5", "old", "both"):
        said = refused(root, name, "--base", "v5")
        assert f"error[E603]: there is a series `{name}` already" in said.err
    assert "would name patches of a series" in refused(root, "v5_3", "--base", "v5").err
    (root / SERIES / "empty").mkdir()
    (root / SERIES / "link").symlink_to("nowhere")
    for name in ("empty", "link"):
        assert "already" in slat(root, "new-series", name, "--base", "v5").err


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("v6", "error[E312]: there is no series `v6`\n = help: known are `old`, `v5`, `newest`"),
        ("", "error[E312]: there is no series ``"),
        ("all", "error[E312]: there is no series `all`"),
        ("both", "error[E603]: `both` is a known mistake, and no base\n = help: its own base is `v5`"),
        ("v5_1", "error[E312]: there is no series `v5_1`"),
    ],
)
def test_a_base_that_is_no_series_is_exit_2(root: Path, base: str, said: str):
    assert said in refused(root, "mine", "--base", base).err


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("kvm.spte.executabel", "did you mean `kvm.spte.executable` or"),
        ("executable", "`kvm.spte.executable`"),
        ("proofs.spte.reading_is_a_bit", "write MODULE.NAME"),
        ("", "write MODULE.NAME"),
    ],
)
def test_a_definition_that_the_base_does_not_have_is_exit_2(root: Path, word: str, advice: str):
    said = refused(root, "mine", "--base", "v5", "--amend", word)
    assert f"error[E603]: there is no definition `{word}` in `v5`\n = help: {advice}" in said.err


@pytest.mark.parametrize(
    "words", [["--patch", "x", "--mbox", "y"], ["--patch", ""], ["--patch", "\x07"], ["more"], ["-x"]]
)
def test_words_that_cannot_be_followed_are_exit_2(root: Path, words: list[str]):
    assert "rror" in refused(root, "mine", "--base", "v5", *words).err


def test_a_project_with_a_mistake_gets_no_series(root: Path):
    (root / "proofs" / "spte.slat").write_text(CLAIMS.replace("a.user_exec", "a.usr_exec"))
    assert refused(root, "mine", "--base", "v5").codes == ["E214"]


# ---- places


@pytest.mark.parametrize("place", ["specs/kvm/series", "specs/kvm"])
def test_a_directory_that_takes_no_files_is_exit_2(root: Path, place: str, monkeypatch: pytest.MonkeyPatch):
    if place == "specs/kvm":
        shutil.rmtree(root / SERIES)
        (root / SERIES).write_text("a file")
        assert slat(root, "new-series", "mine", "--base", "v5").exit_code == 2
        assert (root / SERIES).read_text() == "a file"
        return
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "series" and real(path, mode))
    said = refused(root, "mine", "--base", "v5")
    assert said.err.startswith("error[E603]: cannot write `specs/kvm/series/mine/README.md`: permission denied")


def test_a_full_disk_is_exit_2_and_no_file_is_written(small_disk: Path):
    root, filling = project(small_disk / "project"), small_disk / "filling"
    with open(filling, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    said = refused(root, "mine", "--base", "v5")
    assert "no space left on device" in said.err
    assert "= help: no file was written" in said.err
    filling.unlink()
    assert slat(root, "new-series", "mine", "--base", "v5").exit_code == 0
