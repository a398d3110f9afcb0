"""`slat table`: its formats, what it refuses, and what it says where there is no answer."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import jsonschema
import pytest
from golden.cases import Said, make_project, slat
from test_small_commands import completions

from verifier.cli import table_view
from verifier.names.project import Project, read_project
from verifier.types.load import Library, open_library

ROOT = Path(__file__).parents[4]
SCHEMA = json.loads((ROOT / "tests" / "conformance" / "slat-table-1.schema.json").read_text())
TABLES = [
    ("permissions",),
    ("permissions", "--mmu", "npt"),
    ("permissions", "--mmu", "guest", "--series", "old", "--series", "v5"),
    ("layout",),
    ("layout", "EptEntry"),
    ("layout", "spte", "--series", "old", "--series", "v5"),
    ("misconfig", "--series", "v5"),
    ("role",),
]


@cache
def library() -> Library:
    return open_library(read_project(ROOT))


@pytest.fixture(autouse=True)
def loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own specifications are loaded once for all tests of a process."""

    def opened(project: Project) -> Library:
        return library() if project.root == ROOT else open_library(project)

    monkeypatch.setattr(table_view, "open_library", opened)


def table(*words: str) -> Said:
    """`slat table` in the project's own specifications."""
    return slat(ROOT, "table", *words)


@pytest.mark.parametrize("words", TABLES, ids=" ".join)
def test_a_mail_has_at_most_72_columns_of_ascii_and_a_command(words: tuple[str, ...]):
    said = table(*words, "--format", "mail")
    assert (said.exit_code, said.err) == (0, "")
    assert max(map(len, said.out.splitlines())) <= 72
    assert said.out.isascii()
    assert f"Reproduce       slat table {words[0]}" in said.out
    assert said.out == table(*words, "--format", "mail").out


@pytest.mark.parametrize("words", TABLES, ids=" ".join)
def test_json_follows_its_schema_and_both_ways_to_ask_for_it_agree(words: tuple[str, ...]):
    said = table(*words, "--json")
    document = json.loads(said.out)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document["table"] == words[0]
    assert said.out == table(*words, "--format", "json").out


@pytest.mark.parametrize("words", TABLES, ids=" ".join)
def test_text_and_markdown_hold_every_title_and_a_line_fits_the_page(words: tuple[str, ...]):
    document = json.loads(table(*words, "--json").out)
    text, markdown = table(*words).out, table(*words, "--format", "markdown").out
    assert max(map(len, text.splitlines())) <= 110
    assert "\x1b" not in text
    for section in document["sections"]:
        assert section["title"] in text
        assert f"\n## {section['title']}\n" in markdown.replace("\\", "")


def test_every_series_that_was_posted_or_merged_has_every_table():
    series = [word for one in library().catalogue.regular for word in ("--series", one.name)]
    for words in (("permissions", "--role", "mbec=1"), ("misconfig",), ("role",), ("layout", "Spte")):
        said = table(*words, *series)
        assert (said.exit_code, said.err) == (0, "")
        assert "no answer" not in said.out


# ---- what is refused

WRONG = [
    (("permissions", "--role", "mbc=1"), "E603", "`mbec`"),
    (("permissions", "--role", "mbec=2"), "E603", "0 or 1"),
    (("permissions", "--role", "mbec"), "E603", "0 or 1"),
    (("permissions", "--role", "cr4_smap=0"), "E603", "`execute_only`"),
    (("permissions", "--role", "beyond_maxphyaddr=-1"), "E603", "decimal"),
    (("permissions", "--role", "beyond_maxphyaddr=0x10000000000000000"), "E603", "decimal"),
    (("permissions", "--series", "v99"), "E312", "`v5`"),
    (("layout", "Spt"), "E603", "`Spte`"),
    (("layout", "sdm.ept.entry.EptEntri"), "E603", "`sdm.ept.entry.EptEntry`"),
    (("layout", ""), "E603", "lists them all"),
]


@pytest.mark.parametrize(("words", "code", "offered"), WRONG, ids=[" ".join(words) for words, _, _ in WRONG])
def test_a_word_that_means_nothing_is_refused_with_what_could_be_meant(words, code, offered):
    said = table(*words)
    assert (said.exit_code, said.codes, said.out) == (2, [code], "")
    assert offered in said.err


