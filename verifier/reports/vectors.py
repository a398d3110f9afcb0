"""Test vectors: what they are, and how C, JSON and a list tell them.

In: gaps with their vectors. Out: a document.
Guarantee: a vector is written once, with every clause that it decides; no times, no paths of a machine.
Trusted: no, checked by golden files, by compiling what comes out, and by `slat walk`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from verifier.obligations.access_case import AccessCase, Outcome
from verifier.obligations.clauses import NO_CLAUSE, ClauseCase
from verifier.reports.access_test_words import members
from verifier.reports.access_tests import Case, Test, document
from verifier.reports.access_words import access_words
from verifier.reports.plain import printable

UNIT_TESTS = "kvm-unit-tests 1da1819e (June 2026)"
OUTCOMES = {"TRANSLATED": "ok", "EPT_VIOLATION": "ept_violation", "EPT_MISCONFIGURATION": "ept_misconfiguration"}
EXIT_REASONS = {"EPT_VIOLATION": 48, "EPT_MISCONFIGURATION": 49}


@dataclass(frozen=True, slots=True)
class Decision:
    """One case of the rule that a witness of a gap shows."""

    gap: str
    witness: str
    case: ClauseCase

    @property
    def name(self) -> str:
        """Of the clause that decides, or of all clauses together."""
        return f"{self.gap}.{self.case.claim.name}"

    def __str__(self) -> str:
        clause, anyone = self.case.clause, self.case.op == "or"
        if clause == NO_CLAUSE:
            return f"{self.case.rule}: {'no' if anyone else 'every'} clause holds"
        return f"{self.case.rule}: {clause} alone {'holds' if anyone else 'fails'}"


@dataclass(frozen=True, slots=True)
class Vector:
    """An access that decides these cases, the first of which names it.

    `neighbour` is the entry that maps the next page, where the guest reads that first.
    """

    decides: tuple[Decision, ...]
    access: AccessCase
    neighbour: int | None


@dataclass(frozen=True, slots=True)
class CoveredGap:
    """A gap with the vectors that no gap before it has; `never` are the cases that its assumptions exclude."""

    name: str
    about: str
    decided: tuple[Decision, ...]
    never: tuple[Decision, ...]
    vectors: tuple[Vector, ...]


@dataclass(frozen=True, slots=True)
class Collection:
    """The gaps of a run, and the `words` that chose them; they come from texts and a tool with these names."""

    gaps: tuple[CoveredGap, ...]
    words: tuple[str, ...]
    revision: str
    tool: str

    @property
    def count(self) -> str:
        """How many there are."""
        vectors, gaps = sum(len(gap.vectors) for gap in self.gaps), len(self.gaps)
        return f"{vectors} vector{'s' * (vectors != 1)} of {gaps} gap{'s' * (gaps != 1)}"


def in_c(found: Collection) -> str:
    """An EPT access test for each gap."""
    heading = [
        f"EPT access tests by slat vectors: what those of {UNIT_TESTS} leave untested.",
        *(f"{name}: {said}" for name, said in _facts(found).items()),
    ]
    return document(heading, [_test(gap) for gap in found.gaps])


def _facts(found: Collection) -> dict[str, str]:
    return {
        "vectors": found.count,
        "specifications": f"{found.revision} (digest of specs/, proofs/ and vectors/)",
        "tool": found.tool,
        "again": " ".join(["slat vectors", *(f"--gap {word}" for word in found.words)]),
    }


def _test(gap: CoveredGap) -> Test:
    never = [f"Never here: {'; '.join(dict.fromkeys(map(str, gap.never)))}."] if gap.never else []
    return Test(gap.name, [f"{gap.name}: {gap.about}", *never], [_case(vector) for vector in gap.vectors])


def _case(vector: Vector) -> Case:
    comment = f"{'; '.join(map(str, vector.decides))}. {access_words(vector.access).partition(': ')[2]}"
    return Case(vector.decides[0].name, comment, members(vector.access, vector.neighbour))


def in_json(found: Collection) -> str:
    """The document slat-vectors-1."""
    whole = {
        "schema": "slat-vectors-1",
        "specifications": found.revision,
        "gaps": [_gap(gap) for gap in found.gaps],
        "vectors": [_vector(vector) for gap in found.gaps for vector in gap.vectors],
    }
    return json.dumps(whole, indent=2) + "\n"


def _gap(gap: CoveredGap) -> dict[str, object]:
    return {
        "name": gap.name,
        "about": gap.about,
        "decided": [decision.name for decision in gap.decided],
        "never": [decision.name for decision in gap.never],
    }


def _vector(vector: Vector) -> dict[str, object]:
    return {
        "name": vector.decides[0].name,
        "decides": [decision.name for decision in vector.decides],
        "needs": list(vector.access.needs),
        "lacks": list(vector.access.lacks),
        "scenario": json.loads(vector.access.scenario),
        **({} if vector.neighbour is None else {"neighbour": hex(vector.neighbour)}),
        "expected": _expected(vector.access.expected),
    }


def _expected(expected: Outcome) -> dict[str, object]:
    """In the words of slat-outcome-1."""
    found: dict[str, object] = {"outcome": OUTCOMES[expected.outcome]}
    if expected.outcome in EXIT_REASONS:
        found["exit_reason"] = EXIT_REASONS[expected.outcome]
    if expected.outcome == "EPT_VIOLATION":
        found["exit_qualification"] = hex(expected.qualification)
        found["exit_qualification_defined"] = hex(expected.defined)
    return found


def as_list(found: Collection) -> str:
    """One row a gap, and how many there are."""
    from tabulate import tabulate

    rows = [
        (gap.name, len(gap.vectors), len(gap.decided), len(gap.never), printable(gap.about.split(". ")[0].rstrip(".")))
        for gap in found.gaps
    ]
    head = ("gap", "vectors", "cases", "never", "what is untested")
    return f"{tabulate(rows, headers=head, tablefmt='simple')}\n\n{found.count}\n"


def without_duplicates(gaps: Sequence[CoveredGap]) -> Iterator[CoveredGap]:
    """The same, each vector once: where it stands first, with all that it decides and with what that takes."""
    merged: dict[tuple[tuple[str, str], ...], list[Vector]] = {}
    for vector in (vector for gap in gaps for vector in gap.vectors):
        alike = merged.setdefault(_set_up(vector), [])
        position = next((i for i, other in enumerate(alike) if _compatible(vector.access, other.access)), len(alike))
        alike[position : position + 1] = [_merge(*alike[position : position + 1], vector)]
    kept = {vector.decides[0]: vector for alike in merged.values() for vector in alike}
    for gap in gaps:
        first = (kept.get(vector.decides[0]) for vector in gap.vectors)
        yield replace(gap, vectors=tuple(vector for vector in first if vector is not None))


def _set_up(vector: Vector) -> tuple[tuple[str, str], ...]:
    """What a test of it does and expects, on whichever processor."""
    return tuple(part for part in members(vector.access, vector.neighbour) if part[0] not in ("caps", "no_caps"))


def _compatible(one: AccessCase, other: AccessCase) -> bool:
    """Whether a processor that serves one of them serves both."""
    return _serves(one, other) or _serves(other, one)


def _serves(one: AccessCase, other: AccessCase) -> bool:
    return {*other.needs} <= {*one.needs} and {*other.lacks} <= {*one.lacks}


def _merge(*vectors: Vector) -> Vector:
    """One vector for the cases of all, on the processor that serves them."""
    decides = tuple(decision for vector in vectors for decision in vector.decides)
    access = max((vector.access for vector in vectors), key=lambda one: len(one.needs) + len(one.lacks))
    return replace(vectors[0], decides=decides, access=access)
