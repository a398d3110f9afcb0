"""Series: what a version consists of, and what a claim expects of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from golden.cases import make_project, slat
from golden.versions import CLAIMS, LEVELS, PATCHES, V5, project

from verifier.diagnostics.model import Diagnosed
from verifier.names.amend import differences
from verifier.names.project import read_project
from verifier.names.series import Catalogue, Version, expectation
from verifier.syntax import tree
from verifier.types.load import Library, open_library


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return project(tmp_path)


@pytest.fixture
def library(root: Path) -> Library:
    return open_library(read_project(root))


def decl(library: Library, version: Version, name: str) -> tree.Decl:
    module = library.load(version).program.modules["kvm.spte"].tree
    return next(decl for decl in module.decls if decl.name.text == name)


def test_series_come_in_their_order_and_known_bad_versions_after_them(library: Library):
    assert list(library.catalogue.series) == ["old", "v5", "newest", "both"]
    assert [s.name for s in library.catalogue.regular] == ["old", "v5", "newest"]


def test_a_prefix_has_the_patches_through_its_number_and_the_base_below_them(library: Library):
    places = [decl(library, Version("v5", n), "executable").span.source.name for n in (1, 2)]
    assert places == ["specs/kvm/series/old/spte.slat", "specs/kvm/series/v5/02-use-it.slat"]
    assert decl(library, Version("v5", 1), "Acc").span.source.name == "specs/kvm/series/v5/01-new-bit.slat"


def test_all_patches_of_the_written_series_lead_to_what_is_written(library: Library, tmp_path: Path):
    assert list(differences(library.modules, library.catalogue)) == []
    other = project(tmp_path / "other", **{"02-use-it.slat": PATCHES["02-use-it.slat"].replace("a.exec", "a.read")})
    with pytest.raises(Diagnosed) as raised:
        open_library(read_project(other)).load_all()
    assert [d.code for d in raised.value.diagnostics] == ["E319"]


def test_what_a_version_shares_with_the_written_one_is_the_same_object(library: Library):
    written, newest = library.written, library.load(Version("newest"))
    assert newest.checked.types["kvm.spte.Acc"] is not written.checked.types["kvm.spte.Acc"]
    claims = {c.name for c in newest.checked.claims}
    assert "reading_is_a_bit" in claims


@pytest.mark.parametrize(
    ("label", "found"),
    [("v5", Version("v5")), ("v5_2", Version("v5", 2)), ("v5_3", None), ("old_1", None), ("v6", None)],
)
def test_a_label_names_a_series_or_a_prefix(library: Library, label: str, found: Version | None):
    assert library.catalogue.version(label) == found


@pytest.mark.parametrize(
    ("word", "number"), [("1", 1), ("01", 1), ("use_it", 2), ("3", None), ("new", None), ("0", None)]
)
def test_a_patch_is_named_by_its_number_or_its_words(library: Library, word: str, number: int | None):
    assert library.catalogue.series["v5"].number_of(word) == number


def test_a_claim_expects_what_it_says_of_the_prefix_else_of_the_series_else_in_general(library: Library):
    expects = next(c for c in library.written.checked.claims if c.name == "user_mode_needs_its_bit").expects
    versions = (None, Version("v5"), Version("v5", 1), Version("v5", 2), Version("old"), Version("both"))
    found = [expectation(expects, version) for version in versions]
    said = [expect.verdict if expect else None for expect in found]
    assert said == ["proved", "proved", "refuted", "proved", "not_modelled", "proved"]


MINE = """title = "mine"
base = "newest"
[[patch]]
file = "01-mine.slat"
title = "[PATCH] mine"
author = "A"
date = 2026-09-01
message_id = "4@example.org"
"""


def test_a_series_may_expect_what_another_one_below_it_does(root: Path):
    mine = root / "specs" / "kvm" / "series" / "mine"
    mine.mkdir()
    (mine / "01-mine.slat").write_text('patch mine.mine per LINUX "[PATCH] mine"\n')
    for expect_as, said in (("newest", ["not_modelled"] * 2), ("v5", ["proved", "proved"]), (None, ["proved"] * 2)):
        (mine / "series.toml").write_text(MINE if expect_as is None else f'expect_as = "{expect_as}"\n{MINE}')
        library = open_library(read_project(root))
        stand_ins = library.catalogue.expected_as(Version("mine", 1))
        assert stand_ins == (() if expect_as is None else (Version(expect_as),))
        claims = library.written.checked.claims[:2]
        found = [expectation(claim.expects, Version("mine", 1), stand_ins) for claim in claims]
        assert [expect and expect.verdict for expect in found] == said
    (root / "proofs" / "spte.slat").write_text(CLAIMS.replace("in old, newest", "in old, mine"))
    assert verdicts(root, "--series", "mine")[0] == 1
    (mine / "series.toml").write_text(f'expect_as = "newest"\n{MINE}')
    assert verdicts(root, "--series", "mine")[0] == 0


def test_a_project_without_series_has_none(tmp_path: Path):
    assert open_library(read_project(make_project(tmp_path))).catalogue == Catalogue()


# ---- what is proved of them


def verdicts(root: Path, *words: str) -> tuple[int, list[tuple[str, str | None, str]]]:
    import json

    said = slat(root, "prove", "--jobs", "1", "--no-cache", "--format", "json", *words)
    results = json.loads(said.out)["results"] if said.out else []
    return said.exit_code, [(r["name"], r["series"], r["verdict"]) for r in results]


def test_every_series_has_a_verdict_of_its_own_and_what_rests_on_none_has_one(root: Path):
    code, found = verdicts(root, "--series", "all")
    assert code == 0
    assert found == [
        ("exec_is_for_the_supervisor", "old", "proved"),
        ("exec_is_for_the_supervisor", "v5", "proved"),
        ("exec_is_for_the_supervisor", "newest", "not_modelled"),
        ("exec_is_for_the_supervisor", "both", "refuted"),
        ("user_mode_needs_its_bit", "old", "not_modelled"),
        ("user_mode_needs_its_bit", "v5", "proved"),
        ("user_mode_needs_its_bit", "newest", "not_modelled"),
        ("reading_is_a_bit", None, "proved"),
    ]


def test_a_claim_about_what_a_series_leaves_as_it_is_is_decided_in_it_too(root: Path):
    other = root / "specs" / "kvm" / "mmu.slat"
    other.write_text(f"module kvm.mmu\n\n{LEVELS} = 4\n")
    (root / "specs" / "kvm" / "series" / "old" / "mmu.slat").write_text(other.read_text().replace("= 4", "= 3"))
    amendment = f'patch v5.levels per LINUX "[1/2] new bit"\namend kvm.mmu seen\nreplace {LEVELS} = 4\n'
    claim = 'invariant four "Four levels."\n  show LEVELS == 4\n  expect refuted in old "three"\n'
    (root / "proofs" / "mmu.slat").write_text(f"module proofs.mmu\nuse kvm.mmu\n\n{claim}")
    (root / "specs" / "kvm" / "series" / "v5" / "03-levels.slat").write_text(amendment)
    listed = V5 + "[[patch]]" + V5.split("[[patch]]")[1].replace("01-new-bit", "03-levels")
    (root / "specs" / "kvm" / "series" / "v5" / "series.toml").write_text(listed)
    code, found = verdicts(root, "--series", "newest", "four")
    assert (code, found) == (0, [("four", "newest", "proved")])


def test_without_a_series_the_written_one_is_decided(root: Path):
    code, found = verdicts(root)
    assert code == 0
    assert {series for _, series, _ in found} == {"v5", None}


def test_a_prefix_is_decided_under_its_own_label(root: Path):
    assert verdicts(root, "--series", "v5", "--upto", "new_bit")[1][1] == (
        "user_mode_needs_its_bit",
        "v5_1",
        "refuted",
    )
    assert verdicts(root, "--upto", "1")[0] == 0
    assert verdicts(root, "--series", "v5_2")[1][0][1] == "v5_2"


def test_a_claim_that_reaches_what_nobody_has_seen_is_never_proved(root: Path):
    claims = CLAIMS.replace('  expect not_modelled in newest "nobody has read it"\n', "")
    (root / "proofs" / "spte.slat").write_text(claims)
    code, found = verdicts(root, "--series", "newest", "exec_is_for_the_supervisor")
    assert (code, found) == (1, [("exec_is_for_the_supervisor", "newest", "not_modelled")])


def test_a_claim_that_does_not_fit_a_series_is_an_error_unless_it_expects_so(root: Path):
    (root / "proofs" / "spte.slat").write_text(CLAIMS.replace("in old, newest", "in newest"))
    said = slat(root, "prove", "--series", "old")
    assert (said.exit_code, said.codes) == (2, ["E214"])
    assert "in series `old`" in said.err


def test_an_assumption_is_needed_if_one_series_needs_it(root: Path):
    claim = """module proofs.spte
