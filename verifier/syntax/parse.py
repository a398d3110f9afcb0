"""Text to syntax tree.

In: a source. Out: its tree, or `Diagnosed` with what is wrong, one finding per declaration.
Guarantee: a declaration with an error hides no error of the next one; lark lives in this package only.
Trusted: no, checked by the printer's round trip and by fuzzing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from lark.exceptions import UnexpectedInput

from verifier.diagnostics.model import Diagnosed, Diagnostic
from verifier.source import Source, Span
from verifier.syntax import tree
from verifier.syntax.build import Builder
from verifier.syntax.errors import NotUtf8
from verifier.syntax.grammar import parser

MAX_FINDINGS = 20
_DECLARATION = re.compile(
    r"^(?:enum|record|bits|const|fn|rule|invariant|witness|add|replace|reshape|remove|unavailable)\b", re.MULTILINE
)


def decode(name: str, data: bytes) -> Source:
    """The source with this name; raises `Diagnosed` if `data` is not UTF-8."""
    try:
        return Source(name, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        readable = Source(name, data[: error.start].decode("utf-8"))
        end = len(readable.text)
        raise Diagnosed([NotUtf8(Span(readable, end, end), error.start)]) from None


def parse_file(source: Source) -> tree.File:
    """The tree of a module or a patch."""
    try:
        return cast(tree.File, Builder(source).build(_read(source, source.text, "start")))
    except _Unread as error:
        found = [*_unread(source, error)]
        raise Diagnosed(sorted(found, key=lambda d: d.span.start if d.span else 0)[:MAX_FINDINGS]) from None


def _unread(source: Source, error: _Unread) -> Iterator[Diagnostic]:
    """What the parser refuses, one finding a declaration, and what the builder finds in the others."""
    rest = sound = source.text
    for _ in range(MAX_FINDINGS):
        yield error.diagnostic
        starts = [match.start() for match in _DECLARATION.finditer(rest)]
        before = [start for start in starts if start < error.at]
        if not before:
            return
        end = next((start for start in starts if start >= error.at), len(rest))
        sound = _blank(sound, before[-1], end)
        rest = _blank(rest, before[0], end)
        try:
            _read(source, rest, "start")
        except _Unread as another:
            error = another
        else:
            break
    try:
        Builder(source).build(_read(source, sound, "start"))
    except Diagnosed as findings:
        yield from findings.diagnostics
    except _Unread:
        return


def parse_expression(source: Source) -> tree.Expr:
    """The tree of one expression, as `slat eval` takes it."""
    try:
        return cast(tree.Expr, Builder(source).build(_read(source, source.text, "expr")))
    except _Unread as error:
        raise Diagnosed([error.diagnostic]) from None


class _Unread(Exception):  # noqa: N818
    """Text that the parser refused at the offset `at`."""

    def __init__(self, diagnostic: Diagnostic, at: int) -> None:
        super().__init__()
        self.diagnostic = diagnostic
        self.at = at


def _read(source: Source, text: str, start: str) -> Any:
    """lark's tree of `text`: that of `source`, perhaps with blanks in the place of some declarations."""
    try:
        return cast(Any, parser()).parse(text, start=start)
    except UnexpectedInput as error:
        from verifier.syntax.advice import diagnose  # only if something is wrong

        at = error.pos_in_stream if error.pos_in_stream is not None else len(text)
        raise _Unread(diagnose(source, "file" if start == "start" else start, error), at) from None


def _blank(text: str, start: int, end: int) -> str:
    """The text with blanks from `start` to `end`; lines stay where they are."""
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]
