"""What `slat prove` costs beside z3: R1, R2 and R6.

R1 replays every question of a run (claims, vacuity, minimisation), as `--smtlib` writes them, through one z3 session
per file in one process, and compares that with the whole command, start-up apart. R2 takes the run to pieces. R6
compares a run in which nothing changed with a cold one.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measure import ROOT, ratio, seconds, slat
from verifier.names.project import read_project
from verifier.obligations.generate import Obligation, generate
from verifier.obligations.prove import Options, finish, judge, solve
from verifier.smt.symbolize import Symbolizer
from verifier.solvers.registry import BUDGETS, open_session
from verifier.types.load import load


def run() -> Iterator[str]:
    """The lines of the report."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _against_z3(Path(folder) / "smtlib")
        yield from _repeated(Path(folder) / "project")
    yield from _in_parts()


def _against_z3(folder: Path) -> Iterator[str]:
    whole = slat("prove", "--no-cache", "--jobs", "1", "--smtlib", str(folder))
    startup = slat("check")
    texts = [file.read_text("utf-8") for file in sorted(folder.glob("*.smt2"))]
    peer = seconds(lambda: [_replay(text) for text in texts])
    yield ratio("R1", ("prove without start-up", whole - startup), ("z3 on the same questions", peer), "aim 1.5")
    yield f"     start-up (imports, reading and checking the specifications): {startup:.2f} s; {len(texts)} claims"


def _replay(text: str) -> None:
    """Asks one z3 session everything that a transcript asks."""
    prelude, mark, rest = text.partition("(check-sat-assuming")
    session = open_session("z3", prelude, BUDGETS["z3"])
    pending: list[str] = []
    for line in (mark + rest).splitlines(keepends=True):
        if not line.startswith(("(check-sat", "(push", "(pop")):
            pending.append(line)
            continue
        session.add("".join(pending))
        pending.clear()
        if line.startswith("(push"):
            session.push()
        elif line.startswith("(pop"):
            session.pop()
        else:
            session.check(re.findall(r"\|[^|]*\|", line))


def _repeated(folder: Path) -> Iterator[str]:
    folder.mkdir()
    for name in ("specs", "proofs"):
        shutil.copytree(ROOT / name, folder / name)
    cold = slat("prove", "--root", str(folder))
    warm = slat("prove", "--root", str(folder))
    yield ratio("R6", ("a run with nothing changed", warm), ("a cold run", cold), "aim 0.10, or 0.5 s")


def _in_parts() -> Iterator[str]:
    claims = load(read_project(ROOT)).checked.claims
    symbolizer = Symbolizer()
    obligations = [generate(claim, symbolizer) for claim in claims]
    invariants = [o for o in obligations if o.claim.kind == "invariant"]
    witnesses = [o for o in obligations if o.claim.kind == "witness"]
    proving = seconds(lambda: [_only_the_claim(o) for o in invariants])
    judged = seconds(lambda: [_judge(o, "z3") for o in invariants])
    reached = seconds(lambda: [_only_the_claim(o) for o in witnesses])
    solved = [(o, solve(o, Options())) for o in obligations]
    started = time.perf_counter()
    for obligation, one in solved:
        finish(obligation, one, Options())
    replayed = time.perf_counter() - started
    extra = (judged - proving) + reached + replayed
    yield ratio("R2", ("with vacuity, cores, witnesses, replay", proving + extra), ("proving", proving), "aim 2.0")
    second = seconds(lambda: [_judge(o, "bitwuzla") for o in obligations])
    first = judged + seconds(lambda: [_judge(o, "z3") for o in witnesses])
    yield ratio("R2", ("z3 and bitwuzla", first + second), ("z3 alone", first), "aim 3.0")


def _only_the_claim(obligation: Obligation) -> None:
    session = open_session("z3", obligation.script.prelude, BUDGETS["z3"])
    session.check(obligation.script.selectors)


def _judge(obligation: Obligation, solver: str) -> None:
    judge(open_session(solver, obligation.script.prelude, BUDGETS[solver]), obligation)