@pytest.mark.parametrize(
    "words", [("permisions",), ("permissions", "--format", "pdf"), ("permissions", "--mmu", "tlb")]
)
def test_an_unknown_table_format_or_mmu_is_exit_2(words):
    said = table(*words)
    assert (said.exit_code, said.out) == (2, "")
    assert words[-1] in said.err


@pytest.mark.parametrize("word", ["Spte", "spte", "kvm.spte.Spte", "KVM.SPTE.spte"])
def test_a_bitfield_is_found_by_either_name_in_any_case(word):
    assert table("layout", word, "--series", "v5").out.startswith("Who owns each bit of Spte\n")


def test_a_kernels_name_finds_the_bitfield_of_a_union():
    assert "KvmMmuPageRole" in table("layout", "kvm_mmu_page_role").out.splitlines()[0]


def test_a_short_name_of_several_bitfields_is_refused_with_all_of_them(tmp_path):
    make_project(tmp_path)
    for name in ("one", "two"):
        (tmp_path / "proofs" / f"{name}.slat").write_text(f"module proofs.{name}\n\nbits Entry : 2 {{ [0] r }}\n")
    said = slat(tmp_path, "table", "layout", "entry")
    assert (said.exit_code, said.codes) == (2, ["E603"])
    assert "`proofs.one.Entry` or `proofs.two.Entry`" in said.err
    assert "proofs.two.Entry" in slat(tmp_path, "table", "layout", "proofs.two.Entry").out


# ---- where there is no answer


@pytest.mark.parametrize("words", [("permissions",), ("misconfig",), ("role",), ("permissions", "--role", "mbec=1")])
def test_specifications_without_what_a_table_asks_are_exit_2_and_say_what_is_missing(words, tmp_path):
    said = slat(make_project(tmp_path), "table", *words)
    assert (said.exit_code, said.codes, said.out) == (2, ["E603"], "")
    assert "there is no `" in said.err


UNSEEN = """patch later.refactored per LINUX "permission_fault()"
amend kvm.permissions unavailable "nobody has read it"
unavailable permissions
"""
LATER = """title = "later"
base = "v5"
[[patch]]
file = "01-refactored.slat"
title = "permission_fault()"
author = "A"
date = 2026-09-01
message_id = "1@example.org"
"""


@pytest.fixture
def unseen(tmp_path):
    """Our own specifications, with a series in which nobody has seen `permissions`."""
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    (tmp_path / "proofs").mkdir()
    later = tmp_path / "specs" / "kvm" / "series" / "later"
    later.mkdir()
    (later / "series.toml").write_text(LATER)
    (later / "01-refactored.slat").write_text(UNSEEN)
    return tmp_path


def test_a_definition_that_nobody_has_seen_is_named(unseen):
    said = slat(unseen, "table", "permissions", "--series", "later")
    assert (said.exit_code, said.codes, said.out) == (2, ["E603"], "")
    assert "nobody has seen `kvm.permissions.permissions`" in said.err


def test_one_of_several_versions_that_cannot_answer_says_so_and_the_others_answer(unseen):
    said = slat(unseen, "table", "permissions", "--series", "later", "--series", "v5", "--role", "mbec=1")
    assert (said.exit_code, said.err) == (0, "")
    assert "later: no answer" in said.out
    assert "nobody has seen `kvm.permissions.permissions`." in said.out
    assert "shadow EPT: L1's EPT for L2, mbec=1, in v5" in said.out


def test_undefined_counts_as_0_and_that_is_said_where_it_matters():
    remark = "`kvm.role.kvm_init_shadow_ept_mmu` leaves something undefined, which counts as 0 here."
    assert remark in table("permissions", "--series", "rfc", "--role", "mbec=1").out
    assert "undefined" not in table("permissions", "--series", "v5").out


# ---- completion

OFFERED = [
    ("slat table p", ["plain,permissions"]),
    ("slat table layout Sp", ["plain,Spte"]),
    ("slat table layout kvm.spte.S", ["plain,kvm.spte.Spte"]),
    ("slat table permissions --role mb", ["plain,mbec="]),
    ("slat table permissions --role mbec=1,cr4_sme", ["plain,mbec=1,cr4_smep="]),
    ("slat table permissions --mmu n", ["plain,npt"]),
    ("slat table role --format ma", ["plain,mail", "plain,markdown"]),
    ("slat table role --series ol", ["plain,old"]),
]


@pytest.mark.parametrize(("line", "offered"), OFFERED)
def test_completion_offers_tables_bitfields_settings_and_series(line, offered):
    assert completions(ROOT, line) == offered
