"""The words that name what `slat diff` compares.

In: words of a command line. Out: two versions, each of a project.
Guarantee: a series, a prefix of one or a known-bad version comes before a directory of the same name; decisions are the
same text on both sides. What names nothing is a diagnostic.
Trusted: no, checked by tests/unit/verifier/cli.

    v5, v5_37                                       a series, or its patches through 37
    v5:37, v5:mbec_in_ept_walks                     the same, by number or name of the patch
    specs/kvm/series/v5/37-mbec-in-ept-walks.slat   the same, by its file
    i17_xu_mask_is_bit_2                            a known-bad version
    ../before, ../before:v3                         another tree, in its written version or in that of a series
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from verifier.cli.shared import fail, open_project
from verifier.diagnostics.model import Diagnosed
from verifier.diff.decisions import FOLDER as DECISIONS
from verifier.names import errors
from verifier.names.project import MANUALS, NoProject, Project, read_project
from verifier.names.series import FOLDER, Catalogue, Version
from verifier.source import Source
from verifier.types.load import Library, Loaded, open_library


@dataclass(frozen=True, slots=True)
class Named:
    """A version of a project. `label` is how the reader calls it."""

    label: str
    project: Project
    library: Library
    loaded: Loaded


def sides(words: tuple[str, str | None], root: Path | None) -> tuple[Named, Named]:
    """A and B; with one word only, B is what it names and A what that is built on."""
    opened = _Opened(root)
    first, second = words
    if second is None:
        after = opened.named(first)
        return opened.before(first, after), after
    left, right = opened.named(first), opened.named(second)
    return opened.comparable(left, right), right


class _Opened:
    """Projects by their roots, each opened once."""

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._home: tuple[Project, Library] | None = None

    def _at_home(self) -> tuple[Project, Library]:
        if self._home is None:
            project = open_project(self._root)
            self._home = project, open_library(project)
        return self._home

    def named(self, word: str) -> Named:
        """The version that a word names."""
        if os.path.isdir(word) and not self._names_a_version(word):
            return _tree(word, None)
        place, colon, series = word.rpartition(":")
        if colon and os.path.isdir(place) and not self._names_a_version(word):
            return _tree(place, series)
        project, library = self._at_home()
        version = _version(library.catalogue, word, project.root)
        if version is None:
            raise _unknown(word, library.catalogue)
        return Named(version.label, project, library, library.load(version))

    def _names_a_version(self, word: str) -> bool:
        """Whether a directory's name is that of a version, too."""
        if os.sep in word or word in (os.curdir, os.pardir):
            return False
        try:
            _, library = self._at_home()
        except Diagnosed:  # there is no project here, or none that could have such a version
            return False
        return _version(library.catalogue, word, Path()) is not None

    def before(self, word: str, after: Named) -> Named:
        """What a version is built on: the patch before it, or the base of its series."""
        version = after.loaded.version
        catalogue = after.library.catalogue
        if version is None or (base := _base(catalogue, version)) is None:
            raise fail(f"`{word}` is built on nothing", "name what it is to be compared with: `slat diff A B`")
        return replace(after, label=base.label, loaded=after.library.load(base))

    def comparable(self, left: Named, right: Named) -> Named:
        """The left side with the decisions of the right one, if these are two trees."""
        if left.project is right.project:
            return left
        theirs = [source for source in right.project.sources if _is_decision(source)]
        mine = tuple(source for source in left.project.sources if not _is_decision(source))
        project = replace(left.project, sources=(*mine, *theirs))
        library = _without_strangers(project)
        version = left.loaded.version
        return replace(
            left, project=project, library=library, loaded=library.load(version) if version else library.written
        )


def _tree(word: str, series: str | None) -> Named:
    """The tree in a directory."""
    root = Path(os.path.realpath(word))
    if not os.path.isfile(root / MANUALS):
        raise Diagnosed([NoProject(None, word)])
    project = read_project(root)
    library = open_library(project)
    if series is None:
        return Named(word, project, library, library.written)
    version = _version(library.catalogue, series, root)
    if version is None:
        raise _unknown(series, library.catalogue)
    return Named(f"{word}:{version.label}", project, library, library.load(version))


def _version(catalogue: Catalogue, word: str, root: Path) -> Version | None:
    """The version that a label, `SERIES:PATCH` or the file of a patch names."""
    name, colon, patch = word.rpartition(":")
    if colon:
        series = catalogue.series.get(name)
        number = series.number_of(patch) if series else None
        return None if number is None else Version(name, number)
    place = Path(os.path.realpath(word))
    for series in catalogue.series.values():
        for listed in series.patches:
            if place == Path(os.path.realpath(root / listed.tree.name.span.source.name)):
                return Version(series.name) if series.known_bad else Version(series.name, listed.number)
    return catalogue.version(word)


def _base(catalogue: Catalogue, version: Version) -> Version | None:
    series = catalogue.series[version.series]
    numbers = sorted(patch.number for patch in series.patches)
    if version.upto is None:
        return None if series.base is None else Version(series.base)
    before = [number for number in numbers if number < version.upto]
    if before:
        return Version(series.name, before[-1])
    return None if series.base is None else Version(series.base)


def _unknown(word: str, catalogue: Catalogue) -> Diagnosed:
    """What is wrong with a word that names nothing."""
    name, colon, patch = word.rpartition(":")
    series = catalogue.series.get(name) if colon else None
    if series is not None:
        known = tuple(str(listed.number) for listed in series.patches)
        return Diagnosed([errors.UnknownPatch(None, patch, name, known)])
    if os.sep in word:
        return fail(f"there is no directory and no patch `{word}`", f"patches lie under `{FOLDER}`")
    return Diagnosed([errors.UnknownSeries(None, word, tuple(catalogue.series))])


def _is_decision(source: Source) -> bool:
    return source.name.startswith(f"{DECISIONS.replace('.', '/')}/")


def _without_strangers(project: Project) -> Library:
    """The library without decisions that name what the tree does not have: those are not modelled there."""
    while True:
        try:
            return open_library(project)
        except Diagnosed as error:
            faulty = {d.span.source for d in error.diagnostics if d.span is not None and d.severity == "error"}
            if not faulty or not all(_is_decision(source) for source in faulty):
                raise
            project = replace(project, sources=tuple(s for s in project.sources if s not in faulty))
