"""Each patch of a series on its own: after it every claim has the verdict that the proofs state for that prefix."""

from __future__ import annotations

from pathlib import Path

import pytest

from verifier.cli.main import run
from verifier.names.project import read_project
from verifier.names.series import Version
from verifier.types.load import open_library

ROOT = Path(__file__).parents[2]
POSTED = ("rfc", "v1", "v5")
"""The series whose amendments are patches as they were posted; `v3` and `newest` are differences from v5."""

KVM = ("proofs/kvm", "proofs/nested", "proofs/known_bugs")


@pytest.mark.parametrize("series", POSTED)
def test_after_each_patch_every_claim_is_as_expected(series: str, capsys: pytest.CaptureFixture[str]):
    patches = open_library(read_project(ROOT)).catalogue.series[series].patches
    labels = [Version(series, patch.number).label for patch in patches]
    chosen = [word for label in labels for word in ("--series", label)]
    code = run(["prove", "--root", str(ROOT), *chosen, *(str(ROOT / place) for place in KVM)])
    said = capsys.readouterr().out
    assert code == 0, said
    assert [label for label in labels if label not in said] == []
