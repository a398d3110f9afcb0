"""The versions that a run decides, and which claims it decides in each.

In: a library and the words of a command line. Out: claims, each with the version in which it is decided.
Guarantee: a claim that rests on nothing a series can change is decided once, without a version.
Trusted: no.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from verifier.diagnostics.model import Diagnosed, Diagnostic
from verifier.names import errors
from verifier.names.series import Catalogue, Version, expectation
from verifier.syntax import tree
from verifier.types import typed
from verifier.types.load import Library, Loaded
from verifier.types.reach import reached_by

ALL = "all"


@dataclass(frozen=True, slots=True)
class Choice:
    """`series` are labels of versions, or `all`; none is the written series. `upto` cuts the one that is named."""

    series: tuple[str, ...] = ()
    upto: str | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """A claim as it stands in `loaded`; `version` is None if it is the same in all of them.

    `expected_as` are the versions that stand in for one that the claim does not name.
    """

    claim: typed.Claim
    version: Version | None
    loaded: Loaded
    expected_as: tuple[Version, ...] = ()

    @property
    def label(self) -> str | None:
        return None if self.version is None else self.version.label

    @property
    def expected(self) -> tree.Expect | None:
        """What the claim expects."""
        return expectation(self.claim.expects, self.version, self.expected_as)


def chosen(catalogue: Catalogue, choice: Choice) -> tuple[Version, ...]:
    """The versions to decide; raises `Diagnosed` for one that does not exist."""
    if choice.upto is not None:
        return (_prefix(catalogue, choice),)
    if not choice.series:
        return (Version(catalogue.written),) if catalogue.written else ()
    words = [name for word in choice.series for name in (catalogue.series if word == ALL else (word,))]
    found = {word: catalogue.version(word) for word in words}
    unknown: list[Diagnostic] = [
        errors.UnknownSeries(None, word, tuple(catalogue.series)) for word, version in found.items() if version is None
    ]
    if unknown:
        raise Diagnosed(unknown)
    return tuple(version for version in found.values() if version is not None)


def _prefix(catalogue: Catalogue, choice: Choice) -> Version:
    name = choice.series[0] if choice.series else catalogue.written or ""
    series = catalogue.series.get(name)
    if series is None:
        raise Diagnosed([errors.UnknownSeries(None, name, tuple(catalogue.series))])
    number = series.number_of(choice.upto or "")
    if number is None:
        known = tuple(f"{patch.number}" for patch in series.patches)
        raise Diagnosed([errors.UnknownPatch(None, choice.upto or "", name, known)])
    return Version(name, number)


def stated(library: Library, versions: tuple[Version, ...]) -> Iterator[Stated]:
    """The claims of the architecture, and those of each version."""
    changeable = library.catalogue.changeable
    for claim in library.written.checked.claims:
        if not depends(claim, changeable):
            yield Stated(claim, None, library.written)
    for version in versions:
        loaded, expected_as = library.load(version), library.catalogue.expected_as(version)
        for claim in loaded.checked.claims:
            if claim.missing or depends(claim, changeable):
                yield Stated(claim, version, loaded, expected_as)


def depends(claim: typed.Claim, modules: frozenset[str]) -> bool:
    """Whether a claim rests on one of these modules."""
    return any(name.rsplit(".", 1)[0] in modules for name in reached_by(claim))
