"""A source in the one layout of the language.

In: a source. Out: its text as the printer lays it out.
Guarantee: the same tree and the same comments, or an exception.
Trusted: no, it checks its own output.
"""

from __future__ import annotations

from verifier.source import Source
from verifier.syntax.comments import attach, find_comments
from verifier.syntax.parse import parse_file
from verifier.syntax.printer import print_file


def format_source(source: Source) -> str:
    """The formatted text; raises `Diagnosed` if the source cannot be parsed."""
    file = parse_file(source)
    text = print_file(file, attach(source, file))
    again = Source(source.name, text)
    if parse_file(again) != file:
        raise AssertionError(f"formatting {source.name} would change what it says")
    if _texts(again) != _texts(source):
        raise AssertionError(f"formatting {source.name} would lose a comment")
    return text


def _texts(source: Source) -> list[str]:
    return sorted(comment.text for comment in find_comments(source))
