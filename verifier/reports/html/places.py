"""Where things are in the site.

In: names of sources, claims and manuals. Out: paths of pages below the site's folder, with anchors, and links.
Guarantee: a link is relative and quoted, so that it works wherever the site lies, from `file://` too. An anchor with a
hyphen is never a declaration's name.
Trusted: no, checked by tests/html (every link leads somewhere).
"""

from __future__ import annotations

import posixpath
import re
from urllib.parse import quote

from verifier.obligations.result import Result

OVERVIEW = "index.html"
CLAIMS = "claims.html"
SPECIFICATIONS = "specifications.html"
EXAMPLES = "examples.html"
SERIES = "series.html"
MANUALS = "manuals.html"
DIFFERENCES = "differences.html"
SEARCH = "search.html"


def source_page(name: str) -> str:
    """The page of a source: `specs/sdm/ept/entry.html`."""
    return f"{posixpath.splitext(name)[0]}.html"


def line_place(name: str, line: int) -> str:
    """A line of a source, counted from 1."""
    return f"{source_page(name)}#line-{line}"


def series_page(name: str) -> str:
    """The page of a series."""
    return f"series/{name}.html"


def difference_page(left: str, right: str) -> str:
    """The page of what differs between two versions."""
    return f"differences/{left}-{right}.html"


def example_page(result: Result) -> str:
    """The page of a counterexample or an example."""
    series = f".{result.series}" if result.series is not None else ""
    return f"examples/{posixpath.splitext(result.file)[0]}/{result.name}{series}.html"


def section_place(manual: str, position: int, title: str) -> str:
    """A section of a manual; the position (from 0) tells sections apart whose titles differ in signs only."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-").lower()
    return f"{MANUALS}#{manual}-{position}-{words}"


def relative(here: str, there: str) -> str:
    """The link from one page to a place on another or on the same."""
    page, mark, anchor = there.partition("#")
    path = quote(posixpath.relpath(page, posixpath.dirname(here))) if page and page != here else ""
    return f"{path}{mark}{quote(anchor)}" if path or mark else quote(posixpath.basename(here))
