"""What the site is made of.

In: a library, results, what the run was of, and the walks of examples. Out: `Material`, which every page is made from.
Guarantee: names are looked up in the version in which they were used.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from verifier.diff.model import Diff
from verifier.obligations.result import Citation, Result
from verifier.reports.html.crossref import Index, make_index, point
from verifier.reports.html.files import File, files_of
from verifier.reports.html.places import line_place, section_place
from verifier.reports.html.walks import Walk
from verifier.reports.run import Run
from verifier.types import typed
from verifier.types.load import Library, Loaded

ClaimKey = tuple[str, str, str | None]
"""A claim's module and name, and the label of a version."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page at `path`, rendered by `template`; `content` are the template's other names."""

    path: str
    template: str
    title: str
    content: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CiteLink:
    """A citation, with the number of its section in the manual's edition."""

    manual: str
    number: str
    title: str
    place: str


@dataclass(frozen=True, slots=True)
class Material:
    """`walks` are those of the examples that the reference MMU can run, `diffs` what differs between versions."""

    library: Library
    results: list[Result]
    run: Run
    walks: Mapping[ClaimKey, tuple[Walk, ...]]
    files: list[File]
    index: Index
    diffs: tuple[Diff, ...] = ()
    known: dict[str | None, dict[str, str]] = field(default_factory=dict[str | None, dict[str, str]])

    def loaded(self, label: str | None) -> Loaded:
        """The version that a result's `series` names."""
        version = None if label is None else self.library.catalogue.version(label)
        return self.library.written if version is None else self.library.load(version)

    def definition(self, name: str, label: str | None) -> str:
        """The place of a definition, or of the rule whose clause it is, in a version; empty if there is none."""
        if label not in self.known:
            symbols = self.loaded(label).program.symbols()
            places = {symbol.qualified: self.index.places.get(point(symbol.decl.name.span), "") for symbol in symbols}
            self.known[label] = places
        known = self.known[label]
        return known.get(name) or known.get(name.rpartition(".")[0], "")

    def claim(self, result: Result) -> typed.Claim:
        """The claim of a result, as it was checked."""
        claims = self.loaded(result.series).checked.claims
        return next(one for one in claims if (one.module, one.name) == (result.module, result.name))

    def cite(self, cite: Citation) -> CiteLink:
        """A citation with its place."""
        manual = self.library.manuals[cite.manual]
        position = list(manual.sections).index(cite.title)
        place = section_place(manual.name, position, cite.title)
        return CiteLink(manual.name, manual.sections[cite.title].number, cite.title, place)

    def series_word(self, label: str) -> str:
        """The name of the series that a label names."""
        version = self.library.catalogue.version(label)
        return label if version is None else version.series


def gather(
    library: Library,
    results: list[Result],
    run: Run,
    walks: Mapping[ClaimKey, tuple[Walk, ...]],
    diffs: tuple[Diff, ...] = (),
) -> Material:
    """The material of a site; raises `Diagnosed` if a series cannot be assembled."""
    library.load_all()
    files = files_of(library)
    return Material(library, results, run, walks, files, make_index(files, library.manuals), diffs)


def key_of(result: Result) -> ClaimKey:
    """The key of a result."""
    return result.module, result.name, result.series


def place_named(place: str) -> str:
    """The place that a reason names as `file:line`; empty if it names none."""
    file, _, line = place.rpartition(":")
    return line_place(file, int(line)) if file and line.isdigit() else ""
