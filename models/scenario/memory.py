"""In: the "memory" object of a scenario. Out: words by host-physical address.

Guarantee: addresses are distinct multiples of 8 below 2^MAXPHYADDR, words are unsigned 64-bit.
Trusted: no, checked by tests/unit/models (hostile scenarios).

The common case, "0x..." keys and values throughout, is checked as a whole; whatever does not fit is read
again item by item for an exact diagnostic.
"""

from collections.abc import Mapping
from itertools import repeat
from typing import cast

from models.scenario.values import join, read_number, read_object, refuse_type
from models.sdm.errors import InputError

MISALIGNED = 7


def read_memory(value: object, maxphyaddr: int) -> dict[int, int]:
    """Host-physical address to 64-bit little-endian word."""
    items = read_object(value, "memory")
    memory = _read_plain(cast("dict[str, str]", items), maxphyaddr)  # another type is a TypeError there
    return _read_items(items, maxphyaddr) if memory is None else memory


def _read_plain(items: Mapping[str, str], maxphyaddr: int) -> dict[int, int] | None:
    """The words if every key and value is a plain "0x..." string in range; None leaves the verdict open."""
    words = items.values()
    try:
        text = "".join([*items, *words])
        # int() admits more than hexadecimal digits: signs, blanks, underscores, other scripts.
        if not (text.isascii() and text.isalnum() and text.count("0x") == 2 * len(items)):
            return None
        memory = dict(zip(map(int, items, repeat(16)), map(int, words, repeat(16)), strict=True))
    except (TypeError, ValueError):
        return None
    in_range = not max(memory) >> maxphyaddr and not max(memory.values()) >> 64
    aligned = not any(map(MISALIGNED.__and__, memory))
    return memory if in_range and aligned and len(memory) == len(items) else None


def _read_items(items: dict[str, object], maxphyaddr: int) -> dict[int, int]:
    memory: dict[int, int] = {}
    for key, word in items.items():
        path = join("memory", key)
        if not key.startswith("0x"):
            refuse_type(key, path, 'a host-physical address, a "0x..." string')
        address = read_number(key, "memory", key)
        if address >> maxphyaddr:
            message = f"the address does not lie below 2^MAXPHYADDR = {hex(1 << maxphyaddr)}"
            raise InputError("out_of_range", path, message)
        if address & 7:
            raise InputError("misaligned", path, "the address is no multiple of 8")
        if address in memory:
            raise InputError("duplicate_key", path, "the address stands twice")
        memory[address] = read_number(word, "memory", key)
    return memory
