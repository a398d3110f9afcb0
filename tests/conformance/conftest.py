"""A small project to run command lines in."""

from __future__ import annotations

from pathlib import Path

import pytest
import small
from commands import Slat


@pytest.fixture
def slat(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Slat:
    return Slat(small.write(tmp_path / "project"), capfd)
