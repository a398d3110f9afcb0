"""Claims decided for a command, with the reference MMU at hand.

In: a project and a plan. Out: results; or an exit code of 70, once it has been said why nothing is claimed.
Guarantee: where judges differ, and where a process that decided ended early, nothing is claimed.
Trusted: no, checked by the conformance tests.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click

import models
from verifier.cli.shared import Failure
from verifier.names.project import Project
from verifier.obligations.cache import Cache, digest
from verifier.obligations.prove import Disagreement, Replay
from verifier.obligations.result import Result
from verifier.obligations.run import Machine, Plan, Progress, Undecided, run
from verifier.types import typed


class ReferenceMmu:
    """Replays the examples of a run; `scenarios` receives their walks, by file name."""

    def __init__(self, scenarios: dict[str, str]) -> None:
        self._scenarios = scenarios
        self.disagreements: list[str] = []

    def agrees(self) -> bool:
        """Whether the reference MMU confirmed every walk that it ran."""
        return not self.disagreements

    def prepare(self, checked: typed.Checked, label: str | None) -> Replay:
        """What replays the examples of a program, whose version has this label."""
        from verifier.cli.replay import Referee  # not needed when a whole run is known

        return Referee(checked, label, self._scenarios, self.disagreements)

    def machine(self, always: bool) -> Machine:
        """The machine of a run; with `always` it replays what is known from before, too."""
        return Machine(_version(), self.prepare, self.agrees, always)


def decide(project: Project, plan: Plan, no_cache: bool) -> list[Result]:
    """The results of a plan; raises `Failure`."""
    with judging():
        return run(project, plan, Cache(project.root, not no_cache))


@contextmanager
def judging() -> Generator[None]:
    """Turns what keeps claims from being decided into a `Failure`."""
    try:
        yield
    except Disagreement as error:
        click.echo(f"internal error: {error}", err=True)
        click.echo("nothing is claimed of it; please report this with the specification", err=True)
        raise Failure(70) from None
    except Undecided as death:
        said = f"the process that decided `{death.claim}` {death.how}; nothing is claimed"
        click.echo(f"internal error: {said}", err=True)
        click.echo("if the machine ran out of memory, fewer `--jobs` may help", err=True)
        raise Failure(70) from None


def contradicted(mmu: ReferenceMmu) -> Failure:
    """One side is wrong, and it is not for us to say which."""
    for disagreement in mmu.disagreements:
        click.echo(f"{disagreement}\n", err=True)
    click.echo("nothing is claimed until this is settled", err=True)
    return Failure(70)


def progress() -> Progress | None:
    """What shows on a terminal how far a run is."""
    return _show if sys.stderr.isatty() else None


def _show(done: int, total: int) -> None:
    click.echo(f"\r{done}/{total} claims" if done < total else "\r" + " " * 30 + "\r", nl=False, err=True)


def _version() -> str:
    """A name for this version of the reference MMU: every source file counts."""
    package = Path(models.__file__).parent
    return digest(
        text
        for p in sorted(package.rglob("*.py"))
        for text in (p.relative_to(package).as_posix(), p.read_text("utf-8"))
    )
