"""The specifications as the comparisons use them: loaded once, evaluated by the interpreter.

The interpreter remembers what a function without `undefined` gave for the same arguments: such functions are pure,
and most cases share their entries with many others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

from verifier.cli.replay_ept import Specification, specification
from verifier.cli.replay_guest import GuestSpecification, guest_specification
from verifier.core import interpret
from verifier.core.interpret import Env, Meaning, apply
from verifier.names.project import Project, read_project
from verifier.types import typed
from verifier.types.kinds import Enum, Record
from verifier.types.load import Library, open_library

REMEMBERED, OF_KVM = 50_000, 2_000
"""Results that are kept of each function. Of KVM's, which are many and meet few inputs twice, fewer."""
ROOT = Path(__file__).resolve().parents[2]


_roots = [ROOT]
"""Where the specifications are read from: the last one."""


@contextmanager
def specifications_in(root: Path) -> Iterator[None]:
    """Within it, the specifications are those of another folder."""
    _roots.append(root)
    try:
        yield
    finally:
        _roots.remove(root)


def project() -> Project:
    """The sources."""
    return read_project(_roots[-1])


def checked() -> typed.Checked:
    """Their typed core."""
    return _checked(_roots[-1])


def library() -> Library:
    """The same in every series."""
    return _library(_roots[-1])


@cache
def _library(root: Path) -> Library:
    return open_library(read_project(root))


def _checked(root: Path) -> typed.Checked:
    return _library(root).written.checked


def specification_of_ept() -> Specification:
    """What `specs/sdm/ept` says of one access."""
    return _specifications(_roots[-1])[0]


def specification_of_guests() -> GuestSpecification:
    """What `specs/sdm/paging` says of one linear access."""
    return _specifications(_roots[-1])[1]


@cache
def _specifications(root: Path) -> tuple[Specification, GuestSpecification]:
    ept = specification(_checked(root))
    guests = guest_specification(_checked(root), ept)
    assert ept is not None
    assert guests is not None
    return ept, guests


def call(name: str, *arguments: Any) -> Any:
    """The value of the specifications' function or rule of that qualified name."""
    return apply(checked().functions[name], arguments)


def record(name: str) -> Record:
    """The record type of that qualified name."""
    kind = checked().types[name]
    assert isinstance(kind, Record)
    return kind


def make(of: Record, /, **fields: Any) -> tuple[Any, ...]:
    """A value of a record; every field must be given."""
    assert fields.keys() == {field.name for field in of.fields}
    return tuple(fields[field.name] for field in of.fields)


def parts(kind: Record, value: tuple[Any, ...]) -> dict[str, Any]:
    """The fields of a record's value."""
    return {field.name: part for field, part in zip(kind.fields, value, strict=True)}


def number(enum: str, member: str) -> int:
    """The number of an enum's member."""
    kind = checked().types[enum]
    assert isinstance(kind, Enum)
    return dict(kind.members)[member]


def member(enum: str, value: int) -> str:
    """The member of an enum with that number."""
    kind = checked().types[enum]
    assert isinstance(kind, Enum)
    return next(name for name, at in kind.members if at == value)


def _remembering(body_meaning: Callable[[typed.Function], Meaning]) -> Callable[[typed.Function], Meaning]:
    """`body_meaning` with results that are kept as long as there is room."""

    @cache
    def remembering(function: typed.Function) -> Meaning:
        compute = body_meaning(function)
        if function.chooses or not function.params:
            return compute
        arguments, known = itemgetter(*(p.name for p in function.params)), dict[Any, Any]()
        most = OF_KVM if function.name.startswith("kvm.") else REMEMBERED

        def value(env: Env) -> Any:
            key = arguments(env)
            if key not in known:
                if len(known) >= most:
                    known.clear()
                known[key] = compute(env)
            return known[key]

        return value

    return remembering


plain_body_meaning = interpret.body_meaning
interpret.body_meaning = _remembering(plain_body_meaning)
