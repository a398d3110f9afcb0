"""Text to syntax tree.

In: a source. Out: its tree, or `Diagnosed` with what is wrong, one finding per declaration.
Guarantee: a declaration with an error hides no error of the next one; lark lives in this package only.
Trusted: no, checked by the printer's round trip and by fuzzing.
"""

from __future__ import annotations

import re
from typing import Any, cast

from lark.exceptions import UnexpectedInput

from verifier.diagnostics.model import Diagnosed, Diagnostic
from verifier.source import Source, Span
from verifier.syntax import tree
from verifier.syntax.advice import diagnose
from verifier.syntax.build import Builder
from verifier.syntax.errors import NotUtf8
from verifier.syntax.grammar import parser

MAX_FINDINGS = 20
_DECLARATION = re.compile(
    r"^(?:enum|record|bits|const|fn|rule|invariant|witness|add|replace|resign|remove|lose)\b", re.MULTILINE
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
    """The tree of a module or an amendment."""
    found: list[Diagnostic] = []
    text = source.text
    while True:
        try:
            parsed = _parse(source, text, "start")
        except Diagnosed as error:
            found.extend(error.diagnostics)
            at = found[-1].span
            rest = None if at is None else _without_the_first(source.text, at.start)
            if rest is None or len(found) >= MAX_FINDINGS:
                raise Diagnosed(found[:MAX_FINDINGS]) from None
            text = rest
            continue
        if found:
            raise Diagnosed(found)
        return cast(tree.File, parsed)


def parse_expression(source: Source) -> tree.Expr:
    """The tree of one expression, as `slat eval` takes it."""
    return cast(tree.Expr, _parse(source, source.text, "expr"))


def _parse(source: Source, text: str, start: str) -> Any:
    """The tree of `text`: that of `source`, perhaps with blanks in the place of some declarations."""
    try:
        parsed: Any = cast(Any, parser()).parse(text, start=start)
    except UnexpectedInput as error:
        raise Diagnosed([diagnose(source, "file" if start == "start" else start, error)]) from None
    return Builder(source).build(parsed)


def _without_the_first(text: str, at: int) -> str | None:
    """The text with blanks from its first declaration to the first that begins after the one around `at`."""
    starts = [match.start() for match in _DECLARATION.finditer(text)]
    if not any(start < at for start in starts):
        return None
    following = [start for start in starts if start >= at]
    if not following:
        return None
    blank = re.sub(r"[^\n]", " ", text[starts[0] : following[0]])
    return text[: starts[0]] + blank + text[following[0] :]
