"""What may stand in a scenario that nobody meant, and what must come of it: a document, or an `InputError`."""

import json
from collections.abc import Callable, Collection, Iterator
from typing import Any

from hypothesis import strategies as st

from models.scenario import InputError, parse_json

WORDS = st.integers(0, (1 << 64) - 1).map(hex)
NUMBERS = st.one_of(WORDS, st.integers(-(1 << 70), 1 << 70), st.booleans(), st.floats(), st.none())
SCALARS = st.one_of(NUMBERS, st.text(max_size=8))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)),
    max_leaves=8,
)


def places(bases: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Every place below the top of some scenario."""
    return sorted({place for base in bases for place in _places(base, ()) if place})


def _places(value: Any, prefix: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield prefix
    if isinstance(value, dict):
        for key in value:
            yield from _places(value[key], (*prefix, key))


def answer_or_error(text: str, answer: Callable[[Any], dict], outcomes: Collection[str]) -> dict | None:
    """The document for a text, or None for an `InputError` that is fit to print; anything else escapes."""
    document, refusal = None, None
    try:
        document = answer(parse_json(text))
    except InputError as error:
        refusal = error
    if document is None:
        assert refusal is not None
        assert refusal.code
        assert len(str(refusal)) < 500
        assert str(refusal).isascii()
        return None
    assert document["outcome"] in outcomes
    assert json.loads(json.dumps(document)) == document
    return document
