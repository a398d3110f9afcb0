"""Inputs for KVM's functions: all values of a type where they are few, and random ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from random import Random
from typing import Any

from kvm_versions import HOST, L1, Side
from spec_walks import beyond, random_case

from verifier.types.kinds import Bits, Bool, Enum, Layout, Record, Type

Value = tuple[Any, ...]
Domain = Sequence[Any]

WIDTHS = (32, 36, 40, 46, 51, 52)
ASKED = sum(1 << bit for bit in (1, 2, 4, 32, 33))
"""W, U, F, GUEST_FINAL, GUEST_PAGE: what KVM asks a walk of EPT12 for."""
ROLES = ("kvm.asm_kvm_host.KvmMmuPageRole", "kvm.asm_kvm_host.KvmMmuExtendedRole", "kvm.acc.Acc")


def patterns(*positions: int) -> list[int]:
    """Every number in which no other bits are set."""
    choices = product((0, 1), repeat=len(positions))
    return [sum(bit << position for bit, position in zip(bits, positions, strict=True)) for bits in choices]


# ---- hosts, and what L1 selects


def host(side: Side, **given: bool) -> Value:
    """A KvmHost: everything is there and on, but for NX huge pages, and what is given."""
    flags = {field.name: field.name != "nx_huge_pages" for field in side.record(HOST).fields} | given
    return tuple(flags.values())


def l1(side: Side, width: int = 46, **given: bool) -> Value:
    """EptControls: large pages, nothing else but what is given."""
    flags = {field.name: field.name in ("page_2m", "page_1g") for field in side.record(L1).fields} | given
    return tuple((flags | {"beyond_maxphyaddr": beyond(width)}).values())


def every(make: Callable[..., Value], side: Side, *names: str) -> list[Value]:
    """A record with every combination of these flags."""
    return [make(side, **dict(zip(names, flags, strict=True))) for flags in product((False, True), repeat=len(names))]


# ---- all values of a type


MOST = 1 << 13
"""Of a type with more values, no list is made."""


def all_values(kind: Type) -> Domain | None:
    """Every value, or None if there are very many. Bits without a name stay clear."""
    match kind:
        case Bool():
            return (False, True)
        case Enum():
            return [number for _, number in kind.members]
        case Layout():
            named = [bit for field in kind.fields for bit in range(field.low, field.high + 1)]
            return patterns(*named) if len(named) <= 6 else None
        case Bits():
            return range(1 << kind.width) if kind.width <= 6 else None
        case Record():
            fields = [all_values(field.kind) for field in kind.fields]
            sizes = [len(values) for values in fields if values is not None]
            if len(sizes) < len(fields) or _product(sizes) > MOST:
                return None
            return list(product(*[values for values in fields if values is not None]))
        case _:
            return None


def _product(sizes: Sequence[int]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total


# ---- random values


def random_value(rng: Random, side: Side, place: tuple[str, str], kind: Type) -> Any:
    """A value of the type, for an input (the second name) of a function."""
    special = OF_INPUTS.get(place) or OF_TYPES.get(str(getattr(kind, "name", "")))
    if special is not None:
        return special(rng, side)
    match kind:
        case Bool():
            return rng.random() < 0.5
        case Enum():
            return rng.choice(kind.members)[1]
        case Bits() | Layout():
            return random_bits(rng, kind.width) & _meant(kind)
        case Record():
            return tuple(random_value(rng, side, (kind.name, field.name), field.kind) for field in kind.fields)
        case _:
            raise AssertionError(kind)


def random_bits(rng: Random, width: int) -> int:
    """Few bits, many bits, or any."""
    ones = (1 << width) - 1
    few = sum(1 << bit for bit in rng.sample(range(width), k=min(width, rng.randrange(5))))
    return rng.choice((few, few, ones & ~few, rng.getrandbits(width)))


def _meant(kind: Bits | Layout) -> int:
    """The bits that a value may have: in roles and rights, those with a name."""
    if isinstance(kind, Layout) and kind.name in ROLES:
        return sum(field.mask for field in kind.fields)
    return (1 << kind.width) - 1


def _random_host(rng: Random, side: Side) -> Value:
    rare = {name: rng.random() < 0.95 for name in ("ept", "enable_ept")}
    return host(side, **{field.name: rng.random() < 0.75 for field in side.record(HOST).fields} | rare)


def _random_l1(rng: Random, side: Side) -> Value:
    names = ("five_level", "accessed_dirty", "mbec", "execute_only", "page_2m", "advanced_exit_info")
    flags = {name: rng.random() < 0.5 for name in names}
    return l1(side, rng.choice(WIDTHS), **flags, page_1g=flags["page_2m"] and rng.random() < 0.7)


def _random_selection(rng: Random, side: Side) -> Value:
    """The same with controls that KVM does not offer."""
    names = (
        "supervisor_shadow_stack",
        "ept_violation_ve",
        "sub_page_write",
        "paging_write",
        "guest_paging_verification",
    )
    chosen = dict(zip((field.name for field in side.record(L1).fields), _random_l1(rng, side), strict=True))
    return tuple((chosen | {name: rng.random() < 0.1 for name in names}).values())


def _random_walk(rng: Random, side: Side) -> Value:
    _, *rest = random_case(rng)[0]
    return (_random_l1(rng, side), *rest)


def _random_entry(rng: Random, side: Side) -> int:
    rights, rest = rng.choice(patterns(0, 1, 2, 10)), random_bits(rng, 64)
    return rights | (rest if rng.random() < 0.5 else rest & ~0x7F)


def _random_role(rng: Random, side: Side) -> int:
    kind = side.type(ROLES[0])
    assert isinstance(kind, Layout)
    return random_bits(rng, 32) & _meant(kind) & ~0xF | rng.randint(1, 5)


def _random_asked(rng: Random, side: Side) -> int:
    """What KVM asks a walk of EPT12 for."""
    return random_bits(rng, 34) & ASKED


def _random_fault(rng: Random, side: Side) -> int:
    """The error code of an access that permissions[] has an element for."""
    return _random_asked(rng, side) | rng.choice((0, 1)) | rng.choice((0, 1 << 48))


def _random_walker(rng: Random, side: Side) -> Value:
    """What a walk of EPT12 may end in."""
    return rng.randrange(8), True, rng.choice((0, 9)) | _random_asked(rng, side), rng.getrandbits(9)


def _random_l1tf(rng: Random, side: Side) -> int:
    return rng.choice((0, *(0x1F << width - 5 for width in WIDTHS[:4])))


OF_TYPES: dict[str, Callable[[Random, Side], Any]] = {
    HOST: _random_host,
    L1: _random_l1,
    "sdm.ept.walk.EptWalk": _random_walk,
    "sdm.ept.entry.EptEntry": _random_entry,
    "kvm.spte.Spte": _random_entry,
    "kvm.asm_kvm_host.KvmMmuPageRole": _random_role,
}
OF_INPUTS: dict[tuple[str, str], Callable[[Random, Side], Any]] = {
    ("permission_fault", "access"): _random_fault,
    ("walk_addr_generic", "access"): _random_asked,
    ("nested_ept_inject_page_fault", "walker"): _random_walker,
    ("guest_gpte_access", "gpte"): lambda rng, side: random_bits(rng, 64) | 1,
    ("make_small_spte", "offset"): lambda rng, side: rng.getrandbits(9) << 21,
    ("make_mmio_spte", "l1tf"): _random_l1tf,
    ("get_mmio_spte_gpa", "l1tf"): _random_l1tf,
    ("get_mmio_spte_gpa", "lower"): lambda rng, side: rng.getrandbits(40) << 12,
    ("l1_runs_l2", "l1"): _random_selection,
    ("evmcs_filter_2ndexec", "host"): lambda rng, side: host(side),
}
"""Values that are not any of their type; kvm_limits.py says why."""
