"""The site: pages that work offline, from `file://` too.

In: material. Out: the files of the site by their paths.
Guarantee: the same material gives the same bytes; no time, no place of a machine, nothing that asks a network.
Trusted: no, checked by tests/html.

To add a kind of page: a module with `pages(material)`, a template, and a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import resources

from verifier.reports.html import claims, differences, examples, manuals, overview, searching, series, sources
from verifier.reports.html.material import Material, Page
from verifier.reports.html.render import renderer

MAKERS: tuple[Callable[[Material], Iterable[Page]], ...] = (
    overview.pages,
    claims.pages,
    examples.pages,
    sources.pages,
    series.pages,
    differences.pages,
    manuals.pages,
    searching.pages,
)
STATIC = ("site.css", "search.js")


def build(material: Material) -> dict[str, bytes]:
    """Every file of the site."""
    render = renderer(material)
    site = {page.path: render(page).encode() for make in MAKERS for page in make(material)}
    site[searching.INDEX] = searching.script(material).encode()
    for name in STATIC:
        site[name] = resources.files("verifier.reports.html").joinpath("static", name).read_bytes()
    return site
