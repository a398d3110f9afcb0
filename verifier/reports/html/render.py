"""Pages as HTML.

In: pages. Out: their text.
Guarantee: whatever a page holds is escaped; a name that a template lacks is an error, not a gap.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from verifier.reports.html import places
from verifier.reports.html.material import Material, Page

NAVIGATION = (
    ("Overview", places.OVERVIEW),
    ("Claims", places.CLAIMS),
    ("Examples", places.EXAMPLES),
    ("Specifications", places.SPECIFICATIONS),
    ("Series", places.SERIES),
    ("Differences", places.DIFFERENCES),
    ("Manuals", places.MANUALS),
)


def renderer(material: Material) -> Callable[[Page], str]:
    """The function that renders the pages of a site."""
    environment = Environment(
        loader=PackageLoader("verifier.reports.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["breakable"] = breakable
    return partial(_render, environment, {"navigation": NAVIGATION, "run": material.run})


def breakable(name: str) -> Markup:
    """A name that may be broken after an underscore or a dot."""
    return escape(name).replace("_", Markup("_<wbr>")).replace(".", Markup(".<wbr>"))


def _render(environment: Environment, common: Mapping[str, object], page: Page) -> str:
    of_page = {"title": page.title, "path": page.path, "to": partial(places.relative, page.path)}
    return environment.get_template(page.template).render({**common, **of_page, **page.content})
