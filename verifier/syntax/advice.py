"""What to say about a syntax error.

In: lark's error. Out: a help line and the words that were expected.
Guarantee: terminals are named as a reader would; nothing here changes what is accepted.
Trusted: no, checked by the golden diagnostics.
"""

from __future__ import annotations

from lark.exceptions import UnexpectedToken

_SPOKEN = {
    "UPPER": "a type or constant",
    "LOWER": "a name",
    "INT": "a number",
    "HEX": "a number",
    "STRING": "a string",
    "COMPARE": "a comparison",
    "$END": "the end of the file",
}


def describe(error: object) -> tuple[str, tuple[str, ...]]:
    """The help line (or an empty string) and up to four things that could stand here."""
    if not isinstance(error, UnexpectedToken):
        return "", ()
    names = sorted({_SPOKEN.get(name, _keyword(name)) for name in error.accepts or ()})
    return "", tuple(names) if len(names) <= 4 else ()


def _keyword(terminal: str) -> str:
    return f"`{terminal.lower()}`"
