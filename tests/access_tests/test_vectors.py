"""`slat vectors`: every clause has its vector, none is there twice, and each is what the reference MMU does."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from compiler import compiled, gcc
from covering_set import ROOT, document, slat, vectors

from verifier.cli.gaps import Gap, gaps_of, project_with_gaps
from verifier.cli.main import run
from verifier.core.interpret import evaluate
from verifier.core.values import assemble
from verifier.obligations.clauses import ClauseCase, clause_cases
from verifier.obligations.generate import generate
from verifier.obligations.prove import Options, solve
from verifier.smt.symbolize import Symbolizer
from verifier.types.load import load

SCHEMA = json.loads((ROOT / "tests" / "conformance" / "slat-vectors-1.schema.json").read_text("utf-8"))
GAPS = (
    "access_tracking",
    "large_page_reserved_bits",
    "linear_address_bits",
    "paging_disabled",
    "write_user_execute",
)


@pytest.fixture(scope="module")
def gaps() -> list[Gap]:
    project = project_with_gaps(ROOT)
    return gaps_of(project, load(project).checked, ())


def cases_of(gaps: list[Gap]) -> dict[str, ClauseCase]:
    """By the name of what decides."""
    found: dict[str, ClauseCase] = {}
    for gap in gaps:
        for witness in gap.witnesses:
            for case in clause_cases(witness):
                found[f"{gap.name}.{case.claim.name}"] = case
    return found


def test_the_document_follows_its_schema_and_has_the_gaps_in_order():
    whole = json.loads(document("json"))
    jsonschema.Draft202012Validator(SCHEMA).validate(whole)
    assert tuple(gap["name"] for gap in whole["gaps"]) == GAPS


def test_two_runs_print_the_same_bytes_for_any_number_of_processes():
    again = slat("vectors", "--format", "json", "--no-cache", "--jobs", "1", seed=7)
    assert again == document("json")


def test_every_clause_of_every_rule_that_a_gap_shows_decides_a_vector_or_never_can(gaps: list[Gap]):
    whole = json.loads(document("json"))
    decided = [name for gap in whole["gaps"] for name in gap["decided"]]
    never = [name for gap in whole["gaps"] for name in gap["never"]]
    assert Counter([*decided, *never]) == Counter(list(cases_of(gaps)))
    assert Counter(name for vector in vectors() for name in vector["decides"]) == Counter(decided)
    assert all(vector["name"] == vector["decides"][0] for vector in vectors())


def test_another_solver_agrees_on_what_never_decides(gaps: list[Gap]):
    cases, symbolizer = cases_of(gaps), Symbolizer()
    never = [name for gap in json.loads(document("json"))["gaps"] for name in gap["never"]]
    assert len(never) > 10
    for name in never:
        solved = solve(generate(cases[name].claim, symbolizer), Options(("bitwuzla",), explained=False))
        assert solved.verdict == "refuted", name


def test_no_vector_is_there_twice():
    keys = [json.dumps([v["scenario"], v.get("neighbour"), v["expected"]], sort_keys=True) for v in vectors()]
    assert len(keys) == len(set(keys))
    tables = re.findall(r"^\t\{\n\t\t/\*.*\n\t\t\.name = .*\n((?:\t\t\..*\n)+)", document("c"), re.MULTILINE)
    assert len(tables) == len(set(tables)) == len(keys)


def test_every_vector_is_what_slat_walk_says(capfd: pytest.CaptureFixture[str], tmp_path: Path):
    scenarios = tmp_path / "scenarios.jsonl"
    scenarios.write_text("".join(json.dumps(vector["scenario"]) + "\n" for vector in vectors()))
    assert run(["walk", "--batch", str(scenarios)]) == 0
    outcomes = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    for vector, outcome in zip(vectors(), outcomes, strict=True):
        assert {key: outcome.get(key) for key in vector["expected"]} == vector["expected"], vector["name"]


CAPABILITIES = {"execute_only": 1 << 0, "page_2m": 1 << 16, "page_1g": 1 << 17, "advanced_exit_info": 1 << 22}


def with_capabilities(vector: dict[str, Any], has: dict[str, bool]) -> str:
    """The scenario on a processor that has these capabilities and not the others of the four."""
    scenario = copy.deepcopy(vector["scenario"])
    word = int(scenario["cpu"]["ept_vpid_cap"], 16) & ~sum(CAPABILITIES.values())
    scenario["cpu"]["ept_vpid_cap"] = hex(word | sum(bit for name, bit in CAPABILITIES.items() if has[name]))
    return json.dumps(scenario)


def same(outcome: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Whether an outcome says all that is expected: an undefined bit of the qualification may be a defined one."""
    bits = ("exit_qualification", "exit_qualification_defined")
    here, defined = (int(expected.get(key, "0x0"), 16) for key in bits)
    there, known = (int(outcome.get(key, "0x0"), 16) for key in bits)
    alike = all(outcome.get(key) == value for key, value in expected.items() if key not in bits)
    return alike and known & defined == defined and (here ^ there) & defined == 0


