"""Nested scenarios of `slat walk`: KVM's shadow MMU on the reference MMU.

In: a slat-nested-scenario-1 document. Out: what becomes of L2's access (slat-nested-outcome-1), and its headlines.
Guarantee: the headlines say what is in force: vmcs02 as KVM computed it, EPT12 as L1 chose it.
Trusted: no, checked by tests/unit/verifier/cli.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.kvm import Nested
from models.kvm.scenario import NestedScenario, read_nested_scenario, render_nested, run
from models.scenario import Document
from models.sdm import Step
from models.sdm.vmx import controls as ctl
from verifier.cli.walk_setting import describe_guest, describe_request
from verifier.reports.walk_text import Setting

SECONDARY = (
    (ctl.ENABLE_EPT, "EPT"), (ctl.UNRESTRICTED_GUEST, "unrestricted guest"), (ctl.MODE_BASED_EXECUTE_CONTROL, "MBE"),
)  # fmt: skip


def perform(document: object) -> tuple[Document, Setting]:
    """The answer to a parsed scenario, with its steps, and what a drawing says around it. Raises `InputError`."""
    scenario = read_nested_scenario(document)
    trace: list[Step] = []
    nested, answer = run(scenario, trace)
    rendered = render_nested(nested, answer, trace)
    mode_based = bool(ctl.secondary_in_force(scenario.vmcs12) & ctl.MODE_BASED_EXECUTE_CONTROL)
    headlines = (
        describe_request(scenario.request, scenario.guest),
        f"L2     {', '.join(describe_guest(scenario.guest))}",
        f"EPT12  {', '.join(_ept12(scenario))}",
        f"vmcs02 {', '.join(_vmcs02(nested))}",
        f"KVM    {', '.join(_kvm(nested))}",
    )
    return rendered, Setting(headlines, mode_based, scenario.memory)


def _names(secondary: int) -> Iterator[str]:
    return (name for mask, name in SECONDARY if secondary & mask)


def _ept12(scenario: NestedScenario) -> Iterator[str]:
    vmcs12, secondary = scenario.vmcs12, ctl.secondary_in_force(scenario.vmcs12)
    if not secondary & ctl.ENABLE_EPT:
        yield "none: L2 runs on L1's guest-physical addresses"
        return
    yield f"EPTP {hex(vmcs12.eptp)}"
    yield f"{(vmcs12.eptp >> 3 & 7) + 1} levels"
    if vmcs12.eptp & 1 << 6:
        yield "accessed and dirty flags"
    yield from list(_names(secondary))[1:]


def _vmcs02(nested: Nested) -> Iterator[str]:
    if nested.running is None:
        yield "none"
        return
    vmcs02 = nested.running.vmcs02
    yield f"EPTP {hex(vmcs02.eptp)}"
    yield f"secondary controls {hex(vmcs02.secondary_controls)}: {', '.join(_names(vmcs02.secondary_controls))}"


def _kvm(nested: Nested) -> Iterator[str]:
    setting, kvm = nested.setting, nested.kvm
    yield setting.version.name
    yield f"MAXPHYADDR {setting.host.processor.maxphyaddr}"
    yield "MBEC" if kvm.enable_mbec else "no MBEC"
    if kvm.nx_huge_pages:
        yield "NX huge pages"
    yield f"EPT01 {hex(setting.ept01)}" if setting.ept01 is not None else "L1's memory in slots"
