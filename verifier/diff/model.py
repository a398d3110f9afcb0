"""What differs between two versions.

In: nothing. Out: frozen values that reports render.
Guarantee: a cell has one of the words of `VERDICTS`; one that differs has an example for each way in which it does.
Trusted: yes, small.
"""

from __future__ import annotations

from dataclasses import dataclass

from verifier.core.show import Named
from verifier.obligations.result import Example

EQUIVALENT, LESS, MORE, INCOMPARABLE = "equivalent", "less permissive", "more permissive", "incomparable"
ONLY_LEFT, ONLY_RIGHT, DISJOINT, IMPOSSIBLE = "only in A", "only in B", "nothing shared", "impossible"
NOT_MODELLED, UNKNOWN = "not modelled", "unknown"
VERDICTS = (EQUIVALENT, LESS, MORE, INCOMPARABLE, ONLY_LEFT, ONLY_RIGHT, DISJOINT, IMPOSSIBLE, NOT_MODELLED, UNKNOWN)
DIFFERENT = (LESS, MORE, INCOMPARABLE, ONLY_LEFT, ONLY_RIGHT, DISJOINT)
"""The verdicts that say that the versions differ. What is impossible in both, they have in common."""


@dataclass(frozen=True, slots=True)
class Change:
    """A definition that differs: `left` and `right` are its places, if it is there.

    `kind` is `added`, `removed`, `changed`, `signature changed`, or `not seen`: in one version nobody has seen it.
    """

    kind: str
    what: str
    module: str
    name: str
    left: str | None
    right: str | None

    @property
    def qualified(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True, slots=True)
class Reached:
    """A claim that rests on definitions that differ: `by` are their qualified names."""

    module: str
    name: str
    ids: tuple[str, ...]
    place: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What the version of that label makes of an example: the decision's value, or what is shown beside it."""

    label: str
    what: str
    value: str
    named: Named


@dataclass(frozen=True, slots=True)
class Instance:
    """An example in which the versions differ, with what each of them says."""

    example: Example
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One clause of each axis, and how B compares with A there.

    `loses` is an example of what A has and B has not, `gains` one of the opposite; `reason` says why there is none.
    """

    coordinates: tuple[str, ...]
    verdict: str
    loses: Instance | None = None
    gains: Instance | None = None
    reason: str = ""

    @property
    def name(self) -> str:
        return ".".join(self.coordinates)


@dataclass(frozen=True, slots=True)
class Axis:
    """A rule of a decision's module: its name, and what it says of itself."""

    name: str
    doc: str


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision with its cells. `statement` says what is compared, `place` where that is said.

    `rests_on` are the definitions that differ and that it reaches. Unless it is `ordered`, its values are equal or not.
    """

    name: str
    module: str
    statement: str
    place: str
    axes: tuple[Axis, ...]
    cells: tuple[Cell, ...]
    rests_on: tuple[str, ...]
    ordered: bool = True


@dataclass(frozen=True, slots=True)
class Diff:
    """A is `left`, B is `right`: labels of series, or directories."""

    left: str
    right: str
    changes: tuple[Change, ...]
    reached: tuple[Reached, ...]
    decisions: tuple[Decided, ...]
