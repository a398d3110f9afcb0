"""The pages of the site as text: whole, linked, escaped, and the same each time."""

from __future__ import annotations

import html
import json
import os
import posixpath
import re
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
import village
from reading import Read, read

from verifier.reports.html.material import Material
from verifier.reports.html.searching import INDEX

Site = dict[str, bytes]
KINDS = {
    "index.html", "claims.html", "examples.html", "specifications.html", "series.html", "manuals.html", "search.html",
    "specs/doors/keys.html", "specs/kvm/series/old/spte.html", "specs/kvm/series/v5/01-a-bit.html",
    "specs/kvm/series/known_bad/both/patch.html", "proofs/doors.html", "proofs/spte.html", "series/v5.html",
    "series/both.html", "examples/proofs/doors/a_blue_key_opens.html",
    "examples/proofs/spte/exec_is_for_the_supervisor.both.html", "differences.html", "differences/old-v5.html",
    "differences/v5-newest.html",
}  # fmt: skip


@cache
def parsed(page: bytes) -> Read:
    return read(page)


def pages(site: Site) -> dict[str, Read]:
    return {path: parsed(data) for path, data in site.items() if path.endswith(".html")}


def target(path: str, link: str) -> tuple[str, str]:
    """The page and the anchor that a link on a page leads to."""
    page, _, anchor = link.partition("#")
    page = page.partition("?")[0]
    there = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(page))) if page else path
    return there, unquote(anchor)


def test_there_is_a_page_of_each_kind_and_of_each_source(site: Site):
    assert set(site) >= KINDS
    sources = {name for name in village.FILES if name.endswith(".slat")}
    assert {name.replace(".slat", ".html") for name in sources} <= set(site)


def test_every_link_leads_to_a_page_and_an_anchor_that_exist(site: Site):
    found = pages(site)
    dead = [
        f"{path}: {link}"
        for path, page in found.items()
        for link in page.links
        for there, anchor in [target(path, link)]
        if there not in site or (anchor and anchor not in found[there].anchors)
    ]
    assert dead == []


def test_nothing_is_fetched_from_anywhere_but_the_site(site: Site):
    for path, page in pages(site).items():
        places = [a[key] for _, a in page.elements for key in ("href", "src", "action") if key in a]
        assert [place for place in places if "//" in place or place.startswith("/")] == [], path
        for name in ("link", "script"):
            for attributes in page.all(name):
                place = attributes.get("href", attributes.get("src", ""))
                assert place == "data:," or target(path, place)[0] in site
    assert b"http" not in site["site.css"] + site["search.js"]
    assert b"url(" not in site["site.css"]
    assert b"@import" not in site["site.css"]


def test_every_page_has_one_heading_of_the_first_level_and_no_level_is_skipped(site: Site):
    for path, page in pages(site).items():
        levels = [int(name[1]) for name, _ in page.elements if re.fullmatch("h[1-6]", name)]
        assert levels.count(1) == 1, path
        assert all(after <= before + 1 for before, after in pairwise(levels)), path


def test_anchors_are_unique_and_titles_tell_pages_apart(site: Site):
    found = pages(site)
    for path, page in found.items():
        assert len(page.anchors) == len(set(page.anchors)), path
    titles = [page.text["title"][0] for page in found.values()]
    assert sorted(titles) == sorted(set(titles))


def test_what_is_markup_elsewhere_is_text_here(site: Site):
    shown = html.escape(village.MARKUP).replace("&#x27;", "&#39;").encode()
    holding = [path for path, data in site.items() if shown in data]
    assert {"claims.html", "manuals.html", "proofs/doors.html", "specs/doors/keys.html"} <= set(holding)
    for path, page in pages(site).items():
        assert [a for a in page.all("script") if "src" not in a] == [], path
        assert "b" not in {name for name, _ in page.elements}, path
        assert village.MARKUP in page.words or "7 * 7" not in page.words, path


def test_the_whole_source_is_on_its_page_line_by_line(site: Site):
    for name, text in village.FILES.items():
        if not name.endswith(".slat"):
            continue
        page = parsed(site[name.replace(".slat", ".html")])
        shown = dict(page.code)
        assert [number for number, _ in page.code] == sorted(shown), name
        for number, line in enumerate(text.splitlines(), start=1):
            assert shown.get(number, "\n") == f"{line}\n", f"{name}:{number}"


def test_a_use_leads_to_its_definition_and_the_definition_lists_the_use(site: Site):
    found = pages(site)
    proofs, keys = found["proofs/doors.html"], found["specs/doors/keys.html"]
    assert "../specs/doors/keys.html#opens" in links_of("proofs/doors.html", site)
    assert "opens" in keys.anchors
    assert target("specs/doors/keys.html", "../../proofs/doors.html#a_red_key_opens")[0] == "proofs/doors.html"
    assert "../../proofs/doors.html#a_red_key_opens" in keys.links
    assert "a_red_key_opens" in proofs.anchors
    line = next(n for n, text in proofs.code if "show opens(k)\n" in text)
    assert f"../../proofs/doors.html#line-{line}" in keys.links


def links_of(path: str, site: Site) -> list[str]:
    return parsed(site[path]).links


def test_members_of_enums_lead_to_their_line(site: Site):
    line = next(n for n, text in parsed(site["specs/doors/keys.html"]).code if text.startswith("enum Colour"))
    assert links_of("specs/doors/keys.html", site).count(f"#line-{line}") >= 3


def test_the_links_of_an_amendment_lead_into_the_version_that_it_amends(site: Site):
    links = links_of("specs/kvm/series/v5/02-the-rest.html", site)
    assert "01-a-bit.html#kvm.spte.Acc" in links
    assert "../../spte.html#Acc" not in links
    assert "../../series/old/spte.html#Acc" not in links


