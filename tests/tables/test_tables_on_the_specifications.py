"""The tables of presence and misconfiguration, on the specifications."""

from itertools import product

import pytest
from differential.spec_side import call, make, number, record
from ept_cases import ALL_CAPABILITIES, chain, physical, rows

from models.sdm import EptMisconfiguration

CONTROLS = "sdm.ept.controls.EptControls"
LEVELS = ("PTE", "PDE", "PDPTE", "PML4E", "PML5E")
COLUMNS = ((False, False), (False, True), (True, False), (True, True))
VERDICTS = {
    ("".join(row[:4]), *column): verdict
    for row in rows("presence")
    for column, verdict in zip(COLUMNS, row[4:], strict=True)
}
RESERVED_TYPES = {2, 3, 7}


def controls(**given):
    plain = {field.name: False for field in record(CONTROLS).fields}
    return make(
        record(CONTROLS), **{**plain, "beyond_maxphyaddr": 0xFFF << 40, "page_2m": True, "page_1g": True, **given}
    )


def judge(entry, level, given):
    """NP, MC or ok, as the table says it."""
    at = number("sdm.ept.entry.EptLevel", level)
    if not call("sdm.ept.entry.present", entry, given):
        return "NP"
    return "MC" if call("sdm.ept.misconfiguration.misconfigured", entry, at, given) else "ok"


@pytest.mark.parametrize("level", LEVELS)
def test_presence_and_misconfiguration_are_those_of_the_table_at_every_level(level):
    for (rights, mbe, execute_only), verdict in VERDICTS.items():
        entry = int(rights[2::-1], 2) | int(rights[3]) << 10
        given = controls(mbec=mbe, execute_only=execute_only)
        assert judge(entry, level, given) == verdict, (rights, mbe, execute_only)


def test_misconfiguration_over_all_low_bits_bit_10_and_controls_is_the_same_by_hand_by_specification_and_by_model():
    for low, xu, mbe, execute_only in product(range(64), (0, 1), (False, True), (False, True)):
        entry = low | xu << 10
        rights = "".join(str(bit) for bit in (low & 1, low >> 1 & 1, low >> 2 & 1, xu))
        by_hand = VERDICTS[rights, mbe, execute_only]
        if by_hand == "ok" and low >> 3 in RESERVED_TYPES:
            by_hand = "MC"
        given = controls(mbec=mbe, execute_only=execute_only)
        assert judge(entry, "PTE", given) == by_hand, (hex(entry), mbe, execute_only)
        capabilities = ALL_CAPABILITIES if execute_only else ALL_CAPABILITIES & ~1
        outcome = physical(chain(0x407, 0x407, 0x407, entry), mbe=mbe, capabilities=capabilities)
        assert isinstance(outcome, EptMisconfiguration) == (by_hand == "MC"), (hex(entry), mbe, execute_only)
