"""Whatever stands in a scenario, the answer is a document or an `InputError`."""

import json
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st
from test_scenario import EXAMPLE, changed
from unit.models import hostile
from unit.models.hostile import VALUES, WORDS, places

from models.scenario import answer

OUTCOMES = {
    "ok",
    "page_fault",
    "ept_violation",
    "ept_misconfiguration",
    "virtualization_exception",
    "spp_event",
    "vm_entry_failure",
}
BASES = [
    EXAMPLE,
    changed(vmcs={"secondary_controls": 0}),
    changed(guest={"efer": "0x800", "pdptes": [1, 1, 1, 1]}),
    EXAMPLE | {"access": {"kind": "write", "guest_physical_address": 0}},
]


PLACES = places(BASES)
KEYS = sorted({place[-1] for place in PLACES} | {"features", "pdptes", "pin_controls", "shadow_stack"})


def answer_or_error(text: str) -> dict | None:
    return hostile.answer_or_error(text, lambda scenario: answer(scenario, steps=True), OUTCOMES)


@settings(max_examples=300, deadline=None, print_blob=True)
@given(st.text())
def test_any_text_is_answered_or_refused(text):
    answer_or_error(text)


@settings(max_examples=300, deadline=None, print_blob=True)
@given(VALUES)
def test_any_json_value_is_answered_or_refused(value):
    answer_or_error(json.dumps(value))


@settings(max_examples=600, deadline=None, print_blob=True)
@given(st.sampled_from(BASES), st.sampled_from(PLACES), VALUES)
def test_any_value_in_any_place_is_answered_or_refused(base, place, value):
    scenario = json.loads(json.dumps(base))
    owner = reduce(lambda part, key: part.get(key, {}), place[:-1], scenario)
    owner[place[-1]] = value
    answer_or_error(json.dumps(scenario))


@settings(max_examples=300, deadline=None, print_blob=True)
@given(st.sampled_from(BASES), st.sampled_from(["cpu", "vmcs", "guest", "access"]), st.data())
def test_any_key_in_any_section_is_answered_or_refused(base, section, data):
    scenario = json.loads(json.dumps(base))
    scenario[section][data.draw(st.one_of(st.sampled_from(KEYS), st.text(max_size=5)))] = data.draw(VALUES)
    answer_or_error(json.dumps(scenario))


@settings(max_examples=300, deadline=None, print_blob=True)
@given(st.sampled_from(BASES), st.data())
def test_truncated_and_spliced_lines_are_answered_or_refused(base, data):
    text = json.dumps(base)
    cut = data.draw(st.integers(0, len(text)))
    resume = data.draw(st.integers(0, len(text)))
    answer_or_error(text[:cut] + data.draw(st.text(max_size=3)) + text[resume:])


GUESTS = st.fixed_dictionaries(
    {
        "cr0": st.sampled_from([0x80050033, 0x80040033, 0x33, 0x30, 0x80000001, 0xC0000011]),
        "cr3": WORDS,
        "cr4": st.sampled_from([0x2020, 0x2000, 0x2010, 0x3020, 0x802020, 0x302020, 0x1C02020]),
        "efer": st.sampled_from([0xD00, 0x500, 0x800, 0, 0x100]),
        "cpl": st.integers(0, 3),
        "rflags": st.sampled_from([2, 0x40002, 0x20002]),
    }
)
CONTROLS = st.fixed_dictionaries(
    {
        "eptp": st.sampled_from([0x60001E, 0x60005E, 0x600026, 0x60009E, 0x600000]),
        "secondary_controls": st.sampled_from([0, 0x2, 0x82, 0x400082, 0xC40082, 0x400080]),
    }
)
MEMORIES = st.dictionaries(st.integers(0x600000 >> 3, 0x610000 >> 3).map(lambda at: hex(at << 3)), WORDS)
ACCESSES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["read", "write", "rmw", "fetch", "load_pdptes"]),
        "linear_address": st.one_of(st.integers(0, (1 << 64) - 1), st.integers(0, 1 << 33)),
    }
)


@settings(max_examples=600, deadline=None, print_blob=True)
@given(GUESTS, CONTROLS, MEMORIES, ACCESSES)
def test_well_formed_scenarios_are_answered_or_refused(guest, vmcs, memory, access):
    answer_or_error(json.dumps(changed(guest=guest, vmcs=vmcs, memory=memory, access=access)))


def test_lines_of_a_megabyte_are_refused_in_time_and_space():
    long = "f" * 1_000_000
    for text in (
        json.dumps(changed(guest={"cr3": "0x" + long})),
        json.dumps(changed(memory={"0x" + long: "0x0"})),
        json.dumps(changed(memory={"0x600008": "0x" + long})),
        json.dumps(EXAMPLE).replace('"0x610000"', "9" * 1_000_000),
        json.dumps(EXAMPLE)[:-1] + " " * 1_000_000,
        long,
    ):
        assert answer_or_error(text) is None


def test_a_large_memory_is_read_whole():
    memory = {hex(at): hex(at) for at in range(0, 8 * 100_000, 8)}
    assert answer_or_error(json.dumps(changed(memory=memory)))
