"""Workloads as traces, the report, and the document that shows it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from models.hyperv import Access, OtherExit, Transition, Workload, report, trace
from models.hyperv.trace import due

ROOT = Path(__file__).parents[4]
STANDARD = {"collections", "collections.abc", "dataclasses", "typing"}


def test_the_model_imports_the_standard_library_models_sdm_and_itself():
    for path in (ROOT / "models" / "hyperv").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                module = str(node.module)
                assert module in STANDARD or module.startswith(("models.sdm", "models.hyperv")), f"{path}: {module}"
            assert not isinstance(node, ast.Import), path


def test_events_are_spread_evenly_and_none_is_lost():
    assert [due(turn, 3, 7) for turn in range(7)] == [0, 0, 1, 0, 1, 0, 1]
    assert sum(due(turn, 700, 500) for turn in range(500)) == 700


def test_a_trace_has_the_rates_of_its_workload():
    workload = Workload(round_trips=10_000, other_exits=3_000, injecting=50, milliseconds=100)
    events = list(trace(workload))
    assert events.count(Transition(0)) == 1000
    assert events.count(OtherExit(injects=True)) == 150
    assert events.count(OtherExit()) == 150
    assert events.count(Transition(3)) == 1150


def test_the_same_workload_gives_the_same_trace():
    assert list(trace(Workload())) == list(trace(Workload()))


def test_shares_decide_where_user_code_lies():
    def pages(**shares: int) -> set[int]:
        workload = Workload(other_exits=0, **shares)
        fetched = {e.page for e in trace(workload) if isinstance(e, Access) and e.kind == "fetch"}
        return fetched - {0}

    assert pages(verified=100) == {3}
    assert pages(writable=100) == set(range(12, 16))
    assert pages(writable=0) == set(range(4, 12))


@pytest.mark.parametrize("name", ["injecting", "verified", "writable"])
def test_a_share_above_a_hundred_percent_is_refused(name: str):
    with pytest.raises(ValueError, match=f"{name}: 101 is no share"):
        Workload(**{name: 101})


def test_a_slice_without_a_round_trip_is_refused():
    with pytest.raises(ValueError, match="1 ms hold no round trip"):
        Workload(round_trips=999, milliseconds=1)


def test_the_document_shows_what_the_model_prints():
    command = [sys.executable, "-m", "models.hyperv"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=120).stdout
    assert f"```\n{printed}```\n" in (ROOT / "docs" / "EXITS.md").read_text("utf-8")
    assert printed == report() + "\n"
