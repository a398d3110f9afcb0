"""A rule that is lost or two bits that are swapped do not go unnoticed: a claim fails and its report names the rule."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from verifier.cli.main import run

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the specifications and claims."""
    for folder in ("specs", "proofs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def edit(path: Path, pattern: str, replacement: str) -> None:
    """Replaces the one match of `pattern`."""
    text = path.read_text()
    changed, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
    assert count == 1, f"{pattern} matches {count} times"
    path.write_text(changed)


def swap_bits_5_and_6(root: Path) -> None:
    layout = root / "specs" / "sdm" / "ept" / "qualification.slat"
    edit(layout, r"^  \[5\]( +executable )", r"  [65]\1")
    edit(layout, r"^  \[6\]( +user_executable )", r"  [5]\1")
    edit(layout, r"^  \[65\]", "  [6]")


def prove(root: Path, capfd: pytest.CaptureFixture[str], *claims: str) -> tuple[int, str]:
    code = run(["prove", "--root", str(root), "--no-cache", "--jobs", "1", *claims])
    return code, capfd.readouterr().out


def test_without_the_clause_of_bit_10_present_entries_are_lost_and_the_report_names_the_rule(
    copy: Path, capfd: pytest.CaptureFixture[str]
):
    claims = str(copy / "proofs" / "ept" / "present.slat")
    assert prove(copy, capfd, claims)[0] == 0
    edit(copy / "specs" / "sdm" / "ept" / "entry.slat", r"^ *executable_in_user_mode: .*\n", "")
    code, report = prove(copy, capfd, claims)
    assert code == 1
    assert re.search(r"refuted +bit_10_alone", report)
    assert "minimal counterexample" in report
    assert re.search(r"present\(.*specs/sdm/ept/entry\.slat", report)


def test_with_bits_5_and_6_of_the_qualification_swapped_the_report_names_the_qualification(
    copy: Path, capfd: pytest.CaptureFixture[str]
):
    swap_bits_5_and_6(copy)
    code, report = prove(copy, capfd, "complete_walk_reports_the_and")
    assert code == 1
    assert re.search(r"refuted +complete_walk_reports_the_and +expected proved", report)
    assert "minimal counterexample" in report
    assert re.search(r"qualification\(.*\s+.*specs/sdm/ept/qualification\.slat:\d+", report)


def test_with_bits_5_and_6_swapped_the_reference_mmu_contradicts_what_the_claims_still_allow(
    copy: Path, capfd: pytest.CaptureFixture[str]
):
    swap_bits_5_and_6(copy)
    code, report = prove(copy, capfd, "bit_6_is_for_fetches", "complete_walk_reports_the_and")
    assert code == 70
    assert "minimal counterexample" in report, "what the interpreter confirms is shown all the same"