use kvm.spte

invariant user_mode_runs "What may be executed in both modes runs in user mode."
  for a: Acc assume a.raw[1] && a.raw[2] show executable(a, true)
  expect proved
  expect not_modelled in newest
"""
    (root / "proofs" / "spte.slat").write_text(claim)
    assert [verdicts(root, "--series", name)[0] for name in ("old", "v5", "all")] == [0, 0, 0]
    (root / "proofs" / "spte.slat").write_text(claim.replace("a.raw[2] show", "a.raw[2] && a.raw[0] show"))
    said = slat(root, "prove", "--series", "all")
    assert said.exit_code == 1
    assert said.out.count("VACUOUS, unneeded: a.raw[0]") == 2


def test_assumptions_that_cannot_hold_in_a_series_say_nothing_there(root: Path):
    claim = """module proofs.spte
use kvm.spte

invariant user_mode_alone "A page may be for user mode alone."
  for a: Acc assume executable(a, true) && !executable(a, false) show a.raw[2]
"""
    (root / "proofs" / "spte.slat").write_text(claim)
    assert verdicts(root, "--series", "old")[0] == 1
    (root / "proofs" / "spte.slat").write_text(f"{claim}  expect proved\n  expect not_modelled in old\n")
    assert verdicts(root, "--series", "old") == (0, [("user_mode_alone", "old", "not_modelled")])
