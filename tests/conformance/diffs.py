"""What differs between two versions, made by hand, for tests of what is made of it.

In: nothing. Out: a `Diff` with every verdict, every kind of change, and words that only a hostile specification has.
Guarantee: every verdict is among the cells, with and without examples.
Trusted: no, it serves tests.
"""

from __future__ import annotations

from results import EXAMPLE, PLAIN, RUN

from verifier.core.show import Named
from verifier.diff.model import (
    NOT_MODELLED,
    UNKNOWN,
    VERDICTS,
    Axis,
    Cell,
    Change,
    Decided,
    Diff,
    Instance,
    Reached,
    Said,
)
from verifier.reports.run import Run

ACC = Named("kvm.acc.Acc", (("read", 0, 1), ("user_exec", 2, 1)))
SAID = (Said("v3", "decision", "true", Named()), Said("v5", "the rights", "Acc { read: true }", ACC))
INSTANCES = {
    "less permissive": (Instance(EXAMPLE, SAID), None),
    "more permissive": (None, Instance(PLAIN, ())),
    "incomparable": (Instance(EXAMPLE, SAID), Instance(PLAIN, SAID[:1])),
}
REASONS = {NOT_MODELLED: "v3: nobody has seen `doors`", UNKNOWN: "the budget ran out"}
AXES = (Axis("accesses", "Whose access."), Axis("modes", ""), Axis("capabilities", "Of the door."))


def cell(verdict: str, mode: str = "by_night") -> Cell:
    """A cell with that verdict."""
    loses, gains = INSTANCES.get(verdict, (None, None))
    return Cell(("a_guest", mode, verdict.replace(" ", "_")), verdict, loses, gains, REASONS.get(verdict, ""))


def diff(*cells: Cell) -> Diff:
    """Versions that differ in these cells."""
    changes = (
        Change("added", "fn", "doors.keys", "opens", None, "specs/doors/keys.slat:5"),
        Change("signature changed", "bits", "doors.keys", "Key", "specs/old/keys.slat:1", "specs/doors/keys.slat:2"),
        Change("not seen", "rule", "doors.keys", "hinge", "specs/old/keys.slat:9", "specs/doors/keys.slat:9"),
        Change("removed", "const", "doors.keys", "MASTER", "specs/old/keys.slat:20", None),
    )
    reached = (
        Reached("proofs.doors", "a_red_key_opens", ("D1", "D2"), "proofs/doors.slat:4", ("doors.keys.opens",)),
        Reached("proofs.doors", "no_key_opens_all", (), "proofs/doors.slat:9", ("doors.keys.Key", "doors.keys.opens")),
    )
    place = "proofs/decisions/doors.slat:7"
    statement = "Whether a door lets somebody in. Less permissive: B refuses more."
    decided = Decided("doors", "proofs.decisions.doors", statement, place, AXES, cells, ("doors.keys.opens",))
    return Diff("v3", "v5", changes, reached, (decided,) if cells else ())


EVERY = {verdict: diff(cell(verdict)) for verdict in VERDICTS}
ALL = diff(*(cell(verdict, mode) for mode in ("by_day", "by_night") for verdict in VERDICTS))
DIFF_RUN = Run(RUN.tool, RUN.revision, RUN.solvers, RUN.budget, (), ("slat", "diff", "v3", "v5", "--rlimit", "7"))
