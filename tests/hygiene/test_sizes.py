"""Files hold one noun, functions fit a screen, and what takes many values takes a record."""

from __future__ import annotations

from pathlib import Path

import pytest
from tree import Function, functions, name, sources

CODE = ("verifier", "models", "tests", "bench")
FILE_LINES, FUNCTION_LINES, PARAMETERS = 400, 40, 5

LONG_FILES: dict[str, str] = {
    "verifier/syntax/tree.py": "one dataclass a construct; cut in two, a reader would need both halves",
    "verifier/syntax/build.py": "one method for each production of the grammar",
    "tests/unit/models/test_ept_walk.py": "one sentence of the manual after another",
    "tests/unit/models/test_scenario.py": "one key of the format after another",
}
LONG_FUNCTIONS: dict[str, str] = {
    "verifier/core/interpret.py meaning": "one `match` over every construct",
    "verifier/smt/symbolize.py Symbolizer.value": "one `match` over every construct",
    "verifier/syntax/expression_printer.py ExpressionPrinter._expr": "one `match` over every construct",
    "verifier/cli/prove.py command": "half of it is options and the text of `--help`",
    "verifier/cli/diff.py command": "half of it is options and the text of `--help`",
}
MANY_PARAMETERS: dict[str, str] = {
    "verifier/cli/new_series.py command": "one parameter an option; click passes them by name",
    "verifier/cli/prove.py command": "one parameter an option; click passes them by name",
    "verifier/cli/report.py command": "one parameter an option; click passes them by name",
    "verifier/cli/diff.py command": "one parameter an option; click passes them by name",
    "verifier/cli/vectors.py command": "one parameter an option; click passes them by name",
}


def lines(path: Path) -> int:
    return path.read_text("utf-8").count("\n")


def length(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def parameters(node: Function) -> int:
    """Without `self` and `cls`."""
    named = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return len([arg for arg in named if arg not in ("self", "cls")])


def test_no_file_is_longer_than_it_may_be():
    long = {name(path): lines(path) for path in sources(*CODE) if lines(path) > FILE_LINES}
    assert set(long) - set(LONG_FILES) == set(), long


def test_no_function_is_longer_than_it_may_be():
    long = {
        f"{name(path)} {function}": length(node)
        for path in sources(*CODE)
        for function, node in functions(path)
        if length(node) > FUNCTION_LINES
    }
    assert set(long) - set(LONG_FUNCTIONS) == set(), long


def test_no_function_takes_more_than_it_may_take():
    many = {
        f"{name(path)} {function}": parameters(node)
        for path in sources("verifier", "models", "bench")
        for function, node in functions(path)
        if parameters(node) > PARAMETERS
    }
    assert set(many) - set(MANY_PARAMETERS) == set(), many


@pytest.mark.parametrize("exceptions", [LONG_FILES, LONG_FUNCTIONS, MANY_PARAMETERS])
def test_an_exception_that_is_no_longer_needed_is_deleted(exceptions: dict[str, str]):
    known = {name(path): lines(path) > FILE_LINES for path in sources(*CODE)}
    for path in sources(*CODE):
        for function, node in functions(path):
            known[f"{name(path)} {function}"] = length(node) > FUNCTION_LINES or parameters(node) > PARAMETERS
    assert [entry for entry in exceptions if not known.get(entry)] == []
