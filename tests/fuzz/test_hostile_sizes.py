"""Depth and length: beyond the limits a diagnostic, within them a normal result."""

from __future__ import annotations

import pytest
from fuzz.hostile import judged
from golden.cases import make_project

BOOL = "fn f(b: bool) -> bool = "
DEEP = {
    "50,000 negations": BOOL + "!" * 50_000 + "b",
    "inversions": BOOL + "~" * 3_000 + "b",
    "conditions": BOOL + "if " * 2_000 + "b" + " then b else b" * 2_000,
    "a chain of else": BOOL + "if b then b else " * 2_000 + "b",
    "a chain of let": BOOL + "let x = b; " * 2_000 + "b",
    "implications": BOOL + "b implies " * 3_000 + "b",
    "operations": BOOL + "(b && " * 2_000 + "b" + ")" * 2_000,
    "fields": BOOL + "b" + ".a" * 3_000,
    "positions": BOOL + "b" + "[0]" * 3_000,
    "calls in calls": BOOL + "f(" * 3_000 + "b" + ")" * 3_000,
    "calls of calls": BOOL + "f" + "(b)" * 3_000,
    "literals": BOOL + "X { a: " * 2_000 + "b" + " }" * 2_000,
    "changes": BOOL + "b" + " with { a: b }" * 1_000,
    "lists": BOOL + "list(" * 3_000 + "b" + ")" * 3_000,
    "sets": BOOL + "b in { " * 2_000 + "b" + " }" * 2_000,
    "matches": BOOL + "match (b) { case _ : " * 1_000 + "b" + " }" * 1_000,
    "quantifiers": BOOL + "all(x in b: " * 1_000 + "b" + ")" * 1_000,
    "list types": "fn f(b: bool" + "[1]" * 3_000 + ") -> bool = true",
    "parentheses that never close": BOOL + "(" * 50_000,
    "braces": "{" * 10_000,
    "quotes": '"' * 10_001,
    "a hexadecimal number": "const A: bits(64) = 0x" + "f" * 100_000,
    "a decimal number": "const A: bits(64) = " + "9" * 100_000,
    "a mask": "const A: bits(64) = [4000000000:0]",
    "a mask without a width": "fn f() -> bool = [4000000000:0] == [1]",
    "an extension": "fn f(a: bits(4)) -> bool = extend(a, 99999999999) == extend(a, 99999999999)",
    "a concatenation": f"fn f(a: bits(4096)) -> bool = ({' ++ '.join('a' * 500)}) == 0",
    "an enum's number": "enum E { A = " + "9" * 1_300 + " }",
    "records in records": "\n".join(f"record R{i} {{ a: R{i + 1} }}" for i in range(1_000)),
    "functions that call each other": "\n".join(f"fn f{i}(b: bool) -> bool = f{i + 1}(b)" for i in range(1_000)),
    "a circle of functions": "\n".join(f"fn f{i}(b: bool) -> bool = f{(i + 1) % 60}(b)" for i in range(60)),
    "10,000 faulty lines": "\n".join(f"fn f{i}(b bool) -> bool = b" for i in range(10_000)),
}


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path)


@pytest.mark.parametrize("name", DEEP)
def test_what_is_beyond_a_limit_is_refused_with_a_place(name, project):
    (project / "proofs" / "example.slat").write_text(f"module proofs.example\n{DEEP[name]}\n")
    assert judged(project, "check").exit_code == 2
    judged(project, "fmt", "--check")


SOUND = {
    "parentheses": BOOL + "(" * 20_000 + "b" + ")" * 20_000,
    "operands": BOOL + " && ".join("b" * 2_000),
    "a comment of 10,000 lines": "// a line\n" * 10_000,
    "a sentence": f'fn f() -> bool "{"x" * 1_000_000}" = true',
    "a name": f"fn {'a' * 100_000}() -> bool = true",
    "fields of a bitfield": "bits E : 4096 {\n" + "\n".join(f"[{i}] a{i}" for i in range(4_096)) + "}",
    "members of an enum": "enum E {\n" + ",\n".join(f"A{i} = {i}" for i in range(2_000)) + "}",
    "arms of a match": "fn f(n: bits(12)) -> bits(12) = match (n) {\n"
    + "\n".join(f"case {i} : {i}" for i in range(250))
    + "\ncase _ : 0}",
    "calls at the limit": "\n".join(f"fn f{i}(b: bool) -> bool = {'!' * 98}f{i + 1}(b)" for i in range(64))
    + "\nfn f64(b: bool) -> bool = b",
    "10,000 lines": "\n".join(f"const C{i}: bits(16) = {i}" for i in range(10_000)),
}


@pytest.mark.parametrize("name", SOUND)
def test_what_is_within_the_limits_has_its_normal_result(name, project):
    (project / "proofs" / "example.slat").write_text(f"module proofs.example\n{SOUND[name]}\n")
    said = judged(project, "check")
    assert (said.exit_code, said.out) == (0, "well-typed: 1 module, 0 claims\n")
    assert judged(project, "fmt").exit_code == 0
    assert judged(project, "fmt", "--check").exit_code == 0
