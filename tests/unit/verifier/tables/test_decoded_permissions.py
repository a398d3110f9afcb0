"""permissions[], decoded: against the words of the kernel's own functions, and against the interpreter."""

from __future__ import annotations

import tomllib

import pytest
from decoded import ROOT, definitions, regular, row, rows

from verifier.tables.accesses import PFERR, accesses
from verifier.tables.mmus import KINDS, make_mmu
from verifier.tables.origin import origins
from verifier.tables.permissions import FAULT, PERMISSIONS, elements, sections
from verifier.tables.version import field_of

PRINTED = {
    case["name"]: tuple(int(word, 16) for word in case["words"].split())
    for case in tomllib.loads((ROOT / "tests" / "tables" / "kvm_permissions.toml").read_text())["case"]
}
CASES = [
    ("old", "ept", {}, "EPT before MBEC"),
    ("old", "guest", {}, "64-bit paging before MBEC"),
    ("v5", "ept", {"mbec": 0}, "EPT without MBEC"),
    ("v5", "ept", {"mbec": 1}, "EPT with MBEC"),
    ("v5", "npt", {"gmet": 0}, "nested NPT without GMET"),
    ("v5", "npt", {"gmet": 1}, "nested NPT with GMET"),
    ("v5", "guest", {}, "64-bit paging with SMEP and SMAP"),
]
KIND_OF_MMU = [(word, variant) for word, kind in KINDS.items() for variant in kind.variants]


def section(label: str, word: str, **settings: int):
    (found,) = sections(definitions(label), KINDS[word], settings)
    return found


@pytest.mark.parametrize(("label", "word", "settings", "printed"), CASES)
def test_the_elements_are_those_that_the_kernels_function_printed(label, word, settings, printed):
    version = definitions(label)
    assert elements(version, make_mmu(version, KINDS[word], settings)) == PRINTED[printed]
    facts = dict(section(label, word, **settings).facts)
    assert tuple(int(shown, 16) for shown in facts["permissions[]"].split()) == PRINTED[printed]


def test_with_mbec_a_fetch_from_a_user_mode_address_needs_the_right_of_its_own():
    shown = section("v5", "ept", mbec=1)
    user = row(shown, "accesses", access="fetch", mode="user (U)")
    supervisor = row(shown, "accesses", access="fetch", mode="supervisor (S)")
    assert (user["element"], user["faults if"]) == (("0x0f0f",), "!ux")
    assert (supervisor["element"], supervisor["faults if"]) == (("0x00ff",), "!x")
    rule = row(shown, "rules", rule=user["rules"][0])
    assert rule["name"] == "ept_fetch_faults"
    assert rule["says"] == "if mmu.cpu_role.base.cr4_smep && index[1] then ~USER"
    place, cite = rule["where"]
    assert cite == 'LINUX "update_permission_bitmask()"'
    file, line = place.split(":")
    assert "cr4_smep && index[1]" in (ROOT / file).read_text().splitlines()[int(line) - 1]


def test_without_mbec_both_modes_fetch_by_one_right_and_stand_in_one_row():
    shown = section("v5", "ept", mbec=0)
    assert row(shown, "accesses", access="fetch")["mode"] == "supervisor (S), user (U)"
    assert row(shown, "accesses", access="fetch")["faults if"] == "!x"


def test_before_mbec_the_variants_do_not_differ_and_are_one_table():
    (both,) = sections(definitions("old"), KINDS["ept"], {})
    assert "mbec=0 or mbec=1" in both.title
    without, having = sections(definitions("v5"), KINDS["ept"], {})
    assert ("mbec=0" in without.title, "mbec=1" in having.title) == (True, True)


def test_smap_stops_supervisor_reads_of_user_pages_unless_ac_is_set_and_then_implicit_ones_only():
    shown = section("v5", "guest")
    assert row(shown, "accesses", access="read", index=("0",))["faults if"] == "!r || u"
    assert row(shown, "accesses", access="read", index=("4",))["mode"] == "supervisor with EFLAGS.AC (A)"
    assert row(shown, "accesses", access="read", index=("0",))["mode"] == "supervisor (S), implicit supervisor (I)"
    assert row(section("v5", "guest", cr4_smap=0), "accesses", access="read", index=("0", "4"))["faults if"] == "!r"


def test_a_version_that_does_not_ask_the_array_says_so():
    shown = section("v1", "ept", mbec=1)
    assert all("not asked" in row["element"] for row in rows(shown, "accesses"))
    assert {row["name"] for row in rows(shown, "rules")} == {"mbec_permission_fault"}
    assert all("not asked" not in row["element"] for row in rows(section("v5", "ept", mbec=1), "accesses"))


@pytest.mark.parametrize("label", regular())
@pytest.mark.parametrize(("word", "variant"), KIND_OF_MMU)
def test_an_access_faults_exactly_where_a_rule_is_named(label, word, variant):
    version = definitions(label)
    mmu = make_mmu(version, KINDS[word], variant)
    present = field_of(version.layout(PFERR), "present").mask
    function = version.function(FAULT)
    (shown,) = sections(version, KINDS[word], dict(variant))
    by_access = {}
    for entry in rows(shown, "rights"):
        acc = int(str(entry.pop("ACC_*")).split()[0], 16)
        for head, cell in entry.items():
            kind, letters = head.split()
            by_access |= {(kind, letter, acc): cell for letter in letters}
    for access in accesses(version, mmu):
        for acc in range(1 << version.layout("kvm.acc.Acc").width):
            arguments = version.arguments(
                FAULT, vcpu=access.vcpu, mmu=mmu.value, pte_access=acc, pte_pkey=0, access=access.code
            )
            faults = bool(version.number(FAULT, vcpu=access.vcpu, mmu=mmu.value, pte_access=acc, pte_pkey=0,
                                         access=access.code) & present)  # fmt: skip
            assert bool(origins(function, arguments, present)) == faults
            assert (by_access[access.kind, access.mode.letter, acc] != ".") == faults


@pytest.mark.parametrize("label", ["old", "v5"])
def test_an_element_has_no_bit_without_an_origin_and_a_zero_has_none(label):
    version = definitions(label)
    mmu = make_mmu(version, KINDS["guest"], {})
    for index in range(16):
        for bit in range(16):
            found = origins(version.function(PERMISSIONS), (mmu.value, index), 1 << bit)
            assert bool(found) == bool(elements(version, mmu)[index] >> bit & 1)
