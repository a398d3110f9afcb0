"""The order in which a walk finds things wrong."""

import pytest
from ept_cases import WRITE_BACK, chain, machine, rows

from models.scenario import render_outcome
from models.sdm import PhysicalAccess, access

ENTRIES = {"np": 0, "mc": 2, "ro": 1, "ok": 7}


@pytest.mark.parametrize("row", rows("priorities"), ids=" ".join)
def test_the_outcome_and_the_deciding_entry_are_those_of_the_table(row):
    *entries, expected, decided_by = row
    words = [ENTRIES[entry] for entry in entries]
    words[3] |= WRITE_BACK if words[3] else 0
    trace = []
    outcome = access(machine(chain(*words)), PhysicalAccess(kind="write", guest_physical_address=0), trace)
    assert render_outcome(outcome)["outcome"] == expected
    last = [step for step in trace if step.stage != "memory type"][-1]
    assert last.stage == ("EPT rights" if decided_by == "rights" else f"EPT {decided_by}")
