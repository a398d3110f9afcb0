"""Every bit of every EPT entry, one at a time."""

import pytest
from ept_cases import ALL_CAPABILITIES, MAPS_PAGE, WRITE_BACK, bit_ranges, chain, physical, table

from models.sdm import EptMisconfiguration, Translated

FORMATS = [(form, level) for form in table("entry_formats")["format"] for level in form["levels"]]
IGNORED_WITHOUT_CONTROL = {
    "ignored", "accessed", "dirty", "xu", "verify", "paging_write", "shadow_stack", "spp", "suppress_ve",
}  # fmt: skip


def name(value) -> str:
    return f"level {value}" if isinstance(value, int) else value["name"]


def walk_with(form, level, extra, width, **options):
    """A read through an entry of the given format that sets `extra` as well, in a walk of five levels."""
    below = level - 1 if not form["maps_page"] else 0
    entry = 7 | extra
    if form["maps_page"]:
        entry |= WRITE_BACK | (MAPS_PAGE if level > 1 else 0)
    entries = [7] * (5 - level) + [entry] + [7] * below
    if below:
        entries[-1] |= WRITE_BACK
    return physical(chain(*entries), levels=5, maxphyaddr=width, **options)


@pytest.mark.parametrize(("form", "level"), FORMATS, ids=name)
@pytest.mark.parametrize("width", [36, 40, 46, 52])
def test_each_bit_has_the_meaning_that_the_table_gives_it(form, level, width):
    meaning = bit_ranges(form["fields"], {"M": width})
    assert sorted(meaning) == list(range(64))
    for bit, what in meaning.items():
        outcome = walk_with(form, level, 1 << bit, width)
        if what == "reserved":
            assert isinstance(outcome, EptMisconfiguration), (bit, what)
        elif what in IGNORED_WITHOUT_CONTROL:
            assert outcome == walk_with(form, level, 0, width), (bit, what)
            assert isinstance(outcome, Translated)


@pytest.mark.parametrize(("form", "level"), FORMATS, ids=name)
def test_ignored_bits_stay_ignored_under_every_control(form, level):
    everything = {"mbe": True, "flags": True, "sss": True, "tertiary": 0xC, "secondary": 0x840002}
    plain = walk_with(form, level, 0, 40, **everything)
    for bit, what in bit_ranges(form["fields"], {"M": 40}).items():
        if what == "ignored":
            outcome = walk_with(form, level, 1 << bit, 40, **everything)
            assert isinstance(outcome, Translated)
            assert outcome.host_physical_address == plain.host_physical_address


@pytest.mark.parametrize("level", [3, 2, 1])
def test_the_memory_type_is_one_of_five(level):
    for memory_type in range(8):
        memory = chain(*([7] * (5 - level)), 7 | memory_type << 3 | (MAPS_PAGE if level > 1 else 0))
        outcome = physical(memory, levels=5)
        expected = Translated if memory_type in (0, 1, 4, 5, 6) else EptMisconfiguration
        assert isinstance(outcome, expected), memory_type


@pytest.mark.parametrize(("level", "capability"), [(3, 17), (2, 16)])
def test_a_large_page_that_the_processor_lacks_is_a_misconfiguration(level, capability):
    memory = chain(*([7] * (4 - level)), 7 | WRITE_BACK | MAPS_PAGE)
    assert isinstance(physical(memory), Translated)
    without = ALL_CAPABILITIES & ~(1 << capability)
    assert isinstance(physical(memory, capabilities=without), EptMisconfiguration)
