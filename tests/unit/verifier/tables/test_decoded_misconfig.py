"""Misconfigurations, decoded: against the hand-written rule, and KVM's view against the manual's."""

from __future__ import annotations

import pytest
from decoded import definitions, row, rows

from verifier.tables import misconfig


def refused(right: dict[str, bool], mbec: bool, execute_only: bool) -> str:
    """SDM "EPT Misconfigurations" and "EPT Translation Mechanism", for a 4-KByte page."""
    executes = right["x"] or (mbec and right["xu"])
    if not right["r"] and (right["w"] or (executes and not execute_only)):
        return "refused"
    return "ok" if right["r"] or right["w"] or executes else "not present"


@pytest.mark.parametrize("mbec", [0, 1])
@pytest.mark.parametrize("execute_only", [0, 1])
def test_each_combination_of_rights_is_judged_as_the_manual_says(mbec, execute_only):
    shown = rows(misconfig.section(definitions("v5")), "rights")
    assert len(shown) == 16
    for entry in shown:
        cells = str(entry["entry"]).split()
        right = {name: cell == name for name, cell in zip(("r", "w", "x", "xu"), cells, strict=True)}
        cell = entry[f"mbec={mbec} execute_only={execute_only}"]
        assert (cell if cell in ("ok", "not present") else "refused") == refused(right, bool(mbec), bool(execute_only))


def test_a_letter_stands_for_a_clause_of_the_rule_with_its_place_and_section():
    section = misconfig.section(definitions("v5"))
    writable = row(section, "rules", rule=row(section, "rights", entry="- w - --")["mbec=0 execute_only=0"])
    assert writable["name"] == "writable_but_not_readable"
    assert writable["where"][1] == 'SDM "EPT Misconfigurations"'
    both = row(section, "rights", entry="- w x --")["mbec=0 execute_only=0"]
    assert len(str(both).split()) == 2


def test_bit_12_of_a_large_page_is_reserved_and_bit_7_where_there_are_no_large_pages():
    section = misconfig.section(definitions("v5"))
    large = row(section, "reserved", entry="PDE, bit 7 = 1")
    assert large["with 2-MByte and 1-GByte pages"] == ("20:12",)
    assert large["without"] == ("20:12", "7")
    assert row(section, "reserved", entry="PTE")["without"] == ()


def test_memory_types_2_3_and_7_are_refused_in_a_page_and_any_but_0_beside_a_table():
    types = rows(misconfig.section(definitions("v5")), "memory_types")
    assert [r["value"] for r in types if r["maps a page"] != "ok"] == [2, 3, 7]
    assert [r["value"] for r in types if r["references a table"] == "ok"] == [0]


def differences(label: str) -> set[tuple[str, str]]:
    shown = rows(misconfig.walker_section(definitions(label)), "rights")
    return {(str(r["entry"]), column) for r in shown for column, cell in r.items() if str(cell).endswith("!")}


def test_kvm_sees_every_entry_as_the_manual_does_in_v5_and_not_in_the_rfc():
    assert differences("v5") == set()
    assert {entry for entry, _ in differences("rfc")} == {"- - - xu"}


def test_a_walker_that_folds_no_bit_10_accepts_what_the_processor_refuses():
    assert differences("i08_bad_mt_xwr_without_bit_10") == {("- - - xu", "mbec=1 execute_only=0")}
