"""The site after proving.

In: claims. Out: the time of `slat report` without its proofs, over that of Pygments writing the same sources as HTML.
Guarantee: every page of every source is made, and written to a disk; the claims are decided before, in every series.
Trusted: no.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from pygments import highlight
from pygments.formatters import HtmlFormatter

from bench.claims import project
from bench.timing import Times, ratio, timed
from verifier.cli.report_walks import walks_of
from verifier.cli.site_folder import write_site
from verifier.names.project import Project
from verifier.obligations.cache import Cache
from verifier.obligations.prove import Options
from verifier.obligations.result import Result
from verifier.obligations.run import Plan, run
from verifier.obligations.versions import ALL, Choice
from verifier.reports.html.material import gather
from verifier.reports.html.site import build
from verifier.reports.lexer import SlatLexer
from verifier.reports.run import run_of
from verifier.types.load import open_library


def measure(words: tuple[str, ...]) -> str:
    """The ratio, and the time by the clock, which may be 60 s."""
    found, site, peer = project(), Times(), Times()
    plan = Plan(Options(), os.cpu_count() or 1, words, Choice((ALL,)))
    results = run(found, plan, Cache(found.root, True))
    with tempfile.TemporaryDirectory() as folder:
        with timed(site):
            files = _write(found, results, Path(folder) / "site")
        with timed(peer):
            _colour(found, Path(folder) / "peer")
    line = ratio("site", site, peer, 20)
    return f"{line}\n           {files} files in {site.wall:.1f} s by the clock (at most 60)"


def _write(found: Project, results: list[Result], folder: Path) -> int:
    """Writes the site; returns the number of its files."""
    library = open_library(found)
    files = build(gather(library, results, run_of(found, Options()), walks_of(library, results)))
    write_site(folder, files)
    return len(files)


def _colour(found: Project, folder: Path) -> None:
    """What Pygments makes of the same sources, with line numbers and anchors."""
    folder.mkdir()
    formatter = HtmlFormatter[str](full=True, linenos="inline", lineanchors="line")
    for number, source in enumerate(found.sources):
        (folder / f"{number}.html").write_text(highlight(source.text, SlatLexer(), formatter))
