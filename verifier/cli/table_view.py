"""The versions that a table is computed from, and how it is written.

In: the options that every table has. Out: definitions by version; a document on standard output.
Guarantee: a version that cannot answer says so, and where `undefined` was taken for 0 the table says so.
Trusted: no, checked by tests/unit/verifier/cli.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import click

from verifier.cli.shared import open_project
from verifier.names.series import Version
from verifier.obligations.versions import Choice, chosen
from verifier.reports.run import revision
from verifier.reports.table_json import render_table_json
from verifier.reports.table_markdown import render_table_markdown
from verifier.reports.table_text import render_table, render_table_mail
from verifier.tables.table import Provenance, Section, Table
from verifier.tables.version import Definitions, Unanswerable
from verifier.types.load import open_library

FORMATS = ("text", "mail", "markdown", "json")


class View:
    """A project's versions, and how a table is to be written."""

    def __init__(self, root: Path | None, series: tuple[str, ...], form: str) -> None:
        self._project = open_project(root)
        self._library = open_library(self._project)
        self._series = series
        self._form = form
        versions = chosen(self._library.catalogue, Choice(series))
        loaded = [self._library.load(version) for version in versions] or [self._library.written]
        self.definitions = [Definitions(one) for one in loaded]

    def regular(self) -> list[Definitions]:
        """Every version that was posted or merged, or the only one."""
        versions = [Version(series.name) for series in self._library.catalogue.regular]
        return [Definitions(self._library.load(version)) for version in versions] or self.definitions

    def sections(self, make: Callable[[Definitions], Iterable[Section]]) -> list[Section]:
        """What `make` gives for each version; one that does not answer says so, unless it is the only one."""
        made: list[Section] = []
        for version in self.definitions:
            try:
                made += (_with_remarks(section, version) for section in list(make(version)))
            except Unanswerable as reason:
                if len(self.definitions) == 1:
                    raise
                made.append(Section(f"{version.label}: no answer", notes=(f"{reason}.",)))
        return made

    def print(self, name: str, title: str, sections: list[Section], words: list[str]) -> None:
        """Writes the table; `words` are those that repeat it, besides the series."""
        table = Table(name, title, tuple(sections))
        words = ["slat", "table", name, *words, *(part for one in self._series for part in ("--series", one))]
        specifications = f"{revision(self._project)} (digest of specs/ and proofs/)"
        provenance = Provenance(specifications, f"slat {metadata.version('slat')}", " ".join(words))
        match self._form:
            case "mail":
                text = render_table_mail(table, provenance)
            case "markdown":
                text = render_table_markdown(table)
            case "json":
                text = render_table_json(table, provenance)
            case _:
                text = render_table(table, sys.stdout.isatty())
        click.echo(text, nl=False, color=True)


def _with_remarks(section: Section, version: Definitions) -> Section:
    """The section, with what it had to assume."""
    names = " and ".join(f"`{name}`" for name in version.undecided)
    remarks = (f"{names} leaves something undefined, which counts as 0 here.",) if names else ()
    return replace(section, notes=(*section.notes, *remarks))
