"""`slat report`: decides claims and writes a site about them, or documents.

In: a directory and options. Out: the site or the documents; a line on standard output; exit 0, 1, 2, 3 or 70.
Guarantee: a site is written whole or not at all, as are documents, and not where judges differ.
Trusted: no, checked by tests/html and tests/unit/verifier/cli.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import click

from verifier.cli import complete
from verifier.cli.deciding import ReferenceMmu, contradicted, decide, judging, progress
from verifier.cli.report_documents import Documents, documents, listed_in
from verifier.cli.shared import Failure, Place, fail, open_project, root_option
from verifier.cli.site_folder import check_place, write_site
from verifier.names.project import Project
from verifier.obligations.cache import Cache
from verifier.obligations.prove import Options
from verifier.obligations.result import Result
from verifier.obligations.run import Plan
from verifier.obligations.versions import ALL, Choice
from verifier.reports.run import run_of
from verifier.reports.summary import exit_code, summarize
from verifier.reports.text import closing
from verifier.types.load import open_library


@click.command("report")
@click.option("--html", "site", type=Place(), metavar="DIR",
              help="Write a site that works offline into this directory, in place of an earlier one.")  # fmt: skip
@click.option("--markdown", "folder", type=Place(), metavar="DIR",
              help="Write the index of all claims, and the map of patches and findings, here.")  # fmt: skip
@click.option("--check", is_flag=True, help="Write no Markdown: exit 1 and show what would change.")
@click.option("--series", "series", multiple=True, metavar="NAME|all", shell_complete=complete.series,
              help="The version of KVM whose claims are decided, also several times [default: all].")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, help="Processes [default: all cores].")
@click.option("--no-cache", is_flag=True, help="Decide everything anew, and store nothing.")
@root_option
def command(
    site: Path | None,
    folder: Path | None,
    check: bool,
    series: tuple[str, ...],
    jobs: int,
    no_cache: bool,
    root: Path | None,
) -> None:
    """Decide every claim, and write a site, or the documents of proofs/.

    A site has specifications, claims, verdicts and drawn counterexamples: open DIR/index.html in a browser; no server
    is needed. The documents are README.md, the index of all claims, and kvm/README.md, the map of what
    proofs/kvm/map.toml lists. Exit codes are those of `prove`.

    \b
    Examples:
      slat report --html site
      slat report --html site --series v5
      slat report --markdown proofs
      slat report --markdown proofs --check
    """
    if (site is None) == (folder is None):
        raise fail("one thing is written at a time", "`--html DIR` is for a site, `--markdown DIR` for documents")
    if folder is None and check:
        raise fail("`--check` compares documents", "name their directory with `--markdown DIR`")
    if folder is not None and series:
        raise fail("documents are about every series", "leave `--series` out")
    run = _Run(series or (ALL,), jobs, no_cache)
    if site is not None:
        check_place(site)
        raise Failure(_write_site(site, open_project(root), run))
    assert folder is not None
    written = Documents(folder, check)
    written.prepare()
    raise Failure(_write_documents(written, open_project(root), run))


@dataclass(frozen=True, slots=True)
class _Run:
    """How claims are decided."""

    series: tuple[str, ...]
    jobs: int
    no_cache: bool

    def results(self, project: Project, further: tuple[str, ...] = ()) -> list[Result]:
        """The results in the series and in `further` versions; raises `Failure` where judges differ."""
        mmu = ReferenceMmu({})
        choice = Choice((*self.series, *further))
        plan = Plan(Options(), self.jobs, (), choice, progress(), None, mmu.machine(always=False))
        results = decide(project, plan, self.no_cache)
        if not mmu.agrees():
            raise contradicted(mmu)
        return results


def _write_site(site: Path, project: Project, run: _Run) -> int:
    results = run.results(project)

    from verifier.cli.report_differences import differences_of  # not needed where nothing can be claimed
    from verifier.cli.report_walks import walks_of
    from verifier.reports.html.material import gather
    from verifier.reports.html.site import build

    library = open_library(project)
    with judging():
        diffs = differences_of(library, run.jobs, Cache(project.root, not run.no_cache))
    material = gather(library, results, run_of(project, Options()), walks_of(library, results), diffs)
    write_site(site, build(material))
    click.echo(f"{site / 'index.html'}: {closing(summarize(results))}")
    return exit_code(results)


def _write_documents(written: Documents, project: Project, run: _Run) -> int:
    library = open_library(project)
    listed = listed_in(project, library)
    results = run.results(project, () if listed is None else listed.prefixes(library))
    same = written.finish(documents(library, listed, results), closing(summarize(results)))
    return exit_code(results) if same else 1
