"""The solvers that can be asked for by name.

In: a name. Out: a session.
Guarantee: a solver's package is imported only when it is asked for.
Trusted: no.

To add one: write `NAME_session.py` and a line here.
"""

from __future__ import annotations

from verifier.solvers.session import Session

SOLVERS = ("z3", "bitwuzla")

BUDGETS = {"z3": 50_000_000, "bitwuzla": 100_000}
"""The budget of one question, in each solver's own units."""


def open_session(solver: str, text: str, budget: int) -> Session:
    """The script `text` in the solver of that name."""
    if solver == "z3":
        from verifier.solvers.z3_session import Z3Session

        return Z3Session(text, budget)
    from verifier.solvers.bitwuzla_session import BitwuzlaSession

    return BitwuzlaSession(text, budget)


def version(solver: str) -> str:
    """The solver's name and version."""
    if solver == "z3":
        from verifier.solvers import z3_session

        return z3_session.version()
    from verifier.solvers import bitwuzla_session

    return bitwuzla_session.version()
