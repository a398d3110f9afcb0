"""Diagnostics as text and as JSON.

In: diagnostics. Out: the block a terminal shows, or a dictionary for editors.
Guarantee: the same diagnostic gives the same bytes, and none of them moves a cursor; colour is the caller's business.
Trusted: no, checked by the golden diagnostics.
"""

from __future__ import annotations

from verifier.diagnostics.model import Diagnostic
from verifier.source import Span

WIDTH = 160


def render(diagnostic: Diagnostic) -> str:
    """The diagnostic as a block of lines without a final end of line."""
    lines = [f"{diagnostic.severity}[{diagnostic.code}]: {printable(diagnostic.message())}"]
    span = diagnostic.span
    margin = ""
    if span is not None:
        margin = " " * len(str(span.line))
        lines += _excerpt(span, diagnostic.label(), margin)
    for note in diagnostic.notes():
        place = f" ({note.span.place})" if note.span is not None else ""
        lines.append(f"{margin} = note: {printable(note.text + place)}")
    if diagnostic.help():
        lines.append(f"{margin} = help: {printable(diagnostic.help())}")
    return "\n".join(lines)


def _excerpt(span: Span, label: str, margin: str) -> list[str]:
    text = span.source.line_text(span.line)
    first = max(0, span.column - 1 - WIDTH // 2) if len(text) > WIDTH else 0  # of a long line only what is near
    shown = printable(text[first : first + WIDTH])
    column = span.column - 1 - first
    pad = "".join("\t" if char == "\t" else " " for char in shown[:column])
    width = max(1, min(span.end - span.start, len(shown) - column))
    caret = f"{pad}{'^' * width} {label}".rstrip()
    return [
        f"{margin}--> {printable(span.source.name)}:{span.line}:{span.column}",
        f"{margin} |",
        f"{span.line} | {shown}".rstrip(),
        f"{margin} | {caret}",
    ]


def printable(text: str) -> str:
    """The text with a question mark for each character that could move a terminal's cursor."""
    return "".join(char if char.isprintable() or char == "\t" else "?" for char in text)


def to_json(diagnostic: Diagnostic) -> dict[str, object]:
    """The diagnostic for an editor's quickfix list; lines and columns count from 1."""
    span = diagnostic.span
    place: dict[str, object] = {}
    if span is not None:
        end = max(span.start, span.end - 1)
        source = span.source
        place = {
            "file": source.name,
            "line": span.line,
            "column": span.column,
            "end_line": source.line_of(end),
            "end_column": end - source.line_starts[source.line_of(end) - 1] + 2,
        }
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message(),
        **place,
        "notes": [note.text for note in diagnostic.notes()],
        "help": diagnostic.help(),
    }
