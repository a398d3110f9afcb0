"""Rows of a table on both sides: the reference MMU, and the specifications by the interpreter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from comparison import say


@dataclass(frozen=True, slots=True)
class Row:
    """A row, or one bit or cell of it: what the table says, and what each side does.

    `specs` is None where the specifications leave the matter out.
    """

    name: str
    expected: Any
    model: Callable[[], Any]
    specs: Callable[[], Any] | None


def hold(capsys: pytest.CaptureFixture[str], table: str, rows: Iterable[Row]) -> None:
    """Every row on its sides; prints how many of them there are."""
    counts, failing = {"reference MMU": 0, "specifications": 0}, list[str]()
    for row in rows:
        for side, judge in (("reference MMU", row.model), ("specifications", row.specs)):
            if judge is None:
                continue
            counts[side] += 1
            found = judge()
            if found != row.expected:
                failing.append(f"{row.name}: the table says {row.expected}, the {side} {found}")
    sides = ", ".join(f"{count} on the {side}" for side, count in counts.items())
    say(capsys, f"table {table}, {sides}", sum(counts.values()), len(failing))
    assert not failing, failing[0]
    assert counts["reference MMU"] > 0
