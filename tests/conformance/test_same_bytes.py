"""Two runs print the same bytes, whatever else the machine does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import small

from verifier.cli.main import run

MANY = small.CLAIMS + "".join(
    f'\nwitness key_{n} per SDM "Keys" "A key of number {n} opens." for k: Key assume k.number == {n} show opens(k)\n'
    for n in range(6)
)


@contextmanager
def busy_core() -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as child:
        try:
            yield
        finally:
            child.kill()


def printed(root: Path, capfd: pytest.CaptureFixture[str], *words: str) -> str:
    capfd.readouterr()
    assert run(["prove", "--root", str(root), "-v", *words]) == 0
    said = capfd.readouterr()
    assert said.err == ""
    return said.out


def printed_by_a_process(root: Path, seed: int) -> str:
    """The same from a process of its own, whose sets have another order."""
    env = {**os.environ, "PYTHONHASHSEED": str(seed)}
    command = [sys.executable, "-c", small.MAIN, "prove", "--root", str(root), "--no-cache", "-v"]
    return subprocess.run(command, capture_output=True, timeout=300, check=True, env=env, text=True).stdout


def test_ten_runs_print_the_same_bytes_for_any_number_of_processes_and_with_a_busy_core(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    root = small.write(tmp_path, MANY)
    seen = {printed(root, capfd, "--no-cache", "--jobs", str(jobs)) for jobs in (1, 2, 1, 2)}
    with busy_core():
        seen |= {printed(root, capfd, "--no-cache", "--jobs", str(jobs)) for jobs in (1, 2, 1, 3)}
    seen |= {printed_by_a_process(root, seed) for seed in (1, 2)}
    assert len(seen) == 1
    assert "11 claims" in seen.pop()


def test_a_run_from_the_cache_prints_what_the_run_before_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    root = small.write(tmp_path, MANY)
    anew = printed(root, capfd, "--no-cache")
    assert [printed(root, capfd) for _ in range(2)] == [anew, anew]
