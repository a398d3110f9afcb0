"""What is installed is what was locked, for every Python that is promised."""

from __future__ import annotations

import re
import tomllib

from tree import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKED = re.findall(r"^(\S+==\S+)( ; [^\\\n]+?)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)",
                    (ROOT / "requirements.lock").read_text(), re.MULTILINE)  # fmt: skip
EVERYWHERE = {requirement for requirement, marker, _ in LOCKED if not marker}


def test_what_builds_the_package_is_locked_for_every_python():
    assert set(PROJECT["build-system"]["requires"]) <= EVERYWHERE, "the Makefile builds without isolation"


def test_what_the_package_needs_is_locked_for_every_python():
    assert set(PROJECT["project"]["dependencies"]) <= EVERYWHERE


def test_every_requirement_of_the_lock_has_hashes():
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line]
    assert len(LOCKED) == len(lines)
