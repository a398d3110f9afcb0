"""Runs walks on both sides and says where they differ.

In: `Walk`s. Out: `Disagreement`s, and one of them made small.
Guarantee: every walk is run on Bochs and on the reference MMU, and every part of both endings is compared.
Trusted: no, checked by test_comparison.py.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

from . import machine
from .ending import Ending, difference, observed
from .masks import MASKS, Mask, predict
from .reference import scenarios
from .walk import Walk, case, plain

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A walk that the two sides end differently; `what` names the first difference."""

    walk: Walk
    expected: Ending
    observed: Ending
    what: str


def disagreements(walks: Iterable[Walk], masks: Sequence[Mask] = MASKS) -> list[Disagreement]:
    """The walks that end differently on Bochs than the reference MMU and the masks say."""
    walks = list(walks)
    cases = [case(walk) for walk in walks]
    found: list[Disagreement] = []
    for walk, one, observation in zip(walks, cases, machine.run(cases), strict=True):
        ours, theirs = predict(one, masks), observed(one, observation)
        if what := difference(ours, theirs):
            found.append(Disagreement(walk, ours, theirs, what))
    return found


def shrink(disagreement: Disagreement, masks: Sequence[Mask] = MASKS) -> Disagreement:
    """A disagreement of the simplest walk that can be reached by making one thing plain at a time."""
    while simpler := disagreements(simpler_walks(disagreement.walk), masks):
        disagreement = simpler[0]
    return disagreement


def verdict(name: str, count: int, found: Sequence[Disagreement]) -> str:
    """One line, and after it the first disagreement, shrunk, with its scenarios for `slat walk`."""
    line = f"Bochs, {name}: {count} cases, {len(found)} disagreements"
    if not found:
        return line
    small = shrink(found[0])
    documents = "\n".join(json.dumps(document) for document in scenarios(case(small.walk)))
    return f"{line}\n{small.what}\n{small.walk}\nexpected {small.expected}\nobserved {small.observed}\n{documents}"


def simpler_walks(walk: Walk) -> Iterator[Walk]:
    """Walks that differ from this one in one thing, which is plainer there."""
    base = plain(walk.paging, walk.kind, walk.cpl)
    for name in (field.name for field in fields(Walk)):
        value = getattr(walk, name)
        if name not in ("paging", "guest", "ept") and value != getattr(base, name):
            yield replace(walk, **{name: getattr(base, name)})
    for number, entry in enumerate(walk.guest):
        for bits in _fewer(entry):
            yield replace(walk, guest=_with(walk.guest, number, bits))
    for page, chain in enumerate(walk.ept):
        for number, entry in enumerate(chain):
            for bits in _fewer(entry):
                yield replace(walk, ept=_with(walk.ept, page, _with(chain, number, bits)))


def _fewer(entry: int) -> Iterator[int]:
    """The entry without one of its bits, ignored and reserved ones first."""
    return (entry & ~(1 << bit) for bit in range(63, -1, -1) if entry >> bit & 1)


def _with(items: tuple[Item, ...], number: int, item: Item) -> tuple[Item, ...]:
    return (*items[:number], item, *items[number + 1 :])
