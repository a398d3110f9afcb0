"""`slat report`: decides claims and writes a site about them.

In: a directory and options. Out: the site; a line on standard output; exit 0, 1, 2, 3 or 70.
Guarantee: the site is written whole or not at all, and not where judges differ.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from verifier.cli import complete
from verifier.cli.deciding import ReferenceMmu, contradicted, decide, progress
from verifier.cli.shared import Failure, Place, open_project, root_option
from verifier.cli.site_folder import check_place, write_site
from verifier.obligations.prove import Options
from verifier.obligations.run import Plan
from verifier.obligations.versions import ALL, Choice
from verifier.reports.run import run_of
from verifier.reports.summary import exit_code, summarize
from verifier.reports.text import closing
from verifier.types.load import open_library


@click.command("report")
@click.option("--html", "folder", type=Place(), required=True, metavar="DIR",
              help="Write a site that works offline into this directory, in place of an earlier one.")  # fmt: skip
@click.option("--series", "series", multiple=True, metavar="NAME|all", shell_complete=complete.series,
              help="The version of KVM whose claims are decided, also several times [default: all].")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, help="Processes [default: all cores].")
@click.option("--no-cache", is_flag=True, help="Decide everything anew, and store nothing.")
@root_option
def command(folder: Path, series: tuple[str, ...], jobs: int, no_cache: bool, root: Path | None) -> None:
    """Decide every claim, and write a site: specifications, claims, verdicts and drawn counterexamples.

    Open DIR/index.html in a browser; no server is needed. Exit codes are those of `prove`.

    \b
    Examples:
      slat report --html site
      slat report --html site --series v5
    """
    check_place(folder)
    project = open_project(root)
    mmu = ReferenceMmu({})
    options = Options()
    plan = Plan(options, jobs, (), Choice(series or (ALL,)), progress(), None, mmu.machine(always=False))
    results = decide(project, plan, no_cache)
    if not mmu.agrees():
        raise contradicted(mmu)

    from verifier.cli.report_walks import walks_of  # not needed where nothing can be claimed
    from verifier.reports.html.material import gather
    from verifier.reports.html.site import build

    library = open_library(project)
    write_site(folder, build(gather(library, results, run_of(project, options), walks_of(library, results))))
    click.echo(f"{folder / 'index.html'}: {closing(summarize(results))}")
    raise Failure(exit_code(results))
