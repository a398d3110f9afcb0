"""`slat walk`: one scenario as a drawing or as JSON, and batches."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from models.scenario import InputError
from verifier.cli.main import run
from verifier.cli.walk_errors import KINDS, diagnose, error_object

PAGES = Path(__file__).parents[4] / "verifier" / "diagnostics" / "pages"
RIGHTS = 0x407


def scenario(leaf: int = 0x20000 | RIGHTS | 6 << 3, **access: Any) -> dict[str, Any]:
    """EPT alone, with MBE: guest-physical address 123H through four tables."""
    entries = {"0x1000": 0x2000 | RIGHTS, "0x2000": 0x3000 | RIGHTS, "0x3000": 0x4000 | RIGHTS, "0x4000": leaf}
    return {
        "schema": "slat-scenario-1",
        "cpu": {"maxphyaddr": 40, "ept_vpid_cap": "0x6734141"},
        "vmcs": {
            "eptp": "0x101e",
            "primary_controls": "0x80000000",
            "secondary_controls": "0x400082",
            "tertiary_controls": 0,
        },
        "guest": {"cr0": "0x80050033", "cr3": 0, "cr4": "0x2020", "efer": "0xd00", "cpl": 0, "rflags": 2},
        "memory": entries,
        "access": {"kind": "read", "guest_physical_address": "0x123", **access},
    }


def walk(monkeypatch: pytest.MonkeyPatch, text: str | bytes, *words: str) -> int:
    """Runs `slat walk` with `text` on standard input."""
    data = text.encode() if isinstance(text, str) else text
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    return run(["walk", *words])


def test_the_drawing_marks_the_step_that_decides_and_cites_its_section(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert walk(monkeypatch, json.dumps(scenario(leaf=0x20000 | 2)), "-") == 0
    lines = capsys.readouterr().out.splitlines()
    (decisive,) = (number for number, line in enumerate(lines) if line.startswith("=>"))
    assert lines[decisive].split() == ["=>", "EPT", "PTE", "0x4000", "0x20002", "W", "0x20000"]
    assert lines[decisive + 1].strip() == "writable and not readable: EPT misconfiguration"
    assert lines[decisive + 2].strip() == 'SDM "EPT Misconfigurations"'
    assert "EPT misconfiguration: VM exit, basic exit reason 49" in lines


def test_the_drawing_gives_rights_so_far_and_every_bit_of_the_qualification(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert walk(monkeypatch, json.dumps(scenario(leaf=0x20000 | 1 | 6 << 3, kind="fetch")), "-") == 0
    text = capsys.readouterr().out
    assert "EPT PDE       0x3000          0x4407             R W XS XU -> table 0x4000             R W XS XU" in text
    assert "EPT PTE       0x4000          0x20031            R WB -> page 0x20000                  R\n" in text
    assert "bit  2  1  instruction fetch" in text
    assert "bit  3  1  readable: AND of R" in text
    assert "bit  6  0  user-executable: AND of XU" in text
    assert "bit 14  ?  supervisor shadow-stack page (undefined)" in text
    assert max(map(len, text.splitlines())) <= 100


def test_the_drawing_shows_words_of_memory_that_changed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = scenario()
    document["vmcs"]["eptp"] = "0x105e"
    assert walk(monkeypatch, json.dumps(document), "-") == 0
    assert "0x4000          0x20437            -> 0x20537            EPT PTE: sets bit 8" in capsys.readouterr().out


def test_json_is_the_outcome_with_its_steps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert walk(monkeypatch, json.dumps(scenario()), "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["host_physical_address"] == "0x20123"
    assert [step["stage"] for step in document["steps"][1:5]] == ["EPT PML4E", "EPT PDPTE", "EPT PDE", "EPT PTE"]


def test_a_batch_answers_each_line_in_its_place_and_ends_with_2_if_one_was_bad(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = json.dumps(scenario())
    lines = [good, "", "not JSON", good.replace('"cpl"', '"cpl": 1, "cpl"'), '{"schema": "x"}', good]
    assert walk(monkeypatch, "\n".join(lines), "--batch") == 2
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer.get("outcome") for answer in answers] == ["ok", None, None, None, None, "ok"]
    assert [answer["error"]["code"] for answer in answers[1:5]] == ["E501", "E501", "E504", "E505"]
    assert answers[3]["error"]["path"] == "guest.cpl"
    assert "steps" not in answers[0]


def test_steps_are_part_of_a_batch_if_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert walk(monkeypatch, json.dumps(scenario()), "--batch", "--steps") == 0
    assert json.loads(capsys.readouterr().out)["steps"]


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        (("guest", "cr33", 0), "E503", "guest.cr33"),
        (("guest", "cpl", 4), "E507", "guest.cpl"),
        (("guest", "cpl", "three"), "E506", "guest.cpl"),
        (("memory", "0x1004", 0), "E508", "memory.0x1004"),
        (("memory", "0x10000000000", 0), "E507", "memory.0x10000000000"),
        (("vmcs", "secondary_controls", "0x420082"), "E509", "vmcs.secondary_controls"),
        (("guest", "rflags", 0), "E510", "guest.rflags"),
        (("access", "user_shadow_stack", True), "E511", "access.user_shadow_stack"),
    ],
)
def test_wrong_input_is_a_diagnostic_with_its_path_and_exit_code_2(
    change: tuple[str, str, Any],
    code: str,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    section, key, value = change
    document = scenario()
    document[section][key] = value
    assert walk(monkeypatch, json.dumps(document), "-") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"error[{code}]: <stdin>: `{path}`: ")


@pytest.mark.parametrize(
    "words", [[], ["/no/such/file"], ["/"], ["--steps", "-"], ["--batch", "/no/such/file"]], ids=" ".join
)
def test_words_that_cannot_be_followed_end_with_2(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert walk(monkeypatch, "", *words) == 2
    assert capsys.readouterr().err.startswith("error[E603]: ")


def test_random_lines_are_all_answered_and_never_end_in_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = random.SystemRandom().getrandbits(32)
    rng = random.Random(seed)
    good = json.dumps(scenario()).encode()
    lines = [damaged(rng, good) for _ in range(400)]
    lines += [b"[" * 100_000, b'{"a":' * 100_000, b"1" * 1_000_000, b'"' + b"x" * 1_000_000 + b'"', good]
    assert walk(monkeypatch, b"\n".join(lines), "--batch") == 2
    said = capsys.readouterr()
    answers = [json.loads(line) for line in said.out.splitlines()]
    assert len(answers) == len(lines), f"seed {seed}"
    assert all(
        ("outcome" in answer) != (set(answer.get("error", ())) == {"code", "path", "message"}) for answer in answers
    )
    assert answers[-1]["outcome"] == "ok"
    assert said.err == ""
    assert max(map(len, said.out.splitlines())) < 1000


def damaged(rng: random.Random, line: bytes) -> bytes:
    """The line cut, with bytes replaced, or doubled; never with an end of line in it."""
    match rng.randrange(3):
        case 0:
            return line[: rng.randrange(len(line))]
        case 1:
            place = rng.randrange(len(line))
            return (line[:place] + rng.randbytes(rng.randrange(1, 4)) + line[place + 1 :]).replace(b"\n", b" ")
        case _:
            return line + line


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    lines.write_text((json.dumps(scenario()) + "\n") * 3000, "utf-8")
    program = f"{sys.executable} -m verifier walk --batch {lines} | head -n 1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {program}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert json.loads(done.stdout)["outcome"] == "ok"
    assert done.stderr == ""


def test_walk_imports_no_solver_and_no_numpy() -> None:
    program = "import sys, verifier.cli.walk; print([m for m in ('z3', 'bitwuzla', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("word", KINDS)
def test_every_error_of_the_reference_mmu_has_a_code_with_a_page(word: str) -> None:
    error = InputError(word, "guest.cr0", "wrong")
    code = diagnose(error, "file").code
    assert error_object(error)["error"]["code"] == code
    assert (PAGES / f"{code}.md").read_text("utf-8").startswith(f"# {code}: ")


def test_the_example_in_the_documents_is_real(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (PAGES.parents[2] / "docs" / "WALK.md").read_text("utf-8")
    document, console = text.split("```json\n")[1].split("```")[0], text.split("```console\n")[1].split("```")[0]
    assert walk(monkeypatch, document, "-") == 0
    assert capsys.readouterr().out == console.removeprefix("$ slat walk scenario.json\n")
