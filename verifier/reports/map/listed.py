"""What the map lists: `proofs/kvm/map.toml`.

In: the text of that file, and a library. Out: a `Listed`.
Guarantee: every series, claim and finding that it names exists; a finding that no known-bad version has says why.
Trusted: no, checked by a golden diagnostic and tests/unit/verifier/reports.

Texts are Markdown, each on one line.

    about, patches, beside      words about the folder; the series gone through by patch; series to compare it with
    [[headline]]                `says`, and the names of its `claims`
    [[finding]]                 `id` of its claims, `title`; `without` says why no known-bad version has it; `note`
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import PurePosixPath
from typing import Any, cast

from verifier.diagnostics.model import Diagnosed, Diagnostic, nearest
from verifier.names.series import Series
from verifier.source import Source
from verifier.types.load import Library

PLACE = PurePosixPath("proofs/kvm/map.toml")


@dataclass(frozen=True, slots=True)
class MapList(Diagnostic):
    """A list of the map that cannot be followed."""

    code = "E604"
    file: str
    problem: str
    advice: str = ""

    def message(self) -> str:
        return f"`{self.file}`: {self.problem}"

    def help(self) -> str:
        return self.advice


@dataclass(frozen=True, slots=True)
class Headline:
    """What the project says, and the claims that say it."""

    says: str
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a reviewer found; its claims have its id, its known-bad versions begin with it."""

    id: str
    title: str
    without: str = ""
    note: str = ""

    def versions(self, library: Library) -> tuple[Series, ...]:
        """The known-bad versions that have the mistake: `i07_…` belong to I7."""
        series = library.catalogue.series.values()
        return tuple(one for one in series if one.known_bad and _number(one.name) == self.id)


@dataclass(frozen=True, slots=True)
class Listed:
    """`patches` is a series, or empty; `beside` are those whose verdicts stand beside its own."""

    about: str = ""
    patches: str = ""
    beside: tuple[str, ...] = ()
    headline: tuple[Headline, ...] = ()
    finding: tuple[Finding, ...] = ()

    def prefixes(self, library: Library) -> tuple[str, ...]:
        """The labels of the series after each of its patches."""
        patches = library.catalogue.series[self.patches].patches if self.patches else ()
        return tuple(f"{self.patches}_{patch.number}" for patch in patches)


def read_listed(source: Source, library: Library) -> Listed:
    """The lists in a source; raises `Diagnosed` with everything that is wrong with them."""
    try:
        data = tomllib.loads(source.text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        problem = str(error)
        raise Diagnosed([MapList(None, source.name, problem[:1].lower() + problem[1:])]) from None
    found: list[Diagnostic] = []
    try:
        listed = _record(Listed, data, "")
        found += (MapList(None, source.name, *problem) for problem in _problems(listed, library))
    except _Unusable as error:
        raise Diagnosed([MapList(None, source.name, str(error))]) from None
    if found:
        raise Diagnosed(found)
    return listed


class _Unusable(Exception):  # noqa: N818
    """What is no such record."""


_LISTS = {"headline": Headline, "finding": Finding}
_WORDS = ("beside", "claims")


def _record(kind: type, data: dict[str, Any], where: str) -> Any:
    """A record of this kind; raises `_Unusable`."""
    wanted = {field.name: field for field in fields(kind)}
    for key in data:
        if key not in wanted:
            raise _Unusable(f"`{where}{key}` is no key here")
    for name in ("says", "claims", "id", "title"):
        if name in wanted and name not in data:
            raise _Unusable(f"`{where}{name}` is missing")
    return kind(**{key: _value(key, value, f"{where}{key}") for key, value in data.items()})


def _value(key: str, value: object, where: str) -> Any:
    if key in _LISTS:
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in cast("list[object]", value)):
            raise _Unusable(f"`{where}` is a list of tables: write `[[{key}]]`")
        entries = cast("list[dict[str, Any]]", value)
        return tuple(_record(_LISTS[key], one, f"{where}[{n}].") for n, one in enumerate(entries))
    if key in _WORDS:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in cast("list[object]", value)):
            raise _Unusable(f"`{where}` is no list of texts")
        return tuple(cast("list[str]", value))
    if not isinstance(value, str) or "\n" in value:
        raise _Unusable(f"`{where}` is no text on one line")
    return value


def _problems(listed: Listed, library: Library) -> Iterator[tuple[str, str]]:
    """What is wrong, each with what can be done about it."""
    series = library.catalogue.series
    for name in filter(None, (listed.patches, *listed.beside)):
        if name not in series:
            yield f"there is no series `{name}`", nearest(name, tuple(series)) or ""
    names = tuple(claim.name for claim in library.written.checked.claims)
    for name in (name for headline in listed.headline for name in headline.claims):
        if name not in names:
            yield f"`{name}` is no claim", nearest(name, names) or ""
    ids = {word for claim in library.written.checked.claims for word in claim.ids}
    seen: set[str] = set()
    for finding in listed.finding:
        if finding.id in seen:
            yield f"`{finding.id}` is listed twice", ""
        seen.add(finding.id)
        if finding.id not in ids:
            yield f"no claim is about `{finding.id}`", "a claim names its ids: `invariant name is I7 …`"
        if bool(finding.versions(library)) == bool(finding.without):
            problem = "has a known-bad version, and says why not" if finding.without else "has no known-bad version"
            yield f"`{finding.id}` {problem}", "`without` says why no version below `known_bad` has this mistake"


def _number(version: str) -> str:
    """The finding to which a known-bad version belongs."""
    word = version.partition("_")[0]
    return f"{word[:1].upper()}{int(word[1:])}" if word[1:].isdecimal() else ""
