"""The EPT specifications, by the interpreter, against the vectorised form of the reference MMU's decision."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Any

import numpy as np
import pytest
from comparison import say, seed, shrink
from spec_side import make, parts, record, specification_of_ept
from spec_walks import (
    CONTROLS,
    LEVELS,
    WALK,
    Case,
    circumstances,
    controls,
    ordinary_access,
    random_entry,
)

from models.scenario import read_scenario
from models.sdm import PhysicalAccess
from models.sdm.ept.access import physical_access
from models.sdm.ept.entry import configure
from models.sdm.ept.vectorised import ALLOWED, MISCONFIGURATION, VIOLATION, Decisions, decide
from verifier.cli.replay_ept import Verdict
from verifier.cli.replay_scenario import Unrealisable, scenario

SETTINGS, COLUMNS = 60, 60
OUTCOMES = {ALLOWED: "TRANSLATED", VIOLATION: "EPT_VIOLATION", MISCONFIGURATION: "EPT_MISCONFIGURATION"}
CIRCUMSTANTIAL = 1 << 12 | 1 << 16
"""Bits that the circumstances decide, which the vectorised form leaves out."""


def decided(decisions: Decisions, column: int) -> tuple[str, int, int]:
    """Outcome, qualification and defined bits of one column."""
    outcome = OUTCOMES[int(decisions.outcome[column])]
    return outcome, int(decisions.qualification[column]), int(decisions.defined[column])


def specified(verdict: Verdict) -> tuple[str, int, int]:
    """The same by the specifications."""
    return verdict.outcome, verdict.qualification & ~CIRCUMSTANTIAL, verdict.defined & ~CIRCUMSTANTIAL


def settings_of(rng: Random) -> tuple[int, dict[str, bool]]:
    """MAXPHYADDR and the controls, without those under which more than the entries decides."""
    flags = {f.name: rng.random() < 0.5 for f in record(CONTROLS).fields if f.name != "beyond_maxphyaddr"}
    flags |= {"sub_page_write": False, "ept_violation_ve": False, "five_level": rng.random() < 0.5}
    return rng.choice((36, 46, 52)), flags


def cases(rng: Random) -> Iterator[list[Case]]:
    """Columns of entries, all with the same controls and the same access."""
    while True:
        width, flags = settings_of(rng)
        settings, access = controls(width, **flags), ordinary_access(rng.randrange(13), rng.random() < 0.5)
        chains = [
            dict(zip(LEVELS, [random_entry(rng, width, level, rng.random() < 0.9) for level in range(5)], strict=True))
            for _ in range(COLUMNS)
        ]
        walks = (make(record(WALK), controls=settings, root=0x1000, guest_physical=0, **chain) for chain in chains)
        yield [(walk, access, circumstances()) for walk in walks]


def verdicts(columns: list[Case]) -> list[tuple[Any, Any]]:
    """What the specifications and the vectorised form say of each column. Raises `Unrealisable` and ValueError."""
    spec = specification_of_ept()
    walk, access, around = columns[0]
    one = read_scenario(scenario(spec.situation(walk, access, around)))
    assert isinstance(one.request, PhysicalAccess)
    vmcs, cpu = one.machine.vmcs, one.machine.processor
    configuration = configure(
        cpu.maxphyaddr, cpu.ept_vpid_cap, vmcs.eptp & 0xFF, vmcs.secondary_controls, vmcs.tertiary_controls
    )
    shadow_stack = "user" if one.machine.guest.cpl == 3 else "supervisor"
    request = physical_access(configuration, one.request, shadow_stack if one.request.shadow_stack else "none")
    chains = [parts(record(WALK), walk) for walk, _, _ in columns]
    rows = LEVELS if chains[0]["controls"][0] else LEVELS[1:]
    decisions = decide(configuration, request, np.array([[c[name] for c in chains] for name in rows], np.uint64))
    return [(specified(spec.verdict(*column)), decided(decisions, at)) for at, column in enumerate(columns)]


def fails(case: Case) -> bool:
    """Whether the two sides differ on one column."""
    try:
        ((said, seen),) = verdicts([case])
    except (Unrealisable, ValueError):
        return False
    return said != seen


def explain(case: Case) -> str:
    """A failing column made small, with what both sides say and the scenario."""
    small = shrink(case, fails)
    ((said, seen),) = verdicts([small])
    document = scenario(specification_of_ept().situation(*small))
    return f"specifications  {said}\nvectorised form {seen}\n{json.dumps(document)}"


def test_specs_and_vectorised_form_agree_on_random_entries(capsys: pytest.CaptureFixture[str]) -> None:
    start = seed()
    failing = list[Case]()
    for columns in islice(cases(Random(start)), SETTINGS):
        found = zip(columns, verdicts(columns), strict=True)
        failing += [column for column, (said, seen) in found if said != seen]
    name = f"specs against the vectorised form (SLAT_SEED={start})"
    say(capsys, name, SETTINGS * COLUMNS, len(failing))
    assert not failing, explain(failing[0])


def test_what_the_entries_alone_do_not_decide_is_refused() -> None:
    configuration = configure(40, 0xE341C1, 0x1E, 1 << 1 | 1 << 23, 0)
    write = physical_access(configuration, PhysicalAccess(kind="write", guest_physical_address=0), "none")
    with pytest.raises(ValueError, match="do not decide"):
        decide(configuration, write, np.zeros((4, 1), np.uint64))
    with pytest.raises(ValueError, match="rows of entries"):
        decide(configuration, write, np.zeros((5, 1), np.uint64))
