"""What kvm_worlds.py has no world of, and what test_kvm_shadow.py does not compare: for each an access at which KVM's
shadow and the tables that it stands for do differ. Where none does any more, the exception can go.

Memory that L1 cannot write, or does not have, and new generations of memory slots are in test_kvm_corners.py.
"""

from __future__ import annotations

from typing import Any

import pytest
from test_kvm_corners import ALL, CAPS, CPU, GUEST, PAGE, WB, XU, R, X, entered, l1, vmcs12

from models.kvm import ReflectedExit, UserSpace
from models.kvm import Stuck as Gone
from models.sdm import (
    Circumstances,
    EptViolation,
    InputError,
    LinearAccess,
    Machine,
    PageFault,
    PhysicalAccess,
    Processor,
    Translated,
    access,
)

READ_ONLY = l1(PAGE | R | WB)


def directly(memory: dict[int, int], request: Any, cpu: Processor = CPU) -> Any:
    """What the processor that L1 believes to have makes of the access."""
    return access(Machine(processor=cpu, vmcs=vmcs12(), guest=GUEST, memory=memory), request)


@pytest.mark.parametrize("rights", [X | XU, R | X, R | XU], ids=["no reading", "XS alone", "XU alone"])
def test_an_ept01_that_denies_l1_more_than_writing_is_refused(rights: int) -> None:
    ept01 = {0x60_0000: 0x60_1000 | ALL, 0x60_1000: rights | WB | 1 << 7}
    with pytest.raises(InputError, match="EPT01 never denies"):
        entered(l1(PAGE | ALL | WB) | ept01, ept01=0x60_001E).access(ordinary("read"))


def ordinary(kind: Any, **given: Any) -> PhysicalAccess:
    return PhysicalAccess(kind=kind, guest_physical_address=0x123, **given)


def test_kvm_does_not_look_at_address_bits_that_four_levels_do_not_translate() -> None:
    cpu = Processor(maxphyaddr=52, raw_maxphyaddr=52, ept_vpid_cap=CAPS)
    request = PhysicalAccess(kind="read", guest_physical_address=1 << 48)
    assert isinstance(directly(l1(PAGE | ALL | WB), request, cpu), EptViolation)
    assert isinstance(entered(l1(PAGE | ALL | WB), cpu=cpu).access(request).final, Gone)


def test_an_l1_that_believes_in_fewer_address_bits_gets_no_page_fault_for_the_others() -> None:
    tables = {PAGE + 0x1000 * n: 0x1000 * (n + 1) | 0x67 for n in range(3)} | {PAGE + 0x3000: 0x4067 | 1 << 38}
    memory = l1(*(PAGE + 0x1000 * n | ALL | WB for n in range(5))) | tables
    narrow = Processor(maxphyaddr=36, raw_maxphyaddr=36, ept_vpid_cap=CAPS)
    request = LinearAccess(kind="read", linear_address=0x123)
    assert isinstance(directly(memory, request, narrow), PageFault)
    assert isinstance(entered(memory, user_space=UserSpace(maxphyaddr=36)).access(request).final, ReflectedExit)


@pytest.mark.parametrize(
    ("bit", "request_"),
    [
        (12, ordinary("write", circumstances=Circumstances(nmi_unblocking_by_iret=True))),
        (13, ordinary("write", shadow_stack=True)),
        (16, ordinary("write", circumstances=Circumstances(asynchronous=True))),
    ],
    ids=["NMI unblocking", "shadow stack", "asynchronous"],
)
def test_a_bit_of_the_qualification_is_not_forwarded(bit: int, request_: PhysicalAccess) -> None:
    expected, final = directly(READ_ONLY, request_), entered(READ_ONLY).access(request_).final
    assert isinstance(expected, EptViolation)
    assert isinstance(final, ReflectedExit)
    assert (expected.qualification ^ final.exit_qualification) & expected.defined == 1 << bit


def test_the_memory_type_is_neither_that_of_ept12_nor_of_ept01() -> None:
    uncacheable = l1(PAGE | ALL)
    expected, final = directly(uncacheable, ordinary("read")), entered(uncacheable).access(ordinary("read")).final
    assert isinstance(expected, Translated)
    assert isinstance(final, Translated)
    assert (expected.effective_memory_type, final.effective_memory_type) == ("UC", "WB")
