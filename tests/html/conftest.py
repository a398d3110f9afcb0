"""The site of the village, and a browser to look at it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import village
from playwright.sync_api import Browser, sync_playwright

from verifier.cli.site_folder import write_site
from verifier.reports.html.material import Material
from verifier.reports.html.site import build

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return village.material(village.write(tmp_path_factory.mktemp("village")))


@pytest.fixture(scope="session")
def site(material: Material) -> dict[str, bytes]:
    return build(material)


@pytest.fixture(scope="session")
def folder(site: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site on disk, in a directory whose name needs quoting."""
    folder = tmp_path_factory.mktemp("a site") / "50% of #1?"
    write_site(folder, site)
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing; `.ci/run` installs Debian's package `chromium`")
        pytest.skip("Chromium is not installed (Debian: `apt-get install chromium`)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()
