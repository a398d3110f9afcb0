"""What to say about a syntax error.

In: lark's error and the source. Out: the diagnostic that says most about it.
Guarantee: words are named as a reader would name them; nothing here changes what is accepted.
Trusted: no, checked by the golden diagnostics.
"""
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# (lark's errors carry the parser's stack untyped.)

from __future__ import annotations

import difflib
import re
from typing import Any

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from verifier.diagnostics.model import Diagnostic, shorten
from verifier.source import Source, Span
from verifier.syntax.build import EXPRESSIONS, TYPES
from verifier.syntax.errors import LookAlike, Mixed, OpenString, RunTogether, Unexpected, UnexpectedCharacter
from verifier.syntax.foreign import LEADING, OPERATORS, WORDS
from verifier.syntax.grammar import parser
from verifier.syntax.mistakes import MISTAKES
from verifier.syntax.words import cut_words

_SPOKEN = {
    "UPPER": "a type or constant",
    "LOWER": "a name",
    "INT": "a number",
    "HEX": "a number",
    "STRING": "a string",
    "COMPARE": "a comparison",
    "$END": "the end of the file",
}
_CLASSES = {"UPPER": "Upper", "COMPARE": "cmp", "$END": "end"}
_NEAR = 60  # no mistake is told by words further away
_BETWEEN = {"&&", "||", "&", "|", "^", "+", "++", "-", "<<", ">>", "within", "in", "implies"}
_RUN = re.compile(r"[=<>!&|*%+~^?:/-]+")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+")


def diagnose(source: Source, start: str, error: UnexpectedInput) -> Diagnostic:
    """The diagnostic for what stopped the parser, which began with the production `start`."""
    if isinstance(error, UnexpectedToken):
        stack = _stack(error)
        cut = next(cut_words(source, [*stack, error.token]), None)
        if cut is not None:
            return _number(cut, stack) or cut
        return _token(source, start, error, stack)
    at = error.pos_in_stream if isinstance(error, UnexpectedCharacters) else len(source.text)
    return _character(source, min(at or 0, len(source.text) - 1))


def _character(source: Source, at: int) -> Diagnostic:
    found = source.text[at]
    if found == '"':
        return OpenString(Span(source, at, at + len(source.text[at:].split("\n", 1)[0].rstrip())))
    return _look_alike(source, at) or UnexpectedCharacter(Span(source, at, at + 1), found)


def _token(source: Source, start: str, error: UnexpectedToken, stack: list[Any]) -> Diagnostic:
    token = error.token
    if token.type == "$END":
        end = len(source.text.rstrip())
        span, found = Span(source, end, end), ""
    else:
        span, found = Span(source, token.start_pos or 0, token.end_pos or 0), str(token)
    before = " ".join(_spoken(item) for item in stack[-_NEAR:])
    if len(stack) <= _NEAR:
        before = f"{start} {before}".rstrip()
    return (
        _foreign(span, found)
        or _misspelt(span, error)
        or _reserved(span, error)
        or (_look_alike(source, span.start) if found and not before.endswith("string") else None)
        or _mixed(span, stack)
        or _known_mistake(span, before, (_spoken(token), found))
        or _fallback(span, error, stack)
    )


# ---- the kinds of mistakes, from the most telling


def _number(cut: RunTogether, stack: list[Any]) -> Unexpected | None:
    """A hexadecimal number where only a decimal one can stand; in brackets, positions are meant."""
    word = cut.first + cut.second
    if not _NUMBER.fullmatch(word):
        return None
    if not any(isinstance(item, Token) and item.type == "LSQB" for item in stack[-3:]):
        return Unexpected(cut.span, f"`{shorten(word)}` cannot stand here", (), "write a decimal number")
    problem = f"`{shorten(word)}` is a number, and brackets hold bit positions"
    value = int(word, 16)
    advice = f"the bits that are set in it are `[{_positions(value)}]`" if 0 < value < 1 << 64 else "write `[5:3, 0]`"
    return Unexpected(cut.span, problem, (), advice)


def _positions(value: int) -> str:
    """The positions of the bits that are set, in runs from the highest."""
    runs: list[str] = []
    while value:
        high = value.bit_length() - 1
        low = high
        while low and value >> (low - 1) & 1:
            low -= 1
        runs.append(f"{high}:{low}" if high != low else f"{high}")
        value &= (1 << low) - 1
    return ", ".join(runs)


