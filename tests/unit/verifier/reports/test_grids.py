"""Grids find room for their columns, and tables are written without harm to what they say."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.reports.grids import grid_lines
from verifier.reports.table_json import render_table_json
from verifier.reports.table_markdown import render_table_markdown
from verifier.reports.table_text import BOLD, RED, render_table, render_table_mail
from verifier.tables.table import Grid, Provenance, Section, Table

FROM = Provenance("0123456789ab (digest of specs/ and proofs/)", "slat 0.1.0", "slat table " + "--series v5 " * 8)
WORDS = st.lists(st.text("abc|_*~`<>", min_size=1, max_size=9), max_size=8).map(" ".join)


def table(*rows: tuple[object, ...], columns: tuple[str, ...] = ("a", "b c"), notes: tuple[str, ...] = ()) -> Table:
    grid = Grid("some", "Some grid", columns, rows)  # type: ignore[arg-type]
    return Table("layout", "who owns a bit", (Section("A section", (("fact", "its text"),), (grid,), notes),))


def test_a_grid_that_fits_stays_as_it_is():
    assert list(grid_lines(("bits", "field"), [("63", "sve"), ("2:0", "xwr")], 72)) == [
        "bits    field",
        "------  -------",
        "63      sve",
        "2:0     xwr",
    ]


def test_the_widest_column_is_wrapped_first():
    found = list(grid_lines(("rule", "says"), [("a", "one two three four five six seven")], 24))
    assert found[2:] == ["a       one two three", "        four five six", "        seven"]


def test_columns_without_room_stand_below_beside_the_first_column_where_they_say_something():
    heads = ("bits", "one_column_of_names", "another_column_of_names")
    found = list(grid_lines(heads, [("1", "a_name", "a_name"), ("0", "a_name", "")], 40))
    assert [line.split() for line in found if line and "-" not in line] == [
        ["bits", "one_column_of_names"],
        ["1", "a_name"],
        ["0", "a_name"],
        ["bits", "another_column_of_names"],
        ["1", "a_name"],
    ]


def test_a_grid_without_rows_has_its_heads():
    assert list(grid_lines(("bits", "field"), [], 72)) == ["bits    field", "------  -------"]


@settings(deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS, WORDS, WORDS), min_size=1, max_size=5))
def test_no_line_is_wider_than_the_page_and_no_word_is_lost(rows):
    lines = list(grid_lines(("first", "second", "third", "fourth"), rows, 40))
    assert max(map(len, lines)) <= 40
    for row in rows:
        assert all(word in " ".join(lines) for cell in row for word in cell.split())


def test_a_mail_has_a_command_that_a_shell_joins_again():
    text = render_table_mail(table(("x", "y")), FROM)
    assert max(map(len, text.splitlines())) <= 72
    command = text.split("Reproduce")[1].split("\n\n")[0]
    assert re.sub(r" \\\n +", " ", command).strip() == FROM.command.strip()


def test_colour_is_added_only_if_asked_for_and_a_conflict_is_red():
    conflict = table(("x", "y"), notes=("CONFLICT: two owners.", "No harm."))
    plain, coloured = render_table(conflict, False), render_table(conflict, True)
    assert "\x1b" not in plain
    assert f"{BOLD}Who owns a bit" in coloured
    assert f"{RED}CONFLICT: two owners." in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain


@settings(deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4))
def test_no_character_of_a_cell_is_markup_in_markdown(rows):
    lines = render_table_markdown(table(*rows)).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|--")) + 1
    for line, row in zip(lines[start:], rows, strict=True):
        cells = [re.sub(r"\\(.)", r"\1", cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        assert cells == [cell.strip() for cell in row]


def test_json_has_every_cell_by_its_column_with_its_type():
    document = json.loads(render_table_json(table((7, ("a", "b"))), FROM))
    assert document["schema"] == "slat-table-1"
    (section,) = document["sections"]
    assert section["facts"] == {"fact": "its text"}
    assert section["grids"] == {"some": [{"a": 7, "b c": ["a", "b"]}]}


@pytest.mark.parametrize("cell", ["\x1b[2J", "a\nb", "\u202eabc"])
def test_a_cell_cannot_move_the_cursor_or_turn_a_line_around(cell: str):
    for text in (render_table(table((cell, "")), False), render_table_markdown(table((cell, "")))):
        assert all(char.isprintable() or char == "\n" for char in text)
        assert cell not in text
