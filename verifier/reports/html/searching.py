"""The search page and its index.

In: material. Out: a page, and a script that holds the index as data.
Guarantee: every definition, claim, section and patch can be found; the script is data only, in ASCII.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from verifier.reports.html.crossref import place_of
from verifier.reports.html.files import Entry, File
from verifier.reports.html.material import Material, Page
from verifier.reports.html.places import SEARCH, relative, section_place, source_page
from verifier.reports.html.sources import title_of
from verifier.syntax import tree

INDEX = "search-index.js"

Item = tuple[str, str, str, str, str]
"""What it is, its name, where it is, what is said of it, and its place."""


def pages(material: Material) -> Iterator[Page]:
    """The search page."""
    del material
    yield Page(SEARCH, "search.html", "Search", {"index": INDEX})


def script(material: Material) -> str:
    """The index: an array of items, in the order of the files."""
    lines = ",\n".join(json.dumps([*words, relative(SEARCH, place)]) for *words, place in _items(material))
    return f"const SLAT_INDEX = [\n{lines}\n];\n"


def _items(material: Material) -> Iterator[Item]:
    for file in material.files:
        kind = "module" if file.patch is None else "patch"
        yield kind, title_of(file), file.source.name, "", source_page(file.source.name)
        yield from (_item(file, entry) for entry in file.entries)
    for manual in material.library.manuals.values():
        for position, section in enumerate(manual.sections.values()):
            place = section_place(manual.name, position, section.title)
            yield "section", section.title, f"{manual.name} {section.number}".strip(), section.note, place


def _item(file: File, entry: Entry) -> Item:
    decl = entry.decl
    where = entry.module if file.series is None else f"{entry.module} in {file.series.name}"
    if file.patch is not None and file.patch.number:
        where += f", patch {file.patch.number}"
    if decl is None:
        return entry.change, entry.name.text, where, "", place_of(file, entry)
    kind = decl.kind if isinstance(decl, tree.Claim) else type(decl).__name__.lower()
    ids = " ".join(word.text for word in decl.ids) if isinstance(decl, tree.Claim) else ""
    words = " ".join(filter(None, (ids, decl.about.doc, *_parts(decl))))
    return kind, entry.name.text, where, words, place_of(file, entry)


def _parts(decl: tree.Decl) -> Iterator[str]:
    """The names inside a declaration: fields, members, clauses."""
    match decl:
        case tree.Bits() | tree.Record():
            yield from (field.name.text for field in decl.fields)
        case tree.Enum():
            yield from (member.name.text for member in decl.members)
        case tree.Rule():
            yield from (clause.name.text for clause in decl.clauses)
        case tree.Fn() | tree.Const() | tree.Claim():
            return
