"""In: bit positions as the manuals print them (63 is the most significant). Out: masks of 64-bit words.

Guarantee: `bits(high, low)` has exactly the bits high..low set, and is 0 when high < low.
Trusted: no, checked by tests/unit/models.
"""

WORD = (1 << 64) - 1


def bits(high: int, low: int) -> int:
    """The mask of the bits `high`:`low`, both included, as the SDM writes ranges."""
    return (1 << high + 1) - (1 << low) if high >= low else 0