def test_every_processor_that_serves_a_vector_does_what_the_vector_expects(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
):
    chosen = [
        (vector, has)
        for vector in vectors()
        for values in itertools.product((False, True), repeat=len(CAPABILITIES))
        for has in [dict(zip(CAPABILITIES, values, strict=True))]
        if all(has[name] for name in vector["needs"]) and not any(has[name] for name in vector["lacks"])
    ]
    scenarios = tmp_path / "scenarios.jsonl"
    scenarios.write_text("".join(with_capabilities(*one) + "\n" for one in chosen))
    assert run(["walk", "--batch", str(scenarios)]) == 0
    for (vector, has), line in zip(chosen, capfd.readouterr().out.splitlines(), strict=True):
        assert same(json.loads(line), vector["expected"]), (vector["name"], has)


def test_without_paging_the_guest_has_none_and_a_fetch_is_done_with_bit_10_alone():
    found = {v["name"].split(".", 1)[1]: v for v in vectors() if v["name"].startswith("paging_disabled.")}
    assert all(int(v["scenario"]["guest"]["cr0"], 16) >> 31 == 0 for v in found.values())
    assert found["bit_10_decides.none"]["expected"] == {"outcome": "ok"}
    denied = found["bit_10_decides.not_executable_in_user_mode"]["expected"]
    assert int(denied["exit_qualification"], 16) & 0x64 == 0x24, "bit 2 is granted, bit 10 is not"
    told = found["bits_9_to_11.all"]
    assert told["needs"] == ["advanced_exit_info"]
    assert int(told["expected"]["exit_qualification"], 16) >> 9 & 7 == 0b011


def test_bits_9_to_11_are_told_one_by_one():
    found = {v["name"].rsplit(".", 1)[1]: v["expected"] for v in vectors() if v["name"].startswith("linear_address")}
    told = {name: int(e["exit_qualification"], 16) >> 9 & 7 for name, e in found.items()}
    assert told == {"all": 1, "supported": 0, "none": 0, "writable": 2, "execute_disable": 4}
    assert int(found["supported"]["exit_qualification_defined"], 16) >> 9 & 7 == 0


def test_bits_20_and_29_are_the_only_address_bits_that_are_set():
    leaves = {"bit_20": (0x3000, 20, 21), "bit_29": (0x2000, 29, 30)}
    for vector in vectors():
        for name, (place, bit, size) in leaves.items():
            if vector["name"].endswith("reserved_bit_set") and name in vector["name"]:
                entry = int(vector["scenario"]["memory"][hex(place)], 16)
                assert entry >> 12 & (1 << size - 12) - 1 == 1 << bit - 12
                assert vector["expected"]["outcome"] == "ept_misconfiguration"


def test_the_example_of_each_case_is_one_of_no_other(gaps: list[Gap]):
    """On the values that were found: in each one clause holds (of `any of`) or fails (of `all of`), or none does."""
    symbolizer = Symbolizer()
    gap = next(gap for gap in gaps if gap.name == "large_page_reserved_bits")
    for witness in gap.witnesses:
        cases = list(clause_cases(witness))
        for case in cases:
            solved = solve(generate(case.claim, symbolizer), Options(explained=False))
            if solved.model is not None:
                env = {p.name: assemble(p.type, p.name, solved.model.numbers) for p in witness.params}
                assert [other.clause for other in cases if evaluate(other.claim.show, env)] == [case.clause]


def test_what_the_document_quotes_is_in_the_c_file():
    quoted = re.findall(r"```c\n(.*?)```", (ROOT / "docs" / "VECTORS.md").read_text("utf-8"), re.DOTALL)
    assert quoted
    assert all(text in document("c") for text in quoted)


@gcc
def test_the_c_file_compiles_without_a_warning_and_every_case_passes(tmp_path):
    done = compiled(document("c"), tmp_path)()
    assert done.returncode == 0
    assert [line for line in done.stdout.splitlines() if line.startswith("PASS: ")] == [
        f"PASS: {vector['name']}" for vector in vectors()
    ]


@gcc
@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("VMX_EPT_MISCONFIG", "VMX_EPT_VIOLATION"),
        (".no_paging = true", ".no_paging = false"),
        ("(1ull << 20)", "0"),
        ("(1ull << 29)", "0"),
        ("EPT_VLT_GUEST_NX", "0"),
        (" | EPT_VLT_PERM_USER_EX | ", " | "),
        ("EPT_EA_USER", "0"),
    ],
)
def test_a_vector_that_loses_what_matters_fails(word: str, other: str, tmp_path):
    assert word in document("c")
    done = compiled(document("c").replace(word, other), tmp_path)()
    assert done.returncode == 1
    assert "FAIL: " in done.stdout


def test_the_list_counts_what_the_document_has():
    rows = re.findall(r"^(\w+) +(\d+) +(\d+) +(\d+) +\S", document("list"), re.MULTILINE)
    whole = json.loads(document("json"))
    made = Counter(vector["name"].split(".")[0] for vector in whole["vectors"])
    assert [(name, int(vectors), int(cases), int(never)) for name, vectors, cases, never in rows] == [
        (gap["name"], made[gap["name"]], len(gap["decided"]), len(gap["never"])) for gap in whole["gaps"]
    ]
    assert document("list").endswith(f"\n{len(whole['vectors'])} vectors of {len(whole['gaps'])} gaps\n")
