"""The site in headless Chromium: accessible, readable on a phone, usable by keyboard, and asking nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from test_site_pages import KINDS

Open = Callable[..., Page]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "preload": False}
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1200, "height": 900}
COLOURFUL = (
    "index.html",
    "manuals.html",
    "specs/doors/keys.html",
    "proofs/doors.html",
    "examples/proofs/doors/a_blue_key_opens.html",
)
"""Pages that hold every colour between them."""


@pytest.fixture
def visit(browser: Browser, folder: Path) -> Iterator[Open]:
    """Opens a page of the site; at the end, nothing was asked of a network and no script has failed."""
    asked: list[str] = []
    failed: list[str] = []

    def visit(path: str, query: str = "", size: dict[str, int] = DESKTOP, scheme: str = "light") -> Page:
        page = browser.new_context(viewport=size, color_scheme=scheme).new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.on("console", lambda message: failed.append(message.text) if message.type == "error" else None)
        page.on("requestfailed", lambda request: failed.append(request.url))
        page.goto((folder / path).as_uri() + query)
        return page

    yield visit
    for context in browser.contexts:
        context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert failed == []


def violations(page: Page) -> list[str]:
    """What axe-core objects to, with everything on the page unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("path", sorted(KINDS))
def test_axe_objects_to_nothing(visit: Open, path: str):
    assert violations(visit(path)) == []


@pytest.mark.parametrize("path", COLOURFUL)
def test_axe_objects_to_nothing_on_a_phone_in_the_dark(visit: Open, path: str):
    assert violations(visit(path, size=PHONE, scheme="dark")) == []


def test_axe_would_object_to_faint_text_and_unnamed_fields(visit: Open):
    page = visit("search.html")
    page.evaluate(
        "document.querySelector('main').innerHTML = '<h1>x</h1><p style=\"color: #999\">faint text</p><input>'"
    )
    assert {found.partition(":")[0] for found in violations(page)} == {"color-contrast", "label"}


def test_axe_objects_to_no_result_of_a_search(visit: Open):
    page = visit("search.html", "?q=key")
    assert page.locator("#search-results li").count() > 3
    assert violations(page) == []


@pytest.mark.parametrize("path", sorted(KINDS))
def test_no_page_scrolls_sideways_on_a_phone(visit: Open, path: str):
    page = visit(path, size=PHONE)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_wide_code_scrolls_in_its_own_box_by_keyboard(visit: Open):
    page = visit("specs/doors/keys.html", size=PHONE)
    box = page.locator("pre.code").nth(2)
    assert box.evaluate("(one) => one.scrollWidth > one.clientWidth")
    box.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("(one) => one.scrollLeft > 0", arg=box.element_handle())


def test_the_first_tab_offers_to_skip_to_the_content(visit: Open):
    page = visit("proofs/doors.html")
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.inner_text() == "Skip to content"
    assert focused.bounding_box()["width"] > 50
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_whatever_has_the_focus_shows_it(visit: Open):
    page = visit("proofs/doors.html")
    for _ in range(25):
        page.keyboard.press("Tab")
        style = page.evaluate(
            "(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle; })()"
        )
        assert style != "none", page.evaluate("document.activeElement.outerHTML.slice(0, 200)")


def test_a_line_can_be_linked_to_and_is_marked(visit: Open):
    page = visit("specs/doors/keys.html", "#line-11")
    plain = page.locator("#line-12").evaluate("(one) => getComputedStyle(one).backgroundColor")
    assert page.locator("#line-11").evaluate("(one) => getComputedStyle(one).backgroundColor") != plain
    assert page.locator("#line-11").evaluate("(one) => one.getBoundingClientRect().top < innerHeight")


def test_line_numbers_are_not_copied_with_the_code(visit: Open):
    page = visit("specs/doors/keys.html")
    text = page.evaluate(
        "(() => { const one = document.querySelector('pre.code'); getSelection().selectAllChildren(one);"
        " return getSelection().toString(); })()"
    )
    assert text.startswith("// What keys are. A second sentence.\nmodule doors.keys")


def test_a_search_from_any_page_finds_names_ids_and_words(visit: Open):
    page = visit("proofs/doors.html")
    page.get_by_label("Search").fill("D1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=D1")
    page.wait_for_selector("#search-results li")
    assert page.locator("#search-results a").first.inner_text() == "a_red_key_opens"
    page.get_by_role("searchbox").fill("stamping twice")
    assert page.locator("#search-results a").all_inner_texts() == ["a_stamp_is_repeatable"]
    assert page.get_by_role("status").inner_text() == "1 result"
    page.get_by_role("searchbox").fill("no such thing anywhere")
    assert page.get_by_role("status").inner_text() == "0 results"
    page.get_by_role("searchbox").fill("opens")
    page.locator("#search-results a").first.click()
    page.wait_for_url("**/specs/doors/keys.html#opens")


def test_a_search_shows_markup_as_text(visit: Open):
    page = visit("search.html", "?q=%3Cscript%3E")
    assert page.locator("#search-results li").count() > 0
    assert page.locator("#search-results script, #search-results b").count() == 0


def test_without_scripts_everything_but_the_search_works(browser: Browser, folder: Path):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto((folder / "search.html").as_uri())
    assert "Search needs JavaScript" in page.locator("body").inner_text()
    page.get_by_role("link", name="Claims").first.click()
    page.get_by_role("link", name="a_red_key_opens").first.click()
    assert page.url.endswith("proofs/doors.html#a_red_key_opens")
    page.context.close()


def test_the_paper_is_dark_where_dark_is_preferred(visit: Open):
    colours = [
        visit("index.html", scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert colours == ["rgb(252, 251, 248)", "rgb(23, 24, 26)"]
