"""What catches a planted mistake, on whichever side it is: random cases, and the tables written out by hand."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from random import Random

import pytest
from spec_guests import random_guest_case
from spec_side import ROOT
from spec_walks import disagrees, random_case
from test_specs_guest_paging import observed, specified

TABLES = ROOT / "tests" / "tables"
GUESTS, WALKS = 600, 300


def random_cases_differ() -> bool:
    """Whether the specifications differ from the reference MMU on some random walk or guest."""
    rng = Random(1)
    if any(disagrees(random_case(rng)) for _ in range(WALKS)):
        return True
    cases = (random_guest_case(Random(f"1/{number}")) for number in range(GUESTS))
    return any(specified(case) != observed(case) for case in cases)


def some_row_fails() -> bool:
    """Whether some row of the architecture's tables fails."""
    files = [str(path) for path in sorted(TABLES.glob("test_table_*.py")) if "kvm" not in path.name]
    assert len(files) > 5
    with redirect_stdout(StringIO()):
        return pytest.main(["-q", "-x", "-p", "no:cacheprovider", *files]) != 0
