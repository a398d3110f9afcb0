"""The kinds of MMU that KVM sets up, and what their roles follow from.

In: a version, a kind, settings by name. Out: a `KvmMmu` of that version.
Guarantee: the role is what the specification makes of the settings; names of settings are those of its parameters.
Trusted: no, checked by tests/unit/verifier/tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from verifier.core.values import Value, zero
from verifier.tables.version import Definitions, Unanswerable, make, parameter, part
from verifier.types import typed
from verifier.types.kinds import Bits, Bool, Record, Type

MMU, ROLE = "kvm.permissions.KvmMmu", "kvm.asm_kvm_host.KvmCpuRole"


@dataclass(frozen=True, slots=True)
class Kind:
    """`function` makes the role, or the whole MMU, of settings; `variants` are shown if nothing else is asked for."""

    word: str
    title: str
    function: str
    settings: Mapping[str, int]
    variants: tuple[Mapping[str, int], ...]


PAGING = {"cr0_pg": 1, "cr0_wp": 1, "cr4_pae": 1, "efer_nx": 1, "efer_lma": 1}
KINDS = {
    "ept": Kind("ept", "shadow EPT: L1's EPT for L2", "kvm.role.kvm_init_shadow_ept_mmu", {},
                ({"mbec": 0}, {"mbec": 1})),
    "npt": Kind("npt", "nested NPT: L1's nested page tables for L2", "kvm.role.kvm_init_shadow_npt_mmu", PAGING,
                ({"gmet": 0}, {"gmet": 1})),
    "guest": Kind("guest", "a guest's own page tables", "kvm.role.kvm_calc_cpu_role",
                  {**PAGING, "cr4_smep": 1, "cr4_smap": 1}, ({},)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mmu:
    """An MMU of some kind, what its role follows from, and a `KvmMmu`."""

    kind: Kind
    settings: Mapping[str, int]
    value: Value


def settings_of(function: typed.Function) -> dict[str, Type]:
    """What a role follows from: the truth values and numbers among the function's parameters and their fields."""
    return dict(found for param in function.params for found in _settings(parameter(param), param.type))


def _settings(name: str, kind: Type) -> Iterator[tuple[str, Type]]:
    if isinstance(kind, Record):
        for field in kind.fields:
            yield from _settings(field.name, field.kind)
    elif isinstance(kind, (Bool, Bits)):
        yield name, kind


def make_mmu(version: Definitions, kind: Kind, given: Mapping[str, int]) -> Mmu:
    """The MMU of these settings; the others are as usual for the kind."""
    function = version.function(kind.function)
    known = settings_of(function)
    if unknown := given.keys() - known.keys():
        raise Unanswerable(
            f"`{kind.function}` does not follow from {', '.join(f'`{name}`' for name in sorted(unknown))}"
        )
    settings = {**{name: value for name, value in kind.settings.items() if name in known}, **given}
    arguments = {parameter(param): _argument(parameter(param), param.type, settings) for param in function.params}
    made = version.call(kind.function, **arguments)
    if function.result is version.record(ROLE):
        base = part(made, function.result, "base")
        made = make(version.record(MMU), cpu_role=made, root_role=base)
    return Mmu(kind, settings, made)


def _argument(name: str, kind: Type, settings: Mapping[str, int]) -> Value:
    match kind:
        case Record():
            return tuple(_argument(field.name, field.kind, settings) for field in kind.fields)
        case Bool():
            return bool(settings.get(name, 0))
        case Bits():
            return settings.get(name, 0)
        case _:
            return zero(kind)
