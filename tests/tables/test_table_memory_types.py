"""Effective memory types."""

import pytest
from ept_cases import rows

from models.sdm.ept.memory_type import effective_memory_type

ENCODINGS = {"UC": 0, "WC": 1, "WT": 4, "WP": 5, "WB": 6, "UC-": 7}
PAT_TYPES = ("UC", "UC-", "WC", "WT", "WP", "WB")
CELLS = [(row[0], pat, cell) for row in rows("memory_types") for pat, cell in zip(PAT_TYPES, row[1:], strict=True)]


@pytest.mark.parametrize(("ept", "pat", "expected"), CELLS)
def test_each_cell_of_the_table_holds(ept, pat, expected):
    entry = ENCODINGS[ept] << 3
    assert effective_memory_type(entry, ENCODINGS[pat], cache_disabled=False) == expected


@pytest.mark.parametrize(("ept", "pat", "_"), CELLS)
def test_ignore_pat_gives_the_ept_type_and_a_disabled_cache_uncacheable(ept, pat, _):
    entry = ENCODINGS[ept] << 3 | 1 << 6
    assert effective_memory_type(entry, ENCODINGS[pat], cache_disabled=False) == ept
    assert effective_memory_type(entry, ENCODINGS[pat], cache_disabled=True) == "UC"
