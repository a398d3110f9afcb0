"""Origins of bits: through shifts, slices, fields, calls and clauses, down to the part that says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from golden.cases import make_project

from verifier.core.interpret import apply
from verifier.names.project import read_project
from verifier.tables.origin import Origin, origins
from verifier.types import typed
from verifier.types.load import load

TEXT = """module proofs.example

bits Entry : 8 { [0] r  [1] w  [7:4] kind }

const USER: bits(8) = [7:6]

fn shifted(x: bits(8)) -> bits(8)
  = let low: bits(8) = if x[0] then [1] else 0;
    let high = x & USER;
    (low | high) >> 1

fn sliced(x: bits(8)) -> bits(4)
  = let low = x & [3:0];
    let high = x & [7:4];
    (low | high)[5:2]

fn widened(x: bits(8)) -> bits(16)
  = let narrow = x & [0];
    extend(narrow, 16) << 3

fn filled(x: bits(8), e: Entry) -> Entry
  = let written = x[7];
    e with { w: written, kind: x[3:0] }

fn caller(x: bits(8)) -> bits(8)
  = let mine = x & [0];
    callee(mine, x & [1])

fn callee(first: bits(8), second: bits(8)) -> bits(8)
  = let theirs = if second != 0 then second else 0;
    first | theirs

rule refused(x: bits(8)) per SDM "EPT Violations"
  = any of {
      high:  x[7] || x[6]
      low:   x[0] per SDM "EPT Misconfigurations"
    }

rule allowed(x: bits(8)) per SDM "EPT Violations"
  = all of {
      high:  x[7]
      low:   x[0]
    }
"""
CASES = [
    ("shifted", (0b0000_0001,), 0, ["low"]),
    ("shifted", (0b0100_0001,), 5, ["high"]),
    ("shifted", (0b0000_0010,), 0, []),
    ("sliced", (0b0010_0100,), 0, ["low"]),
    ("sliced", (0b0010_0100,), 3, ["high"]),
    ("widened", (1,), 3, ["narrow"]),
    ("filled", (0b1000_0001, 1), 1, ["written"]),
    ("filled", (0b1000_0001, 1), 4, ["filled"]),
    ("filled", (0b1000_0001, 1), 0, ["filled"]),
    ("caller", (0b11,), 0, ["mine"]),
    ("caller", (0b11,), 1, ["theirs"]),
    ("refused", (0b1000_0001,), 0, ["high", "low"]),
    ("refused", (0b0100_0000,), 0, ["high"]),
    ("allowed", (0b1000_0001,), 0, ["high", "low"]),
    ("allowed", (0b1000_0000,), 0, []),
]


@pytest.fixture
def functions(tmp_path: Path) -> dict[str, typed.Function]:
    root = make_project(tmp_path)
    (root / "proofs" / "example.slat").write_text(TEXT)
    return load(read_project(root)).checked.functions


def found(functions: dict[str, typed.Function], name: str, arguments: tuple[int, ...], bit: int) -> tuple[Origin, ...]:
    return origins(functions[f"proofs.example.{name}"], arguments, 1 << bit)


@pytest.mark.parametrize(("name", "arguments", "bit", "names"), CASES)
def test_a_bit_comes_from_the_parts_that_set_it(functions, name, arguments, bit, names):
    assert [origin.name for origin in found(functions, name, arguments, bit)] == names


def test_every_set_bit_of_every_function_has_an_origin_and_no_other_bit_has_one(functions):
    for name, arity in (("shifted", 1), ("sliced", 1), ("widened", 1), ("filled", 2), ("caller", 1), ("callee", 2)):
        for x in range(256):
            arguments = (x, 0b0101_0010)[:arity]
            value = apply(functions[f"proofs.example.{name}"], arguments)
            for bit in range(16):
                assert bool(found(functions, name, arguments, bit)) == bool(int(value) >> bit & 1), (name, x, bit)


def test_an_origin_says_its_part_on_one_line_with_its_place_and_citation(functions):
    (branch,) = found(functions, "shifted", (1,), 0)
    assert (branch.text, branch.place) == ("if x[0] then [1] else 0", "proofs/example.slat:8")
    (clause,) = found(functions, "refused", (0b0100_0000,), 0)
    assert (clause.text, clause.cite) == ("x[7] || x[6]", 'SDM "EPT Violations"')
    (own,) = found(functions, "refused", (1,), 0)
    assert own.cite == 'SDM "EPT Misconfigurations"'


def test_a_part_without_a_name_is_called_by_its_function_with_the_branch_that_leads_to_it(functions):
    (theirs,) = found(functions, "callee", (0, 2), 1)
    assert (theirs.name, theirs.text) == ("theirs", "if second != 0 then second else 0")
    (field,) = found(functions, "filled", (1, 0), 4)
    assert (field.name, field.text) == ("filled", "x")
