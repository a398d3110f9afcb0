"""R2: what is done beyond deciding a claim, and what a second solver costs.

In: claims. Out: ratios over the bare question of each claim to z3, or over z3 alone.
Guarantee: every part that `slat prove` does for a claim is in the measured time.
Trusted: no.
"""

from __future__ import annotations

from bench.claims import obligations
from bench.timing import Times, ratio, timed
from verifier.obligations.prove import Options, finish, solve
from verifier.solvers.registry import BUDGETS, open_session


def measure(words: tuple[str, ...]) -> str:
    """Vacuity, cores, smallest examples, replay and explanation, all together."""
    bare, whole = Times(), Times()
    for obligation in obligations(words):
        with timed(bare):
            open_session("z3", obligation.script.prelude, BUDGETS["z3"]).check(obligation.script.selectors)
        with timed(whole):
            finish(obligation, solve(obligation, Options()), Options())
    return ratio("extras", whole, bare, 2)


def measure_second(words: tuple[str, ...]) -> str:
    """z3 and bitwuzla over z3 alone."""
    one, both = Times(), Times()
    for obligation in obligations(words):
        with timed(one):
            solve(obligation, Options(("z3",)))
        with timed(both):
            solve(obligation, Options(("z3", "bitwuzla")))
    return ratio("second", both, one, 3)
