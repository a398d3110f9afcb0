"""What differs between the versions that readers of a site ask about.

In: a library. Out: the comparison of the written series with what it is built on, and with what is built on it.
Guarantee: the earlier version comes first, in the order in which series are listed.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.diff.compare import Versions, compare
from verifier.diff.model import Diff
from verifier.names.series import Catalogue, Version
from verifier.obligations.cache import Cache
from verifier.obligations.prove import Options
from verifier.obligations.run import Plan
from verifier.types.load import Library


def differences_of(library: Library, jobs: int, cache: Cache) -> tuple[Diff, ...]:
    """The comparisons, in the order of the versions."""
    plan = Plan(Options(), jobs)
    return tuple(compare(_versions(library, *labels), plan, cache) for labels in pairs(library.catalogue))


def pairs(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """The labels that are compared."""
    written = catalogue.series.get(catalogue.written or "")
    if written is None:
        return
    after = False
    for series in catalogue.regular:
        after = after or series is written
        if series.name == written.base or series.base == written.name:
            yield (written.name, series.name) if after else (series.name, written.name)


def _versions(library: Library, left: str, right: str) -> Versions:
    return Versions(library.load(Version(left)), library.load(Version(right)), (left, right))
