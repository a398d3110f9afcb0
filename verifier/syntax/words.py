"""Words that run into each other.

In: a text and lark's tokens. Out: the places where the lexer cut a word in two (`showx`, `12th`).
Guarantee: a name or number that touches no other letter, digit or underscore is never reported.
Trusted: no, checked by the golden diagnostics.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from lark import Token, Tree

from verifier.source import Source, Span
from verifier.syntax.errors import RunTogether

_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_WORDS = ("LOWER", "UPPER", "INT", "HEX")


def cut_word(source: Source, token: Token) -> RunTogether | None:
    """What is wrong if the word around `token` is longer than it."""
    if token.type not in _WORDS:
        return None
    text, start, end = source.text, token.start_pos or 0, token.end_pos or 0
    if text[start - 1 : start] not in _CHARACTERS and text[end : end + 1] not in _CHARACTERS:
        return None
    first, last = start, end
    while text[first - 1 : first] in _CHARACTERS:
        first -= 1
    while text[last : last + 1] in _CHARACTERS:
        last += 1
    middle = start if first < start else end
    return RunTogether(Span(source, first, last), text[first:middle], text[middle:last])


def cut_words(source: Source, read: list[Any]) -> Iterator[RunTogether]:
    """The same for all tokens in these trees, in the order of the text."""
    todo = list(reversed(read))
    while todo:
        item = todo.pop()
        if isinstance(item, Token):
            found = cut_word(source, item)
            if found is not None:
                yield found
        elif isinstance(item, Tree):
            todo.extend(reversed(cast(Any, item).children))
