"""KVM's rules by z3, by the interpreter, and by models/kvm, where each of their clauses just holds and just does not.

For each clause of each rule under `specs/kvm`, in every version, the solver chooses two inputs within the limits of
kvm_limits.py, as in test_specs_solver.py. Hosts, and what L1 selects, are its choice; masks and MMUs follow from them.
"""

from __future__ import annotations

import pytest
from comparison import say
from kvm_comparisons import Comparison, comparisons
from kvm_versions import Side, side
from spec_clauses import Chosen, decided_by, differences, prepare

from models.kvm import VERSIONS
from verifier.types import typed

NEVER = "nothing of the kind is there, so the clause is constant, or one beside it"
IMPLIED = "where it says no, so does another clause"
NO_EXIT_INFO = {
    "nested_exit_info_allowed.ept_caps": NEVER,
    "exit_info_offered.kvm": NEVER,
    "exit_info_offered.user_space": NEVER,
}
UNDECIDING: dict[str, dict[str, str]] = {
    "old": NO_EXIT_INFO
    | {
        "cpu_has_ept_mbec.optional": NEVER,
        "enable_mbec.parameter": NEVER,
        "gmet_enabled.parameter": NEVER,
        "mbec_offered.kvm": NEVER,
        "mbec_offered.user_space": NEVER,
        "mmu_has_mbec.role": NEVER,
        "nested_mbec_allowed.secondary_ctls_high": NEVER,
        "restores_mbec.offered": NEVER,
        "vmcs12_refused.without_ept": IMPLIED,
    },
    "rfc": NO_EXIT_INFO
    | {
        "gmet_enabled.parameter": NEVER,
        "has_pt_guest_exec_control.parameter": IMPLIED,
        "has_pt_guest_exec_control.vmcs01": IMPLIED,
        "mmu_has_mbec.role": NEVER,
        "nested_mbec_allowed.enable_ept": IMPLIED,
    },
    "v1": NO_EXIT_INFO | {"enable_mbec.parameter": NEVER, "gmet_enabled.parameter": NEVER},
    "v3": {},
    "v5": {"nested_mbec_allowed.enable_ept": IMPLIED},
    "newest": {"nested_mbec_allowed.enable_ept": IMPLIED},
}
"""The clauses on which their rules never depend, exactly."""


def rules(one: Side) -> list[typed.Function]:
    """The rules of KVM with at least one parameter."""
    named = (f for f in one.functions.values() if isinstance(f.body, typed.RuleBody) and not f.missing)
    return sorted(named, key=lambda f: f.name)


def model_differs(found: Comparison | None, chosen: Chosen) -> bool:
    """Whether models/kvm says otherwise than the solver."""
    return found is not None and bool(found.modelled(chosen.arguments)) != chosen.value


@pytest.mark.parametrize("name", VERSIONS)
def test_solver_interpreter_and_model_agree_where_each_clause_just_decides(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    one, inputs, failing, undeciding = side(name), 0, list[str](), set[str]()
    for function in rules(one):
        found = comparisons(one).get(function.short_name)
        rule = prepare(found.specified.function, found.limits()) if found else prepare(function, [])
        for position, clause in enumerate(rule.clauses):
            chosen = decided_by(rule, position)
            inputs += len(chosen)
            failing += [line for each in chosen for line in differences(rule, each)]
            failing += [f"{function.name} at {each.arguments}" for each in chosen if model_differs(found, each)]
            if not chosen:
                undeciding.add(f"{function.short_name}.{clause.name}")
    say(capsys, f"KVM's rules, z3 against interpreter and models/kvm, {name}", inputs, len(failing))
    assert not failing, failing[0]
    assert undeciding == UNDECIDING[name].keys()
