"""EPTPs and controls that VM entry accepts and refuses."""

import pytest
from ept_cases import ROOT, WRITE_BACK, chain, machine, physical, rows, table

from models.sdm import PhysicalAccess, Translated, VmEntryFailure, access

EPTP_LINES = table("eptp")["table"].strip().splitlines()[1:]


@pytest.mark.parametrize("line", EPTP_LINES)
def test_an_eptp_is_valid_as_the_table_says(line):
    left, _, right = line.partition("|")
    eptp, *capability_bits = left.split()
    capabilities = sum(1 << int(bit) for bit in capability_bits)
    outcome = physical({}, eptp=int(eptp, 16), capabilities=capabilities)
    if right.split()[0] == "yes":
        assert not isinstance(outcome, VmEntryFailure)
    else:
        assert isinstance(outcome, VmEntryFailure)
        assert outcome.vm_instruction_error == 7


@pytest.mark.parametrize("row", rows("entry_controls"), ids=" ".join)
def test_controls_are_accepted_as_the_table_says(row):
    primary, secondary, tertiary, pin, verdict = row[:5]
    built = machine(
        chain(7, 7, 7, 7 | WRITE_BACK),
        primary=int(primary, 16),
        secondary=int(secondary, 16),
        tertiary=int(tertiary, 16),
        pin=int(pin, 16),
    )
    outcome = access(built, PhysicalAccess(kind="read", guest_physical_address=ROOT))
    if verdict == "ok":
        assert not isinstance(outcome, VmEntryFailure)
    else:
        assert isinstance(outcome, VmEntryFailure)
        assert outcome.vm_instruction_error == 7


def test_without_activated_secondary_controls_ept_is_off():
    built = machine({}, primary=0, secondary=0x2)
    outcome = access(built, PhysicalAccess(kind="write", guest_physical_address=0x1234))
    assert isinstance(outcome, Translated)
    assert outcome.host_physical_address == 0x1234
