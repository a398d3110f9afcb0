"""In: 64-bit little-endian words by host-physical address. Out: the words that one access changed.

Guarantee: the caller's mapping is never written; what is not listed reads as zero.
Trusted: no, checked by tests/unit/models.
"""

from collections.abc import Mapping


class PhysicalMemory:
    """Host-physical memory during one access: the given words, overlaid by what the access wrote.

    Addresses are host-physical and multiples of 8; words are unsigned 64-bit. This is the one mutable
    object of the reference MMU.
    """

    __slots__ = ("given", "written")

    def __init__(self, given: Mapping[int, int]) -> None:
        self.given = given
        self.written: dict[int, int] = {}

    def read(self, address: int) -> int:
        """The 64-bit word at `address`."""
        written = self.written
        if address in written:
            return written[address]
        return self.given.get(address, 0)

    def write(self, address: int, word: int) -> None:
        """Replaces the 64-bit word at `address`."""
        self.written[address] = word

    def set_bits(self, address: int, flags: int) -> None:
        """A locked read-modify-write that sets `flags`: nothing else of a changed entry is undone."""
        self.written[address] = self.read(address) | flags

    def changed(self) -> dict[int, int]:
        """Every word whose value differs from the given one, by address."""
        if not self.written:
            return {}
        given = self.given
        return {at: word for at, word in sorted(self.written.items()) if word != given.get(at, 0)}
