"""Skips every test of this folder, by name and with the reason, where Bochs cannot be run."""

import pytest

from . import build


@pytest.fixture(autouse=True)
def _bochs() -> None:
    if reason := build.missing():
        pytest.skip(f"Bochs cannot be run here: {reason}")
