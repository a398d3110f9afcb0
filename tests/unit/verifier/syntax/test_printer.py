"""Trees to text and back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from unit.verifier.syntax import trees

from verifier.source import Source
from verifier.syntax.comments import Comments
from verifier.syntax.expression_printer import ExpressionPrinter, level
from verifier.syntax.format import format_source
from verifier.syntax.layout import WIDTH
from verifier.syntax.parse import parse_expression, parse_file
from verifier.syntax.printer import print_expression, print_file

ROOT = Path(__file__).parents[4]
SPECIFICATIONS = sorted(path for folder in ("specs", "proofs") for path in (ROOT / folder).rglob("*.slat"))


def examples(count: int) -> settings:
    return settings(max_examples=count, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("path", SPECIFICATIONS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_printing_a_specification_and_parsing_it_gives_the_same_tree(path):
    source = Source(path.name, path.read_text())
    file = parse_file(source)
    assert parse_file(Source("again", print_file(file))) == file


@pytest.mark.parametrize("path", SPECIFICATIONS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_formatting_a_formatted_specification_changes_nothing(path):
    once = format_source(Source(path.name, path.read_text()))
    assert format_source(Source(path.name, once)) == once


@pytest.mark.parametrize("path", SPECIFICATIONS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_only_lines_with_a_sentence_or_a_comment_are_wider_than_the_page(path):
    for line in format_source(Source(path.name, path.read_text())).splitlines():
        assert len(line) <= WIDTH or '"' in line or "//" in line
        assert line == line.rstrip()


@examples(250)
@given(trees.files)
def test_printing_any_file_and_parsing_it_gives_the_same_tree(file):
    text = print_file(file)
    assert parse_file(Source("generated", text)) == file
    assert format_source(Source("generated", text)) == text


@examples(250)
@given(trees.expressions)
def test_printing_any_expression_on_a_wide_or_a_narrow_page_and_parsing_it_gives_the_same_tree(e):
    for width in (WIDTH, 20):
        assert parse_expression(Source("generated", print_expression(e, width))) == e


@examples(250)
@given(trees.expressions)
def test_no_parenthesis_can_be_left_out(e):
    """Without any one pair the text means something else, or nothing; arithmetic among bits apart."""
    text = print_expression(e, 10_000)
    for pair in groups(text):
        start, end = pair
        without = f"{text[:start]} {text[start + 1 : end]} {text[end + 1 :]}"
        assert not means(without, e) or is_arithmetic_among_bits(text, start, end)


def groups(text: str) -> list[tuple[int, int]]:
    """The pairs of parentheses that group: those after a space, an operator or another bracket."""
    found: list[tuple[int, int]] = []
    open_at: list[int] = []
    for at, char in enumerate(text):
        if char == "(":
            open_at.append(at)
        elif char == ")":
            start = open_at.pop()
            if not re.search(r"(?:[\w\])]|\bmatch )$", text[:start]):
                found.append((start, at))
    return found


def means(text: str, e: object) -> bool:
    try:
        return parse_expression(Source("without", text)) == e
    except Exception:
        return False


def is_arithmetic_among_bits(text: str, start: int, end: int) -> bool:
    inner = parse_expression(Source("inner", text[start + 1 : end]))
    around = f"{text[:start].rstrip()[-1:]}{text[end + 1 :].lstrip()[:1]}"
    return level(inner) == 4 and any(operator in around for operator in "&|^")


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("((a))", "a"),
        ("(a && b) && (c || d)", "(a && b) && (c || d)"),
        ("(e & m) != 0", "(e & m) != 0"),
        ("((e) & (m)) == (0)", "(e & m) == 0"),
        ("a implies (b implies c)", "a implies b implies c"),
        ("(a implies b) implies c", "(a implies b) implies c"),
        ("a implies (if b then c else d)", "a implies if b then c else d"),
        ("(if a then b else c) + 1", "(if a then b else c) + 1"),
        ("(x << 12) & (y + 1)", "(x << 12) & (y + 1)"),
        ("x << 12 == y", "x << 12 == y"),
        ("!(a.b) && (!a).b", "!a.b && (!a).b"),
        ("0x00FF", "0xff"),
        ("[5:5, 3:0]", "[5, 3:0]"),
        ("X {  }", "X {}"),
        ("xs[5:5]", "xs[5:5]"),
        ("f ( a , b )", "f(a, b)"),
    ],
)
def test_an_expression_is_printed_so(text, printed):
    assert print_expression(parse_expression(Source("x", text))) == printed


def test_a_chosen_line_end_is_kept_and_a_second_run_keeps_it_too():
    text = "module x\n\nfn f(a: bool, b: bool) -> bool\n  = a\n    && b\n"
    assert format_source(Source("x", text)) == text
    joined = text.replace("a\n    &&", "a &&")
    assert format_source(Source("x", joined)) == joined


def test_a_printed_document_needs_no_source():
    assert ExpressionPrinter(Comments()).expr(parse_expression(Source("x", "a"))) == ("a", ())


def test_a_bracket_that_must_be_broken_opens_beside_its_else_the_first_time_already():
    long = "a_rather_long_name_of_a_value"
    literal = f"A {{ a: a, a: all(a in a: a), {long}: A {{ a: a, a: undefined, _unused: undefined }} }}"
    once = format_source(Source("x", f"module x\n\nfn f() -> bool\n  = if a then a\n    else {literal}\n"))
    assert "    else A {\n" in once
    assert format_source(Source("x", once)) == once
