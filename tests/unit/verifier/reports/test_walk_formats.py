"""A walk in each of its formats: what a mail can carry, and that nothing is lost on the way there."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

import pytest
from differential.bochs.directed import FAMILIES
from differential.bochs.generate import walks
from differential.bochs.reference import scenarios
from differential.bochs.walk import case

from models.scenario import read_scenario, render_outcome
from models.sdm import GeneralProtection, Step, access
from verifier.cli.main import run
from verifier.cli.walk_setting import setting_of
from verifier.reports.walk_text import NARROW, Setting, render

RANDOM_WALKS, OF_EACH_FAMILY = 300, 40
SEED = int(os.environ.get("SLAT_SEED") or SystemRandom().getrandbits(32))


def documents() -> Iterator[tuple[dict[str, Any], Setting]]:
    """Outcomes of walks by hand and at random, with their settings."""
    chosen = [w for family in FAMILIES.values() for w in islice(family(), OF_EACH_FAMILY)]
    for walk in (*chosen, *walks(Random(SEED), RANDOM_WALKS)):
        for document in scenarios(case(walk)):
            scenario = read_scenario(document)
            trace: list[Step] = []
            outcome = access(scenario.machine, scenario.request, trace)
            if not isinstance(outcome, GeneralProtection):  # which is no outcome of an access
                yield render_outcome(outcome, trace), setting_of(scenario)


def words(text: str) -> list[str]:
    """What a drawing says, without its headings."""
    return sorted(word for word in text.split() if word not in ("bits", "rights"))


def test_a_mail_holds_the_words_of_the_drawing_in_72_columns_without_trailing_blanks():
    seen: set[str] = set()
    for document, setting in documents():
        mail = render(document, replace(setting, page=NARROW))
        lines = mail.splitlines()
        assert max(map(len, lines)) <= 72, f"seed {SEED}\n{mail}"
        assert mail == "\n".join(line.rstrip() for line in lines) + "\n", f"seed {SEED}\n{mail}"
        assert words(mail) == words(render(document, setting)), f"seed {SEED}\n{mail}"
        assert not re.search(r"\w0x", mail), f"a word touches its number, seed {SEED}\n{mail}"
        seen.add(document["outcome"])
    assert {"ok", "page_fault", "ept_violation", "ept_misconfiguration", "vm_entry_failure"} <= seen


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    (walk,) = walks(Random(1), 1)
    file = tmp_path / "scenario.json"
    file.write_text(json.dumps(next(scenarios(case(walk)))))
    return str(file)


def printed(capsys: pytest.CaptureFixture[str], *said: str) -> str:
    assert run(["walk", *said]) == 0
    return capsys.readouterr().out


def test_markdown_is_the_drawing_below_its_outcome(scenario: str, capsys: pytest.CaptureFixture[str]):
    drawing = printed(capsys, scenario)
    head, _, rest = printed(capsys, scenario, "--format", "markdown").partition("\n\n")
    assert rest == f"```text\n{drawing}```\n"
    assert head.endswith("**")
    assert head.split("**")[1] in drawing


def test_json_and_text_have_a_format_of_their_name(scenario: str, capsys: pytest.CaptureFixture[str]):
    assert printed(capsys, scenario, "--format", "json") == printed(capsys, scenario, "--json")
    assert printed(capsys, scenario, "--format", "text") == printed(capsys, scenario)


def test_a_mail_is_the_same_twice(scenario: str, capsys: pytest.CaptureFixture[str]):
    assert printed(capsys, scenario, "--format", "mail") == printed(capsys, scenario, "--format", "mail")


@pytest.mark.parametrize("form", ["mail", "markdown"])
def test_a_batch_has_no_other_format_than_json(form: str, scenario: str, capsys: pytest.CaptureFixture[str]):
    assert run(["walk", "--batch", "--format", form, scenario]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "`--batch` answers with JSON Lines" in said.err
