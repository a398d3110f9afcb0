"""What was decided, and where things are, as the map looks them up.

In: a library, results, and the folder in which the map stands. Out: verdicts of claims in versions; links.
Guarantee: a claim that is the same in every version has its verdict in each.
Trusted: no, checked by tests/unit/verifier/reports.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from verifier.names.series import Version
from verifier.obligations.result import Result
from verifier.reports.by_claim import by_claim, standing_words
from verifier.reports.markdown import escaped
from verifier.syntax import tree
from verifier.types.load import Library

NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Decided:
    """`results` are those of each claim, by its qualified name and the label of a version."""

    library: Library
    results: dict[str, dict[str | None, Result]]
    folder: str

    def one(self, claim: str) -> Result:
        """Any result of a claim."""
        return next(iter(self.results[claim].values()))

    def result(self, claim: str, label: str) -> Result | None:
        """The result in a version, if it is decided there."""
        found = self.results[claim]
        return found.get(label, found.get(None))

    def words(self, claim: str, label: str) -> str:
        """The verdict in a version."""
        result = self.result(claim, label)
        return NOTHING if result is None else standing_words(result)

    def of_series(self, claim: str, series: Iterable[str]) -> list[Result]:
        """The results in these series, or the one for all of them."""
        wanted = (None, *series)
        return [result for label, result in self.results[claim].items() if label in wanted]

    def refuted_in(self, label: str) -> list[str]:
        """The claims that are refuted in a version."""
        found = ((claim, results.get(label)) for claim, results in self.results.items())
        return [claim for claim, result in found if result is not None and result.outcome.verdict == "refuted"]

    def named(self, claim: str) -> str:
        """A claim with its ids."""
        one = self.one(claim)
        return " ".join([*one.ids, f"`{one.name}`"])

    def linked(self, claim: str) -> str:
        """A claim with its ids, as a link to its file."""
        one = self.one(claim)
        return " ".join([*one.ids, f"[`{one.name}`]({self.to(one.file)})"])

    def to(self, file: str) -> str:
        """The way from the map to a file of the project."""
        return posixpath.relpath(file, self.folder)

    def source(self, cite: tree.Cite) -> str:
        """A citation; one whose number is a message-id is a link to the archive."""
        number = self.library.manuals[cite.manual.text].sections[cite.title].number
        return f"{cite.manual.text} {mail(number, f'“{escaped(cite.title)}”')}"


def decided(library: Library, results: Sequence[Result], folder: str) -> Decided:
    """The results as the map looks them up."""
    found = {name: {result.series: result for result in group} for name, group in by_claim(results).items()}
    return Decided(library, found, folder)


def mail(number: str, words: str) -> str:
    """The words, as a link to the archived mail if the number is a message-id."""
    return f"[{words}](https://lore.kernel.org/r/{number})" if "@" in number else words


def regular(library: Library) -> tuple[str, ...]:
    """The labels of the series in which every claim is decided."""
    return tuple(Version(series.name).label for series in library.catalogue.regular)
