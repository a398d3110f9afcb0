"""What `proofs/kvm/map.toml` may list, and what is said of a list that cannot be followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from verifier.diagnostics.model import Diagnosed
from verifier.names.project import read_project
from verifier.reports.map.listed import PLACE, read_listed
from verifier.source import Source
from verifier.types.load import open_library

ROOT = Path(__file__).parents[3] / "golden" / "report" / "map"
LIBRARY = open_library(read_project(ROOT))
TEXT = (ROOT / PLACE).read_text("utf-8")


def problems(text: str) -> list[str]:
    """What is said of a list."""
    with pytest.raises(Diagnosed) as refused:
        read_listed(Source(str(PLACE), text), LIBRARY)
    return [f"{found.message()} | {found.help()}".removeprefix(f"`{PLACE}`: ") for found in refused.value.diagnostics]


def test_a_list_names_a_series_with_its_prefixes_and_findings_with_their_versions():
    listed = read_listed(Source(str(PLACE), TEXT), LIBRARY)
    assert listed.prefixes(LIBRARY) == ("rfc_0", "rfc_1", "rfc_2", "rfc_3", "rfc_4")
    found = {finding.id: [series.name for series in finding.versions(LIBRARY)] for finding in listed.finding}
    assert found == {"I1": ["i01_exec_for_both"], "I2": []}


def test_an_empty_list_is_one():
    listed = read_listed(Source(str(PLACE), ""), LIBRARY)
    assert (listed.prefixes(LIBRARY), listed.headline, listed.finding) == ((), (), ())


def test_a_finding_has_a_known_bad_version_or_says_why_it_has_none():
    advice = "`without` says why no version below `known_bad` has this mistake"
    assert problems(TEXT.replace("without", "note")) == [f"`I2` has no known-bad version | {advice}"]
    assert problems(TEXT.replace("note", "without")) == [f"`I1` has a known-bad version, and says why not | {advice}"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('patches = "rfc"', 'patches = "rfd"', "there is no series `rfd` | did you mean `rfc`?"),
        ('beside = ["v5"]', 'beside = ["v5_1"]', "there is no series `v5_1` | did you mean `v5`?"),
        ('beside = ["v5"]', "beside = [5]", "`beside` is no list of texts | "),
        ('"a_bit_is_a_bit"', '"a_bit_is_a_byte"', "`a_bit_is_a_byte` is no claim | did you mean `a_bit_is_a_bit`?"),
        ('says = "Each', 'sayz = "Each', "`headline[0].sayz` is no key here | "),
        ('id = "I2"', "", "`finding[1].id` is missing | "),
        ('id = "I2"', "id = 2", "`finding[1].id` is no text on one line | "),
        ('about = "What', 'about = "What\\n', "`about` is no text on one line | "),
        ("[[headline]]", "[headline]", "`headline` is a list of tables: write `[[headline]]` | "),
    ],
)
def test_what_cannot_be_followed_is_named(before: str, after: str, said: str):
    assert before in TEXT
    assert problems(TEXT.replace(before, after)) == [said]


def test_all_that_is_wrong_is_told_at_once():
    twice = TEXT.replace('id = "I2"', 'id = "I1"').replace('"v5"', '"v6"').replace("without", "note")
    assert len(problems(twice)) == 2
