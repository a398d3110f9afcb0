"""A result in plain lines of a given width: the part that mails, KTAP and JUnit share.

In: a result. Out: its verdict in a sentence, and lines of what deserves to be said about it.
Guarantee: no line is wider than asked for, but for a word of a command that is; every character can be printed.
Trusted: no, checked by golden reports and the conformance tests of the formats.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from verifier.obligations.explain import Reason
from verifier.obligations.result import Example, Result
from verifier.reports import escalation
from verifier.reports.text import verdict_words
from verifier.reports.values import Columns, entry, replay_words, value_lines

NAME_COLUMN, ESCALATION_COLUMN, VALUE_COLUMN = 4, 14, 28
MAIL_WIDTH = 72
"""What a mail can carry and still be quoted twice."""


def verdict_sentence(result: Result) -> str:
    """The verdict, and what is to be thought of it: `refuted, expected proved`."""
    verdict, vacuous = verdict_words(result), result.outcome.vacuous
    if verdict == "unknown":
        return "unknown: the budget ran out"
    if vacuous is not None:
        return f"{verdict}, but vacuous"
    if not result.as_expected:
        return f"{verdict}, expected {verdict_words(result, result.expect)}"
    return verdict if result.expect == "proved" else f"{verdict}, as expected"


def full_name(result: Result) -> str:
    """The claim with its module, and the series in which it was decided."""
    return f"{result.module}.{result.name}" + (f" [{result.series}]" if result.series else "")


def about(result: Result, width: int) -> Iterator[str]:
    """The sentence of the claim, its place, and its counterexample or example."""
    return (printable(line) for line in _about(result, width))


def printable(text: str) -> str:
    """The text with a question mark for what could move a cursor, turn a line around, or is no character."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _about(result: Result, width: int) -> Iterator[str]:
    yield from wrapped(result.statement, width, 2)
    cites = [f'{cite.manual} "{cite.title}"' for cite in result.citations]
    yield from wrapped(", ".join([f"{result.file}:{result.line}", *cites]), width, 2)
    if result.outcome.verdict == "not_modelled" and result.outcome.core:
        yield from wrapped(f"says nothing here: {', '.join(result.outcome.core)}", width, 2)
    if result.reason and result.outcome.verdict in ("refuted", "not_modelled"):
        yield from wrapped(f"because {result.reason}", width, 2)
    if result.outcome.vacuous is not None:
        yield from wrapped(f"vacuous: {result.outcome.vacuous}", width, 2)
    if result.outcome.example is not None:
        yield from _example(result.kind, result.outcome.example, width)


def wrapped(text: str, width: int, indent: int, further: int = 0) -> list[str]:
    """The text on lines that begin with so many blanks, all but the first with `further` ones."""
    first, rest = " " * indent, " " * (indent + further)
    words = " ".join(text.split())
    return textwrap.wrap(words, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _example(kind: str, example: Example, width: int) -> Iterator[str]:
    if example.escalation is not None:
        yield from wrapped(escalation.heading(example.escalation) + ":", width, 2)
        for name, text in escalation.lines(example.escalation):
            yield from entry(name, [text], Columns(NAME_COLUMN, ESCALATION_COLUMN, width))
    what = "minimal counterexample" if kind == "invariant" else "minimal example"
    unique = "unique" if example.unique else "not unique"
    yield from wrapped(f"{what} ({unique}; {replay_words(example)}):", width, 2)
    yield from value_lines(example, Columns(NAME_COLUMN, VALUE_COLUMN, width))
    if example.because:
        yield f"  the claim {'fails' if kind == 'invariant' else 'holds'} because"
    for reason in example.because:
        yield from _reason(reason, width)


def _reason(reason: Reason, width: int) -> Iterator[str]:
    """What has which value; where that is defined stands below, a little further in."""
    indent = NAME_COLUMN + 2 * reason.depth
    yield from wrapped(f"{reason.text} = {reason.value}" if reason.value else reason.text, width, indent, 2)
    where = ", ".join(part for part in (reason.place, reason.cite) if part)
    yield from wrapped(where, width, indent + 4)
