"""`slat walk` on nested scenarios: drawings, JSON, batches, and what is wrong with them."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from verifier.cli.main import run

DOCUMENT = Path(__file__).parents[4] / "docs" / "WALK.md"
RIGHTS = 0x407


def scenario(leaf: int = 0x20035, series: str = "v5", **access: Any) -> dict[str, Any]:
    """An L1 with four tables of EPT12, and an L2 that fetches from its page 0."""
    memory = {"0x1000": 0x2000 | RIGHTS, "0x2000": 0x3000 | RIGHTS, "0x3000": 0x4000 | RIGHTS, "0x4000": leaf}
    return {
        "schema": "slat-nested-scenario-1",
        "series": series,
        "host": {"cpu": {"maxphyaddr": 40, "ept_vpid_cap": "0x6734141"}},
        "vmcs12": {"eptp": "0x101e", "primary_controls": "0x80000000", "secondary_controls": "0x400002"},
        "memory": memory,
        "guest": {"cr0": "0x80050033", "cr3": 0, "cr4": "0x2020", "efer": "0xd00", "cpl": 0, "rflags": 2},
        "access": {"kind": "fetch", "guest_physical_address": "0x123", **access},
    }


def walk(monkeypatch: pytest.MonkeyPatch, document: Any, *words: str) -> int:
    """Runs `slat walk` with the document, or a text, on standard input."""
    text = document if isinstance(document, str) else json.dumps(document)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    return run(["walk", *words])


def drawn(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], document: Any, *words: str) -> str:
    assert walk(monkeypatch, document, *words, "-") == 0
    return capsys.readouterr().out


def test_the_drawing_shows_each_try_of_l2_and_what_kvm_does_between(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = drawn(monkeypatch, capsys, scenario())
    lines = text.splitlines()
    assert lines[0] == "fetch at guest-physical address 0x123"
    assert "vmcs02 EPTP 0x800000001e, secondary controls 0x400002: EPT, MBE" in lines
    assert "KVM    v5, MAXPHYADDR 40, MBEC, L1's memory in slots" in lines
    places = [
        text.index(words) for words in ("L0 exit", "EPT12 PML4E", "SPTE PML4E", "L2 tries again", "=> EPT rights")
    ]
    assert places == sorted(places)
    assert text.count("EPT for the final address") == 2
    assert "mended by L0 (1 exit), then" in lines
    assert "  host-physical address   0x20123" in lines
    assert max(map(len, lines)) <= 100


def test_a_reflected_exit_is_drawn_with_the_qualification_that_l1_sees(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = drawn(monkeypatch, capsys, scenario(user_linear_address=True))
    assert "=> KVM           EPT12 PTE: a right is missing; reflected to L1" in text
    assert "reflected to L1: EPT violation, basic exit reason 48" in text
    assert "exit qualification      0x7ac (defined bits 0x1bfff)" in text
    assert "bit  6  0  user-executable: AND of XU" in text


WITHOUT_EPT = {"eptp": 0, "primary_controls": 1 << 31, "secondary_controls": 0}
FLAGGED = {**scenario()["vmcs12"], "eptp": "0x105e"}
USER = {**scenario()["guest"], "cpl": 3}
OUTCOMES = {
    "reflected to L1: EPT misconfiguration, basic exit reason 49": scenario(leaf=2),
    "VM entry of L2 fails: ": scenario() | {"vmcs12": WITHOUT_EPT | {"secondary_controls": 2}},
    "no progress: the exit recurs for ever": scenario(0x20430, "v1", user_linear_address=True) | {"guest": USER},
    "L0 emulates the access: mmio": scenario(leaf=1 << 39 | 0x437),
    "none: L2 runs on L1's guest-physical addresses": scenario() | {"vmcs12": WITHOUT_EPT},
    "accessed and dirty flags": scenario() | {"vmcs12": FLAGGED},
    "memory that changed, SPTEs left out": scenario() | {"vmcs12": FLAGGED},
    "NX huge pages": scenario() | {"host": scenario()["host"] | {"parameters": {"nx_huge_pages": True}}},
    "no MBEC": scenario() | {"host": scenario()["host"] | {"parameters": {"mbec": False}}},
}


@pytest.mark.parametrize("words", OUTCOMES)
def test_every_outcome_and_setting_has_its_words(
    words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for form in ("text", "mail", "markdown"):
        text = drawn(monkeypatch, capsys, OUTCOMES[words], "--format", form)
        assert words in " ".join(text.split()) or form == "mail", form
        assert max(map(len, text.splitlines())) <= (72 if form == "mail" else 100)


def test_a_page_fault_of_l2_is_drawn_with_its_error_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = scenario() | {"access": {"kind": "read", "linear_address": "0x123"}}
    text = drawn(monkeypatch, capsys, document)
    assert "page fault (#PF)" in text
    assert "error code              0x0" in text


def test_an_ept01_that_is_given_is_named_in_the_headlines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = scenario() | {"vmcs01": {"eptp": "0x60001e"}}
    document["memory"] |= {"0x600000": "0x601407", "0x601000": "0x4b7"}
    text = drawn(monkeypatch, capsys, document)
    assert "EPT01 0x60001e" in text
    assert "host-physical address   0x20123" in text


def test_markdown_says_the_outcome_first(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    text = drawn(monkeypatch, capsys, scenario(), "--format", "markdown")
    assert text.startswith("Fetch at guest-physical address 0x123: **allowed**\n\n```text\n")
    assert text.endswith("```\n")


def test_json_is_the_nested_outcome_with_its_steps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert walk(monkeypatch, scenario(), "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "slat-nested-outcome-1"
    assert document["outcome"] == "fixed_by_l0"
    assert document["retried"]["outcome"] == "ok"
    assert document["steps"][2]["stage"] == "L0 exit"


def test_a_batch_may_hold_both_kinds_of_scenarios(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = json.loads(DOCUMENT.read_text("utf-8").split("```json\n")[1].split("```")[0])
    lines = [json.dumps(scenario()), json.dumps(plain), json.dumps(scenario() | {"series": "v9"}), json.dumps(plain)]
    assert walk(monkeypatch, "\n".join(lines), "--batch") == 2
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer.get("schema") for answer in answers] == [
        "slat-nested-outcome-1", "slat-outcome-1", None, "slat-outcome-1",
    ]  # fmt: skip
    assert answers[2]["error"]["code"] == "E506"
    assert "steps" not in answers[0]
    assert walk(monkeypatch, lines[0], "--batch", "--steps") == 0
    assert json.loads(capsys.readouterr().out)["steps"]


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        (("host", "cpux", 0), "E503", "host.cpux"),
        (("host", "cpu", {"maxphyaddr": 40}), "E505", "host.cpu.ept_vpid_cap"),
        (("host", "parameters", {"mbec": 1}), "E506", "host.parameters.mbec"),
        (("host", "parameters", {"ept": False}), "E509", "host.parameters.ept"),
        (("host", "shadow_pages", "0x1001"), "E508", "host.shadow_pages"),
        (("host", "user_space", {"secondary_controls": 4}), "E507", "host.user_space.secondary_controls"),
        (("vmcs12", "secondary_controls", "0x420002"), "E509", "vmcs12.secondary_controls"),
        (("guest", "rflags", 0), "E510", "guest.rflags"),
        (("access", "user_shadow_stack", True), "E511", "access.user_shadow_stack"),
    ],
)
def test_wrong_nested_input_is_a_diagnostic_with_its_path_and_exit_code_2(
    change: tuple[str, str, Any],
    code: str,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    section, key, value = change
    document = scenario()
    document[section][key] = value
    assert walk(monkeypatch, document, "-") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"error[{code}]: <stdin>: `{path}`: ")


def test_the_nested_example_in_the_documents_is_real(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"^```\w+\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    example = next(block for block in blocks if block.startswith('{"schema": "slat-nested-scenario-1"'))
    console = next(block for block in blocks if block.startswith("$ slat walk nested.json"))
    assert drawn(monkeypatch, capsys, example) == console.removeprefix("$ slat walk nested.json\n")
