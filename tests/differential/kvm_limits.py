"""What no input has, and why: where the two sides are meant to differ.

Each limit has an input beyond it at which they do, so that one which is no longer needed is found out. The first ones
concern every function that takes a value of the type; they are expressions, so that the solver keeps them, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kvm_inputs import host, l1
from kvm_versions import HOST, L1, Side

from verifier.types import typed
from verifier.types.kinds import BOOL, Record

Beyond = Callable[[Side], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Limit:
    """`beyond` are inputs of `function` beyond the limit at which the sides differ in `version`."""

    name: str
    because: str
    function: str
    beyond: Beyond
    version: str = "v5"


@dataclass(frozen=True, slots=True)
class TypeLimit:
    """`holds` of every value of the type, but in functions of the module `but_in`."""

    limit: Limit
    type: str
    holds: Callable[[Side, typed.Expr], typed.Expr]
    but_in: str = "-"


def _field(value: typed.Expr, name: str) -> typed.Expr:
    assert isinstance(value.type, Record)
    position = value.type.position(name)
    return typed.GetField(value, position, BOOL, value.span)


def _rule(side: Side, name: str, value: typed.Expr) -> typed.Expr:
    return typed.Call(side.checked.functions[name], (value,), BOOL, value.span)


TYPE_LIMITS = (
    TypeLimit(
        Limit(
            "EPT is on",
            "without it KVM builds other page tables, with other masks",
            "page_fault_can_be_fast",
            lambda side: {"host": host(side, enable_ept=False), "error_code": 0},
        ),
        HOST,
        lambda side, value: _rule(side, "kvm.vmx.enable_ept", value),
        but_in="kvm.vmx.",
    ),
    TypeLimit(
        Limit(
            "MAXPHYADDR is one number",
            "the model has a width, the specifications the bits beyond it",
            "rsvd_bits_mask",
            lambda side: {"gpte": 0, "at": 1, "l1": (*l1(side)[:-1], 1 << 45)},
        ),
        L1,
        lambda side, value: _rule(side, "sdm.ept.controls.maxphyaddr_is_valid", value),
    ),
    TypeLimit(
        Limit(
            "1-GByte pages come with 2-MByte pages",
            "KVM knows the largest page; it offers L1 both, always",
            "rsvd_bits_mask",
            lambda side: {"gpte": 0, "at": 2, "l1": l1(side, page_2m=False)},
        ),
        L1,
        lambda side, value: typed.Logic(
            "implies", (_field(value, "page_1g"), _field(value, "page_2m")), BOOL, value.span
        ),
    ),
)


def limits_of(side: Side, function: typed.Function, params: tuple[typed.Param, ...]) -> list[typed.Expr]:
    """What holds of every input of a function."""
    values = [typed.Var(param.name, param.type, function.span) for param in params]
    return [
        one.holds(side, value)
        for one in TYPE_LIMITS
        for value in values
        if isinstance(value.type, Record) and value.type.name == one.type and not function.name.startswith(one.but_in)
    ]


def _npt(side: Side, **given: Any) -> tuple[Any, ...]:
    """A KvmMmu of other page tables than EPT, with SMAP."""
    smap = 1 << 4
    flag = (False,) if side.name == "rfc" else ()
    return (0, smap), 0, False, False, *flag


LIMITS = (
    *(one.limit for one in TYPE_LIMITS),
    Limit(
        "an error code has no RSVD",
        "KVM warns of it, and takes it for what says that SMAP does not apply",
        "permission_fault",
        lambda side: {
            "vcpu": side.call("l2_vcpu", host(side), l1(side)),
            "mmu": _npt(side),
            "pte_access": 5,
            "pte_pkey": 0,
            "access": 1 << 3,
        },
    ),
    Limit(
        "an error code asks for nothing that permissions[] has no element for",
        "KVM warns of protection keys and shadow stacks; the model refuses them",
        "permission_fault",
        lambda side: {
            "vcpu": side.call("l2_vcpu", host(side), l1(side)),
            "mmu": _npt(side),
            "pte_access": 5,
            "pte_pkey": 0,
            "access": 1 << 5,
        },
    ),
    Limit(
        "L1 selects no control that KVM does not offer",
        "L2 would not run; the specifications hand such a control on",
        "vmcs02_controls",
        lambda side: {"host": host(side), "l1": l1(side, paging_write=True)},
    ),
    Limit(
        "a part of a huge page begins where a page of its size may",
        "the model counts parts, the specifications bytes",
        "make_small_spte",
        lambda side: {
            "host": host(side),
            "l1": l1(side),
            "npt": False,
            "huge": 0,
            "role_access": 0,
            "at_4k": False,
            "offset": 1 << 12,
        },
    ),
    Limit(
        "an entry of other page tables is present",
        "before ACC_READ_MASK, P stands for the right to execute in the kernel, and for nothing in the specifications",
        "guest_gpte_access",
        lambda side: {"gpte": 0},
        "old",
    ),
    Limit(
        "the address bits of an MMIO entry are whole pages",
        "the model keeps page numbers, the specifications addresses",
        "get_mmio_spte_gpa",
        lambda side: {"spte": 1, "l1tf": 0, "lower": 1},
    ),
    Limit(
        "a walk sets no bit above 8 of a qualification",
        "the model replaces those that walks set, the specifications those that L1 may be told of",
        "nested_ept_inject_page_fault",
        lambda side: {
            "walker": (0, True, 0, 1 << 9),
            "l1": l1(side, advanced_exit_info=True),
            "exit": (True, 0),
            "access": 0,
        },
        "newest",
    ),
    Limit(
        "a shadow page with children is above the lowest level",
        "4 bits go round below 0, the model's number does not",
        "kvm_mmu_child_role",
        lambda side: {"parent": 0, "direct": False, "access": 0},
    ),
    Limit(
        "bits of a role without a name are clear",
        "the model has no place for them",
        "kvm_mmu_child_role",
        lambda side: {"parent": 1 << 21 | 2, "direct": False, "access": 0},
    ),
    Limit(
        "rfc's vCPU has the flag for MBEC where enlightened VMCS is asked",
        "the specifications say so (`reading`); the kernel asks the vCPU",
        "evmcs_filter_2ndexec",
        lambda side: {"host": host(side, enable_mbec=False), "allowed": 1 << 22},
        "rfc",
    ),
)
