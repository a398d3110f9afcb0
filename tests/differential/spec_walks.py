"""EPT walks and accesses, as values of the specifications: the permission core in full, and at random.

A case is (walk, access, circumstances).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

from spec_side import make, number, record, specification_of_ept

from models.scenario import read_scenario
from models.sdm import access
from verifier.cli.replay_ept import Verdict, compare, observed
from verifier.cli.replay_scenario import Unrealisable, scenario

Value = tuple[Any, ...]
Case = tuple[Value, Value, Value]

WALK, ACCESS = "sdm.ept.walk.EptWalk", "sdm.ept.access.EptAccess"
KIND, CAUSE = "sdm.ept.access.EptAccessKind", "sdm.ept.access.EptAccessCause"
CONTROLS, LINEAR = "sdm.ept.controls.EptControls", "sdm.ept.linear_address.LinearAddress"
AROUND = "sdm.ept.qualification.EptCircumstances"

LEVELS = ("pml5e", "pml4e", "pdpte", "pde", "pte")
KINDS = range(13)
PATTERNS = range(16)
"""R, W, X or XS, XU: bits 0, 1, 2 and 10 of an entry."""
WRITE_BACK, MAPS_PAGE = 6 << 3, 1 << 7
WIDTH = 40
ADDRESSES = (0x2000, 0x3000, 0x4000_0000)
LEVEL_FLAGS = (8, 9, 57, 58, 60, 61, 63)
"""Bits that some control or some level gives a meaning."""


def beyond(width: int) -> int:
    """The bits 51:MAXPHYADDR."""
    return (1 << 52) - (1 << width)


def controls(width: int = WIDTH, **given: bool) -> Value:
    """`EptControls`: every page size, nothing else but what is given."""
    fields = {field.name: False for field in record(CONTROLS).fields} | {"page_2m": True, "page_1g": True} | given
    return make(record(CONTROLS), **{**fields, "beyond_maxphyaddr": beyond(width)})


def ordinary_access(kind: int, user: bool = False) -> Value:
    """An access by an instruction to a read/write page."""
    linear = make(record(LINEAR), user_mode=user, writable=True, execute_disable=False)
    return make(
        record(ACCESS),
        kind=kind,
        cause=number(CAUSE, "INSTRUCTION"),
        linear=linear,
        guest_paging_verified=True,
        sub_page_excluded=False,
        sub_page=0,
    )


def circumstances(**given: Any) -> Value:
    """`EptCircumstances`: protected mode, nothing else but what is given."""
    kind = record(AROUND)
    fields = {f.name: 0 if f.name in ("in_use", "exception_bitmap") else False for f in kind.fields}
    return make(kind, **{**fields, "protected_mode": True, **given})


def pattern_bits(pattern: int) -> int:
    """The permission bits of an entry."""
    return pattern & 7 | (pattern >> 3) << 10


def chain(patterns: tuple[int, ...], settings: Value) -> Value:
    """A walk through two entries to a 1-GByte page, or through three to a 2-MByte page."""
    entries = [pattern_bits(p) | a for p, a in zip(patterns, ADDRESSES, strict=False)]
    entries[-1] = pattern_bits(patterns[-1]) | ADDRESSES[-1] | WRITE_BACK | MAPS_PAGE
    names = ("pml4e", "pdpte", "pde")[: len(entries)]
    tables = dict.fromkeys(LEVELS, 0) | dict(zip(names, entries, strict=True))
    return make(record(WALK), controls=settings, root=0x1000, guest_physical=0x123, **tables)


CORE_SETTINGS = ("mbec", "execute_only", "accessed_dirty")


def core_controls() -> Iterator[Value]:
    """Every setting of MBE, execute-only support and EPTP[6]."""
    for flags in product((False, True), repeat=len(CORE_SETTINGS)):
        yield controls(**dict(zip(CORE_SETTINGS, flags, strict=True)), advanced_exit_info=True)


def core_accesses() -> list[Value]:
    """Every kind of access; data accesses and fetches in both modes, which the others do not have."""
    both = [number(KIND, name) for name in ("DATA_READ", "DATA_WRITE", "READ_MODIFY_WRITE", "INSTRUCTION_FETCH")]
    return [*map(ordinary_access, KINDS), *(ordinary_access(kind, True) for kind in both)]


class Core:
    """The reference MMU's side of the permission core under one setting of the controls."""

    def __init__(self, settings: Value) -> None:
        spec, around = specification_of_ept(), circumstances()
        walk = chain((15, 15, 15), settings)
        documents = [scenario(spec.situation(walk, access, around)) for access in core_accesses()]
        self._scenarios = [read_scenario(document) for document in documents]

    def verdict(self, walk: Value, position: int) -> Verdict:
        """What the reference MMU says of the access at `position` of `core_accesses`, through a `chain`."""
        memory = dict(zip((0x1000, *ADDRESSES), walk[4:7], strict=False))
        one = self._scenarios[position]
        return observed(access(replace(one.machine, memory=memory), one.request))


