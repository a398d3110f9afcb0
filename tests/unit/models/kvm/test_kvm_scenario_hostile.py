"""Whatever stands in a nested scenario, the answer is a document or an `InputError`."""

import json
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st
from unit.models import hostile
from unit.models.hostile import VALUES, WORDS, places

from models.kvm import VERSIONS
from models.kvm.scenario import answer_nested

OUTCOMES = {"ok", "page_fault", "fixed_by_l0", "reflected_exit", "vmcs12_entry_failure", "stuck"}
EXAMPLE = {
    "schema": "slat-nested-scenario-1",
    "series": "v5",
    "host": {
        "cpu": {"maxphyaddr": 40, "ept_vpid_cap": "0x6734141"},
        "parameters": {"nx_huge_pages": True},
        "user_space": {"secondary_controls": "0x400082"},
    },
    "vmcs12": {"eptp": "0x101e", "primary_controls": "0x80000000", "secondary_controls": "0x400082"},
    "memory": {"0x1000": 0x2407, "0x2000": 0x3407, "0x3000": 0x4407, "0x4000": 0x20437},
    "guest": {"cr0": "0x80050033", "cr3": 0, "cr4": "0x2020", "efer": "0xd00", "cpl": 0, "rflags": 2},
    "access": {"kind": "fetch", "guest_physical_address": "0x123"},
}
SLOT = {"guest_physical_address": 0, "host_physical_address": 0, "size": "0x40000"}


def changed(**sections) -> dict:
    """The example with keys of its sections replaced."""
    scenario = json.loads(json.dumps(EXAMPLE))
    for section, keys in sections.items():
        scenario[section] = scenario.get(section, {}) | keys if isinstance(keys, dict) else keys
    return scenario


BASES = [
    EXAMPLE,
    changed(series="rfc", host={"memory_slots": [SLOT]}),
    changed(series="v1", vmcs12={"eptp": "0x105e"}, access={"kind": "write", "guest_physical_address": 0}),
    changed(series="old", vmcs12={"secondary_controls": 0}),
    changed(vmcs01={"eptp": "0x101e"}),
    changed(access="load_pdptes") | {"access": {"kind": "load_pdptes"}},
    changed() | {"access": {"kind": "read", "linear_address": 0}},
]


PLACES = places(BASES)
KEYS = sorted({place[-1] for place in PLACES} | {"l1tf", "shadow_pages", "undefined_bits", "features"})


def answer_or_error(text: str) -> dict | None:
    return hostile.answer_or_error(text, lambda scenario: answer_nested(scenario, steps=True), OUTCOMES)


@settings(max_examples=200, deadline=None, print_blob=True)
@given(VALUES)
def test_any_json_value_is_answered_or_refused(value):
    assert answer_or_error(json.dumps(value)) is None


@settings(max_examples=600, deadline=None, print_blob=True)
@given(st.sampled_from(BASES), st.sampled_from(PLACES), VALUES)
def test_any_value_in_any_place_of_a_nested_scenario_is_answered_or_refused(base, place, value):
    scenario = json.loads(json.dumps(base))
    owner = reduce(lambda part, key: part.setdefault(key, {}), place[:-1], scenario)
    owner[place[-1]] = value
    answer_or_error(json.dumps(scenario))


@settings(max_examples=300, deadline=None, print_blob=True)
@given(st.sampled_from(BASES), st.sampled_from(["host", "vmcs12", "guest", "access"]), st.data())
def test_any_key_in_any_section_of_a_nested_scenario_is_answered_or_refused(base, section, data):
    scenario = json.loads(json.dumps(base))
    scenario[section][data.draw(st.one_of(st.sampled_from(KEYS), st.text(max_size=5)))] = data.draw(VALUES)
    answer_or_error(json.dumps(scenario))


@settings(max_examples=200, deadline=None, print_blob=True)
@given(st.sampled_from(BASES), st.data())
def test_truncated_and_spliced_nested_scenarios_are_answered_or_refused(base, data):
    text = json.dumps(base)
    cut, resume = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, len(text)))
    answer_or_error(text[:cut] + data.draw(st.text(max_size=3)) + text[resume:])


ENTRIES = st.one_of(WORDS, st.integers(0, 0xFFF).map(lambda low: hex(0x2000 | low)))
MEMORIES = st.dictionaries(st.integers(0x1000 >> 3, 0x6000 >> 3).map(lambda at: hex(at << 3)), ENTRIES)
SECTIONS = st.fixed_dictionaries(
    {
        "series": st.sampled_from(list(VERSIONS)),
        "vmcs12": st.fixed_dictionaries(
            {
                "eptp": st.sampled_from(["0x101e", "0x105e", "0x1026", "0x101f", "0xfffffff01e"]),
                "secondary_controls": st.sampled_from([0, 2, 0x82, 0x400082, 0x400000, 0x400002]),
            }
        ),
        "guest": st.fixed_dictionaries(
            {
                "cr0": st.sampled_from([0x80050033, 0x33, 0x30, 0x80000001]),
                "cr4": st.sampled_from([0x2020, 0x2000, 0x302020]),
                "efer": st.sampled_from([0xD00, 0, 0x500]),
                "cpl": st.sampled_from([0, 3]),
                "cr3": st.sampled_from([0, 0x1000, "0xfffffff000"]),
            }
        ),
    }
)


@settings(max_examples=600, deadline=None, print_blob=True)
@given(SECTIONS, MEMORIES, st.sampled_from(BASES), st.booleans())
def test_well_formed_nested_scenarios_are_answered_or_refused(sections, memory, base, with_ept01):
    scenario = json.loads(json.dumps(base)) | {"series": sections["series"]}
    scenario["host"].pop("user_space", None)
    for name in ("vmcs12", "guest"):
        scenario[name] |= sections[name]
    scenario["memory"] |= memory
    if with_ept01 and "memory_slots" not in scenario["host"]:
        scenario["vmcs01"] = {"eptp": "0x101e"}
    answer_or_error(json.dumps(scenario))
