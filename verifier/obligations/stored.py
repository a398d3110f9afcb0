"""Stored values read again.

In: a type, and data that JSON can hold. Out: a value of that type.
Guarantee: what is not the data of such a value is a `ValueError`, whatever it is.
Trusted: yes, small.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def restore(kind: Any, data: Any) -> Any:
    """The value that `dataclasses.asdict` and JSON made `data` of."""
    record = bool(is_dataclass(kind))
    if record:
        return kind(**_record(_fields(kind), data))
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple:
        parts: list[Any] = _exactly(list, data)
        kinds = arguments[:1] * len(parts) if arguments[-1] is Ellipsis else arguments
        return tuple(restore(one, part) for one, part in zip(kinds, parts, strict=True))
    if origin is dict:
        entries: dict[Any, Any] = _exactly(dict, data)
        return {restore(arguments[0], key): restore(arguments[1], part) for key, part in entries.items()}
    if origin in (Union, UnionType):
        if data is None and NoneType in arguments:
            return None
        (rest,) = (one for one in arguments if one is not NoneType)
        return restore(rest, data)
    return _exactly(kind, data)


def _exactly(kind: Any, data: Any) -> Any:
    if type(data) is not kind:
        raise ValueError(f"{type(data).__name__} is no {kind}")
    return data


def _record(kinds: dict[str, Any], data: Any) -> dict[str, Any]:
    entries: dict[str, Any] = _exactly(dict, data)
    if entries.keys() != kinds.keys():
        raise ValueError("other fields")
    return {name: restore(kind, entries[name]) for name, kind in kinds.items()}


@cache
def _fields(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}
