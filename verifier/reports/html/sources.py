"""The page of a source: its text, a section for each declaration, with what is known of it.

In: material. Out: a page for each file.
Guarantee: every line of the file is on its page once, blank ones between sections apart.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from verifier.names.resolve import Symbol, cites_of
from verifier.obligations.result import Citation, Result
from verifier.reports.by_claim import by_claim
from verifier.reports.html.bitfield import Drawing, draw
from verifier.reports.html.crossref import Mention, anchor, place_of, point
from verifier.reports.html.files import Entry, File
from verifier.reports.html.listing import Line, listing
from verifier.reports.html.material import CiteLink, Material, Page
from verifier.reports.html.places import line_place, series_page, source_page
from verifier.reports.html.verdicts import ClaimView, view
from verifier.syntax import tree
from verifier.types.declare import Types
from verifier.types.kinds import Layout

CHANGES = {
    "add": "adds",
    "replace": "replaces",
    "reshape": "replaces, with another signature,",
    "remove": "removes",
    "unavailable": "changes in a way that nobody has seen:",
}


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to a place."""

    words: str
    place: str


@dataclass(frozen=True, slots=True)
class User:
    """A file that uses a definition: in which declarations, and on which lines of them."""

    file: str
    mentions: tuple[tuple[Link, tuple[Link, ...]], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A declaration. `before` are the lines above it that belong to no declaration; `others` its other versions."""

    anchor: str
    name: str
    kind: str
    change: str
    before: tuple[Line, ...]
    lines: tuple[Line, ...]
    cites: tuple[CiteLink, ...]
    drawing: Drawing | None
    users: tuple[User, ...]
    others: tuple[Link, ...]
    claim: ClaimView | None

    @property
    def uses(self) -> int:
        """How many declarations use it."""
        return sum(len(user.mentions) for user in self.users)


def pages(material: Material) -> Iterator[Page]:
    """A page for each file."""
    claims = by_claim(material.results)
    return (_page(file, material, claims) for file in material.files)


def title_of(file: File) -> str:
    """The name of a module, with its series if it has one; that of a patch."""
    if file.patch is None:
        return file.tree.name.text + (f" in {file.series.name}" if file.series is not None else "")
    return file.patch.title or file.tree.name.text


def _page(file: File, material: Material, claims: dict[str, list[Result]]) -> Page:
    lines = listing(file.source, material.index.links[file.source.name])
    head, sections, tail = _cut(file, lines)
    return Page(
        source_page(file.source.name),
        "source.html",
        title_of(file),
        {
            "file": file,
            "series": None if file.series is None else Link(file.series.name, series_page(file.series.name)),
            "head": head,
            "sections": [_section(file, entry, parts, material, claims) for entry, parts in sections],
            "tail": tail,
            "importers": _importers(file, material),
        },
    )


def _importers(file: File, material: Material) -> list[Link]:
    found = material.index.importers.get(file.source.name, [])
    return [Link(title_of(other), source_page(other.source.name)) for other in dict.fromkeys(found)]


# ---- cutting


Cut = tuple[tuple[Line, ...], tuple[Line, ...]]
"""The lines above a declaration that belong to none, and those of the declaration with its comment."""


def _cut(file: File, lines: tuple[Line, ...]) -> tuple[tuple[Line, ...], list[tuple[Entry, Cut]], tuple[Line, ...]]:
    """The head of a file, its declarations, and its tail; two declarations on one line stand with the first."""
    done = 0
    found: list[tuple[Entry, Cut]] = []
    for entry in sorted(file.entries, key=lambda entry: entry.span.start):
        first = entry.span.line - 1
        last = max(done, entry.span.source.line_of(max(entry.span.end - 1, entry.span.start)))
        while first > done and _is_comment(lines[first - 1]):
            first -= 1
        first = max(done, first)
        found.append((entry, (_trimmed(lines[done:first]), lines[first:last])))
        done = last
    if not found:
        return _trimmed(lines), [], ()
    (entry, (head, own)), *rest = found
    return head, [(entry, ((), own)), *rest], _trimmed(lines[done:])


def _is_comment(line: Line) -> bool:
    return "".join(piece.text for piece in line.pieces).lstrip().startswith("//")


def _trimmed(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines without blank ones at both ends."""
    while lines and lines[0].blank:
        lines = lines[1:]
    while lines and lines[-1].blank:
        lines = lines[:-1]
    return lines


# ---- sections


def _section(file: File, entry: Entry, parts: Cut, material: Material, claims: dict[str, list[Result]]) -> Section:
    decided = claims.get(entry.qualified, []) if file.series is None else []
    cites = cites_of(entry.decl) if entry.decl is not None else ()
    return Section(
        anchor(file, entry),
        entry.name.text,
        type(entry.decl).__name__.lower() if not isinstance(entry.decl, tree.Claim) else entry.decl.kind,
        CHANGES.get(entry.change, ""),
        parts[0],
        parts[1],
        tuple(material.cite(Citation(cite.manual.text, cite.title)) for cite in dict.fromkeys(cites)),
        _drawing(file, entry),
        tuple(_users(entry, material)),
        tuple(_others(file, entry, material)),
        view(decided, material) if decided else None,
    )


def _drawing(file: File, entry: Entry) -> Drawing | None:
    """The picture of a bitfield, from its type."""
    if not isinstance(entry.decl, tree.Bits):
        return None
    made = Types(file.program, []).declared(Symbol(entry.module, entry.decl), entry.name.span)
    return draw(made) if isinstance(made, Layout) else None


def _users(entry: Entry, material: Material) -> Iterator[User]:
    mentions = material.index.users.get(point(entry.name.span), [])
    for source, group in groupby(mentions, key=lambda mention: mention.source):
        yield User(source, tuple(_mention(mention) for mention in group))


def _mention(mention: Mention) -> tuple[Link, tuple[Link, ...]]:
    lines = tuple(Link(str(line), line_place(mention.source, line)) for line in mention.lines)
    return Link(mention.name, mention.place), lines


def _others(file: File, entry: Entry, material: Material) -> Iterator[Link]:
    """The same definition in other files."""
    for other, found in material.index.definitions[entry.qualified]:
        if found is entry:
            continue
        words = f"specs, which is {material.library.catalogue.written}" if other.series is None else other.series.name
        if other.patch is not None and other.patch.number:
            words = f"{words}, patch {other.patch.number}"
        yield Link(words, place_of(other, found))
