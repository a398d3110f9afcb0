"""Series: versions of the specifications, each a base and the patches on top of it.

In: the `series.toml` files under `specs/kvm/series` and the trees of the files beside them. Out: a `Catalogue`.
Guarantee: every patch belongs to exactly one series, in a known order; bases lead to a version that is written whole.
Trusted: no, checked by the golden diagnostics.

    series.toml                 `written`: the series that `specs/kvm` holds; `order`: how series are listed
    NAME/series.toml            `title`, `base`, and `[[patch]]` with `file`, `title`, `author`, `date`, `message_id`;
                                `expect_as`: the series below it whose verdicts claims expect of it, too
    NAME/NN-some-words.slat     `patch NAME.some_words per … "[PATCH NN] …"`
    NAME/spte.slat              `module kvm.spte`: a module that differs, whole, in a series without a base
    known_bad/NAME/patch.slat   `patch known_bad.NAME on BASE per …`: a version that belongs to no series
"""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, cast

from verifier.diagnostics.model import Diagnosed, Diagnostic
from verifier.names import errors
from verifier.source import Source
from verifier.syntax import tree

FOLDER = PurePosixPath("specs/kvm/series")
LIST, KNOWN_BAD = "series.toml", "known_bad"
MODULES = "kvm"
_NUMBERED = re.compile(r"(\d+)-([a-z0-9-]+)\.slat")


@dataclass(frozen=True, slots=True)
class ListedPatch:
    """A patch as `series.toml` lists it. `number` is that of its file's name, `tree` what the file says."""

    number: int
    title: str
    author: str
    date: str
    message_id: str
    tree: tree.Patch


@dataclass(frozen=True, slots=True)
class Series:
    """A version: `modules` whole if it has no base, else `base` with `patches` on top.

    A claim that does not name it expects what it expects of `expect_as`, a series below it.
    """

    name: str
    title: str
    base: str | None
    modules: tuple[tree.Module, ...]
    patches: tuple[ListedPatch, ...]
    known_bad: bool
    expect_as: str | None = None

    def number_of(self, word: str) -> int | None:
        """The number of the patch that `word` names: by number, or by the words of its name."""
        for patch in self.patches:
            if (word.isdecimal() and int(word) == patch.number) or word == patch.tree.name.text.split(".", 1)[1]:
                return patch.number
        return None


@dataclass(frozen=True, slots=True)
class Version:
    """A series, or its patches through number `upto` only."""

    series: str
    upto: int | None = None

    @property
    def label(self) -> str:
        """`v5`, or `v5_37` for a prefix."""
        return self.series if self.upto is None else f"{self.series}_{self.upto}"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every series in the order in which they are listed; `written` is the one that `specs/kvm` holds."""

    written: str | None = None
    series: dict[str, Series] = field(default_factory=dict[str, Series])

    @property
    def regular(self) -> tuple[Series, ...]:
        """The series that were posted or merged, or are somebody's work."""
        return tuple(s for s in self.series.values() if not s.known_bad)

    @property
    def changeable(self) -> frozenset[str]:
        """The modules that differ in some series."""
        whole = {module.name.text for series in self.series.values() for module in series.modules}
        patches = (patch for series in self.series.values() for patch in series.patches)
        return frozenset(whole | {amend.target.text for patch in patches for amend in patch.tree.amends})

    def expected_as(self, version: Version | None) -> tuple[Version, ...]:
        """The series that stand in for that of a version which a claim does not name, the nearest first."""
        found: list[Version] = []
        name = None if version is None else self.series[version.series].expect_as
        while name is not None:
            found.append(Version(name))
            name = self.series[name].expect_as
        return tuple(found)

    def version(self, label: str) -> Version | None:
        """The version that a label such as `v5` or `v5_37` names."""
        if label in self.series:
            return Version(label)
        name, _, number = label.rpartition("_")
        series = self.series.get(name)
        if series is None or not number.isdigit() or series.number_of(number) is None:
            return None
        return Version(name, int(number))


def expectation(
    expects: Sequence[tree.Expect], version: Version | None, expected_as: Sequence[Version] = ()
) -> tree.Expect | None:
    """What a claim expects of a version: of this very prefix, its series, those that stand in for it, or in general."""
    if version is not None:
        for wanted in (version, Version(version.series), *expected_as):
            for expect in expects:
                if any(_covers(part, wanted) for part in expect.series):
                    return expect
    return next((expect for expect in expects if not expect.series), None)


