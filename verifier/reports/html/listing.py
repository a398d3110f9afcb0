"""Sources as lines of coloured and linked pieces.

In: a source, and the places that its tokens lead to. Out: `Line`s.
Guarantee: the pieces joined are the text; what is linked is a whole token.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from verifier.reports.lexer import coloured
from verifier.source import Source

PLAIN = ("n", "w", "p", "o")
"""The kinds that look like the text around them: names, blanks, punctuation and operators."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line; `kind` is its class in the style sheet, `place` where it leads; both may be empty."""

    text: str
    kind: str
    place: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line, counted from 1."""

    number: int
    pieces: tuple[Piece, ...]

    @property
    def blank(self) -> bool:
        return not any(piece.text.strip() for piece in self.pieces)


def listing(source: Source, links: Mapping[int, str]) -> tuple[Line, ...]:
    """The lines of a source; `links` are by the offset of a token, from 0."""
    lines: list[list[Piece]] = [[]]
    for start, kind, text in coloured(source.text):
        first, *rest = text.split("\n")
        place = links.get(start, "")
        lines[-1].append(Piece(first, "" if kind in PLAIN else kind, place))
        lines.extend([Piece(part, "" if kind in PLAIN else kind, place)] for part in rest)
    if not any(piece.text for piece in lines[-1]):
        lines.pop()
    return tuple(Line(number, tuple(_joined(pieces))) for number, pieces in enumerate(lines, start=1))


def _joined(pieces: list[Piece]) -> Iterator[Piece]:
    """The pieces without empty ones; neighbours that look alike and lead nowhere are one."""
    waiting = Piece("", "", "")
    for piece in pieces:
        if not piece.text:
            continue
        if (piece.kind, piece.place) == (waiting.kind, "") and not waiting.place:
            waiting = Piece(waiting.text + piece.text, piece.kind, "")
            continue
        if waiting.text:
            yield waiting
        waiting = piece
    if waiting.text:
        yield waiting
