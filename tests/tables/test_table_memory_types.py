"""Effective memory types."""

from ept_cases import rows
from sides import Row, hold
from spec_side import call, member

from models.sdm.ept.memory_type import effective_memory_type

ENCODINGS = {"UC": 0, "WC": 1, "WT": 4, "WP": 5, "WB": 6, "UC-": 7}
PAT_TYPES = ("UC", "UC-", "WC", "WT", "WP", "WB")
CELLS = [(row[0], pat, cell) for row in rows("memory_types") for pat, cell in zip(PAT_TYPES, row[1:], strict=True)]


def row(ept, pat, expected, ignore_pat=False, cache_disabled=False):
    def specs():
        arguments = ENCODINGS[ept], ignore_pat, ENCODINGS[pat], cache_disabled
        return member("sdm.ept.memory_type.MemoryType", call("sdm.ept.memory_type.effective_memory_type", *arguments))

    entry = ENCODINGS[ept] << 3 | ignore_pat << 6
    name = f"{ept} and {pat}" + ", ignoring PAT" * ignore_pat + ", CR0.CD" * cache_disabled
    return Row(name, expected, lambda: effective_memory_type(entry, ENCODINGS[pat], cache_disabled), specs)


def test_each_cell_of_the_table_holds_on_both_sides(capsys):
    hold(capsys, "memory_types", [row(*cell) for cell in CELLS])


def test_ignore_pat_gives_the_ept_type_and_a_disabled_cache_uncacheable_on_both_sides(capsys):
    rows_of_flags = [row(ept, pat, ept, ignore_pat=True) for ept, pat, _ in CELLS]
    rows_of_flags += [row(ept, pat, "UC", ignore, True) for ept, pat, _ in CELLS for ignore in (False, True)]
    hold(capsys, "memory_types, ignore PAT and CR0.CD", rows_of_flags)
