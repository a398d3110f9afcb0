"""#VE: which violations convert, and what is written."""

import pytest
from two_dimensions import HOST_TARGET, LINEAR, TARGET, Tables, four_levels, linear_access, machine

from models.sdm import (
    Circumstances,
    EptMisconfiguration,
    EptViolation,
    PhysicalAccess,
    VirtualizationException,
    access,
)

AREA = 0x7777_0000
CONTROLS = {"secondary_controls": 0x40_0082 | 1 << 18, "ve_information_address": AREA, "eptp_index": 0x1234}
SUPPRESS = 1 << 63
READ = 1


def denied_write(rights: int = READ) -> Tables:
    tables = four_levels()
    tables.map(TARGET, HOST_TARGET, rights)
    return tables


def test_a_violation_is_delivered_as_an_exception_with_its_information():
    tables = denied_write()
    tables.memory[AREA + 32] = 0xABCD_EF01_2345_6789
    outcome = linear_access(tables, "write", **CONTROLS)
    assert isinstance(outcome, VirtualizationException)
    address = TARGET | LINEAR & 0xFFF
    assert outcome.memory_written == {
        AREA: 0xFFFF_FFFF_0000_0030,
        AREA + 8: outcome.qualification,
        AREA + 16: LINEAR,
        AREA + 24: address,
        AREA + 32: 0xABCD_EF01_2345_1234,
    }
    assert (outcome.guest_physical_address, outcome.eptp_index) == (address, 0x1234)
    assert outcome.qualification & 0x1FF == 0x18A
    assert not outcome.intercepted


def test_without_the_control_it_exits():
    assert isinstance(linear_access(denied_write(), "write"), EptViolation)


def test_suppress_ve_of_the_entry_that_maps_the_page_decides_after_a_complete_walk():
    tables = denied_write(READ | SUPPRESS)
    assert isinstance(linear_access(tables, "write", **CONTROLS), EptViolation)
    tables = denied_write()
    for level in (2, 3, 4):
        tables.memory[tables.ept(TARGET, level)] |= SUPPRESS
    assert isinstance(linear_access(tables, "write", **CONTROLS), VirtualizationException)


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_suppress_ve_of_the_entry_that_is_not_present_decides_otherwise(level):
    for suppress in (0, SUPPRESS):
        tables = denied_write()
        tables.memory[tables.ept(TARGET, level)] = suppress
        expected = EptViolation if suppress else VirtualizationException
        assert isinstance(linear_access(tables, "write", **CONTROLS), expected)


def test_misconfigurations_never_convert():
    assert isinstance(linear_access(denied_write(2), "write", **CONTROLS), EptMisconfiguration)


def test_an_area_in_use_makes_it_exit_and_is_left_alone():
    for word, expected in (
        (1 << 32, EptViolation),
        (1 << 63, EptViolation),
        (0xFFFF_FFFF, VirtualizationException),
    ):
        tables = denied_write()
        tables.memory[AREA] = word
        outcome = linear_access(tables, "write", **CONTROLS)
        assert isinstance(outcome, expected)
        assert (AREA in outcome.memory_written) == (expected is VirtualizationException)


@pytest.mark.parametrize("flag", ["event_delivery", "asynchronous"])
def test_event_delivery_and_asynchronous_accesses_exit(flag):
    around = {"circumstances": Circumstances(**{flag: True})}
    assert isinstance(linear_access(denied_write(), "write", around, **CONTROLS), EptViolation)


def test_real_address_mode_exits():
    tables = Tables()
    request = PhysicalAccess(kind="read", guest_physical_address=TARGET)
    real_mode = machine(tables, cr0=0x30, efer=0, cr4=0x2000, **CONTROLS)
    assert isinstance(access(real_mode, request), EptViolation)


def test_bit_20_of_the_exception_bitmap_intercepts_the_exception_once_delivered():
    outcome = linear_access(denied_write(), "write", exception_bitmap=1 << 20, **CONTROLS)
    assert isinstance(outcome, VirtualizationException)
    assert outcome.intercepted
    assert AREA in outcome.memory_written


def test_an_address_too_wide_for_the_walk_exits():
    tables = Tables()
    request = PhysicalAccess(kind="read", guest_physical_address=1 << 48)
    assert isinstance(access(machine(tables, raw_maxphyaddr=52, **CONTROLS), request), EptViolation)


def test_a_violation_on_a_guest_table_converts_too():
    tables = four_levels()
    tables.memory[tables.ept(0x10_0000, 1)] = 0
    outcome = linear_access(tables, **CONTROLS)
    assert isinstance(outcome, VirtualizationException)
    assert outcome.guest_linear_address == LINEAR


def test_an_access_without_a_linear_address_stores_0():
    tables = Tables()
    request = PhysicalAccess(kind="read", guest_physical_address=TARGET, linear_address_valid=False)
    outcome = access(machine(tables, **CONTROLS), request)
    assert isinstance(outcome, VirtualizationException)
    assert outcome.guest_linear_address == 0
