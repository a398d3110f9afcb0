"""Mistakes planted in the reference MMU: each is caught by all of the comparisons.

These are the specifications (interpreter) on random cases, the tables written out by hand, and Bochs, where it can be
run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from bochs import build
from bochs.compare import disagreements
from bochs.directed import guest_table_permissions, page_modes, page_permissions
from bochs.generate import walks
from bochs.masks import MASKS
from planted import random_cases_differ, some_row_fails

from models.sdm import EptMisconfiguration, EptViolation, VirtualizationException
from models.sdm import mmu as model_mmu
from models.sdm.ept import access as model_access
from models.sdm.ept import violation as model_violation
from models.sdm.ept import walk as model_ept_walk
from models.sdm.ept.access import EptAccess
from models.sdm.ept.entry import TABLE_ADDRESS, EptPage, misconfiguration
from models.sdm.outcome import Exit
from models.sdm.paging import walk as model_guest_walk
from models.sdm.paging.mode import PagingConfiguration
from models.sdm.paging.rights import GuestPage, Intent
from models.sdm.run import Run

USER_EXECUTABLE = 1 << 6
WALKS, SPARSELY = 300, 7


def user_mode_from_the_cpl(patch: pytest.MonkeyPatch) -> None:
    """The mode of the linear address is that of the access, not what the page's U/S bits say."""
    walk = model_mmu.walk

    def planted(run: Run, paging: PagingConfiguration, linear_address: int, intent: Intent) -> GuestPage | Exit:
        page = walk(run, paging, linear_address, intent)
        return replace(page, user=intent.user_mode) if isinstance(page, GuestPage) else page

    patch.setattr(model_mmu, "walk", planted)


def bit_6_for_fetches_alone(patch: pytest.MonkeyPatch) -> None:
    """Bit 6 of the qualification is left out for data accesses."""
    qualification = model_violation._qualification

    def planted(run: Run, access: EptAccess, denial: model_violation.Denial) -> tuple[int, int]:
        bits, defined = qualification(run, access, denial)
        return (bits if bits & model_access.Q_FETCH else bits & ~USER_EXECUTABLE), defined

    patch.setattr(model_violation, "_qualification", planted)


def denial_above_before_misconfiguration_below(patch: pytest.MonkeyPatch) -> None:
    """An upper entry that lacks a right wins over a misconfiguration further down."""
    walk = model_ept_walk._walk

    def planted(
        run: Run, address: int, access: EptAccess
    ) -> EptPage | EptMisconfiguration | EptViolation | VirtualizationException:
        ended = walk(run, address, access)
        if isinstance(ended, EptMisconfiguration) and access.required & ~rights_above(run, address):
            return model_violation.violation(run, address, access, model_violation.Denial(entry=0))
        return ended

    patch.setattr(model_ept_walk, "_walk", planted)


def rights_above(run: Run, address: int) -> int:
    """The AND over the entries above the one that stops the walk."""
    rights, table = -1, run.ept_root
    for level in run.ept.levels:
        entry = run.memory.read(table | address >> level.index_shift & 0xFF8)
        if not entry & run.ept.present_mask or misconfiguration(run.ept, level, entry):
            break
        rights, table = rights & entry, entry & TABLE_ADDRESS
    return rights


def guest_flags_without_ept_write_access(patch: pytest.MonkeyPatch) -> None:
    """Setting a guest accessed or dirty flag needs no W of EPT."""
    patch.setattr(model_guest_walk, "GUEST_FLAG_UPDATE", model_access.GUEST_ENTRY_READ)


def bochs_catches() -> bool:
    """Whether Bochs differs by more than its named deviations, or by less: the reference MMU must differ where it
    asks EPT for W to set a guest flag, as Bochs does not (D4)."""
    tables = list(guest_table_permissions())[::SPARSELY]
    pages = [*page_permissions(), *page_modes()][::SPARSELY]
    if disagreements([*tables, *pages, *walks(Random(1), WALKS)]):
        return True
    return not disagreements(tables, [mask for mask in MASKS if mask.name != "D4"])


COMPARISONS: dict[str, Callable[[], bool]] = {"specifications": random_cases_differ, "tables": some_row_fails}
if build.missing() is None:
    COMPARISONS["Bochs"] = bochs_catches

MISTAKES = [
    user_mode_from_the_cpl,
    bit_6_for_fetches_alone,
    denial_above_before_misconfiguration_below,
    guest_flags_without_ept_write_access,
]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_comparison_catches_a_mistake_planted_in_the_reference_mmu(
    mistake: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mistake(monkeypatch)
    caught = [name for name, catches in COMPARISONS.items() if catches()]
    monkeypatch.undo()
    with capsys.disabled():
        print(f"\nplanted, {mistake.__name__.replace('_', ' ')}: caught by {', '.join(caught)}")
    assert caught == list(COMPARISONS)
    assert len(caught) >= 2


@pytest.mark.parametrize("name", COMPARISONS)
def test_a_comparison_catches_nothing_where_nothing_is_planted(name: str) -> None:
    assert not COMPARISONS[name]()
