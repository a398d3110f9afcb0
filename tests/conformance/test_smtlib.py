"""What `slat prove --smtlib DIR` writes for the claims of this project is SMT-LIB to three independent parsers."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import bitwuzla
import cvc5
import pytest
import z3

from verifier.cli.main import run
from verifier.names.project import read_project
from verifier.obligations.generate import generate
from verifier.smt.symbolize import Symbolizer
from verifier.types.load import load

ROOT = Path(__file__).parents[2]


@cache
def texts() -> dict[str, str]:
    """The script and the first question of every claim."""
    symbolizer = Symbolizer()
    scripts = {c.name: generate(c, symbolizer).script for c in load(read_project(ROOT)).checked.claims}
    return {n: f"{s.prelude}(check-sat-assuming ({' '.join(s.selectors)}))\n" for n, s in scripts.items()}


def read_with_z3(text: str) -> None:
    z3.parse_smt2_string(text, ctx=z3.Context())


def read_with_bitwuzla(text: str) -> None:
    bitwuzla.Parser(bitwuzla.TermManager(), bitwuzla.Options()).parse(text, True, False)


def read_with_cvc5(text: str) -> None:
    manager = cvc5.TermManager()
    solver = cvc5.Solver(manager)
    solver.setOption("incremental", "true")
    symbols = cvc5.SymbolManager(manager)
    parser = cvc5.InputParser(solver, symbols)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "script")
    while not (command := parser.nextCommand()).isNull():
        if not command.getCommandName().startswith("check-sat"):
            said = command.invoke(solver, symbols)
            if "error" in said:
                raise ValueError(said)


@pytest.mark.parametrize("read", [read_with_z3, read_with_bitwuzla, read_with_cvc5])
def test_every_claims_script_is_read(read):
    assert len(texts()) > 200
    for name, text in texts().items():
        try:
            read(text)
        except Exception as error:
            pytest.fail(f"{name}: {error}")


@pytest.mark.parametrize("read", [read_with_z3, read_with_bitwuzla, read_with_cvc5])
def test_a_parser_refuses_what_is_not_smtlib(read):
    with pytest.raises(Exception, match=r"\w"):
        read("(set-logic QF_BV)\n(assert (= #b1 #b11))\n")


def test_the_files_hold_every_question_of_a_run(tmp_path):
    claims = ["B9", "bit_10_has_no_part_in_present", "user_execution_by_bit_10_alone"]
    assert run(["prove", "--root", str(ROOT), "--no-cache", "--jobs", "1", "--smtlib", str(tmp_path), *claims]) == 0
    files = sorted(tmp_path.iterdir())
    assert len(files) >= len(claims)
    for file in files:
        text = file.read_text()
        assert text.count("(check-sat") >= 1
        for read in (read_with_z3, read_with_bitwuzla, read_with_cvc5):
            read(text)
