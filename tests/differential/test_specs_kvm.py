"""KVM's functions in the specifications, by the interpreter, with models/kvm, in every version that both have.

Where few bits of an input matter, on all of them; and on random inputs of every bit. What is not compared stands in
kvm_comparisons.py, what no input has in kvm_limits.py, each with its reason.
"""

from __future__ import annotations

from dataclasses import fields, replace
from random import Random

import pytest
from comparison import say, seed
from kvm_comparisons import LEFT_OUT, LEFT_OUT_IN, Comparison, all_that_matter, comparisons, questions, random_inputs
from kvm_domains import DOMAINS
from kvm_inputs import host
from kvm_limits import LIMITS, Limit
from kvm_versions import side

from models.kvm import V5, VERSIONS, Version

RANDOM, MORE, FEW = 200, 1_000, 150
"""Random inputs for each function: beside all that matter, instead of them, and to find what is wrong on purpose."""


@pytest.mark.parametrize("name", VERSIONS)
def test_specs_and_model_agree_on_all_inputs_that_matter(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    cases, failing = 0, list[tuple[Comparison, tuple[object, ...]]]()
    for one in comparisons(side(name)).values():
        for values in all_that_matter(one) if one.name in DOMAINS else ():
            cases += 1
            if one.differs(values):
                failing.append((one, values))
    say(capsys, f"KVM's functions, specs against models/kvm, {name}, all that matters", cases, len(failing))
    assert not failing, failing[0][0].explain(failing[0][1])


@pytest.mark.parametrize("name", VERSIONS)
def test_specs_and_model_agree_on_random_inputs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    start, cases, failing = seed(), 0, list[str]()
    for one in comparisons(side(name)).values():
        for values in random_inputs(one, start, RANDOM if one.name in DOMAINS else MORE):
            cases += 1
            if one.differs(values):
                failing.append(one.explain(values))
    told = f"KVM's functions, specs against models/kvm, {name}, at random (SLAT_SEED={start})"
    say(capsys, told, cases, len(failing))
    assert not failing, failing[0]


@pytest.mark.parametrize("name", VERSIONS)
def test_what_one_side_writes_into_an_mmio_entry_the_other_reads(name: str) -> None:
    one, rng = comparisons(side(name)), Random(seed())
    l1tf, lower = 0x1F << 35, (1 << 35) - (1 << 12)
    for _ in range(500):
        gen, gpa, npt = rng.getrandbits(19), rng.getrandbits(28) << 12, rng.random() < 0.5
        made = one["make_mmio_spte"].sides((host(one["make_mmio_spte"].side), npt, gen, gpa, 15, l1tf))
        generation = set(one["mmio_generation"].sides((gen,)))
        for spte in made:
            assert set(one["get_mmio_spte_generation"].sides((spte,))) == generation
            assert set(one["get_mmio_spte_gpa"].sides((spte, l1tf, lower))) == {gpa}
            assert set(one["is_mmio_spte"].sides((host(one["is_mmio_spte"].side), npt, spte))) == {True}


# ---- what is compared


@pytest.mark.parametrize("name", VERSIONS)
def test_every_function_of_a_version_is_compared_or_left_out_for_a_reason(name: str) -> None:
    one = side(name)
    left = LEFT_OUT.keys() | {function for version, function in LEFT_OUT_IN if version == name}
    missing = {function.short_name for function in one.functions.values() if function.missing}
    assert one.functions.keys() - comparisons(one).keys() - missing <= left
    assert not comparisons(one).keys() & left


def test_what_is_left_out_or_asked_is_a_function_of_some_version() -> None:
    known = {function for name in VERSIONS for function in side(name).functions}
    assert LEFT_OUT.keys() | questions().keys() | DOMAINS.keys() <= known
    assert all(function in side(version).functions for version, function in LEFT_OUT_IN)
    assert not LEFT_OUT.keys() & questions().keys()


@pytest.mark.parametrize(("version", "function"), LEFT_OUT_IN)
def test_what_is_left_out_in_a_version_would_differ_there(
    version: str, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(LEFT_OUT_IN, (version, function))
    one = replace(side(version))
    found = comparisons(one)[function]
    assert any(found.differs(values) for values in random_inputs(found, 1, 100))


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_a_limit_is_needed_because_the_sides_differ_beyond_it(limit: Limit) -> None:
    one = comparisons(side(limit.version))[limit.function]
    assert limit.because
    inputs = limit.beyond(one.side)
    assert one.differs(tuple(inputs[name] for name in one.specified.inputs))


# ---- what the comparisons would find


FLAGS = [field.name for field in fields(Version) if isinstance(getattr(V5, field.name), bool)]
UNSEEN = {
    "pte_access_in_acc": "ACC_USER_MASK and PT_USER_MASK are the same bit",
    "compares_child_role": "it concerns shadow pages that exist, and functions know of none",
    "narrow_misc_ctl": "of vmcb02's field, the specifications have GMET's bit alone",
}


@pytest.mark.parametrize("flag", FLAGS)
def test_a_version_of_the_model_with_one_flag_turned_is_found_out(flag: str) -> None:
    one = side("v5")
    turned = replace(one, model=replace(one.model, **{flag: not getattr(one.model, flag)}))
    found = any(each.differs(values) for each in comparisons(turned).values() for values in random_inputs(each, 1, FEW))
    assert found != (flag in UNSEEN)


def test_a_difference_is_shown_small_and_in_words() -> None:
    one = side("v5")
    turned = replace(one, model=replace(one.model, present_by_bit_10=False))
    each = comparisons(turned)["is_present_gpte"]
    told = each.explain(next(values for values in random_inputs(each, 1, 1_000) if each.differs(values)))
    assert told.startswith("v5 is_present_gpte(host: KvmHost { ept: true")
    assert "gpte: EptEntry { xu: true" in told
    assert told.endswith("): specifications True, models/kvm False")