def _foreign(span: Span, found: str) -> LookAlike | None:
    """A word of another language: the one that does not fit, or the one before it."""
    if found in WORDS:
        return LookAlike(span, found, WORDS[found])
    text = span.source.text
    before = text[: span.start].rstrip()
    word = re.search(r"[a-z]*$", before)
    if word is None or word.group() not in LEADING:
        return None
    return LookAlike(Span(span.source, word.start(), word.end()), word.group(), WORDS[word.group()])


def _look_alike(source: Source, at: int) -> LookAlike | None:
    """The run of operator characters around `at`, if another language knows it."""
    for run in _RUN.finditer(source.text, max(0, at - 3), at + 4):
        if run.start() <= at < run.end() and run.group() in OPERATORS:
            return LookAlike(Span(source, run.start(), run.end()), run.group(), OPERATORS[run.group()])
    found = source.text[at]
    return LookAlike(Span(source, at, at + 1), found, OPERATORS[found]) if found in OPERATORS else None


def _mixed(span: Span, stack: list[Any]) -> Mixed | None:
    """An operator after a complete operation that it cannot continue."""
    second = span.text
    if len(stack) < 3 or not (second in _BETWEEN or _is_comparison(second)):
        return None
    if isinstance(stack[-1], Token) and stack[-1].type == "RBRACE":
        return Mixed(span, "in", second)
    first = str(stack[-2]) if isinstance(stack[-2], Token) else ""
    if first in _BETWEEN or _is_comparison(first):
        return Mixed(span, first, second)
    return None


def _is_comparison(word: str) -> bool:
    return word in ("==", "!=", "<", "<=", ">", ">=")


def _known_mistake(span: Span, before: str, found: tuple[str, str]) -> Unexpected | None:
    """The first row of the table that fits; `found` is the class of the word and the word."""
    for row in MISTAKES:
        if any(re.fullmatch(row.found, word) for word in found) and re.fullmatch(row.before, before):
            shown = shorten(span.text or "the end")
            problem, advice = (text.replace("{found}", shown) for text in (row.problem, row.advice))
            return Unexpected(span, problem, (), advice)
    return None


def _misspelt(span: Span, error: UnexpectedToken) -> Unexpected | None:
    """A name that is almost a keyword that could stand here."""
    if error.token.type != "LOWER" or len(span.text) < 3:
        return None
    keywords = sorted(text for name in error.accepts or () if (text := _text(name)).isalpha())
    close = difflib.get_close_matches(span.text, keywords, n=1, cutoff=0.75)
    return Unexpected(span, f"unexpected `{shorten(span.text)}`", (), f"did you mean `{close[0]}`?") if close else None


def _reserved(span: Span, error: UnexpectedToken) -> Unexpected | None:
    """A word of the language where only a name can stand."""
    names_only = set(error.accepts or ()) <= {"LOWER", "UPPER"}
    if not (names_only and span.text.isalpha() and error.token.type not in ("LOWER", "UPPER")):
        return None
    return Unexpected(span, f"`{span.text}` is a word of the language, not a name", (), "choose another name")


def _fallback(span: Span, error: UnexpectedToken, stack: list[Any]) -> Unexpected:
    names = sorted(error.accepts or ())
    problem = f"unexpected `{shorten(span.text)}`" if span.text else "the file ends too early"
    last = stack[-1] if stack and isinstance(stack[-1], Token) else None
    if last is not None and (last in _BETWEEN or last in ("!", "~", "=") or _is_comparison(last)):
        place = Span(span.source, last.start_pos or 0, last.end_pos or 0)
        return Unexpected(place, f"what follows `{last}` is missing", (), "")
    expected = sorted({_SPOKEN.get(name, f"`{_text(name)}`") for name in names})
    return Unexpected(span, problem, tuple(expected) if len(expected) <= 4 else (), "")


# ---- the parser's stack in words


def _stack(error: UnexpectedToken) -> list[Any]:
    interactive: Any = error.interactive_parser
    return list(interactive.parser_state.value_stack)


def _text(terminal: str) -> str:
    """A terminal as it is written, or its name in lower case if it is a class of words."""
    if terminal in _SPOKEN:
        return _CLASSES.get(terminal, terminal.lower())
    return str(parser().get_terminal(terminal).pattern.value)


def _spoken(item: Any) -> str:
    if isinstance(item, Token):
        return _text(item.type)
    production = str(item.data)
    if production in EXPRESSIONS:
        return "e"
    if production in TYPES:
        return "t"
    return "…" if production.startswith("__") else production