def names(expects: Sequence[tree.Expect], series: str) -> bool:
    """Whether a claim says what it expects of this series."""
    return any(part.first.text == series for expect in expects for part in expect.series)


def _covers(part: tree.SeriesRange, version: Version) -> bool:
    if part.last is None:
        return part.first.text == version.label
    (name, low), (_, high) = (word.text.rsplit("_", 1) for word in (part.first, part.last))
    return version.series == name and version.upto is not None and int(low) <= version.upto <= int(high)


def unknown_series(file: tree.Module, catalogue: Catalogue) -> Iterator[Diagnostic]:
    """What is wrong with the series that the claims of a module name."""
    for decl in file.decls:
        if not isinstance(decl, tree.Claim):
            continue
        for word in (w for e in decl.expects for part in e.series for w in (part.first, part.last) if w):
            if catalogue.version(word.text) is None:
                yield errors.UnknownSeries(word.span, word.text, tuple(catalogue.series))


def home(source: Source) -> str | None:
    """The series to whose folder a source belongs: `v3`, `known_bad.NAME`, or None."""
    parts = PurePosixPath(source.name).parts
    prefix = FOLDER.parts
    if parts[: len(prefix)] != prefix:
        return None
    below = parts[len(prefix) : -1]
    return ".".join(below[:2] if below[:1] == (KNOWN_BAD,) else below[:1]) or None


def read_catalogue(lists: Sequence[Source], files: Sequence[tuple[Source, tree.File]]) -> Catalogue:
    """The series of a project; raises `Diagnosed` with everything that is wrong with them.

    `lists` are the `series.toml` files, `files` the trees of the sources in the folders of series.
    """
    reader = _Reader(lists, files)
    catalogue = reader.catalogue()
    if reader.found:
        raise Diagnosed(reader.found)
    return catalogue


