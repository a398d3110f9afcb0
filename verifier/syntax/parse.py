"""Text to syntax tree.

In: a source. Out: its tree, or `Diagnosed` with the first thing that is wrong.
Guarantee: LALR(1) without conflicts (lark's strict mode); lark lives in this package only.
Trusted: no, checked by the printer's round trip and by fuzzing.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput
from lark.exceptions import UnexpectedToken as LarkUnexpectedToken
from lark.exceptions import VisitError

from verifier.diagnostics.model import Diagnosed
from verifier.source import Source, Span
from verifier.syntax import advice, tree
from verifier.syntax.build import Builder
from verifier.syntax.errors import NotUtf8, UnexpectedCharacter, UnexpectedToken

GRAMMAR = Path(__file__).with_name("slat.lark")


@cache
def _parser() -> Lark:
    return Lark(
        GRAMMAR.read_text(encoding="utf-8"),
        parser="lalr",
        strict=True,
        start=["start", "expr"],
        propagate_positions=True,
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
    return _parse(source, "start")


def parse_expression(source: Source) -> tree.Expr:
    """The tree of one expression, as `slat eval` takes it."""
    return _parse(source, "expr")


def _parse(source: Source, start: str):  # pyright: ignore[reportUnknownParameterType]
    try:
        parsed = _parser().parse(source.text, start=start)
        return Builder(source).transform(parsed)
    except UnexpectedInput as error:
        raise Diagnosed([_diagnose(source, error)]) from None
    except VisitError as error:
        raise error.orig_exc from None


def _diagnose(source: Source, error: UnexpectedInput) -> UnexpectedToken | UnexpectedCharacter:
    if isinstance(error, UnexpectedCharacters):
        at = error.pos_in_stream or 0
        return UnexpectedCharacter(Span(source, at, at + 1), source.text[at])
    if isinstance(error, LarkUnexpectedToken) and error.token.type != "$END":
        token = error.token
        span = Span(source, token.start_pos or 0, token.end_pos or 0)
        found, expected = advice.describe(error)
        return UnexpectedToken(span, str(token), expected, found)
    end = len(source.text.rstrip())
    expected = () if isinstance(error, UnexpectedEOF) else advice.describe(error)[1]
    return UnexpectedToken(Span(source, end, end), "", expected, "")
