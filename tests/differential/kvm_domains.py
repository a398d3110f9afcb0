"""All inputs that matter, for each function of KVM whose relevant bits are few.

`DOMAINS[NAME](side)` gives domains, each the values of every input; an input that is not there takes all of its type.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from kvm_inputs import every, host, l1, patterns
from kvm_versions import HOST, Side

from verifier.types.kinds import Layout

Domain = dict[str, Sequence[Any]]

RIGHTS = (0, 1, 2, 10)
"""R, W, X, XU of an entry."""
W, U, F, FINAL, PAGE = 1, 2, 4, 32, 33
"""Bits of an error code."""
ACCESS = (W, U, F, FINAL, PAGE)
IMPLICIT = 48
RELEVANT = {"old": ("execute_only",), "rfc": ("execute_only", "enable_mbec"), "v1": ("execute_only", "mbec")}
"""What of a host the shadow masks depend on, beside enable_mbec."""


def hosts(side: Side, *more: str) -> list[Any]:
    """Hosts that differ in their masks, and in what else is named."""
    return every(host, side, *RELEVANT.get(side.name, ("enable_mbec",)), *more)


def l1s(side: Side, *names: str) -> list[Any]:
    return every(l1, side, "mbec", *names)


def all_hosts(side: Side) -> list[Any]:
    """Whatever processor and parameters, NX huge pages apart."""
    names = [field.name for field in side.record(HOST).fields if field.name != "nx_huge_pages"]
    return every(host, side, *names)


def sptes(side: Side) -> list[int]:
    """Present entries with every combination of rights, saved rights, A/D type, and accessed flag."""
    new = side.model.read_right
    saved, kind = ((52, 54, 62), (60, 61)) if new else ((54, 56), (52, 53))
    written = 1 << 53 | 1 << 55 if new else 1 << 57 | 1 << 58
    return [spte | written | 1 << 11 | 0x4_0000_0000 for spte in patterns(*RIGHTS, *saved, *kind, 8)]


def requests(side: Side) -> list[Any]:
    """Every SpteRequest, for one page."""
    flags = product((False, True), repeat=7)
    return [(level, *some, 0xABC_4000_0123) for some in flags for level in (1, 2, 3)]


def role_words(side: Side, **flags: bool) -> tuple[int, int]:
    """A KvmCpuRole in which these fields have these values, whichever of its two words has them."""
    found = []
    for name in ("KvmMmuPageRole", "KvmMmuExtendedRole"):
        kind = side.type(f"kvm.asm_kvm_host.{name}")
        assert isinstance(kind, Layout)
        found.append(sum(flags.get(field.name, False) << field.low for field in kind.fields))
    return found[0], found[1]


MODES = ("cr0_wp", "efer_nx", "cr4_smep", "cr4_smap")


def mmus(side: Side, *modes: str, pke: bool = False) -> list[Any]:
    """KvmMmus of EPT and other page tables, of both levels, with every combination of these bits of the role."""
    made = []
    for ept, tdp, *flags in product((False, True), repeat=2 + len(modes)):
        role = role_words(side, **dict(zip(modes, flags, strict=True)), cr4_pke=pke)
        made.append((role, role[0], ept, tdp, *((False,) if side.name == "rfc" else ())))
    return made


def vcpus(
    side: Side, acs: tuple[bool, ...] = (False, True), pkrus: tuple[int, ...] = (0,), mbec: bool = False
) -> list[Any]:
    """vCPUs whose own MMU has MBEC or not, which v1 asks for; with it, of every privilege level."""
    _, mmu, *_ = side.call("l2_vcpu", host(side), l1(side, mbec=mbec))
    cpls = range(4) if mbec else (0,)
    return [(host(side), mmu, cpl, ac, pkru) for cpl, ac, pkru in product(cpls, acs, pkrus)]


def _permission_fault(side: Side) -> list[Domain]:
    asked = patterns(0, W, U, F)
    both = [access | implicit for access in asked for implicit in (0, 1 << IMPLICIT)]
    common = {"pte_pkey": (0,)}
    found = [
        common | {"vcpu": vcpus(side), "mmu": mmus(side, *MODES), "access": both},
        {
            "vcpu": vcpus(side, (False,), (0b0000, 0b0100, 0b1000, 0b1100)),
            "mmu": mmus(side, "cr0_wp", pke=True),
            "pte_pkey": (1,),
            "access": asked,
        },
    ]
    if side.name == "v1":
        found.append(common | {"vcpu": vcpus(side, mbec=True), "mmu": mmus(side), "access": both})
    return found


def _injected(side: Side) -> list[Domain]:
    walkers = [(0, True, error, low) for error, low in product((0, 1 << 3), patterns(0, 6, 7, 8))]
    return [
        {
            "walker": walkers,
            "l1": every(l1, side, "advanced_exit_info"),
            "exit": list(product((False, True), patterns(0, *range(7, 13)))),
            "access": (0, 1 << 3),
        }
    ]


def _handled(side: Side) -> list[Domain]:
    return [{"host": every(host, side, "enable_mbec"), "l1": l1s(side), "exit_qualification": range(1 << 13)}]


def _of_sptes(*more: str) -> Callable[[Side], list[Domain]]:
    def domain(side: Side) -> list[Domain]:
        return [{"host": hosts(side, *more), "l1": l1s(side) if side.name == "v1" else [l1(side)], "spte": sptes(side)}]

    return domain


def _split(side: Side) -> list[Domain]:
    return [
        {
            "host": hosts(side, "nx_huge_pages"),
            "l1": [l1(side)],
            "npt": (False,),
            "huge": sptes(side)[::2],
            "at_4k": (at_4k,),
            "offset": offsets,
        }
        for at_4k, offsets in ((True, (0, 0x5000)), (False, (0x20_0000,)))
    ]


def _asked_sptes(side: Side) -> list[Domain]:
    found = _of_sptes()(side)
    return [domain | {"error_code": patterns(W, U, F)} for domain in found]


def _generations() -> list[int]:
    """Every combination of every other bit, one more than any entry has room for."""
    return sorted({*patterns(*range(0, 20, 2)), *patterns(*range(1, 20, 2))})


DOMAINS: dict[str, Callable[[Side], list[Domain]]] = {
    "permissions": lambda side: [{"mmu": mmus(side, *MODES)}],
    "permission_fault": _permission_fault,
    "mbec_permission_fault": lambda side: [{"vcpu": vcpus(side, mbec=True), "access": patterns(0, W, U, F, 50)}],
    "is_present_gpte": lambda side: [
        {"host": every(host, side, "enable_mbec"), "l1": l1s(side), "gpte": patterns(*range(12))}
    ],
    "gpte_access": lambda side: [{"gpte": patterns(*range(12), 63)}],
    "guest_gpte_access": lambda side: [{"gpte": [1 | some for some in patterns(*range(1, 12), 63)]}],
    "is_bad_mt_xwr": lambda side: [{"pte": patterns(*range(12))}],
    "prefetch_invalid_gpte": lambda side: [
        {
            "host": every(host, side, "enable_mbec"),
            "l1": l1s(side, "accessed_dirty", "execute_only"),
            "gpte": patterns(*range(6), 8, 10),
        }
    ],
    "kvms_exit_qualification": lambda side: [
        {
            "host": every(host, side, "enable_mbec"),
            "l1": l1s(side),
            "raw": patterns(*RIGHTS),
            "access": patterns(*ACCESS),
        }
    ],
    "unreadable_table": lambda side: [
        {"host": every(host, side, "enable_mbec"), "l1": l1s(side), "access": patterns(*ACCESS)}
    ],
    "vmx_handle_ept_violation": _handled,
    "nested_ept_inject_page_fault": _injected,
    "vmx_translate_nested_gpa": lambda side: [{"access": patterns(0, *ACCESS)}],
    "page_fault_access": lambda side: [{"host": [host(side)], "l1": l1s(side), "access": patterns(W, U, F)}],
    "make_spte": lambda side: [
        {
            "host": hosts(side, "nx_huge_pages"),
            "l1": l1s(side) if side.name == "v1" else [l1(side)],
            "request": requests(side),
        }
    ],
    "make_small_spte": _split,
    "make_huge_spte": lambda side: [
        {"host": hosts(side, "nx_huge_pages"), "l1": [l1(side)], "small": [spte | 0x3F_F000 for spte in sptes(side)]}
    ],
    "make_spte_executable": _of_sptes(),
    "make_spte_nonexecutable": _of_sptes(),
    "mark_spte_for_access_track": _of_sptes(),
    "restore_acc_track_spte": _of_sptes(),
    "is_access_track_spte": _of_sptes(),
    "is_executable_pte": _of_sptes(),
    "is_executable_pte_in_mode": _of_sptes(),
    "is_executable_pte_fault": _asked_sptes,
    "is_access_allowed": _asked_sptes,
    "spte_permission_fault": _asked_sptes,
    "spte_access": _of_sptes(),
    "spte_ad_enabled": _of_sptes(),
    "is_shadow_present_pte": lambda side: [{"spte": patterns(*RIGHTS, 7, 11, 63)}],
    "grants_nothing": lambda side: [{"host": hosts(side)}],
    "page_fault_can_be_fast": lambda side: [
        {"host": every(host, side, "accessed_dirty", "enable_ept_ad_bits"), "error_code": patterns(*range(6))}
    ],
    "huge_page_disallowed": lambda side: [
        {"host": every(host, side, "nx_huge_pages"), "error_code": patterns(W, U, F)}
    ],
    "mmio_generation": lambda side: [{"gen": _generations()}],
    "generation_mmio_spte_mask": lambda side: [{"gen": _generations()}],
    "get_mmio_spte_generation": lambda side: [{"spte": patterns(2, 3, 4, 9, 10, 11, 52, 53, 61, 62, 63)}],
    "make_mmio_spte": lambda side: [
        {
            "host": [host(side)],
            "gen": _generations()[::3],
            "gpa": (0xF_FFFF_F000, 0),
            "access": (0, 7),
            "l1tf": (0, 0x1F << 31),
        }
    ],
    "is_mmio_spte": lambda side: [{"host": hosts(side), "spte": patterns(*RIGHTS, 3, 11, 51, 62, 63)}],
    "kvm_ad_enabled": lambda side: [{"host": every(host, side, "accessed_dirty", "enable_ept_ad_bits")}],
    "kvm_mmu_set_ept_masks": lambda side: [{"host": [one for one in all_hosts(side) if one[0] and one[5]]}],
    "vmcs01_controls": lambda side: [{"host": [one for one in all_hosts(side) if one[0] and one[5]]}],
    "vmcs02_controls": lambda side: [
        {"host": [one for one in all_hosts(side) if one[0] and one[5]], "l1": l1s(side, "five_level", "accessed_dirty")}
    ],
    "cpu_has_ept_mbec": lambda side: [{"host": all_hosts(side)}],
    "enable_ept": lambda side: [{"host": all_hosts(side)}],
    "enable_mbec": lambda side: [{"host": all_hosts(side)}],
    "has_pt_guest_exec_control": lambda side: [{"host": all_hosts(side)}],
    "vmcs01_mbec": lambda side: [{"host": all_hosts(side)}],
    "vt_tdp_has_smep": lambda side: [{"host": all_hosts(side)}],
    "nested_mbec_allowed": lambda side: [{"host": all_hosts(side)}],
    "nested_exit_info_allowed": lambda side: [{"host": all_hosts(side)}],
    "mbec_offered": lambda side: [{"host": all_hosts(side)}],
    "exit_info_offered": lambda side: [{"host": all_hosts(side)}],
    "restores_mbec": lambda side: [{"host": all_hosts(side)}],
    "vmcs12_refused": lambda side: [{"host": all_hosts(side)}],
    "vmcs12_mbec": lambda side: [{}],
    "vmcs02_mbec": lambda side: [{"host": all_hosts(side)}],
    "evmcs_filter_2ndexec": lambda side: [{"host": [host(side)], "allowed": patterns(1, 7, 17, 22)}],
    "kvm_calc_cpu_role": lambda side: [{}],
    "guest_level": lambda side: [{}],
    "kvm_init_shadow_npt_mmu": lambda side: [{}],
    "kvm_calc_shadow_ept_root_page_role": lambda side: [
        {"l1": l1s(side, "five_level", "accessed_dirty", "execute_only")}
    ],
    "kvm_init_shadow_ept_mmu": lambda side: [
        {"host": [host(side)], "l1": l1s(side, "five_level", "accessed_dirty", "execute_only")}
    ],
    "l2_vcpu": lambda side: [{"host": hosts(side), "l1": l1s(side, "five_level", "accessed_dirty", "execute_only")}],
    "mmu_has_mbec": lambda side: [{"host": hosts(side), "l1": l1s(side)}],
    "svm_translate_nested_gpa": lambda side: [{"access": patterns(0, *ACCESS)}],
    "cached_gmet": lambda side: [{"vmcb12_misc": patterns(0, 1, 2, 3, 4)}],
    "vmcb02_gmet": lambda side: [{"vmcb12_misc": patterns(0, 1, 2, 3, 4)}],
    "npf_error_code": lambda side: [{"exit_info": patterns(0, *ACCESS)}],
}
