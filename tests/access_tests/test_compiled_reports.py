"""`--format c`: whatever a result is, the file compiles without a warning, and runs.

The EPT of `ept_access.h` computes each outcome from the macros that were written: a case that lost a bit fails.
"""

from __future__ import annotations

import pytest
from compiler import compiled, gcc
from conformance.results import ACCESSES, EVERY, KINDS, RUN

from verifier.obligations.result import Result
from verifier.reports.registry import FORMATS


def file_of(results: list[Result], details: list[Result]) -> str:
    return FORMATS["c"](results, details, RUN)


@gcc
@pytest.mark.parametrize("closely", [True, False])
def test_a_file_of_every_kind_of_result_compiles_without_a_warning(closely: bool, tmp_path):
    results = list(EVERY.values())
    assert compiled(file_of(results, results if closely else []), tmp_path)


@gcc
@pytest.mark.parametrize("kind", EVERY)
def test_a_file_of_one_result_compiles_whatever_its_words_are(kind: str, tmp_path):
    assert compiled(file_of([EVERY[kind]], [EVERY[kind]]), tmp_path)


@gcc
def test_a_file_without_results_compiles_and_has_no_cases(tmp_path):
    done = compiled(file_of([], []), tmp_path)()
    assert (done.returncode, done.stdout) == (0, "0 cases, 0 failed\n")


@gcc
def test_the_cases_pass_and_what_no_access_test_makes_is_said(tmp_path):
    result = KINDS["refuted"]
    text = file_of([result], [result])
    done = compiled(text, tmp_path)()
    assert done.stdout.count("PASS: ") == len(ACCESSES) - 1 == 3
    assert "3 cases, 0 failed\n" in done.stdout
    assert "No test of ept12: paging flag update: no operation of the guest is" in " ".join(
        text.replace(" *", "").split()
    )


@gcc
def test_a_case_that_expects_something_else_fails(tmp_path):
    result = KINDS["refuted"]
    for word, other in (("EPT_VLT_PERM_USER_EX", "0"), ("VMX_EPT_MISCONFIG", "VMX_VMCALL"), ("OP_EXEC", "OP_WRITE")):
        text = file_of([result], [result])
        assert word in text
        done = compiled(text.replace(word, other), tmp_path)()
        assert done.returncode == 1
        assert "3 cases, 1 failed" in done.stdout
