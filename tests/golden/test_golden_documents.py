"""Samples in documents are what the commands beside them print; documents that slat writes, word for word."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from golden.cases import slat

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "docs/DIFF.md", "docs/TABLES.md", "docs/VECTORS.md")
"""Documents whose every block of `console` is one command and all that it prints."""
_SAMPLE = re.compile(r"```console\n\$ slat ([^\n]+)\n(.*?)```", re.DOTALL)


def printed(sample: re.Match[str]) -> str:
    """The block as it should be."""
    words = shlex.split(sample[1])
    said = slat(ROOT, *words)
    assert (said.exit_code, said.err) == (1 if words[0] == "diff" else 0, ""), (
        "versions that a document compares differ"
    )
    return f"```console\n$ slat {sample[1]}\n{said.out}```"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_sample_of_a_document_is_what_the_command_prints(name: str, request: pytest.FixtureRequest):
    document = ROOT / name
    text = document.read_text("utf-8")
    assert text.count("```console") == len(_SAMPLE.findall(text)) > 0
    found = _SAMPLE.sub(printed, text)
    if request.config.getoption("--update-golden"):
        document.write_text(found, "utf-8")
    assert found == document.read_text("utf-8"), "`pytest tests/golden --update-golden` rewrites it"


PROJECT = Path(__file__).parent / "report" / "map"


def test_the_documents_of_a_project_read_exactly_so(tmp_path: Path, request: pytest.FixtureRequest):
    shutil.copytree(PROJECT, tmp_path, dirs_exist_ok=True)
    said = slat(tmp_path, "report", "--markdown", "proofs", "--no-cache", "--jobs", "1")
    counted = "26 claims, 13 proved, 10 refuted, 5 reachable, 3 not modelled, all as expected"
    assert (said.exit_code, said.out, said.err) == (0, f"proofs/README.md: {counted}\n", "")
    for golden, written in ((PROJECT / "index.txt", "README.md"), (PROJECT / "map.txt", "kvm/README.md")):
        found = (tmp_path / "proofs" / written).read_text("utf-8")
        if request.config.getoption("--update-golden"):
            golden.write_text(found, "utf-8")
        assert found == golden.read_text("utf-8"), "`pytest tests/golden --update-golden` rewrites it"
