"""Results for a mail.

In: results, and what the run was of. Out: plain text of at most 72 columns, to be pasted and quoted.
Guarantee: the same results give the same bytes: no colour, no time, no place of a machine. Every result has one command
that decides it again. No line begins with what mail programs change or take for something else.
Trusted: no, checked by golden reports and the conformance tests of the formats.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.obligations.result import Result
from verifier.reports.plain import MAIL_WIDTH, about, full_name, verdict_sentence, wrapped
from verifier.reports.run import Run, facts, reproduce
from verifier.reports.summary import summarize
from verifier.reports.text import closing, verdict_words

HEADING, VERDICT, FURTHER = 16, 15, 6


def render(results: list[Result], details: list[Result], run: Run) -> str:
    """The counts, the heading, a paragraph for each of `details`, and a line for each other result."""
    lines = [*wrapped(f"slat prove: {closing(summarize(results))}", MAIL_WIDTH, 0), "", *_heading(results, run)]
    closer = {full_name(result) for result in details}
    paragraphs: list[str] = []
    others: list[str] = []
    for result, words in zip(results, reproduce(results, run), strict=True):
        if full_name(result) in closer:
            paragraphs += ["", *_paragraph(result, words)]
        else:
            others += _line(result, words)
    if others:
        others = ["", "Every other verdict, and how to reproduce it:", "", *others]
    return "\n".join([*lines, *paragraphs, *others]) + "\n"


def _heading(results: list[Result], run: Run) -> Iterator[str]:
    for name, text in facts(results, run).items():
        first, *rest = wrapped(text, MAIL_WIDTH, HEADING)
        yield f"{name.capitalize():<{HEADING}}{first.strip()}"
        yield from rest


def _paragraph(result: Result, words: list[str]) -> Iterator[str]:
    ids = f" ({', '.join(result.ids)})" if result.ids else ""
    where = f" in {result.series}" if result.series else ""
    yield from wrapped(f"{result.name}{ids}{where}: {verdict_sentence(result)}", MAIL_WIDTH, 0)
    yield from about(result, MAIL_WIDTH)
    yield from _command("  $ ", words)


def _line(result: Result, words: list[str]) -> Iterator[str]:
    if result.as_expected:
        yield from _command(f"  {verdict_words(result):<{VERDICT - 2}}", words)
        return
    yield from wrapped(f"{verdict_sentence(result)}:", MAIL_WIDTH, 2)
    yield from _command(" " * VERDICT, words)


def _command(head: str, words: list[str]) -> Iterator[str]:
    """The command after its head; a shell joins its lines again. A name of up to 64 letters fits."""
    line, *rest = words
    line = head + line
    for word in rest:
        if len(line) + 1 + len(word) + 2 > MAIL_WIDTH:
            yield f"{line} \\"
            line = " " * FURTHER + word
        else:
            line += f" {word}"
    yield line
