"""Random bytes, random words, and our own specifications with mistakes in them."""

from __future__ import annotations

import random
import re
import shutil

import pytest
from fuzz.hostile import ROOT, SPECIFICATIONS, judged
from golden.cases import make_project
from hypothesis import HealthCheck, given, settings
from unit.verifier.syntax import trees

from verifier.diagnostics.model import Diagnosed
from verifier.diagnostics.render import render, to_json
from verifier.names.manuals import read_manuals
from verifier.names.project import Project
from verifier.source import Source
from verifier.syntax.format import format_source
from verifier.syntax.parse import decode, parse_file
from verifier.syntax.printer import print_file
from verifier.types.load import load

GRAMMAR = (ROOT / "verifier" / "syntax" / "slat.lark").read_text()
WORDS = ["EptEntry", "PTE", "x", "12", "0x7f", '"a sentence"', "\n", "// comment\n", "// ---- section\n\n"]
VOCABULARY = [*re.findall(r'"[^"]*"|[a-z]+|[^\s]', GRAMMAR), *WORDS]


def read(data: bytes) -> None:
    """Reads and formats a file; a refusal must be one that can be shown."""
    try:
        source = decode("hostile.slat", data)
        parse_file(source)
        format_source(source)
    except Diagnosed as error:
        refused = error.diagnostics
    else:
        return
    assert refused
    for found in refused:
        assert found.span is not None
        assert render(found)
        assert to_json(found)


@pytest.mark.parametrize("seed", range(4))
def test_random_bytes_are_refused_with_a_place(seed):
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(100):
        read(chance.randbytes(chance.randint(0, 300)))
        read(b"module x\n" + bytes(chance.choices(range(32, 127), k=200)))


@pytest.mark.parametrize("seed", range(4))
def test_random_words_of_the_language_are_refused_with_a_place_or_read(seed):
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(100):
        words = " ".join(chance.choices(VOCABULARY, k=chance.randint(1, 60)))
        read(f"module x\n{words}".encode())


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The text with a few bytes or words deleted, doubled, exchanged or invented, or cut off."""
    for _ in range(chance.randint(1, 3)):
        at, length = chance.randrange(len(data) + 1), chance.randint(1, 12)
        other = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0:
                data = data[:at] + data[at + length :]
            case 1:
                data = data[:at] + data[at : at + length] + data[at:]
            case 2:
                data = data[:at] + data[other : other + length] + data[at + length :]
            case 3:
                data = data[:at] + chance.choice(VOCABULARY).encode() + data[at:]
            case 4:
                data = data[:at] + chance.randbytes(1) + data[at + 1 :]
            case _:
                data = data[:at] if chance.random() < 0.2 else data
    return data


@pytest.mark.parametrize("seed", range(6))
def test_specifications_with_mistakes_are_refused_with_a_place_or_read(seed):
    print(f"seed {seed}")
    chance = random.Random(seed)
    for path in chance.choices(SPECIFICATIONS, k=20):
        read(mutated(path.read_bytes(), chance))


MODULES = ("sdm/ept/controls", "sdm/ept/memory_type", "sdm/ept/entry", "sdm/ept/misconfiguration", "sdm/ept/walk")


@pytest.fixture(scope="module")
def small_project(tmp_path_factory):
    folder = make_project(tmp_path_factory.mktemp("project"))
    for name in MODULES:
        file = folder / "specs" / f"{name}.slat"
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "specs" / f"{name}.slat", file)
    shutil.copy(ROOT / "specs" / "MANUALS.toml", folder / "specs" / "MANUALS.toml")
    assert judged(folder, "check").exit_code == 0
    return folder


@pytest.mark.parametrize("seed", range(6))
def test_a_project_with_mistakes_is_checked_with_exit_0_or_2(seed, small_project):
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(8):
        file = small_project / "specs" / f"{chance.choice(MODULES)}.slat"
        sound = file.read_bytes()
        file.write_bytes(mutated(sound, chance))
        try:
            judged(small_project, "check")
        finally:
            file.write_bytes(sound)


@settings(max_examples=150, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
@given(trees.modules)
def test_any_syntax_tree_is_checked_and_what_is_wrong_with_it_has_a_place(module):
    manuals = read_manuals((ROOT / "specs" / "MANUALS.toml").read_text())
    try:
        found = load(Project(ROOT, (Source("hostile.slat", print_file(module)),), manuals)).warnings
    except Diagnosed as error:
        found = error.diagnostics
    for diagnostic in found:
        assert diagnostic.span is not None
        assert render(diagnostic)
