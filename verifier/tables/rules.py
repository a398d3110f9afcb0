"""Letters for rules.

In: the parts of a specification that made values what they are. Out: a letter for each, and what the letters mean.
Guarantee: one letter a part, in the order in which parts are met.
Trusted: no.
"""

from __future__ import annotations

from string import ascii_lowercase

from verifier.tables.origin import Origin
from verifier.tables.table import Grid


class Rules:
    """Gives out letters."""

    def __init__(self) -> None:
        self._letters: dict[Origin, str] = {}

    def letter(self, origin: Origin) -> str:
        """The origin's letter, a new one if it has none yet: after `z` comes `aa`."""
        if origin not in self._letters:
            number, letters = len(self._letters), ascii_lowercase
            self._letters[origin] = letters[number % 26] * (number // 26 + 1)
        return self._letters[origin]

    def grid(self) -> Grid:
        """What the letters mean."""
        cells = ((letter, rule.name, rule.text, (rule.place, rule.cite)) for rule, letter in self._letters.items())
        return Grid("rules", "The rules", ("rule", "name", "says", "where"), tuple(cells))
