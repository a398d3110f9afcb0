"""Places in texts."""

from __future__ import annotations

import pytest

from verifier.source import Source, Span

TEXT = "one\ntwo\r\n\nfour"


@pytest.mark.parametrize(
    ("part", "line", "column"), [("one", 1, 1), ("ne", 1, 2), ("two", 2, 1), ("four", 4, 1), ("r", 4, 4)]
)
def test_a_place_has_the_line_and_column_that_an_editor_shows(part, line, column):
    start = TEXT.rindex(part)
    span = Span(Source("x", TEXT), start, start + len(part))
    assert (span.line, span.column, span.text) == (line, column, part)


def test_a_line_is_given_without_its_end():
    source = Source("x", TEXT)
    assert [source.line_text(line) for line in (1, 2, 3, 4)] == ["one", "two\r", "", "four"]


def test_the_place_after_the_last_character_is_on_the_last_line():
    source = Source("x", "one\n")
    assert (Span(source, 4, 4).line, Span(source, 4, 4).column) == (2, 1)


def test_two_places_span_what_is_between():
    source = Source("dir/x", "a + b")
    both = Span(source, 0, 1).to(Span(source, 4, 5))
    assert (both.text, both.place) == ("a + b", "dir/x:1")
