"""Which functions of specs/kvm are compared with models/kvm, on which inputs, and which are not, and why."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from random import Random
from typing import Any

import kvm_of_controls
import kvm_of_roles
import kvm_of_sptes
import kvm_of_walks
from comparison import shrink
from kvm_domains import DOMAINS
from kvm_inputs import all_values, random_value
from kvm_limits import limits_of
from kvm_versions import Compared, Side, compared, plain

from verifier.core.interpret import evaluate
from verifier.core.show import show_value
from verifier.types import typed
from verifier.types.kinds import Enum, Record, Type

PART_OF_PERMISSIONS = "a part of permission_fault(), which is compared whole"
PART_OF_MAKE_SPTE = "a part of make_spte(), which is compared whole"
PART_OF_WALKS = "a part of walk_addr_generic(), which is compared whole"
COMPOSED = "composed of functions that are compared; test_kvm_shadow.py compares the whole with the tables"
LEFT_OUT: dict[str, str] = {
    "host_is_consistent": "what the specifications assume of a processor; see kvm_limits.py",
    "tdx_is_sept_violation_unexpected_pending": "models/kvm has no TDX",
    "gmet_enabled": "models/kvm is told whether GMET is on",
    "permission_index": PART_OF_PERMISSIONS,
    "faults": PART_OF_PERMISSIONS,
    "guest_faults": PART_OF_PERMISSIONS,
    "ept_fetch_faults": PART_OF_PERMISSIONS,
    "pkey_fault": PART_OF_PERMISSIONS,
    "pkru_bits": PART_OF_PERMISSIONS,
    "allowed_access": PART_OF_MAKE_SPTE,
    "access_bits": PART_OF_MAKE_SPTE,
    "writable": PART_OF_MAKE_SPTE,
    "memory_type_bits": PART_OF_MAKE_SPTE,
    "ad_type": PART_OF_MAKE_SPTE,
    "without_unreadable_user_execution": PART_OF_MAKE_SPTE,
    "spte_format": "a part of spte_permission_fault(), which is compared whole",
    "level_of": "a part of is_rsvd_spte(), which is compared whole",
    "present_bits": "a part of vmx_handle_ept_violation(), which is compared whole",
    "injected_mask": "a part of nested_ept_inject_page_fault(), which is compared whole",
    "from_hardware": "models/kvm is told whether a fault is from hardware",
    "visited": PART_OF_WALKS,
    "raw_access": PART_OF_WALKS,
    "walked_access": PART_OF_WALKS,
    "walk_end": PART_OF_WALKS,
    "protect_clean_gpte": PART_OF_WALKS,
    "synthesized": PART_OF_WALKS,
    "nonpaging_gva_to_gpa": "a call of vmx_translate_nested_gpa(), which is compared",
    "table_access": "a call of vmx_translate_nested_gpa(), which is compared",
    "same_shadow_page": "models/kvm compares roles by Python's equality",
    "vmcs12_of": "a record made of another",
    "empty_ept02": COMPOSED,
    "mapped_ept02": COMPOSED,
    "spte_rights": COMPOSED,
    "l2_rights": COMPOSED,
    "shadow_spte": COMPOSED,
    "direct_spte": COMPOSED,
    "hardware_fault": COMPOSED,
    "first_touch": COMPOSED,
    "ept_violation_read_to_prot": "one of three parts of what models/kvm has whole",
    "ept_violation_write_to_prot": "one of three parts of what models/kvm has whole",
    "ept_violation_exec_to_prot": "one of three parts of what models/kvm has whole",
}
LEFT_OUT_IN: dict[tuple[str, str], str] = {
    ("v1", "enable_mbec"): "v1 has no such parameter; nested_mbec_allowed is compared",
    ("rfc", "mmu_has_mbec"): "rfc asks the vCPU: has_pt_guest_exec_control is compared",
    ("rfc", "kvm_init_shadow_ept_mmu"): "rfc's vCPU has a flag that this leaves open: l2_vcpu is compared",
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison:
    """A function on both sides."""

    side: Side
    name: str
    specified: Compared
    asked: Callable[..., Any]

    def sides(self, values: tuple[Any, ...]) -> tuple[Any, Any]:
        """What the specifications and the model say."""
        return _shown(self.name, self.specified.value(values)), self.modelled(values)

    def modelled(self, values: tuple[Any, ...]) -> Any:
        """What the model says."""
        return self.asked(self.side, **dict(zip(self.specified.inputs, values, strict=True)))

    def differs(self, values: tuple[Any, ...]) -> bool:
        """Whether they differ, or the model does not take these inputs at all."""
        try:
            one, other = self.sides(values)
        except ValueError:
            return True
        return one != other

    def admits(self, values: tuple[Any, ...]) -> bool:
        """Whether no limit is passed."""
        env = dict(zip(self.specified.inputs, values, strict=True))
        return all(evaluate(limit, env) for limit in self.limits())

    def limits(self) -> list[typed.Expr]:
        """What holds of every input."""
        return limits_of(self.side, self.side.functions[self.name], self.specified.function.params)

    def fails(self, values: tuple[Any, ...]) -> bool:
        """Whether the sides differ at an input that is one."""
        kinds = self.specified.inputs.values()
        known = all(_has(kind, value) for kind, value in zip(kinds, values, strict=True))
        return known and self.admits(values) and self.differs(values)

    def explain(self, values: tuple[Any, ...]) -> str:
        """The input made small, and what the sides say there."""
        small = shrink(values, self.fails)
        one, other = self.sides(small)
        shown = ", ".join(
            f"{name}: {show_value(value, kind)}"
            for (name, kind), value in zip(self.specified.inputs.items(), small, strict=True)
        )
        return f"{self.side.name} {self.name}({shown}): specifications {one}, models/kvm {other}"


def _has(kind: Type, value: Any) -> bool:
    """Whether every enum in it is a member."""
    match kind:
        case Enum():
            return any(number == value for _, number in kind.members)
        case Record():
            return all(_has(field.kind, part) for field, part in zip(kind.fields, value, strict=True))
        case _:
            return True


def _shown(name: str, said: Any) -> Any:
    """Without what a walk grants where it ends in a fault: nobody asks."""
    return (0, *said[1:]) if name == "walk_addr_generic" and said[1] else said


@cache
def questions() -> dict[str, Callable[..., Any]]:
    """The functions that models/kvm is asked, by name."""
    modules = (kvm_of_controls, kvm_of_roles, kvm_of_sptes, kvm_of_walks)
    return {
        name: function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }


@cache
def comparisons(side: Side) -> dict[str, Comparison]:
    """Every function that both sides have in a version, by name."""
    found = dict[str, Comparison]()
    for name, function in sorted(side.functions.items()):
        if name in questions() and not function.missing and (side.name, name) not in LEFT_OUT_IN:
            own = {plain(param) for param in function.params}
            asked = inspect.signature(questions()[name]).parameters.values()
            inputs = [p.name for p in asked if p.default is p.empty or p.name in own]
            found[name] = Comparison(side, name, compared(side, name, tuple(inputs[1:])), questions()[name])
    return found


# ---- inputs


def all_that_matter(one: Comparison) -> Iterator[tuple[Any, ...]]:
    """Every input of the function's domains."""
    for domain in DOMAINS[one.name](one.side):
        values = [domain.get(name) or all_values(kind) for name, kind in one.specified.inputs.items()]
        assert None not in values, (one.name, domain.keys())
        yield from product(*[each for each in values if each is not None])


def random_inputs(one: Comparison, seed: int, count: int) -> Iterator[tuple[Any, ...]]:
    """So many inputs within the limits."""
    rng = Random(f"{seed}/{one.side.name}/{one.name}")
    while count:
        kinds = one.specified.inputs.items()
        values = tuple(random_value(rng, one.side, (one.name, name), kind) for name, kind in kinds)
        if one.admits(values):
            count -= 1
            yield values
