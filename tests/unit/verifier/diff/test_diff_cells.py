"""Each verdict of a cell, from versions that deserve it."""

from __future__ import annotations

from functools import cache
from itertools import product
from pathlib import Path

import pytest
from doors import HERE, cells, compared, compared_trees, copied, verdicts

from verifier.core.interpret import apply
from verifier.core.values import Value
from verifier.diff import model
from verifier.diff.decisions import decision
from verifier.diff.model import Diff
from verifier.names.project import read_project
from verifier.names.series import Version
from verifier.types.load import open_library


@cache
def both() -> Diff:
    return compared(HERE)


def test_a_version_equals_itself_in_every_cell_that_it_has():
    diff = compared(HERE, "v5", "v5")
    found = {cell.verdict for decided in diff.decisions for cell in decided.cells}
    assert found == {model.EQUIVALENT, model.IMPOSSIBLE}
    assert (diff.changes, diff.reached) == ((), ())


def test_every_verdict_but_unknown_is_found():
    found = {cell.verdict for decided in both().decisions for cell in decided.cells}
    assert found == {*model.VERDICTS} - {model.UNKNOWN, model.ONLY_LEFT, model.DISJOINT}


def test_the_other_way_round_less_is_more_and_only_in_one_is_only_in_the_other():
    opposite = {model.LESS: model.MORE, model.MORE: model.LESS, model.ONLY_RIGHT: model.ONLY_LEFT}
    back = compared(HERE, "v5", "old")
    for decided in both().decisions:
        theirs = cells(back, decided.name)
        for cell in decided.cells:
            assert theirs[cell.name].verdict == opposite.get(cell.verdict, cell.verdict)


def test_the_same_meaning_in_other_words_is_equivalent(tmp_path: Path):
    words = "if user && host.mbec then key[2] else key[1]"
    others = "((!user || !host.mbec) && key[1]) || (host.mbec && user && key[2])"
    found = compared_trees(HERE, copied(tmp_path, kvm_spte=(words, others)))
    assert verdicts(found, "execution") == {model.EQUIVALENT, model.IMPOSSIBLE}
    assert [change.name for change in found.changes] == ["executable"]


def test_cells_are_what_trying_every_input_says():
    library = open_library(read_project(HERE))
    a, b = (decision(library.load(Version(name)), "proofs.decisions.execution") for name in ("old", "v5"))
    for name, cell in cells(both(), "execution").items():
        inside: list[tuple[bool, bool]] = []
        for mbec, strict, key, user in product((False, True), (False, True), range(8), (False, True)):
            inputs: dict[str, Value] = {"host": (mbec, strict), "key": key, "user": user}
            conditions = [*a.cell(cell.coordinates), *b.cell(cell.coordinates)]
            if all(apply(f, tuple(inputs[p.name.removeprefix("_")] for p in f.params)) for f in conditions):
                values = (apply(d.function, tuple(inputs[p.name] for p in d.function.params)) for d in (a, b))
                one, other = values
                inside.append((bool(one), bool(other)))
        loses, gains = any(x > y for x, y in inside), any(x < y for x, y in inside)
        expected = {(False, False): model.EQUIVALENT, (True, False): model.LESS, (False, True): model.MORE}
        if inside:
            assert cell.verdict == expected[loses, gains], name
        else:
            assert cell.verdict in (model.ONLY_RIGHT, model.IMPOSSIBLE), name


def test_an_example_is_minimal_and_shows_what_both_versions_say():
    cell = cells(both(), "execution")["supervisor_mode.without_mbec.strict"]
    assert cell.loses is not None
    assert cell.gains is None
    values = {value.name: value.raw for value in cell.loses.example.values}
    assert values == {"host.mbec": "false", "host.strict": "true", "key": "0x2", "user": "false"}
    assert [(said.label, said.value) for said in cell.loses.said] == [("old", "true"), ("v5", "false")]
    assert cell.loses.example.replayed == ("interpreter",)


def test_what_is_no_row_of_bits_is_equal_or_not():
    (hue,) = (decided for decided in both().decisions if decided.name == "hue")
    assert not hue.ordered
    assert verdicts(both(), "hue") == {model.EQUIVALENT, model.INCOMPARABLE, model.ONLY_RIGHT}


def test_what_a_version_does_not_say_is_not_modelled_and_says_why():
    found = cells(both(), "rights").values()
    assert len(found) == 8
    assert {(cell.verdict, cell.reason) for cell in found} == {
        (model.NOT_MODELLED, "old: there is no function `all_rights` here")
    }


def test_an_input_that_means_something_else_cannot_be_compared(tmp_path: Path):
    root = copied(
        tmp_path, report=("fn decision(host: Host, key: bits(3))", "fn decision(host: Host, key: bits(3), acc: Acc)")
    )
    text = (
        (root / "proofs/decisions/report.slat")
        .read_text()
        .replace("= reported(host, key)", "= reported(host, key) & acc.raw")
    )
    (root / "proofs/decisions/report.slat").write_text(text)
    reasons = {cell.reason for cell in cells(compared(root), "report").values()}
    assert reasons == {"`acc: Acc` is of another type on the other side"}


def test_a_decision_whose_cells_are_no_rule_of_clauses_is_refused(tmp_path: Path):
    root = copied(tmp_path, hue=("rule possible(host: Host)\n  = all of", "rule possible(host: Host)\n  = any of"))
    assert {cell.reason for cell in cells(compared(root), "hue").values()} == {
        "old: `proofs.decisions.hue.possible` is no rule with all of its clauses"
    }


def test_a_budget_that_runs_out_gives_no_verdict():
    diff = compared(HERE, budget=1)
    found = {cell.verdict for decided in diff.decisions for cell in decided.cells}
    assert found <= {model.UNKNOWN, model.NOT_MODELLED, model.EQUIVALENT, model.IMPOSSIBLE}
    assert model.UNKNOWN in found


@pytest.mark.parametrize("name", ["execution", "report"])
def test_every_cell_that_differs_has_an_example_for_each_way(name: str):
    for cell in cells(both(), name).values():
        assert (cell.loses is not None) == (cell.verdict in (model.LESS, model.INCOMPARABLE))
        assert (cell.gains is not None) == (cell.verdict in (model.MORE, model.INCOMPARABLE))
