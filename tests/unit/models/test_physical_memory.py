"""Physical memory during an access."""

from models.sdm.bits import bits
from models.sdm.memory import PhysicalMemory


def test_words_that_are_not_listed_are_zero():
    assert PhysicalMemory({8: 5}).read(16) == 0


def test_a_write_is_seen_by_later_reads_and_not_by_the_given_mapping():
    given = {8: 5}
    memory = PhysicalMemory(given)
    memory.write(8, 6)
    memory.set_bits(8, 1)
    assert memory.read(8) == 7
    assert given == {8: 5}


def test_only_words_with_a_new_value_count_as_changed_and_they_are_sorted():
    memory = PhysicalMemory({8: 5})
    memory.write(8, 5)
    memory.write(24, 1)
    memory.write(16, 2)
    memory.write(32, 0)
    assert list(memory.changed().items()) == [(16, 2), (24, 1)]


def test_bit_ranges_include_both_ends_and_may_be_empty():
    assert bits(2, 0) == 7
    assert bits(51, 51) == 1 << 51
    assert bits(51, 52) == 0
