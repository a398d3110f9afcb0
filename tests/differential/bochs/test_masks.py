"""Each mask is needed: without it there is at least one disagreement, and with all of them there is none."""

from collections.abc import Iterable

import pytest

from . import directed
from .compare import disagreements
from .masks import MASKS, Mask
from .walk import Walk

NEEDED_BY = {
    "D1": directed.no_paging,
    "D2": directed.ept_bits,
    "D3": directed.guest_table_permissions,
    "D4": directed.guest_table_permissions,
    "GP7": directed.sub_page_permissions,
}


def test_only_the_named_deviations_are_masked() -> None:
    assert [mask.name for mask in MASKS] == list(NEEDED_BY)


@pytest.mark.parametrize("mask", MASKS, ids=lambda mask: mask.name)
def test_without_the_mask_the_two_sides_disagree(mask: Mask) -> None:
    family: Iterable[Walk] = NEEDED_BY[mask.name]()
    found = disagreements(family, [other for other in MASKS if other is not mask])
    assert found, f"{mask.name} is not needed: {mask.reason}"
    assert not disagreements([one.walk for one in found], MASKS)
