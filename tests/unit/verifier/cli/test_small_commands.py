"""`slat explain`, `eval` and `completion`, and how they introduce themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from golden.cases import make_project, slat

from verifier.cli.main import COMMANDS
from verifier.diagnostics.pages import codes, read_page


@pytest.fixture
def project(tmp_path):
    make_project(tmp_path)
    text = """module proofs.example

bits Entry : 64 { [0] r  [1] w  [10] xu }
enum Level { PTE = 1, PDE = 2 }
fn f(e: Entry, at: Level) -> bits(4) = if e.xu then at.raw ++ at.raw else 0
"""
    (tmp_path / "proofs" / "example.slat").write_text(text)
    return tmp_path


def test_explain_prints_the_page(tmp_path):
    said = slat(tmp_path, "explain", "E214")
    assert (said.exit_code, said.out) == (0, read_page("E214"))
    assert slat(tmp_path, "explain", "e214").out == said.out


def test_explain_without_a_code_lists_all_with_their_titles(tmp_path):
    lines = slat(tmp_path, "explain").out.splitlines()
    assert [line.split()[0] for line in lines] == codes()
    assert "E214  a field that the type does not have" in lines


def test_explain_offers_the_nearest_code(tmp_path):
    said = slat(tmp_path, "explain", "E2140")
    assert (said.exit_code, said.codes) == (2, ["E603"])
    assert "did you mean" in said.err
    assert "`E214`" in said.err


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("f(Entry { xu: true }, PDE)", "10"),
        ("f(Entry {}, PDE)", "0"),
        ("Entry(1027)", "Entry { r: true, w: true, xu: true }"),
        ("let x: bits(64) = [5:3]; x", "0x38"),
        ("proofs.example.f(Entry(0), PTE) == 0", "true"),
        ("list(PTE, PDE)", "list(PTE, PDE)"),
    ],
)
def test_eval_prints_the_value(project, expression, value):
    said = slat(project, "eval", expression)
    assert (said.exit_code, said.out, said.err) == (0, f"{value}\n", "")


@pytest.mark.parametrize(
    ("expression", "code"),
    [("1 +", "E101"), ("f(1)", "E210"), ("nothing", "E306"), ("12", "E202"), ("a === b", "E106"), ("", "E101")],
)
def test_eval_says_what_is_wrong_with_an_expression(project, expression, code):
    said = slat(project, "eval", expression)
    assert (said.exit_code, said.codes) == (2, [code])
    assert "<expression>:1:" in said.err


def test_eval_of_an_expression_as_deep_as_allowed_has_a_value(project):
    calls = "\n".join(f"fn g{i}(b: bool) -> bool = {'!' * 98}g{i - 1}(b)" for i in range(1, 64))
    text = f"module proofs.deep\n\nfn g0(b: bool) -> bool = b\n{calls}\n"
    (project / "proofs" / "deep.slat").write_text(text)
    result = subprocess.run(
        [sys.executable, "-c", "from verifier.cli.main import main; main()", "eval", "!" * 98 + "g63(true)"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "true\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(tmp_path, shell):
    said = slat(tmp_path, "completion", shell)
    assert said.exit_code == 0
    assert f"_SLAT_COMPLETE={shell}_complete" in said.out


def completions(folder: Path, line: str) -> list[str]:
    """What bash is offered for the last word of a line: kind and value of each."""
    words = line.split(" ")
    environment = {
        **os.environ,
        "_SLAT_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    program = [sys.executable, "-c", "from verifier.cli.main import main; main()"]
    result = subprocess.run(program, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()


CLAIMS = """
invariant a_bit_is_itself is T1, T2 for b: bool show b == b
  witness a_bit_can_be_set is T10
  for b: bool show b
invariant broken is is
"""
OFFERED = [
    ("slat fmt --ch", ["plain,--check"]),
    ("slat pro", ["plain,prove"]),
    ("slat prove a_b", ["plain,a_bit_is_itself", "plain,a_bit_can_be_set", "file,a_b"]),
    ("slat prove T1 T1", ["plain,T1", "plain,T10", "file,T1"]),
    ("slat prove proofs/ex", ["file,proofs/ex"]),
    ("slat prove --series ", ["plain,all", "plain,now", "plain,old"]),
    ("slat prove --series o", ["plain,old"]),
    ("slat new-series mine --base ", ["plain,now", "plain,old"]),
    ("slat new-series mine --base now --amend kvm.", ["plain,kvm.odd.f", "plain,kvm.odd.Acc"]),
    ("slat new-series mine --mbox re", ["file,re"]),
    ("slat prove --json re", ["file,re"]),
    ("slat explain e50", [f"plain,E50{n}" for n in range(1, 10)]),
    ("slat walk sc", ["file,sc"]),
    ("slat check proofs/", ["file,proofs/"]),
]


@pytest.mark.parametrize(("line", "offered"), OFFERED)
def test_completion_offers_what_may_follow_also_in_specifications_with_mistakes(line, offered, project):
    (project / "proofs" / "claims.slat").write_text(f"module proofs.claims\n{CLAIMS}")
    for name, text in (("series.toml", 'written = "now"\n'), ("old/series.toml", "no TOML")):
        (project / "specs" / "kvm" / "series" / name).parent.mkdir(parents=True, exist_ok=True)
        (project / "specs" / "kvm" / "series" / name).write_text(text)
    (project / "specs" / "kvm" / "odd.slat").write_text("module kvm.odd\nfn f(\nbits Acc : 3\n  invariant i\n")
    assert completions(project, line) == offered


def test_completion_offers_no_claims_where_there_is_no_project_and_says_nothing_of_it(tmp_path):
    assert completions(tmp_path, "slat prove a") == ["file,a"]
    assert completions(tmp_path, "slat prove --root nowhere a") == ["file,a"]


def test_an_unknown_shell_is_an_error(tmp_path):
    assert slat(tmp_path, "completion", "tcsh").exit_code == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_shows_examples(tmp_path, name):
    said = slat(tmp_path, name, "--help")
    assert said.exit_code == 0
    assert "Examples:" in said.out
    assert f"  slat {name}" in said.out


def test_the_help_lists_every_command(tmp_path):
    said = slat(tmp_path, "--help")
    assert all(f"\n  {name} " in said.out for name in COMMANDS)
