"""Reports, word for word: every kind of result in every format."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conformance.small import CLAIMS, WRONG, write

from verifier.cli.main import run

HERE = Path(__file__).parent / "report"
VACUOUS = '\ninvariant too_careful per SDM "Keys" "A red key opens." for k: Key assume k.red && k.blue show opens(k)\n'
UNREACHABLE = (
    '\nwitness a_key_without_colour_opens per SDM "Keys" "Magic." for k: Key assume !k.red && !k.blue show opens(k)\n'
)


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_a_report_reads_exactly_so(form, tmp_path, capfd, request):
    root = write(tmp_path, CLAIMS + WRONG + VACUOUS + UNREACHABLE)
    assert run(["prove", "--root", str(root), "--no-cache", "--jobs", "1", "-v", "--format", form]) == 1
    found = re.sub(r'("milliseconds"): \d+', r"\1: 0", capfd.readouterr().out)
    golden = HERE / f"{form}.txt"
    if request.config.getoption("--update-golden"):
        golden.write_text(found)
    assert found == golden.read_text()


def test_the_report_shows_a_counterexample_a_vacuous_claim_and_an_unreachable_witness():
    report = (HERE / "text.txt").read_text()
    for words in ("minimal counterexample", "VACUOUS, unneeded: k.blue", "unreachable", "NOT AS EXPECTED (proved)"):
        assert words in report
