"""In: one JSON text. Out: its value, in which a repeated key is still visible.

Guarantee: any text gives a value or an `InputError`, never another exception.
Trusted: no, checked by tests/unit/models (hostile scenarios).

`json` keeps the last of two equal keys. Here an object that repeats a key is read as a `RepeatedKeys`, so
that the reader who knows the path can say where; an integer of more digits than Python converts is read as
a float, which no field accepts.
"""

import json
import math

from models.sdm.errors import InputError


class RepeatedKeys(dict[str, object]):
    """A JSON object that repeats a key; `key` is the first one repeated."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        seen: set[str] = set()
        self.key = next(key for key, _ in pairs if key in seen or seen.add(key))


def parse_json(text: str) -> object:
    """The value of a JSON text. Raises `InputError` "blank" or "invalid_json" with path ""."""
    if not text or text.isspace():
        raise InputError("blank", "", "there is no JSON value")
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        message = f"{error.msg} at line {error.lineno} column {error.colno}"
        raise InputError("invalid_json", "", message) from None
    except RecursionError:
        raise InputError("invalid_json", "", "nested too deeply") from None
    except ValueError:  # an integer beyond Python's limit of digits
        return _parse_huge_integers(text)


def _parse_huge_integers(text: str) -> object:
    decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_int=_bounded_integer)
    return decoder.decode(text)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    return value if len(value) == len(pairs) else RepeatedKeys(pairs)


def _constant(name: str) -> float:
    """NaN and the infinities are no JSON; they are read as what they are and refused as numbers."""
    return math.nan if name == "NaN" else math.inf


def _bounded_integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= 40 else math.inf


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
