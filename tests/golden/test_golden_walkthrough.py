"""Following docs/REVIEWING.md in a fresh copy of the project leads where it says."""

from __future__ import annotations

import email
import email.policy
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "REVIEWING.md"
NEEDED = ("specs", "proofs", "tests/access_tests/ept_access.h")
LEFT_OUT = "[…]"
ONLINE = ("git clone", "make setup", "lei q", "b4 am", "b4 mbox", "git send-email")
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def blocks(*kinds: str) -> list[tuple[str, str]]:
    """The blocks of the document that are of these kinds."""
    found = [(match[1], match[2]) for match in _BLOCK.finditer(DOCUMENT.read_text("utf-8"))]
    return [(kind, text) for kind, text in found if kind in kinds]


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a block of `console`, and all that it should print."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        first, *rest = part.splitlines()
        more = 0
        while more < len(rest) and (rest[more] == ">" or rest[more].startswith("> ")):
            more += 1
        yield "\n".join([first, *(line[2:] for line in rest[:more])]), "".join(f"{line}\n" for line in rest[more:])


def wanted(expected: str) -> re.Pattern[str]:
    """What a command must print: `[…]` on a line of its own are any lines, and elsewhere the rest of its line."""
    lines = (r"(?:.*\n)*?" if line == LEFT_OUT else f"{_line(line)}\n" for line in expected.splitlines())
    return re.compile("".join(lines))


def _line(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.split(LEFT_OUT))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh copy of what the document uses."""
    for name in NEEDED:
        (tmp_path / "slat" / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / "slat" / name)
    return tmp_path / "slat"


def run(project: Path, words: list[str], given: str = "") -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        words, cwd=project, env=environment, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False,
    )  # fmt: skip


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_every_command_of_the_walk_through_prints_what_stands_below_it(project: Path):
    done = 0
    for kind, text in blocks("console", "diff"):
        if kind == "diff":
            said = run(project, ["patch", "-p1", "--fuzz=0"], text)
            assert said.returncode == 0, said.stdout
            continue
        for command, expected in commands(text):
            said = run(project, ["bash", "-c", command])
            shown = f"$ {command}\n{said.stdout}"
            assert said.returncode in (0, 1), f"{shown}exit {said.returncode}"  # 1: a verdict is not the expected one
            assert wanted(expected).fullmatch(said.stdout), shown
            done += 1
    assert done > 15
    check_answer(project / "answer.eml")


def check_answer(file: Path) -> None:
    """The answer is a mail that belongs below the patch, quotes it, and is narrow enough to be quoted itself."""
    mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert mail["In-Reply-To"] == "<20260408154217.458420-14-pbonzini@redhat.com>"
    assert mail["Subject"] == "Re: [PATCH v3 13/27] KVM: x86/mmu: split XS/XU bits for EPT"
    assert mail["To"].addresses[0].addr_spec == "author@example.org"
    lines = mail.get_content().splitlines()
    assert any(line.startswith("> +\tshadow_xu_mask") for line in lines)
    assert all(len(line) <= 72 for line in lines if not line.startswith(">"))


def test_what_is_not_run_needs_the_network_or_a_clone():
    for _, text in blocks("sh"):
        assert all(line.startswith(ONLINE) for line in text.splitlines())
    kinds = {match[1] for match in _BLOCK.finditer(DOCUMENT.read_text("utf-8"))}
    assert kinds == {"console", "diff", "sh"}
