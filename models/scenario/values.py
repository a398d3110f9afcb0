"""In: JSON values and the paths where they stand. Out: checked Python values.

Guarantee: a value of the wrong type or range raises `InputError` with its path; messages stay short and
printable whatever the input.
Trusted: no, checked by tests/unit/models (hostile scenarios).
"""

import re
from collections.abc import Set
from typing import Never, cast

from models.scenario.reading import RepeatedKeys
from models.sdm.errors import InputError

WORD_LIMIT = 1 << 64
NUMBER = 'an integer or a "0x..." string of at most 16 digits'
SHOWN = 60
_is_hexadecimal = re.compile(r"0x[0-9a-fA-F]{1,16}").fullmatch


def shown(value: object) -> str:
    """A value as it may appear in a message or a path: ASCII, and cut to a readable length.

    Only the part that is shown is ever converted.
    """
    if isinstance(value, str):
        text = value[: SHOWN + 1].encode("ascii", "backslashreplace").decode()
        text = re.sub(r"[\x00-\x1f\x7f]", lambda match: f"\\x{ord(match[0]):02x}", text)
    elif isinstance(value, int) and not isinstance(value, bool):
        text = hex(value)
    else:
        text = type(value).__name__
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def join(path: str, key: str) -> str:
    """The path of a key in the object at `path`."""
    return f"{path}.{shown(key)}" if path else shown(key)


def refuse_type(value: object, path: str, expected: str) -> Never:
    """Raises `InputError` "wrong_type"."""
    raise InputError("wrong_type", path, f"expected {expected}, found {kind_of(value)}")


def kind_of(value: object) -> str:
    """The JSON name of a value's type."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int():
            return "an integer"
        case float():
            return "a number that is no integer or too large"
        case str():
            return f'the string "{shown(value)}"'
        case list():
            return "an array"
        case _:
            return "an object"


def read_object(value: object, path: str) -> dict[str, object]:
    """An object without repeated keys, its keys not yet checked."""
    if type(value) is dict:
        return cast("dict[str, object]", value)
    if isinstance(value, RepeatedKeys):
        raise InputError("duplicate_key", join(path, value.key), "the key stands twice")
    refuse_type(value, path, "an object")


def read_fields(value: object, path: str, required: Set[str], known: Set[str]) -> dict[str, object]:
    """An object that has all `required` keys and none but the `known` ones."""
    fields = read_object(value, path)
    keys = fields.keys()
    if keys != required:
        for key in fields:
            if key not in known:
                raise InputError("unknown_key", join(path, key), "the key is not known here")
        missing = required - keys
        if missing:
            raise InputError("missing_key", join(path, min(missing)), "the key is required")
    return fields


def read_number(value: object, path: str, key: str, limit: int = WORD_LIMIT) -> int:
    """The JSON integer or "0x..." string under `key` of `path`, at least 0 and below `limit`."""
    if type(value) is str:
        if _is_hexadecimal(value) is None:
            refuse_type(value, join(path, key), NUMBER)
        number = int(value, 16)
    elif type(value) is int:
        number = value
    else:
        refuse_type(value, join(path, key), NUMBER)
    if 0 <= number < limit:
        return number
    message = f"the number does not lie between 0 and {hex(limit - 1)}"
    raise InputError("out_of_range", join(path, key), message)


def read_numbers(fields: dict[str, object], path: str, limits: dict[str, int]) -> dict[str, int]:
    """Every field of `limits` that is there, each below its limit."""
    return {key: read_number(value, path, key, limits[key]) for key, value in fields.items() if key in limits}


def read_flag(value: object, path: str, key: str) -> bool:
    """The true or false under `key` of `path`."""
    if type(value) is not bool:
        refuse_type(value, join(path, key), "true or false")
    return value
