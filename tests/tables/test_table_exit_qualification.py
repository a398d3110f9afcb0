"""The exit qualification of EPT violations, and which of its bits are defined."""

from dataclasses import replace

import pytest
from ept_cases import RIGHTS, WRITE_BACK, chain, machine, table

from models.sdm import Circumstances, EptViolation, PhysicalAccess, access

SURROUNDINGS = {"event_delivery", "asynchronous", "nmi_unblocking_by_iret", "idt_vectoring_valid"}
CASES = table("exit_qualification")["case"]


def entry(rights: str) -> int:
    return 0 if rights == "-" else sum(RIGHTS[letter] for letter in rights)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"].replace(" ", "_"))
def test_the_qualification_and_its_undefined_bits_are_those_of_the_table(case):
    words = [entry(rights) for rights in case["entries"].split()]
    words[3] |= WRITE_BACK if words[3] else 0
    options = {key: case[key] for key in ("mbe", "flags", "sss", "advanced", "pin") if key in case}
    given = dict(case["access"])
    around = Circumstances(**{key: given.pop(key) for key in SURROUNDINGS & given.keys()})
    built = machine(chain(*words), **options)
    if given.get("shadow_stack"):
        built = replace(built, guest=replace(built.guest, cr4=0x80_2020, ia32_s_cet=1))
    outcome = access(built, PhysicalAccess(guest_physical_address=0, circumstances=around, **given))
    assert isinstance(outcome, EptViolation)
    assert {bit for bit in range(64) if outcome.qualification >> bit & 1} == set(case["set"])
    undefined = {bit for bit in range(17) if not outcome.defined >> bit & 1}
    assert undefined == set(case["undefined"])
    assert not outcome.defined >> 17
    assert not outcome.qualification & ~outcome.defined
