"""What a run was of: what a reader needs to repeat it.

In: a project and the options of a run. Out: `Run`, and the command that repeats one result.
Guarantee: the same texts, solvers and options give the same `Run` in every clone; no time and no place of a machine.
Trusted: no, checked by the conformance tests of the formats.

The revision is a digest of what was proved from, not a commit: a patch under review is often not committed, an archive
has no history, and the same texts must say the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata

from verifier.names.project import Project
from verifier.obligations.cache import PACKAGES, digest
from verifier.obligations.prove import Options
from verifier.obligations.result import Result
from verifier.solvers.registry import BUDGETS, SOLVERS

DIGITS = 12


@dataclass(frozen=True, slots=True)
class Run:
    """`tool` and `solvers` with their versions; `budget` of each solver for one question, in its own units.

    `options` are the words that a command line needs besides the claim and its series; `command` is the whole one, if
    the same decides every result again.
    """

    tool: str
    revision: str
    solvers: tuple[str, ...]
    budget: tuple[str, ...]
    options: tuple[str, ...] = ()
    command: tuple[str, ...] = ()

    @property
    def program(self) -> str:
        """The command's own two words."""
        return " ".join(self.command[:2]) or "slat prove"


def run_of(project: Project, options: Options) -> Run:
    """The record of a run with these options."""
    budgets = {name: BUDGETS[name] for name in options.solvers}
    words: list[str] = []
    if len(options.solvers) == len(SOLVERS):
        words += ["--solver", "all"]
    elif options.solvers != SOLVERS[:1]:
        words += ["--solver", options.solvers[0]]
    if options.budget is not None:
        budgets[options.solvers[0]] = options.budget
        words += ["--rlimit", str(options.budget)]
    return Run(
        f"slat {metadata.version('slat')}",
        revision(project),
        tuple(f"{name} {metadata.version(PACKAGES[name])}" for name in options.solvers),
        tuple(f"{amount} units of {name}" for name, amount in budgets.items()),
        tuple(words),
    )


def revision(project: Project) -> str:
    """A name for every text under `specs/` and `proofs/`."""
    texts = (text for source in (*project.sources, *project.lists) for text in (source.name, source.text))
    return digest((repr(project.manuals), *texts))[:DIGITS]


def series_of(results: list[Result]) -> tuple[str, ...]:
    """The series in which some claim was decided."""
    return tuple(dict.fromkeys(r.series for r in results if r.series is not None))


def facts(results: list[Result], run: Run) -> dict[str, str]:
    """What the run was of, in the words of a heading."""
    return {
        "specifications": f"{run.revision} (digest of specs/ and proofs/)",
        "series": ", ".join(series_of(results)) or "none: no claim rests on a series",
        "solver": " and ".join(run.solvers),
        "budget": " and ".join(run.budget) + " for each question",
        "tool": run.tool,
    }


def reproduce(results: list[Result], run: Run) -> list[list[str]]:
    """For each result the words of a command that decides it again and shows it."""
    if run.command:
        return [list(run.command)] * len(results)
    modules: dict[str, set[str]] = {}
    for result in results:
        modules.setdefault(result.name, set()).add(result.module)
    return [_command(result, len(modules[result.name]) > 1, run) for result in results]


def _command(result: Result, ambiguous: bool, run: Run) -> list[str]:
    name = f"{result.module}.{result.name}" if ambiguous else result.name
    series = ["--series", result.series] if result.series is not None else []
    return ["slat", "prove", name, *series, *run.options]
