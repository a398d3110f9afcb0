"""Uses and definitions across all files.

In: files, and the manuals. Out: an `Index`: where each name in a source leads, and where each definition is used.
Guarantee: both directions are made of the same uses.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from verifier.names.manuals import Manuals
from verifier.names.resolve import cites_of
from verifier.names.uses import Use, uses_in
from verifier.reports.html.files import Entry, File
from verifier.reports.html.places import line_place, section_place, source_page
from verifier.source import Span
from verifier.syntax import tree

Point = tuple[str, int]
"""A source's name and an offset into it, from 0."""


@dataclass(frozen=True, slots=True)
class Mention:
    """What is used on these lines of the entry at `place`, whose words are `name`."""

    name: str
    place: str
    source: str
    lines: tuple[int, ...]


@dataclass(slots=True)
class Index:
    """`links`: for each source the place that a token leads to, by its offset. `definitions`: by qualified name.

    `places` and `users` are by the point where a definition's name stands. `importers` are by the name of a source.
    """

    places: dict[Point, str] = field(default_factory=dict[Point, str])
    links: dict[str, dict[int, str]] = field(default_factory=dict[str, dict[int, str]])
    users: dict[Point, list[Mention]] = field(default_factory=dict[Point, list[Mention]])
    definitions: dict[str, list[tuple[File, Entry]]] = field(default_factory=dict[str, list[tuple[File, Entry]]])
    importers: dict[str, list[File]] = field(default_factory=dict[str, list[File]])


def point(span: Span) -> Point:
    """Where a span begins."""
    return span.source.name, span.start


def anchor(file: File, entry: Entry) -> str:
    """The anchor of an entry on the page of its file: a patch may change two definitions of one name."""
    return entry.name.text if file.patch is None else entry.qualified


def place_of(file: File, entry: Entry) -> str:
    """The place of an entry."""
    return f"{source_page(file.source.name)}#{anchor(file, entry)}"


def cite_place(manuals: Manuals, cite: tree.Cite) -> str:
    """The section that a citation names; its manual is known."""
    position = list(manuals[cite.manual.text].sections).index(cite.title)
    return section_place(cite.manual.text, position, cite.title)


def make_index(files: Iterable[File], manuals: Manuals) -> Index:
    """The index of all files."""
    index = Index()
    for file in files:
        for entry in file.entries:
            index.definitions.setdefault(entry.qualified, []).append((file, entry))
            index.places[point(entry.name.span)] = place_of(file, entry)
    for file in files:
        index.links[file.source.name] = dict(_imports(file, index))
        for entry in file.entries:
            _read(file, entry, index)
        for cite in _cites(file, manuals):
            index.links[file.source.name][cite.span.end - len(cite.title) - 2] = cite_place(manuals, cite)
    return index


def _imports(file: File, index: Index) -> Iterator[tuple[int, str]]:
    for path in file.imports:
        module = file.program.modules[path.text]
        index.importers.setdefault(module.tree.span.source.name, []).append(file)
        yield path.span.start, source_page(module.tree.span.source.name)


def _cites(file: File, manuals: Manuals) -> Iterator[tree.Cite]:
    """What a file cites; a patch may cite its mail by a subject that is listed nowhere."""
    if isinstance(file.tree, tree.Patch):
        listed = {(manual.name, title) for manual in manuals.values() for title in manual.sections}
        yield from (cite for cite in file.tree.cites if (cite.manual.text, cite.title) in listed)
    for entry in file.entries:
        if entry.decl is not None:
            yield from cites_of(entry.decl)


def _read(file: File, entry: Entry, index: Index) -> None:
    """Notes the uses in an entry."""
    used: dict[Point, list[int]] = {}
    for use in uses_in(file.program, entry.module, entry.decl) if entry.decl is not None else ():
        target = point(use.symbol.decl.name.span)
        if target == point(entry.name.span):
            continue
        index.links[file.source.name][use.span.start] = _target(use, index.places[target])
        used.setdefault(target, []).append(use.span.line)
    for target, lines in used.items():
        mention = Mention(entry.name.text, place_of(file, entry), file.source.name, tuple(dict.fromkeys(lines)))
        index.users.setdefault(target, []).append(mention)


def _target(use: Use, place: str) -> str:
    """The definition's place, or the line of an enum's member."""
    return place if use.place == use.symbol.decl.name.span else line_place(use.place.source.name, use.place.line)
