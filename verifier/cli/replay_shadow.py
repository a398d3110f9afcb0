"""Escalations: what EPT12 denies L2, and the entry that KVM made of it lets pass.

In: the values of a claim about `specs/kvm/shadow.slat`. Out: both walks of one such access, if there is one.
Guarantee: L1 runs L2, and EPT12 lets the access pass for which KVM mapped the page; both walks are in memory of their
own, as the reference MMU can run them.
Trusted: no, checked by tests/unit/verifier/cli.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from verifier.cli.replay_ept import ORDINARY, Specification, fields_of, kind_of, usual_accesses
from verifier.cli.replay_scenario import Fields
from verifier.core.interpret import apply
from verifier.core.show import show_value
from verifier.core.values import Value
from verifier.types import typed
from verifier.types.kinds import Bool, Layout, Record, Type

HOST, USER_SPACE, WALK, REQUEST, CAUSE = "KvmHost", "UserSpace", "EptWalk", "SpteRequest", "Pferr"
CONTROLS, SPTE, VCPU, MMU = "EptControls", "Spte", "KvmVcpu", "KvmMmu"
SIGNATURES = {
    "shadow.l1_runs_l2": (HOST, USER_SPACE, CONTROLS, "bool"),
    "shadow.l2_vcpu": (HOST, CONTROLS, VCPU),
    "shadow.shadow_spte": (HOST, WALK, REQUEST, CAUSE, SPTE),
    "shadow.mapped_ept02": (HOST, CONTROLS, SPTE, WALK),
    "paging_tmpl.walk_addr_generic": (VCPU, MMU, WALK, CAUSE, "GuestWalker"),
}
"""The functions that are asked: parameters and result."""
WALKER = "paging_tmpl.walk_addr_generic"
ORDER = (2, 5, 1, 0)
"""Of the usual accesses: a fetch in either mode, a write, a read."""
ROOT, TABLES = 0x1000, {"pml4e": 0x2000, "pdpte": 0x3000, "pde": 0x4000}
"""Where EPT02 begins here, and what its upper entries point to."""


@dataclass(frozen=True, slots=True)
class Shadowed:
    """An access through two walks; `role` is the shadow root's, `cause` the error code for which KVM maps the page."""

    access: Value
    ept12: Value
    ept02: Value
    role: str
    cause: str


@dataclass(frozen=True, slots=True)
class Shadow:
    """The functions of a version that say what KVM maps for L2, and those of EPT."""

    functions: dict[str, typed.Function]
    ept: Specification

    def escalation(self, claim: typed.Claim, env: dict[str, Value]) -> Shadowed | None:
        """The first access that EPT12 denies and EPT02 lets pass; None where there is none, or for another claim."""
        given = {str(param.type): (env[param.name], param.type) for param in claim.params}
        if len(given) < len(claim.params) or not {HOST, USER_SPACE, WALK, REQUEST, CAUSE} <= given.keys():
            return None
        host, user_space, ept12, request, cause = (given[n][0] for n in (HOST, USER_SPACE, WALK, REQUEST, CAUSE))
        controls = fields_of(self.ept.walk, ept12)["controls"]
        vcpu = self._call("shadow.l2_vcpu", host, controls)
        mmu = self._parts("shadow.l2_vcpu", vcpu)["mmu"]
        walked = self._call(WALKER, vcpu, mmu, ept12, cause)
        if not self._call("shadow.l1_runs_l2", host, user_space, controls) or self._parts(WALKER, walked)["fault"]:
            return None
        spte = self._call("shadow.shadow_spte", host, ept12, request, cause)
        ept02 = self._apart(self._call("shadow.mapped_ept02", host, controls, spte))
        usual = list(usual_accesses(self.ept))
        for access in (usual[position] for position in ORDER):
            if self._passes(ept02, access) and not self._passes(ept12, access):
                return Shadowed(access, ept12, ept02, self._role(mmu), _flags(given[CAUSE][1], cause))
        return None

    def _call(self, name: str, *arguments: Value) -> Any:
        return apply(self.functions[name], arguments)

    def _parts(self, name: str, value: Value) -> Fields:
        """The result of a function by the names of its fields."""
        return fields_of(self.functions[name].result, value)

    def _passes(self, walk: Value, access: Value) -> bool:
        return self.ept.verdict(walk, access, ORDINARY).outcome == "TRANSLATED"

    def _apart(self, walk: Value) -> Value:
        """EPT02 with its tables in different places."""
        parts = fields_of(self.ept.walk, walk)
        moved = {name: parts[name] | address for name, address in TABLES.items()}
        return tuple((parts | moved | {"root": ROOT}).values())

    def _role(self, mmu: Value) -> str:
        kind = kind_of(cast(Record, self.functions["shadow.l2_vcpu"].result), "mmu")
        return _flags(kind_of(cast(Record, kind), "root_role"), fields_of(kind, mmu)["root_role"])


def shadow(checked: typed.Checked, ept: Specification) -> Shadow | None:
    """The functions of a version, or None if one is missing there, or is another one."""
    functions = {name: checked.functions.get(f"kvm.{name}") for name in SIGNATURES}
    found = {name: function for name, function in functions.items() if function is not None}
    fits = (
        not f.missing and (*(str(p.type) for p in f.params), str(f.result)) == SIGNATURES[n] for n, f in found.items()
    )
    return Shadow(found, ept) if len(found) == len(functions) and all(fits) else None


def _flags(kind: Type, value: Value) -> str:
    """The fields of a bitfield that are not 0."""
    assert isinstance(kind, Layout)
    return " ".join(_set_fields(kind, cast(int, value)))


def _set_fields(kind: Layout, value: int) -> Iterator[str]:
    for field in kind.fields:
        part = (value & field.mask) >> field.low
        if part and isinstance(field.kind, Layout):
            yield f"{field.name}={'|'.join(_set_fields(field.kind, part))}"
        elif part:
            yield field.name if isinstance(field.kind, Bool) else f"{field.name}={show_value(part, field.kind)}"
