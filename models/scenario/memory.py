"""In: the "memory" object of a scenario. Out: words by host-physical address.

Guarantee: addresses are distinct multiples of 8 below 2^MAXPHYADDR, words are unsigned 64-bit.
Trusted: no, checked by tests/unit/models (hostile scenarios).

The scenarios of a batch share most of their words, so a spelling that was found right is looked up the next
time. What is new is checked as a whole; what that check does not pass is read item by item for a diagnostic.
"""

import re
from itertools import repeat
from typing import cast

from models.scenario.values import join, read_number, read_object, refuse_type
from models.sdm.errors import InputError

_all_addresses = re.compile(r"(?:0x[0-9a-fA-F]{0,15}[08],)*").fullmatch
_all_words = re.compile(r"(?:0x[0-9a-fA-F]{1,16},)*").fullmatch
_addresses: dict[str, int] = {}
_words: dict[str, int] = {}
REMEMBERED = 1 << 14


def read_memory(value: object, maxphyaddr: int) -> dict[int, int]:
    """Host-physical address to 64-bit little-endian word."""
    items = read_object(value, "memory")
    memory = _read_plain(cast("dict[str, str]", items))
    if memory is None or len(memory) < len(items) or max(memory, default=0) >> maxphyaddr:
        return _read_items(items, maxphyaddr)
    return memory


def _read_plain(items: dict[str, str]) -> dict[int, int] | None:
    """The words if every key and value is a "0x..." string of a multiple of 8 and of a word, else None."""
    try:
        return dict(zip(map(_addresses.__getitem__, items), map(_words.__getitem__, items.values()), strict=True))
    except KeyError:  # a spelling that is new
        return _read_new(items)
    except TypeError:  # an array or an object
        return None


def _read_new(items: dict[str, str]) -> dict[int, int] | None:
    try:
        if not (_all_addresses(",".join([*items, ""])) and _all_words(",".join([*items.values(), ""]))):
            return None
        addresses, words = list(map(int, items, repeat(16))), list(map(int, items.values(), repeat(16)))
    except (TypeError, ValueError):  # a word that is no string, a comma inside a spelling
        return None
    if max(len(_addresses), len(_words)) + len(items) > REMEMBERED:
        _addresses.clear()
        _words.clear()
    if len(items) <= REMEMBERED:
        _addresses.update(zip(items, addresses, strict=True))
        _words.update(zip(items.values(), words, strict=True))
    return dict(zip(addresses, words, strict=True))


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