class _Reader:
    def __init__(self, lists: Sequence[Source], files: Sequence[tuple[Source, tree.File]]) -> None:
        self.found: list[Diagnostic] = []
        self.lists = {source.name: self._toml(source) for source in lists}
        self.files = files

    def _toml(self, source: Source) -> dict[str, Any] | None:
        """The list's content; None if it cannot be read, which is said then."""
        try:
            return tomllib.loads(source.text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            problem = str(error)
            self.found.append(errors.SeriesList(None, source.name, problem[:1].lower() + problem[1:]))
            return None

    def catalogue(self) -> Catalogue:
        if self.found:
            return Catalogue()
        top = self.lists.get(str(FOLDER / LIST))
        if top is None:
            for source, _ in self.files:
                self.found.append(errors.SeriesList(None, source.name, f"there is no `{FOLDER / LIST}`"))
            return Catalogue()
        written = self._text(str(FOLDER / LIST), top, "written")
        order = cast("list[object]", top.get("order", [])) if isinstance(top.get("order", []), list) else []
        made: dict[str, Series] = {}
        homes = dict.fromkeys(home(source) for source, _ in self.files)
        listed = [PurePosixPath(name).parent.name for name in self.lists if name != str(FOLDER / LIST)]
        regular = sorted({*(h for h in homes if h and "." not in h), *listed}, key=_position(order))
        for name in regular:
            made[name] = self._series(name)
        for name in sorted(h for h in homes if h and h.startswith(f"{KNOWN_BAD}.")):
            made[name.split(".", 1)[1]] = self._known_bad(name)
        self._check_bases(made, written)
        return Catalogue(written, made)

    def _series(self, name: str) -> Series:
        file = str(FOLDER / name / LIST)
        data = self.lists.get(file)
        if data is None:
            self.found.append(errors.SeriesList(None, file, "is missing"))
            data = {}
        base, expect_as = (
            None if data.get(key) is None else self._text(file, data, key) for key in ("base", "expect_as")
        )
        here = [(source, found) for source, found in self.files if home(source) == name]
        modules = tuple(self._whole(source, found) for source, found in here if isinstance(found, tree.Module))
        patches = tuple(self._listed(name, file, data, here))
        return Series(name, self._text(file, data, "title"), base, modules, patches, False, expect_as)

    def _whole(self, source: Source, module: tree.Module) -> tree.Module:
        wanted = f"{MODULES}.{PurePosixPath(source.name).stem}"
        if module.name.text != wanted:
            self.found.append(errors.ModuleName(module.name.span, module.name.text, wanted))
        return module

    def _listed(
        self, name: str, file: str, data: dict[str, Any], here: list[tuple[Source, tree.File]]
    ) -> Iterator[ListedPatch]:
        patches = {PurePosixPath(s.name).name: (s, found) for s, found in here if isinstance(found, tree.Patch)}
        entries = cast("list[object]", data.get("patch", [])) if isinstance(data.get("patch", []), list) else []
        for entry in entries:
            if not isinstance(entry, dict):
                self.found.append(errors.SeriesList(None, file, "`patch` is a list of tables: write `[[patch]]`"))
                return
            known = cast("dict[str, Any]", entry)
            path = self._text(file, known, "file")
            numbered = _NUMBERED.fullmatch(path)
            source, patch = patches.pop(path, (None, None))
            if numbered is None or source is None or not isinstance(patch, tree.Patch):
                problem = "no such patch beside it" if numbered else "a patch is called `NN-some-words.slat`"
                self.found.append(errors.SeriesList(None, file, f"`{path}`: {problem}"))
                continue
            title = self._text(file, known, "title")
            self._check_name(patch, f"{name}.{numbered[2].replace('-', '_')}")
            if title not in (cite.title for cite in patch.cites):
                self.found.append(errors.OutOfPlace(patch.name.span, f'`{file}` calls this patch "{title}"'))
            author, date, message_id = (self._text(file, known, key) for key in ("author", "date", "message_id"))
            yield ListedPatch(int(numbered[1]), title, author, date, message_id, patch)
        for source, patch in patches.values():
            assert isinstance(patch, tree.Patch)
            self.found.append(errors.OutOfPlace(patch.name.span, f"`{file}` does not list `{source.name}`"))

    def _known_bad(self, name: str) -> Series:
        here = [(source, found) for source, found in self.files if home(source) == name]
        patches: list[ListedPatch] = []
        base = None
        for number, (source, found) in enumerate(here):
            if not isinstance(found, tree.Patch) or found.base is None or number > 0:
                span = found.name.span
                problem = f"`{source.name}` holds one patch that names its base: `patch {name} on BASE per …`"
                self.found.append(errors.OutOfPlace(span, problem))
                continue
            self._check_name(found, name)
            base = found.base.text
            patches.append(ListedPatch(0, found.doc, "", "", "", found))
        return Series(name.split(".", 1)[1], patches[0].title if patches else "", base, (), tuple(patches), True)

    def _check_name(self, patch: tree.Patch, wanted: str) -> None:
        if patch.name.text != wanted:
            problem = f"this file holds patch `{wanted}`, not `{patch.name.text}`"
            self.found.append(errors.OutOfPlace(patch.name.span, problem))

    def _text(self, file: str, data: dict[str, Any], key: str) -> str:
        value = data.get(key)
        if isinstance(value, (str, datetime.date)):
            return str(value)
        problem = f"`{key}` is missing" if value is None else f"`{key}` is no text"
        self.found.append(errors.SeriesList(None, file, problem))
        return ""

    def _check_bases(self, made: dict[str, Series], written: str) -> None:
        if written not in made:
            self.found.append(errors.UnknownSeries(None, written, tuple(made)))
        for series in made.values():
            if series.base is not None and series.base not in made:
                on = series.patches[0].tree.base if series.known_bad and series.patches else None
                self.found.append(errors.UnknownSeries(on.span if on else None, series.base, tuple(made)))
            elif series.name in self._bases(made, series):
                self.found.append(errors.SeriesList(None, str(FOLDER), f"series `{series.name}` is its own base"))
            elif series.expect_as is not None and series.expect_as not in self._bases(made, series):
                problem = f"`expect_as` names `{series.expect_as}`, which is no series below `{series.name}`"
                self.found.append(errors.SeriesList(None, str(FOLDER / series.name / LIST), problem))

    def _bases(self, made: dict[str, Series], series: Series) -> list[str]:
        """The names of the series below this one, until they repeat."""
        below: list[str] = []
        while series.base in made and series.base not in below:
            below.append(series.base)
            series = made[series.base]
        return below


def _position(order: list[object]) -> Callable[[str], tuple[int, str]]:
    def key(name: str) -> tuple[int, str]:
        return (order.index(name) if name in order else len(order), name)

    return key