def test_a_definition_names_its_other_versions(site: Site):
    words = parsed(site["specs/kvm/spte.html"]).words
    assert "v5, patch 1" in words
    assert "old" in words
    assert "both" in words


def test_citations_lead_to_the_section_whose_titles_differ_in_signs_only(site: Site):
    links = links_of("specs/doors/keys.html", site)
    assert "../../manuals.html#SDM-0-keys" in links
    assert "../../manuals.html#SDM-2-keys" in links
    assert "SDM-1-locks-and-b-bold-b-quoted-script-alert-1-script-7-7" in parsed(site["manuals.html"]).anchors


def test_every_claim_has_its_verdict_in_each_series_with_its_reason(site: Site):
    words = " ".join(parsed(site["proofs/spte.html"]).words.split())
    for text in (
        "old proved z3", "both refuted, as expected either bit will do z3 counterexample",
        "newest not modelled, as expected nobody has read it",
    ):  # fmt: skip
        assert text in words
    doors = " ".join(parsed(site["proofs/doors.html"]).words.split())
    for text in ("refuted, expected proved", "unknown: the budget ran out", "proved, but vacuous", "reachable"):
        assert text in doors


def test_the_first_page_counts_verdicts_and_names_those_that_are_not_as_expected(site: Site):
    words = " ".join(parsed(site["index.html"]).words.split())
    assert "15 claims" in words
    assert "z3 " in words
    assert "units of z3 for each question" in words
    assert "wrong refuted, expected proved" in words
    assert "too_careful proved, but vacuous" in words
    assert "colours_are_few unknown: the budget ran out" in words


def test_the_first_page_counts_known_bad_versions_instead_of_naming_them(site: Site):
    said = " ".join(parsed(site["index.html"]).words.split())
    assert re.search(r"series \w+(, \w+)*, and 1 known-bad version\b", said)


def test_a_core_names_assumptions_and_definitions_with_links(site: Site):
    words = " ".join(parsed(site["proofs/doors.html"]).words.split())
    assert "assume k.red" in words
    assert "doors.keys.opens" in words


def test_one_step_of_a_drawn_walk_decides(site: Site):
    page = parsed(site["examples/proofs/doors/a_blue_key_opens.html"])
    steps = [attributes["class"] for attributes in page.all("li") if "ept" in attributes.get("class", "")]
    assert len(steps) > 2
    assert len([a for a in page.all("li") if " decides" in a.get("class", "") and "depth" not in a["class"]]) == 1
    assert page.words.count("this step decides") == 1
    assert "EPT PML4E" in page.words


def test_an_example_draws_its_deciding_words_and_tells_its_story_as_text(site: Site):
    page = parsed(site["examples/proofs/doors/a_blue_key_opens.html"])
    assert "ring.second" in page.words
    assert any(title.startswith("Bits 63 to 0 of Key, value 0x") for title in page.text["title"])
    assert "minimal counterexample" in page.words
    assert "slat prove a_blue_key_opens" in page.words


def test_every_picture_has_a_title_and_says_in_words_what_it_shows(site: Site):
    drawn = 0
    for path, page in pages(site).items():
        for attributes in page.all("svg"):
            drawn += 1
            assert attributes["role"] == "img"
            assert set(attributes["aria-labelledby"].split()) <= set(page.anchors), path
    assert drawn >= 6
    keys = "".join(parsed(site["specs/doors/keys.html"]).text["desc"])
    assert keys == (
        "a_field_with_quite_a_long_name 63; address_above 51:12; colour 7:6; number 5:2; blue 1; red 0; "
        "without a name: 62:52, 11:8."
    )


def test_the_index_of_the_search_is_data_that_leads_somewhere(site: Site):
    text = site[INDEX].decode("ascii")
    items = json.loads(text.removeprefix("const SLAT_INDEX = ").removesuffix(";\n"))
    kinds = {kind for kind, *_ in items}
    assert {
        "module",
        "patch",
        "enum",
        "bits",
        "record",
        "const",
        "rule",
        "fn",
        "invariant",
        "witness",
        "section",
    } < kinds
    for kind, name, _, _, place in items:
        there, anchor = target("search.html", place)
        assert there in site, name
        assert not anchor or anchor in parsed(site[there]).anchors, (kind, name)


def test_two_processes_make_the_same_bytes_and_name_no_place_of_the_machine(material: Material, tmp_path: Path):
    script = (
        "import sys, hashlib, pathlib; sys.setrecursionlimit(20000); import village;"
        "from verifier.reports.html.site import build;"
        "site = build(village.material(village.write(pathlib.Path(sys.argv[1]))));"
        "print(*(f'{name} {hashlib.sha256(data).hexdigest()}' for name, data in site.items()), sep='\\n');"
        "assert not [name for name, data in site.items() if sys.argv[1].encode() in data]"
    )

    def digests(seed: str, root: Path) -> str:
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent)}
        command = [sys.executable, "-c", script, str(root)]
        return subprocess.run(command, capture_output=True, timeout=300, check=True, env=env, text=True).stdout

    first = digests("1", tmp_path / "one")
    assert first == digests("2", tmp_path / "another" / "place")
    assert first.count("\n") > len(KINDS)


@pytest.mark.parametrize("path", sorted(KINDS))
def test_every_page_can_be_left_by_the_navigation_and_says_where_it_is(site: Site, path: str):
    page = parsed(site[path])
    reached = {target(path, link)[0] for link in page.links}
    assert {"index.html", "claims.html", "specifications.html", "series.html", "manuals.html"} <= reached
    assert next(a["aria-label"] for a in page.all("nav")) == "Site"
    assert len([a for a in page.all("a") if a.get("aria-current") == "page"]) == (
        1 if "/" not in path and path != "search.html" else 0
    )
