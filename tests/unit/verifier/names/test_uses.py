"""What names mean: where each use of a declaration leads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from verifier.names.project import read_project
from verifier.names.resolve import Program
from verifier.names.uses import uses_in
from verifier.syntax import tree
from verifier.types import typed
from verifier.types.load import open_library

ROOT = Path(__file__).parents[4]
MANUALS = '[M]\ntitle = "t"\nedition = "e"\nsections = [{ title = "S" }]\n'
BASE = """module base
enum Level per M "S" { PTE = 0, PDE = 1 }
enum Lone per M "S" { YES = 0, NO = 1 }
bits Entry : 2 per M "S" { [0] r  [1] level: Level }
record Pair { one: Entry  two: Entry }
const ALL: bits(2) per M "S" = [1:0]
fn first(p: Pair) -> Entry per M "S" = p.one
"""
OTHER = """module other
enum Other per M "S" { PTE = 0, PDE = 1, PDPTE = 2, UNUSED = 3 }
"""
USER = """module user
use base
use other

fn by_type(at: Level, l: Lone, other: Other) -> bool per M "S"
  = match (at, l, other) { case PTE, YES, PDPTE : true case _ : false }
fn by_members(e: Entry) -> bool per M "S" = match (e.level) { case PTE : e.r case PDE : !e.r }
fn of_one(p: Pair) -> bool per M "S" = match (lone(p)) { case YES : true case NO : p.one.r }
fn lone(p: Pair) -> Lone per M "S" = if p.one.r then Lone.YES else NO
fn made(l: Level) -> Pair per M "S" = let made_here = Entry { r: true, level: l };
  Pair { one: made_here, two: made_here with { r: false } }
fn called(p: Pair) -> bits(2) per M "S" = base.first(p).raw & ALL & Entry(base.ALL).raw
rule ruled(ps: Pair[2]) per M "S" = any of { some: any(p in ps: first(p).r) }
"""
FILES = {"MANUALS.toml": MANUALS, "base.slat": BASE, "other.slat": OTHER, "user.slat": USER}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    root = tmp_path_factory.mktemp("project")
    for name, text in FILES.items():
        (root / "specs").mkdir(exist_ok=True)
        (root / "specs" / name).write_text(text)
    return open_library(read_project(root)).written.program


def uses(program: Program, name: str) -> list[tuple[str, str]]:
    """Each use in a declaration: its text, and the line of the other module on which it is introduced."""
    decl = next(decl for decl in program.modules["user"].tree.decls if decl.name.text == name)
    found = sorted(uses_in(program, "user", decl), key=lambda use: use.span.start)
    assert all(use.place.text == use.span.text for use in found)
    return [(use.span.text, f"{use.symbol.qualified}:{use.place.line}") for use in found]


def test_types_and_the_members_that_a_parameters_type_has(program: Program):
    assert uses(program, "by_type") == [
        ("Level", "base.Level:2"), ("Lone", "base.Lone:3"), ("Other", "other.Other:2"),
        ("PTE", "base.Level:2"), ("YES", "base.Lone:3"), ("PDPTE", "other.Other:2"),
    ]  # fmt: skip


def test_members_of_two_enums_lead_nowhere_where_only_a_type_could_tell(program: Program):
    assert uses(program, "by_members") == [("Entry", "base.Entry:4")]


def test_members_of_one_enum_alone_need_no_type(program: Program):
    assert uses(program, "of_one") == [
        ("Pair", "base.Pair:5"), ("lone", "user.lone:9"), ("YES", "base.Lone:3"), ("NO", "base.Lone:3"),
    ]  # fmt: skip


def test_a_member_behind_its_enum_and_one_alone(program: Program):
    assert uses(program, "lone") == [
        ("Pair", "base.Pair:5"), ("Lone", "base.Lone:3"), ("Lone", "base.Lone:3"), ("YES", "base.Lone:3"),
        ("NO", "base.Lone:3"),
    ]  # fmt: skip


def test_literals_lead_to_their_types_and_local_names_nowhere(program: Program):
    assert uses(program, "made") == [
        ("Level", "base.Level:2"), ("Pair", "base.Pair:5"), ("Entry", "base.Entry:4"), ("Pair", "base.Pair:5"),
    ]  # fmt: skip


def test_names_behind_a_module_lead_to_its_declarations(program: Program):
    assert uses(program, "called") == [
        ("Pair", "base.Pair:5"), ("first", "base.first:7"), ("ALL", "base.ALL:6"), ("Entry", "base.Entry:4"),
        ("ALL", "base.ALL:6"),
    ]  # fmt: skip


def test_rules_and_quantifiers(program: Program):
    assert uses(program, "ruled") == [("Pair", "base.Pair:5"), ("first", "base.first:7")]


# ---- our own specifications


def test_functions_use_exactly_what_the_checker_says_that_they_call():
    written = open_library(read_project(ROOT)).written
    compared = 0
    for symbol in written.program.symbols():
        function = written.checked.functions.get(symbol.qualified)
        if function is None or isinstance(symbol.decl, tree.Claim):
            continue
        found = {use.symbol.qualified for use in uses_in(written.program, symbol.module, symbol.decl)}
        assert found - set(written.checked.types) == set(calls(function.body)), symbol.qualified
        compared += 1
    assert compared > 200


def calls(node: object) -> Iterator[str]:
    """The functions that a part of the typed core calls."""
    if isinstance(node, typed.Call):
        yield node.function.name
        yield from calls(node.arguments)
    elif isinstance(node, tuple):
        for part in node:
            yield from calls(part)
    elif isinstance(node, (typed.RuleBody, typed.Clause, typed.Expr)):
        for field in fields(node):
            yield from calls(getattr(node, field.name))
