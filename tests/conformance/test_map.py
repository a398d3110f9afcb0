"""The map of KVM's patches and findings, as it is kept: every patch and every finding is there, with its verdicts.

`make check` compares it with a fresh run.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from verifier.names.project import read_project
from verifier.reports.map.listed import PLACE
from verifier.types.load import open_library

ROOT = Path(__file__).parents[2]
LIBRARY = open_library(read_project(ROOT))
MAP = (ROOT / PLACE).with_name("README.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^### (\S+)\n(.*?)(?=^###? |\Z)", MAP, re.MULTILINE | re.DOTALL))
FINDINGS = range(1, 29)
PATCHES = LIBRARY.catalogue.series["rfc"].patches


def versions(number: int) -> list[str]:
    """The known-bad versions of a finding."""
    return [name for name in LIBRARY.catalogue.series if name.startswith(f"i{number:02}_")]


@pytest.mark.parametrize("number", range(1, 19))
def test_every_patch_of_the_rfc_has_a_section_with_its_definitions_and_theorems(number: int):
    (patch,) = (one for one in PATCHES if one.number == number)
    said = SECTIONS[f"rfc_{number}"]
    assert patch.title in said.replace("\\", "")
    assert patch.message_id in said
    for amend in patch.tree.amends:
        assert f"- [{amend.target.text}](" in said
        assert all(f"`{change.name.text}`" in said for change in amend.changes)
    told = (f"| rfc_{number - 1} | rfc_{number} | ", "No theorem reaches what it amends.", "It amends no definition.")
    assert sum(words in said for words in told) == 1
    assert (told[2] in said) == (not patch.tree.amends)


@pytest.mark.parametrize("number", FINDINGS)
def test_every_finding_has_a_section_with_each_claim_that_has_its_id(number: int):
    claims = [claim.name for claim in LIBRARY.written.checked.claims if f"I{number}" in claim.ids]
    assert claims
    for name in claims:
        (row,) = re.findall(rf"^\|[^|\n]*\[`{name}`\]\([^|]*\|.*\|$", SECTIONS[f"I{number}"], re.MULTILINE)
        assert row.count("|") == len(LIBRARY.catalogue.regular) + 3
        verdicts = row.split(" | ")[1:-1]
        assert set(verdicts) <= {"proved", "refuted", "reachable", "unreachable", "not modelled"}


@pytest.mark.parametrize("number", FINDINGS)
def test_a_finding_with_a_known_bad_version_is_refuted_there_and_another_says_why_it_has_none(number: int):
    said = SECTIONS[f"I{number}"]
    bad = versions(number)
    assert ("\nNo known-bad version: " in said) == (not bad)
    assert not bad or any(f"refuted in `{name}`" in said for name in bad)
    for name in bad:
        (story,) = re.findall(rf"^- \[`{name}`\]\(.*$", said, re.MULTILINE)
        assert re.search(r" Refuted: `\w+`.* From (MAIL|LINUX) ", story)


def test_nothing_on_the_map_is_other_than_expected():
    assert "not as expected" not in MAP
    assert "VACUOUS" not in MAP
