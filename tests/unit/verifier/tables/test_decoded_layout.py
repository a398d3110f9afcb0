"""Layouts in several versions, and the states of an SPTE."""

from __future__ import annotations

import tomllib

import pytest
from decoded import ROOT, definitions, regular, row, rows

from verifier.tables import layout, spte
from verifier.tables.version import Unanswerable

LAYOUTS = tomllib.loads((ROOT / "tests" / "tables" / "kvm_layouts.toml").read_text())
KNOWN_BAD = {
    "i10_saved_bits_without_bit_10": "a tracked entry does not remember user_exec",
    "i26_saved_bits_at_54": "a tracked entry does not remember user_exec",
    "i11_track_mask_without_bit_10": "a tracked entry is present to the processor",
    "i26_frozen_entry_with_bit_10": "a frozen entry is present to the processor",
    "i17_xu_mask_is_bit_2": "each set bit 2 of a page entry, on a host without mbec",
}


def places(text: str) -> dict[str, str]:
    """ "0:3 level, 4 direct" as positions by name, the higher bit first."""
    pairs = (part.split() for part in text.split(", "))
    return {name: ":".join(reversed(at.split(":"))) for at, name in pairs}


@pytest.mark.parametrize(("label", "column"), [("old", "old"), ("rfc", "rfc"), ("v1", "v1"), ("v5", "new")])
def test_the_bits_of_a_role_are_those_of_the_kernel(label, column):
    shown = layout.section("kvm.asm_kvm_host.KvmMmuPageRole", [definitions(label)])
    found = {str(r["field"]): str(r["bits"]) for r in rows(shown, "bits") if r["field"] != layout.NOBODY}
    assert found == places(LAYOUTS["role"][column])


def test_versions_that_agree_share_a_column_and_a_bit_that_they_disagree_on_says_so():
    versions = [definitions(label) for label in ("old", "rfc", "v1", "v5")]
    shown = layout.section("kvm.acc.Acc", versions)
    bits = rows(shown, "bits")
    assert list(bits[0]) == ["bits", "old", "rfc v1", "v5", "differs", "meaning"]
    assert [r["differs"] for r in bits] == ["two names", "two names", "", "two names"]
    moved = row(shown, "moved", field="exec")
    assert (moved["old"], moved["rfc v1"], moved["v5"]) == ("0", "0", "3")
    assert "write" not in {r["field"] for r in rows(shown, "moved")}
    spte_bits = layout.section("kvm.spte.Spte", [definitions("old"), definitions("v5")])
    assert row(spte_bits, "bits", bits="62")["differs"] == "not in all"


def test_a_bitfield_of_the_architecture_has_one_column_with_types_and_meanings():
    shown = layout.section("sdm.ept.entry.EptEntry", [definitions(label) for label in regular()])
    assert row(shown, "bits", bits="5:3")["type"] == "MemoryType"
    assert row(shown, "bits", bits="10")["field"] == "xu"
    assert [r["field"] for r in rows(shown, "bits") if r["bits"] == "56:52"] == [layout.NOBODY]


def test_every_bit_of_every_bitfield_is_shown_once():
    versions = [definitions(label) for label in regular()]
    for name in layout.bitfields(versions):
        shown = layout.section(name, versions)
        seen = [bit for r in rows(shown, "bits") for bit in covered(str(r["bits"]))]
        assert seen == list(range(len(seen) - 1, -1, -1)), name


def covered(bits: str) -> range:
    high, _, low = bits.partition(":")
    return range(int(high), int(low or high) - 1, -1)


def test_a_bitfield_that_no_version_has_is_no_table():
    with pytest.raises(Unanswerable, match=r"kvm\.spte\.Nothing"):
        layout.section("kvm.spte.Nothing", [definitions("v5")])


# ---- SPTEs


@pytest.mark.parametrize(("label", "column"), [("old", "old"), ("rfc", "rfc"), ("v5", "new")])
def test_the_software_bits_of_an_spte_are_those_of_the_kernel(label, column):
    expected, shown = LAYOUTS["spte"][column], rows(spte.section(definitions(label)), "states")

    def bits(state: str, word: str) -> list[int]:
        return [bit for r in shown if str(r[state]).startswith(word) for bit in covered(str(r["bits"]))]

    assert bits("page", "ad_type") == [expected["ad"] + 1, expected["ad"]]
    assert bits("page", "host_writable") == [expected["host_writable"]]
    assert bits("page", "mmu_writable") == [expected["mmu_writable"]]
    assert len(bits("MMIO", "gen[")) == expected["generation_bits"]
    assert min(bits("MMIO", "gen[")) == 3
    assert expected["generation_low"] in bits("MMIO", "gen[")
    assert expected["generation_low"] + 1 not in bits("MMIO", "gen[")
    assert sum(1 << bit for bit in bits("frozen", "1")) == 1 << 63 | expected["frozen"]
    assert bits("empty", "1") == [63]
    if label != "rfc":  # it saves the bits that `old` saves, and forgets bit 10
        assert sorted(bits("tracked", "saved_")) == expected["saved"]


def test_each_right_of_a_tracked_entry_is_saved_by_its_own_bit():
    writers = {str(r["field"]): r["tracked"] for r in rows(spte.section(definitions("v5")), "writers")}
    assert writers["saved_r"] == "read"
    assert writers["saved_xs"] == "exec"
    assert writers["saved_xu"] == "user_exec"


def test_the_states_are_told_apart_by_what_kvm_asks_and_only_pages_and_tables_grant_anything():
    asked = rows(spte.section(definitions("v5")), "recognised")
    states = ("page", "tracked", "table", "MMIO", "frozen", "empty")
    answers = {r["asked"]: [r[state] for state in states] for r in asked}
    assert answers["is_shadow_present_pte()"] == ["yes", "yes", "yes", "no", "no", "no"]
    assert answers["is_mmio_spte()"] == ["no", "no", "no", "yes", "no", "no"]
    assert answers["the processor"] == ["present", "absent", "present", "misconfigured", "absent", "absent"]


def test_a_bit_that_another_control_would_give_to_the_processor_is_named_with_the_control():
    notes = spte.section(definitions("v5")).notes
    assert any("Bit 60, ad_type to KVM, is sss to a processor with supervisor_shadow_stack" in note for note in notes)
    notes = spte.section(definitions("old")).notes
    assert any("Bit 57, host_writable to KVM, is vgp" in note for note in notes)


FROZEN = "CONFLICT: a frozen entry is present to the processor."
CONFLICTS = {
    "old": [],
    "rfc": ["CONFLICT: a tracked entry does not remember user_exec.", FROZEN],
    "v1": ["CONFLICT: a tracked entry is present to the processor.", FROZEN],
    "v5": [],
}


def conflicts(label: str) -> list[str]:
    return [note for note in spte.section(definitions(label)).notes if "CONFLICT" in note]


@pytest.mark.parametrize("label", CONFLICTS)
def test_what_does_not_fit_together_in_a_series_is_told_and_nothing_else(label):
    assert conflicts(label) == CONFLICTS[label]


@pytest.mark.parametrize("label", KNOWN_BAD)
def test_a_version_that_is_known_to_be_bad_has_its_conflict(label):
    assert any(KNOWN_BAD[label] in note for note in conflicts(label))
