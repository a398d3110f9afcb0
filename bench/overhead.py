"""R1: what slat costs on top of z3.

In: claims. Out: the time of proving them over the time that z3 needs for the same questions.
Guarantee: z3 is asked the same questions, by the same strategy, in the same order.
Trusted: no.
"""

from __future__ import annotations

import re

from bench.claims import wanted
from bench.timing import Times, ratio, timed
from verifier.obligations.generate import generate
from verifier.obligations.prove import Options, finish, solve
from verifier.obligations.result import Result
from verifier.obligations.run import describe
from verifier.reports.text import render
from verifier.smt.symbolize import Symbolizer
from verifier.solvers.registry import BUDGETS, open_session
from verifier.types import typed

_COMMAND = re.compile(r"^\(check-sat(?:-assuming \((?P<names>.*)\))?\)$|^\((?P<frame>push|pop) 1\)$")
_NAME = re.compile(r"\|[^|]*\|")


def measure(words: tuple[str, ...]) -> str:
    """The ratio, and start-up apart."""
    start, whole, peer = Times(), Times(), Times()
    with timed(start):
        claims = wanted(words)
    with timed(whole):
        asked = decide(claims)
    with timed(peer):
        questions = sum(replay(transcript) for transcript in asked)
    line = ratio("overhead", whole, peer, 1.5)
    return f"{line}\n           {len(asked)} claims, {questions} questions; start-up {start.processor:.2f} s"


def decide(claims: list[typed.Claim]) -> list[str]:
    """All that `slat prove --no-cache --jobs 1` does with claims; returns what was asked."""
    symbolizer = Symbolizer()
    asked: list[str] = []
    results: list[Result] = []
    for claim in claims:
        obligation = generate(claim, symbolizer)
        solved = solve(obligation, Options())
        results.append(describe(claim, None, finish(obligation, solved, Options())))
        asked.append(solved.transcript)
    render(results, results)
    return asked


def replay(transcript: str) -> int:
    """Asks everything in a transcript again; returns the number of questions."""
    prelude, mark, rest = transcript.partition("(check-sat")
    session = open_session("z3", prelude, BUDGETS["z3"])
    questions, pending = 0, ""
    for line in (mark + rest).splitlines(keepends=True):
        command = _COMMAND.match(line.rstrip("\n"))
        if command is None:
            pending += line
            continue
        if pending:
            session.add(pending)
            pending = ""
        if command["frame"] == "push":
            session.push()
        elif command["frame"] == "pop":
            session.pop()
        else:
            session.check(_NAME.findall(command["names"] or ""))
            questions += 1
    return questions
