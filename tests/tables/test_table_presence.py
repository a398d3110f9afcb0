"""The truth table of presence and misconfiguration, on every level of a walk."""

import pytest
from ept_cases import ALL_CAPABILITIES, MAPS_PAGE, WRITE_BACK, chain, physical, rows

from models.sdm import EptMisconfiguration, EptViolation, Translated

COLUMNS = ((False, False), (False, True), (True, False), (True, True))
CASES = [
    (row[:4], mbe, execute_only, verdict)
    for row in rows("presence")
    for (mbe, execute_only), verdict in zip(COLUMNS, row[4:], strict=True)
]
ALL = 0x407  # R, W, X or XS, XU
CHAINS = {
    "PML4E": lambda low: chain(low, ALL, ALL, ALL | WRITE_BACK),
    "PDPTE": lambda low: chain(ALL, low, ALL, ALL | WRITE_BACK),
    "PDPTE of a page": lambda low: chain(ALL, low | MAPS_PAGE | WRITE_BACK),
    "PDE": lambda low: chain(ALL, ALL, low, ALL | WRITE_BACK),
    "PDE of a page": lambda low: chain(ALL, ALL, low | MAPS_PAGE | WRITE_BACK),
    "PTE": lambda low: chain(ALL, ALL, ALL, low | WRITE_BACK),
}


def test_the_table_names_every_combination_of_rights_once():
    assert sorted(row[:4] for row in rows("presence")) == sorted(list(f"{value:04b}") for value in range(16))


@pytest.mark.parametrize("level", CHAINS)
def test_every_row_holds_at_every_level(level):
    for (r, w, xs, xu), mbe, execute_only, verdict in CASES:
        low = int(r) | int(w) << 1 | int(xs) << 2 | int(xu) << 10
        capabilities = ALL_CAPABILITIES if execute_only else ALL_CAPABILITIES & ~1
        outcome = physical(CHAINS[level](low), mbe=mbe, capabilities=capabilities)
        if verdict == "MC":
            assert isinstance(outcome, EptMisconfiguration), (r, w, xs, xu, mbe, execute_only)
        elif verdict == "NP":
            assert isinstance(outcome, EptViolation), (r, w, xs, xu, mbe, execute_only)
            assert outcome.qualification & 0x78 == 0
        elif r == "1":
            assert isinstance(outcome, Translated), (r, w, xs, xu, mbe, execute_only)
        else:  # usable, but not readable: the walk completes and the read is denied
            assert isinstance(outcome, EptViolation), (r, w, xs, xu, mbe, execute_only)
            assert outcome.qualification & 0x78, "the rights of a complete walk are reported"
