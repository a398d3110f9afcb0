"""The cache: what is unchanged is not decided again, and nothing that can happen to its files is an error."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from programs.written import project

from verifier.obligations import run as running
from verifier.obligations.cache import FOLDER, Cache, digest
from verifier.obligations.generate import Obligation
from verifier.obligations.prove import Options, Solved, solve
from verifier.obligations.result import Result
from verifier.obligations.run import Plan, run

TEXT = """
rule small(x: bits(4)) = any of { zero: x == 0  one: x == 1 }
invariant first for x: bits(4) assume small(x) show x < 2
invariant second for x: bits(4) show !small(x) expect refuted "zero is small"
witness third for x: bits(4) show small(x) && x != 0
invariant fourth for x: bits(4) assume x == 3 show x == x
"""

Decide = Callable[..., list[Result]]


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the claims that a solver is asked about."""
    asked: list[str] = []

    def counting(obligation: Obligation, options: Options) -> Solved:
        asked.append(obligation.claim.name)
        return solve(obligation, options)

    monkeypatch.setattr(running, "solve", counting)
    return asked


def decide(root: Path, text: str = TEXT, options: Options | None = None, enabled: bool = True) -> list[Result]:
    source = dataclasses.replace(project(text), root=root)
    return run(source, Plan(options or Options()), Cache(root, enabled))


def test_a_run_with_nothing_changed_asks_no_solver_and_gives_the_same_results(tmp_path: Path, solved: list[str]):
    first = decide(tmp_path)
    assert solved == ["first", "second", "third", "fourth"]
    assert decide(tmp_path) == first
    assert len(solved) == 4
    assert {r.name: r.outcome.verdict for r in first} == {
        "first": "proved", "second": "refuted", "third": "proved", "fourth": "proved",
    }  # fmt: skip


def test_only_the_claims_that_change_are_decided_again(tmp_path: Path, solved: list[str]):
    decide(tmp_path)
    solved.clear()
    decide(tmp_path, TEXT.replace("x < 2", "x < 3"))
    assert solved == ["first"]
    solved.clear()
    decide(tmp_path, TEXT.replace("one: x == 1", "one: x == 2"))
    assert solved == ["first", "second", "third"]


def test_a_comment_changes_no_question_but_the_places_in_the_report(tmp_path: Path, solved: list[str]):
    before = decide(tmp_path)
    solved.clear()
    after = decide(tmp_path, "// moved down\n" + TEXT)
    assert solved == []
    assert [r.line for r in after] == [r.line + 1 for r in before]
    assert [r.outcome.verdict for r in after] == [r.outcome.verdict for r in before]


def test_another_solver_or_budget_is_another_question(tmp_path: Path, solved: list[str]):
    decide(tmp_path)
    for options in (Options(("bitwuzla",)), Options(("z3", "bitwuzla")), Options(budget=10_000_000)):
        solved.clear()
        decide(tmp_path, options=options)
        assert len(solved) == 4


def test_without_the_cache_nothing_is_found_or_stored(tmp_path: Path, solved: list[str]):
    decide(tmp_path, enabled=False)
    assert not (tmp_path / FOLDER).exists()
    decide(tmp_path)
    solved.clear()
    decide(tmp_path, enabled=False)
    assert len(solved) == 4


def test_a_claim_whose_budget_ran_out_is_asked_again(tmp_path: Path, solved: list[str]):
    options = Options(budget=1)
    assert {r.outcome.verdict for r in decide(tmp_path, options=options)} == {"unknown"}
    solved.clear()
    decide(tmp_path, "// moved down\n" + TEXT, options)
    assert len(solved) == 4


