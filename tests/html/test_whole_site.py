"""The site of our own specifications: every link alive, every bitfield drawn, a page of each kind looked at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from test_site_in_browser import PHONE, violations
from test_site_pages import parsed, target

from verifier.cli.report_walks import walks_of
from verifier.names.project import read_project
from verifier.obligations.cache import Cache
from verifier.obligations.prove import Options
from verifier.obligations.run import Plan, run
from verifier.reports.html.material import Material, gather, key_of
from verifier.reports.html.places import (
    CLAIMS,
    EXAMPLES,
    OVERVIEW,
    SPECIFICATIONS,
    example_page,
    series_page,
    source_page,
)
from verifier.reports.html.site import build
from verifier.reports.run import run_of
from verifier.syntax import tree
from verifier.types.load import open_library

ROOT = Path(__file__).parent.parent.parent
DECIDED = ("proofs/mbec/execute.slat", "proofs/ept/order.slat", "proofs/qualification/bits.slat")
"""Claims that are quickly decided and have walks; the pages of all others show no verdicts here."""


@pytest.fixture(scope="module")
def material() -> Material:
    project = read_project(ROOT)
    plan = Plan(Options(), wanted=tuple(str(ROOT / path) for path in DECIDED))
    results = run(project, plan, Cache(ROOT, True))
    library = open_library(project)
    return gather(library, results, run_of(project, Options()), walks_of(library, results))


@pytest.fixture(scope="module")
def site(material: Material) -> dict[str, bytes]:
    return build(material)


def test_every_link_of_our_own_site_leads_somewhere(site: dict[str, bytes]):
    pages = {path: parsed(data) for path, data in site.items() if path.endswith(".html")}
    anchors = {path: set(page.anchors) for path, page in pages.items()}
    dead = {
        f"{path}: {link}"
        for path, page in pages.items()
        for link in page.links
        for there, anchor in [target(path, link)]
        if there not in site or (anchor and anchor not in anchors.get(there, ()))
    }
    assert dead == set()


def test_every_bitfield_of_every_file_is_drawn(site: dict[str, bytes], material: Material):
    drawn = 0
    for file in material.files:
        wanted = [entry.name.text for entry in file.entries if isinstance(entry.decl, tree.Bits)]
        page = parsed(site[file.source.name.replace(".slat", ".html")])
        found = [re.sub(r"Bits \d+ to 0 of ", "", title) for title in page.text.get("title", []) if "Bits " in title]
        assert found == wanted, file.source.name
        drawn += len(wanted)
    assert drawn > 20


def test_every_example_that_is_a_walk_is_drawn_with_the_step_that_decides(site: dict[str, bytes], material: Material):
    assert len(material.walks) > 8
    for result in material.results:
        if key_of(result) in material.walks:
            page = parsed(site[example_page(result)])
            assert page.words.count("this step decides") == len(material.walks[key_of(result)]), result.name


def sample(material: Material) -> list[str]:
    """A page of each kind, the long ones among them."""
    longest = max(material.files, key=lambda file: len(file.source.text) if file.patch else 0)
    walk = next(result for result in material.results if key_of(result) in material.walks)
    written = material.library.catalogue.written or ""
    sources = ("specs/sdm/ept/entry.slat", longest.source.name, DECIDED[1])
    lists = (OVERVIEW, CLAIMS, EXAMPLES, SPECIFICATIONS)
    return [*lists, series_page(written), *map(source_page, sources), example_page(walk)]


def test_axe_objects_to_no_page_of_a_sample_of_our_own_site_on_a_phone(
    site: dict[str, bytes], material: Material, browser: Browser, tmp_path: Path
):
    for path, data in site.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    page = browser.new_context(viewport=PHONE).new_page()
    for path in sample(material):
        page.goto((tmp_path / path).as_uri())
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path
    page.context.close()
