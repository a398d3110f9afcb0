"""The pages of what differs: each pair of versions, each cell, each example where its number leads."""

from __future__ import annotations

from test_site_pages import Site, parsed

from verifier.cli.report_differences import pairs
from verifier.diff.model import DIFFERENT, NOT_MODELLED
from verifier.names.series import Catalogue
from verifier.reports.html.material import Material


def test_the_written_series_is_compared_with_its_neighbours(material: Material):
    assert list(pairs(material.library.catalogue)) == [("old", "v5"), ("v5", "newest")]
    assert list(pairs(Catalogue())) == []


def test_every_cell_and_every_difference_is_on_the_page(material: Material, site: Site):
    for diff in material.diffs:
        page = parsed(site[f"differences/{diff.left}-{diff.right}.html"])
        verdicts = [cell.verdict for decided in diff.decisions for cell in decided.cells]
        for verdict in {*verdicts}:
            assert page.words.count(verdict) >= verdicts.count(verdict)
        assert all(change.name in page.words.replace("​", "") for change in diff.changes)


def test_a_cell_that_differs_leads_to_its_example(material: Material, site: Site):
    differing = [cell for cell in material.diffs[0].decisions[0].cells if cell.verdict in DIFFERENT]
    page = parsed(site["differences/old-v5.html"])
    links = [link for link in page.links if link.startswith("#example-execution-")]
    assert len(links) == len(differing) > 0
    assert {link[1:] for link in links} <= set(page.anchors)


def test_what_a_version_does_not_say_is_told_with_its_reason(material: Material, site: Site):
    (decided,) = material.diffs[1].decisions
    assert {cell.verdict for cell in decided.cells} == {NOT_MODELLED}
    assert "newest: nobody has seen `kvm.spte.executable`" in parsed(site["differences/v5-newest.html"]).words
