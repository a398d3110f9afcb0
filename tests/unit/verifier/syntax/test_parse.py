"""Texts to trees: what is accepted, what is limited, and how errors are kept apart."""

from __future__ import annotations

import pytest

from verifier.diagnostics.model import Diagnosed
from verifier.source import Source
from verifier.syntax import tree
from verifier.syntax.build import MAX_DEPTH
from verifier.syntax.parse import MAX_FINDINGS, decode, parse_expression, parse_file


def codes(text: str) -> list[tuple[str, int]]:
    """The code and line of every finding."""
    with pytest.raises(Diagnosed) as caught:
        parse_file(Source("x.slat", text))
    return [(found.code, found.span.line) for found in caught.value.diagnostics if found.span]


def test_each_faulty_declaration_is_reported_and_the_sound_ones_are_not():
    text = """module x
fn a(b bool) -> bool = b
fn b(b: bool) -> bool = b

rule c(b: bool) = any of { b }
record D { a: bool }
const E: bits(4) = [0x7]
"""
    assert codes(text) == [("E101", 2), ("E101", 5), ("E101", 7)]


def test_an_unfinished_declaration_does_not_swallow_the_next():
    assert codes("module x\nfn a() -> bool =\nfn b() -> bool = true &&\nfn c() -> bool = true\nfn d(") == [
        ("E101", 2),
        ("E101", 3),
        ("E101", 5),
    ]


def test_findings_of_one_file_are_limited():
    text = "module x\n" + "fn a(b bool) -> bool = b\n" * 1000
    assert len(codes(text)) == MAX_FINDINGS


def test_findings_of_the_lexer_the_parser_and_the_builder_come_in_one_run():
    text = f"module x\nfn a() -> bool = @\nfn b() -> bool = {'!' * 101}true\nfn c() -> bool = 1 2\n"
    assert sorted(codes(text)) == [("E101", 4), ("E102", 2), ("E104", 3)]


def test_all_findings_of_the_builder_come_in_one_run():
    text = f"module x\nfn a() -> bool = {'!' * 101}true\nconst B: bits(4) = 4u\nconst C: bits(4) = {'9' * 1400}\n"
    assert codes(text) == [("E104", 2), ("E109", 3), ("E107", 4)]


NESTINGS = {
    "negation": ("!", "b", ""),
    "inversion": ("~", "b", ""),
    "parenthesised operation": ("(b && ", "b", ")"),
    "comparison": ("(b == ", "b", ")"),
    "implication": ("b implies ", "b", ""),
    "condition": ("if ", "b", " then b else b"),
    "chain of else": ("if b then b else ", "b", ""),
    "let": ("let x = b; ", "b", ""),
    "call": ("f(", "b", ")"),
    "called": ("", "f", "(b)"),
    "member": ("", "b", ".a"),
    "index": ("", "b", "[0]"),
    "slice": ("", "b", "[1:0]"),
    "literal": ("X { a: ", "b", " }"),
    "with": ("", "b", " with { a: b }"),
    "list": ("list(", "b", ")"),
    "set": ("b in { ", "b", " }"),
    "match": ("match (b) { case _ : ", "b", " }"),
    "quantifier": ("all(x in b: ", "b", ")"),
}


@pytest.mark.parametrize("name", NESTINGS)
def test_expressions_nest_up_to_the_limit_and_no_further(name):
    before, inner, after = NESTINGS[name]
    deep = MAX_DEPTH - 1
    parse_expression(Source("x", before * deep + inner + after * deep))
    with pytest.raises(Diagnosed) as caught:
        parse_expression(Source("x", before * (deep + 1) + inner + after * (deep + 1)))
    assert {found.code for found in caught.value.diagnostics} == {"E104"}


def test_types_nest_up_to_the_limit_and_no_further():
    parse_file(Source("x", f"module x\nrecord R {{ a: bool{'[1]' * (MAX_DEPTH - 1)} }}"))
    assert codes(f"module x\nrecord R {{ a: bool{'[1]' * MAX_DEPTH} }}") == [("E104", 2)]


def test_redundant_parentheses_nest_at_will():
    assert parse_expression(Source("x", "(" * 10_000 + "b" + ")" * 10_000)) == tree.Name("b", None)


def test_operands_of_one_operator_are_as_many_as_you_like():
    parsed = parse_expression(Source("x", " && ".join(["b"] * 10_000)))
    assert isinstance(parsed, tree.Chain)
    assert len(parsed.operands) == 10_000


@pytest.mark.parametrize("word", ["fn", "rule", "show", "assume", "then", "case", "within", "in", "let", "for"])
def test_a_word_of_the_language_is_no_name(word):
    assert codes(f"module x\nfn f({word}: bool) -> bool = true") == [("E101", 2)]


@pytest.mark.parametrize("word", ["at", "of", "is", "per", "use", "module", "read", "remove", "raw", "fnord", "lets"])
def test_a_word_that_stands_in_one_place_only_can_be_a_name(word):
    file = parse_file(Source("x", f"module x\nfn f({word}: bool) -> bool = {word} && {word}"))
    assert isinstance(file, tree.Module)
    assert len(file.decls) == 1


def test_places_are_those_of_the_text():
    text = "module x\n\nfn f(b: bool) -> bool\n  = b &&\n    !b\n"
    file = parse_file(Source("x.slat", text))
    assert isinstance(file, tree.Module)
    (fn,) = file.decls
    assert isinstance(fn, tree.Fn)
    assert fn.body.span.text == "b &&\n    !b"
    assert (fn.body.span.line, fn.body.span.column) == (4, 5)
    assert fn.name.span.text == "f"


def test_the_first_byte_that_is_no_character_is_located():
    with pytest.raises(Diagnosed) as caught:
        decode("x.slat", b"module x\nfn f\xff")
    (found,) = caught.value.diagnostics
    assert (found.code, found.span.line, found.span.column) == ("E103", 2, 5)


def test_carriage_returns_are_white_space():
    assert parse_file(Source("x", "module x\r\nuse y\r\n")) == parse_file(Source("x", "module x\nuse y\n"))
