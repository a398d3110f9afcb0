"""`slat prove --json` against its schema, on a small project and on claims of our own specifications."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import small

from verifier.cli.main import run

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SCHEMA = json.loads((HERE / "slat-prove-1.schema.json").read_text())


def document(root: Path, file: Path, *words: str) -> dict[str, Any]:
    run(["prove", "--root", str(root), "--no-cache", "--json", str(file), *words])
    found: dict[str, Any] = json.loads(file.read_text())
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    return found


def test_the_schema_is_a_schema():
    assert set(SCHEMA["properties"]) == {"schema", "results", "summary"}
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


VARIANTS = {
    "as expected": small.CLAIMS,
    "not as expected": small.CLAIMS + small.WRONG,
    "vacuous": small.CLAIMS.replace("assume k.red show", "assume k.red assume k.blue show"),
    "unsatisfiable": small.CLAIMS.replace("assume k.red show", "assume k.red && !k.red show"),
    "no claims": "module proofs.doors\n",
}


@pytest.mark.parametrize("kind", VARIANTS)
@pytest.mark.parametrize("solver", ["z3", "bitwuzla", "all"])
def test_every_kind_of_result_follows_the_schema_and_the_counts_are_those_of_the_results(
    tmp_path: Path, kind: str, solver: str
):
    found = document(small.write(tmp_path, VARIANTS[kind]), tmp_path / "out.json", "--solver", solver)
    results, summary = found["results"], found["summary"]
    assert summary["claims"] == len(results)
    for verdict in ("proved", "refuted", "unknown"):
        assert summary[verdict] == sum(r["verdict"] == verdict for r in results)
    assert summary["not_as_expected"] == sum(not r["as_expected"] for r in results)
    assert summary["vacuous"] == sum(r["vacuous"] is not None for r in results)
    assert [r["line"] for r in results] == sorted(r["line"] for r in results)


def test_an_open_claim_follows_the_schema(tmp_path: Path):
    root = small.write(tmp_path, small.CLAIMS + small.HARD)
    found = document(root, tmp_path / "out.json", "hard", "--rlimit", "5")
    assert [r["verdict"] for r in found["results"]] == ["unknown"]


def test_a_counterexample_lists_every_input_and_the_ones_that_matter(tmp_path: Path):
    found = document(small.write(tmp_path), tmp_path / "out.json", "a_blue_key_opens")
    example = found["results"][0]["counterexample"]
    assert example["values"] == {"k": "0x2", "_who": "0x0"}
    assert example["matters"] == ["k"]
    assert example["unique"] is True
    assert example["because"]


def test_a_witness_has_its_example_under_a_key_of_its_own(tmp_path: Path):
    (result,) = document(small.write(tmp_path), tmp_path / "out.json", "D4")["results"]
    assert result["counterexample"] is None
    assert result["example"]["values"] == {"k": "0x26"}
    assert result["ids"] == ["D4"]


def test_claims_of_our_own_specifications_follow_the_schema_and_their_places_exist(tmp_path: Path):
    found = document(ROOT, tmp_path / "out.json", str(ROOT / "proofs" / "ept" / "present.slat"))
    assert found["summary"]["claims"] > 2
    for result in found["results"]:
        lines = (ROOT / result["file"]).read_text().splitlines()
        assert result["name"] in lines[result["line"] - 1]
        assert result["citations"]
