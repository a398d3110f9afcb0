"""Roles: formulas against the interpreter, and what the versions disagree on."""

from __future__ import annotations

import random
import re

import pytest
from decoded import definitions, regular, row

from verifier.core.interpret import apply
from verifier.core.values import assemble, leaves
from verifier.tables import role
from verifier.tables.derivation import derive, texts
from verifier.tables.role import MAKERS, UNPAGED
from verifier.tables.version import parameter
from verifier.types.kinds import Bool, Layout, Record

TRIES = 60


def evaluate(text: str, env: dict[str, int], kind: object) -> int:
    """The value of `A if c, else B if d, else C`; a name is that of an input, or of a field of the type."""
    for case in text.split(", else "):
        value, _, condition = case.partition(" if ")
        if not condition or truth(condition, env):
            return number(value, env, kind)
    raise AssertionError(text)


def number(text: str, env: dict[str, int], kind: object) -> int:
    if isinstance(kind, Layout):
        return sum(field.mask for field in kind.fields if field.name in text.split())
    return int(text) if text.isdigit() else truth(text, env)


def truth(text: str, env: dict[str, int]) -> int:
    python = re.sub(r"!(?!=)", " not ", text.replace("&&", " and ").replace("||", " or "))
    return int(bool(eval(python, {}, env)))


@pytest.mark.parametrize("label", regular())
@pytest.mark.parametrize("maker", [*MAKERS, UNPAGED], ids=lambda maker: maker.function.rsplit(".", 1)[-1])
def test_every_formula_gives_what_the_interpreter_gives(label, maker):
    version, chance = definitions(label), random.Random(7)
    function = version.function(maker.function)
    for path in filter(None, (maker.base, maker.extended, maker.other)):
        formulas = texts(derive(function, maker.given), path)
        for _ in range(TRIES):
            value, env = some_value(function, maker.given, chance)
            kind = function.result
            for name in path.split("."):
                assert isinstance(kind, Record)
                value, kind = value[kind.position(name)], kind.fields[kind.position(name)].kind
            assert isinstance(kind, Layout)
            found = {f.name: evaluate(formulas[f.name], env, f.kind) for f in kind.fields}
            assert found == {f.name: (value & f.mask) >> f.low for f in kind.fields}


def some_value(function, given, chance):
    """The function's value on random inputs, and these by name."""
    numbers = {}
    for param in function.params:
        for path, kind in leaves(param.type, parameter(param)):
            width = 1 if isinstance(kind, Bool) else kind.width
            numbers[path] = chance.choice([0, (1 << width) - 1, chance.getrandbits(width)])
            numbers[path] = given.get(path.rsplit(".", 1)[-1], numbers[path])
    made = tuple(assemble(param.type, parameter(param), numbers) for param in function.params)
    env = {path.rsplit(".", 1)[-1]: value for path, value in numbers.items()}
    for param in function.params:
        for path, kind in leaves(param.type, parameter(param)):
            for field in kind.fields if isinstance(kind, Layout) else ():
                env[field.name] = (numbers[path] & field.mask) >> field.low
    return apply(function, made), env


def test_the_bit_of_smep_is_mbec_for_ept_gmet_for_npt_and_the_hosts_own_for_a_direct_mmu():
    found = row(role.section(definitions("v5")), "base", field="cr4_smep")
    assert [found[kind] for kind in ("guest", "shadow EPT", "nested NPT", "direct")] == [
        "cr4_smep", "mbec", "gmet", "tdp_has_smep",
    ]  # fmt: skip


def test_formulas_name_the_conditions_of_nested_choices():
    section = role.section(definitions("v5"))
    assert row(section, "base", field="level")["guest"] == (
        "5 if efer_lma && cr4_la57, else 4 if efer_lma, else 3 if cr4_pae, else 2"
    )
    assert row(section, "base", field="access")["direct"] == (
        "read write exec if tdp_has_smep && shadow_user_mask != 0x0, else read write user_exec exec"
    )
    assert row(section, "extended", field="has_pferr_fetch")["guest"] == "efer_nx || cr4_smep"


def test_a_bit_that_only_the_root_has_says_what_the_cpu_role_has():
    assert row(role.section(definitions("v1")), "base", field="has_mbec")["shadow EPT"] == "mbec (cpu_role: 0)"


def test_where_roles_have_no_bit_for_mbec_none_follows_from_it():
    base = next(grid for grid in role.section(definitions("old")).grids if grid.key == "base")
    assert not any("mbec" in str(cell) for found in base.rows for cell in found)
    places = role.places([definitions("old"), definitions("v5")])[0]
    assert row(places, "moved", field="cr4_smep")["old"] == "-"


def test_what_is_left_without_paging_is_said():
    (note, *_) = role.section(definitions("v5")).notes
    assert "Without paging: direct = 1, access = read write user_exec exec, guest_mode = guest_mode, valid = 1" in note