def random_case(rng: Random, **fixed: bool) -> Case:
    """Full 64-bit entries, all leaf sizes, both depths, all controls but the `fixed` ones.

    Some cases cannot be realised.
    """
    width = rng.choice((36, 39, 40, 46, 48, 52, rng.randint(32, 52)))
    flags = {f.name: rng.random() < 0.5 for f in record(CONTROLS).fields if f.name != "beyond_maxphyaddr"}
    flags["ept_violation_ve"] = rng.random() < 0.25
    flags["sub_page_write"] = rng.random() < 0.4
    flags |= fixed
    tidy = rng.random() < 0.85
    missing = 0 if rng.random() < 0.5 else pattern_bits(1 << rng.randrange(4))
    entries = {name: random_entry(rng, width, level, tidy) & ~missing for level, name in enumerate(LEVELS)}
    wide = rng.random() < 0.05
    walk = make(
        record(WALK),
        controls=controls(width, **flags),
        root=rng.getrandbits(width - 12) << 12,
        guest_physical=rng.getrandbits(52 if wide or flags["five_level"] else 48),
        **entries,
    )
    return walk, _random_access(rng, flags), _random_circumstances(rng)


def random_entry(rng: Random, width: int, level: int, tidy: bool) -> int:
    """An entry that mostly leads on (`tidy`), or anything; `level` 0 is the PML5E."""
    entry = rng.getrandbits(width - 12) << 12
    if not tidy and rng.random() < 0.4:
        return rng.getrandbits(64)
    entry |= sum(1 << bit for bit in LEVEL_FLAGS if rng.random() < 0.5)
    entry |= sum(1 << bit for bit in (11, 52, 56, 59, 62) if rng.random() < 0.2)
    entry |= pattern_bits(rng.choice((15, 15, 15, 7, 11, 13, 12, rng.randrange(16))))
    page = level == 4 or (level in (2, 3) and rng.random() < 0.3)
    if page:
        entry &= ~((1 << 12 + 9 * (4 - level)) - (1 << 12))
        entry |= rng.choice((0, 1, 4, 5, 6)) << 3 | rng.getrandbits(1) << 6 | (MAPS_PAGE if level != 4 else 0)
    if rng.random() < (0.03 if tidy else 0.3):
        entry ^= 1 << rng.randrange(64)
    return entry


def _random_access(rng: Random, flags: dict[str, bool]) -> Value:
    cause = number(CAUSE, "INSTRUCTION") if rng.random() < 0.7 else rng.randrange(5)
    linear = make(
        record(LINEAR),
        user_mode=rng.random() < 0.5,
        writable=rng.random() < 0.5,
        execute_disable=rng.random() < 0.5,
    )
    return make(
        record(ACCESS),
        kind=rng.randrange(13),
        cause=cause,
        linear=linear,
        guest_paging_verified=flags["guest_paging_verification"] or rng.random() < 0.5,
        sub_page_excluded=not flags["sub_page_write"],
        sub_page=rng.randrange(4),
    )


def _random_circumstances(rng: Random) -> Value:
    nmi_exiting = rng.random() < 0.5
    return circumstances(
        nmi_exiting=nmi_exiting,
        virtual_nmis=nmi_exiting and rng.random() < 0.5,
        unblocked_by_iret=rng.random() < 0.3,
        protected_mode=rng.random() < 0.8,
        in_use=rng.choice((0, 0, 0, 1)),
        exception_bitmap=rng.getrandbits(32),
    )


def disagrees(case: Case) -> bool:
    """Whether interpreter and reference MMU differ; a case that cannot be realised does not count."""
    try:
        _, expected, observed = compare(specification_of_ept(), *case)
    except Unrealisable:
        return False
    return expected != observed