GARBAGE = {
    "empty": b"",
    "truncated": None,
    "not UTF-8": b"\xff\xfe",
    "null": b"null",
    "a number": b"12",
    "an empty list": b"[]",
    "a list": b"[1, [], {}]",
    "an object": b"{}",
    "another object": b'{"verdict": "proved", "model": 3, "vacuous": []}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_a_corrupted_file_is_as_if_it_were_not_there(kind: str, tmp_path: Path, solved: list[str]):
    first = decide(tmp_path)
    for file in (tmp_path / FOLDER).iterdir():
        content = GARBAGE[kind]
        file.write_bytes(file.read_bytes()[:-9] if content is None else content)
    solved.clear()
    again = decide(tmp_path)
    assert len(solved) == 4
    assert without_times(again) == without_times(first)
    solved.clear()
    assert decide(tmp_path) == again
    assert solved == [], "what was corrupted has been replaced"


@pytest.mark.parametrize("kind", ["a pipe", "a folder"])
def test_what_is_no_file_is_as_if_it_were_not_there(kind: str, tmp_path: Path, solved: list[str]):
    first = decide(tmp_path)
    for file in (tmp_path / FOLDER).iterdir():
        file.unlink()
        (os.mkfifo if kind == "a pipe" else os.mkdir)(file)
    for _ in range(2):
        solved.clear()
        assert without_times(decide(tmp_path)) == without_times(first)
        assert len(solved) == 4
    names = sorted(os.listdir(tmp_path / FOLDER))
    assert [name.split("-")[0] for name in names] == ["obligation"] * 4 + ["run"]


Place = tuple[str | int, ...]
WRONG = (None, True, -1, 10**30, "nonsense", [], {}, [0], ["assume_unsatisfiable", 0], [["x", 9, 0]])


def places(data: object, at: Place = ()) -> Iterator[Place]:
    """Every part of a JSON document, itself included."""
    yield at
    parts = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, part in parts:
        yield from places(part, (*at, key))


def planted(data: Any, at: Place, wrong: object) -> object:
    """The document with something else in one place."""
    if not at:
        return wrong
    made = copy.deepcopy(data)
    whole = made
    for key in at[:-1]:
        whole = whole[key]
    whole[at[-1]] = wrong
    return made


def sealed(data: object) -> str:
    text = json.dumps(data)
    return f"{digest((text,))}\n{text}"


def verdicts(results: list[Result]) -> list[tuple[str, str | None]]:
    return [(r.outcome.verdict, r.outcome.vacuous) for r in results]


@pytest.mark.parametrize("position", range(5))
def test_wrong_content_under_a_right_seal_is_no_error_and_changes_no_verdict(position: int, tmp_path: Path):
    first = decide(tmp_path)
    names = sorted(os.listdir(tmp_path / FOLDER))
    contents = {name: (tmp_path / FOLDER / name).read_text() for name in names}
    data = json.loads(contents[names[position]].split("\n", 1)[1])
    for at in places(data):
        for wrong in WRONG:
            for name in names[:4]:
                (tmp_path / FOLDER / name).write_text(contents[name])
            (tmp_path / FOLDER / names[4]).unlink(missing_ok=True)
            (tmp_path / FOLDER / names[position]).write_text(sealed(planted(data, at, wrong)))
            found = decide(tmp_path)
            believed = names[position].startswith("run-")  # whatever looks like results
            assert verdicts(found) == verdicts(first) or believed, (at, wrong)
            assert {r.outcome.verdict for r in found} <= {"proved", "refuted"}, (at, wrong)


def test_a_model_that_is_none_under_a_right_seal_is_looked_for_again(tmp_path: Path, solved: list[str]):
    first = decide(tmp_path)
    folder = tmp_path / FOLDER
    for file in folder.iterdir():
        data = json.loads(file.read_text().split("\n", 1)[1])
        if file.name.startswith("run-"):
            file.unlink()
        elif data["model"] is not None:
            data["model"]["numbers"] = {"x": 15}
            file.write_text(sealed(data))
    solved.clear()
    assert without_times(decide(tmp_path)) == without_times(first)
    assert sorted(solved) == ["second", "third"]


def without_times(results: list[Result]) -> list[Result]:
    return [dataclasses.replace(r, outcome=dataclasses.replace(r.outcome, milliseconds=0)) for r in results]


def test_a_place_where_nothing_can_be_stored_is_no_error(tmp_path: Path, solved: list[str]):
    (tmp_path / FOLDER.parts[0]).write_text("a file where a directory should be")
    assert len(decide(tmp_path)) == len(decide(tmp_path)) == 4
    assert len(solved) == 8


def test_a_cache_leaves_only_whole_readable_files(tmp_path: Path):
    decide(tmp_path)
    names = sorted(os.listdir(tmp_path / FOLDER))
    assert [name.split("-")[0] for name in names] == ["obligation"] * 4 + ["run"]
