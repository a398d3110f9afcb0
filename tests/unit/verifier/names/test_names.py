"""Modules, scopes, citations, and the files that they come from."""

from __future__ import annotations

from pathlib import Path

import pytest
from golden.cases import MANUALS, make_project

from verifier.diagnostics.model import Diagnosed
from verifier.names.manuals import read_manuals
from verifier.names.project import find_root, module_name, read_project
from verifier.names.resolve import Program, resolve
from verifier.source import Source
from verifier.syntax import tree
from verifier.syntax.parse import parse_file


def resolved(*texts: str) -> tuple[Program, list[tuple[str, int]]]:
    """The program of these files, with the code and line of everything that is wrong."""
    files = [parse_file(Source(f"{i}.slat", text)) for i, text in enumerate(texts)]
    modules = [file for file in files if isinstance(file, tree.Module)]
    program, found = resolve(modules, read_manuals(MANUALS))
    return program, [(d.code, d.span.line) for d in found if d.span]


def test_a_module_comes_after_those_that_it_uses():
    program, found = resolved("module a\nuse b\nuse c", "module b\nuse c", "module c")
    assert (list(program.modules), found) == (["c", "b", "a"], [])


def test_a_scope_holds_what_used_modules_declare_but_no_claim_and_nothing_of_theirs():
    program, found = resolved(
        "module proofs.a\nuse proofs.b\nfn own() -> bool = true",
        "module proofs.b\nuse proofs.c\nenum E { X = 0 }\nfn f() -> bool = true\ninvariant i show true",
        "module proofs.c\nfn g() -> bool = true",
    )
    assert found == []
    assert set(program.modules["proofs.a"].scope) == {"own", "E", "X", "f"}


def test_an_enum_member_is_placed_where_it_is_declared():
    program, _ = resolved("module proofs.a\nenum E {\n  X = 0,\n  Y = 1\n}")
    (symbol,) = program.modules["proofs.a"].scope["Y"]
    assert symbol.place_of("Y").line == 4
    assert symbol.place_of("E").line == 2
    assert program.declaring("Y") == ("proofs.a",)


def test_every_cycle_is_reported_and_every_module_still_resolved():
    program, found = resolved("module a\nuse b", "module b\nuse a", "module c\nuse c")
    assert sorted(found) == [("E303", 2), ("E303", 2)]
    assert set(program.modules) == {"a", "b", "c"}


def test_citations_of_clauses_are_checked_too():
    _, found = resolved('module proofs.a\nrule r(b: bool) = any of {\n  one: b per SDM "Nowhere"\n}')
    assert found == [("E309", 3)]


def test_only_modules_outside_of_proofs_must_cite():
    _, found = resolved("module proofs.a\nfn f() -> bool = true", "module a\nfn f() -> bool = true")
    assert found == [("W301", 2)]


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("specs/sdm/ept/entry.slat", "sdm.ept.entry"),
        ("proofs/ept/present.slat", "proofs.ept.present"),
        ("vectors/paging_disabled.slat", "vectors.paging_disabled"),
        ("drafts/entry.slat", None),
        ("/somewhere/else.slat", None),
    ],
)
def test_a_modules_name_follows_from_its_path(name, module):
    assert module_name(Source(name, "")) == module


def test_the_root_is_the_nearest_directory_with_manuals(tmp_path):
    make_project(tmp_path)
    below = tmp_path / "proofs" / "deep"
    below.mkdir()
    assert find_root(below) == tmp_path
    with pytest.raises(Diagnosed):
        find_root(Path("/"))


def test_all_unreadable_files_are_reported_in_one_run(tmp_path):
    make_project(tmp_path)
    (tmp_path / "proofs" / "folder.slat").mkdir()
    (tmp_path / "proofs" / "latin.slat").write_bytes(b"\xe9")
    (tmp_path / "proofs" / "dangling.slat").symlink_to("nowhere")
    with pytest.raises(Diagnosed) as caught:
        read_project(tmp_path)
    assert sorted(d.code for d in caught.value.diagnostics) == ["E103", "E601", "E601"]


def test_sources_come_in_the_order_of_their_names(tmp_path):
    make_project(tmp_path)
    for name in ("proofs/b.slat", "proofs/a.slat", "specs/c.slat"):
        (tmp_path / name).write_text("")
    names = [source.name for source in read_project(tmp_path).sources]
    assert names == ["proofs/a.slat", "proofs/b.slat", "specs/c.slat"]


@pytest.mark.parametrize(
    "text",
    ["[SDM", "SDM = 1", "[SDM]\ntitle = 1", MANUALS.replace("sections = [", "sections = [1, "), "a = " + "[" * 100_000],
)
def test_a_malformed_list_of_manuals_is_one_finding(text):
    with pytest.raises(Diagnosed) as caught:
        read_manuals(text)
    assert [d.code for d in caught.value.diagnostics] == ["E310"]


def test_titles_that_are_no_strings_are_taken_as_text():
    manuals = read_manuals("[SDM]\ntitle = 1\nedition = 2026-01-01\nsections = [{ title = 5, number = 5.1 }]")
    assert manuals["SDM"].sections["5"].number == "5.1"
