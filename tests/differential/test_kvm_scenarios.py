"""The reader of nested scenarios against a JSON Schema of the format, on scenarios that were damaged at random; and the
answers, against the model that a scenario describes.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from comparison import say, seed
from jsonschema import Draft202012Validator
from nested_scenario_schema import NESTED_SCENARIO
from test_scenarios import ACCESSES, containers

from models.kvm import VERSIONS
from models.kvm.scenario import answer_nested, is_nested, read_nested_scenario, run
from models.scenario import InputError, parse_json
from models.sdm import Step

CASES = 3_000
WHOLE: dict[str, Any] = {
    "schema": "slat-nested-scenario-1",
    "series": "v5",
    "host": {
        "cpu": {"maxphyaddr": 40, "ept_vpid_cap": "0x6734141", "features": {"nx": True}},
        "parameters": {"mbec": True, "nx_huge_pages": False},
        "user_space": {"secondary_controls": "0x400002", "maxphyaddr": 40, "enlightened_vmcs": False},
        "memory_slots": [{"guest_physical_address": 0, "host_physical_address": "0x0", "size": "0x200000"}],
        "shadow_pages": "0x800000000",
        "l1tf": False,
        "undefined_bits": 0,
    },
    "vmcs12": {"eptp": "0x101e", "primary_controls": "0x80000000", "secondary_controls": "0x400002"},
    "memory": {"0x1000": "0x2407", "0x0002000": 7},
    "guest": {"cr0": "0x80050033", "cr3": 0, "cr4": "0x2020", "efer": "0xd00", "cpl": 0, "rflags": "0x2"},
}
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, 3, 4, -1, 40, 53, 1 << 16, 1 << 32, (1 << 64) - 1, 1 << 64, 0.5, "", "0x", "0x0", "0x28",
    "0x1000", 4096, "0x60001e", "0xffffffff", "0x10000000000", "1", "v5", "v6", "old", "4K", "2M", "read", [], [0], {},
    {"mbec": False}, {"mbec": 0}, {"0x8": 0}, [{}],
)  # fmt: skip
KEYS = ("eptp", "mbec", "ept", "kind", "0x8", "0x9", "writable", "largest_page", "size", "maxphyaddr", "pin_controls")
KEYS += ("vmcs01", "parameters", "user_space", "shadow_pages", "l1tf", "undefined_bits", "exception_bitmap", "hlat", "")


def damaged(rng: Random) -> dict[str, Any]:
    """A scenario with up to two values replaced, removed or added, and now and then an EPT01 instead of slots."""
    scenario = copy.deepcopy({**WHOLE, "access": rng.choice(ACCESSES)})
    if rng.random() < 0.3:
        del scenario["host"]["memory_slots"]
        scenario["vmcs01"] = {"eptp": rng.choice(["0x60001e", 0x60005E])}
    for _ in range(rng.randrange(3)):
        sections = ("host", "vmcs12", "memory", "access")
        places = [*containers(scenario), *(p for name in sections for p in containers(scenario.get(name)))]
        place = rng.choice(places)
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        match rng.randrange(3):
            case 0 if keys:
                place[rng.choice(keys)] = copy.deepcopy(rng.choice(VALUES))
            case 1 if keys:
                del place[rng.choice(keys)]
            case _ if isinstance(place, dict):
                place[rng.choice(KEYS)] = copy.deepcopy(rng.choice(VALUES))
    return scenario


def beyond_the_schema(scenario: dict[str, Any]) -> bool:
    """What no schema says: memory in two ways, one address twice, an EPTP that the processor lacks."""
    host, eptp = scenario["host"], number(scenario.get("vmcs01", {}).get("eptp", 0))
    caps = number(host["cpu"]["ept_vpid_cap"])
    needed = 1 << 6 | 1 << 14 | (1 << 21 if eptp & 0x40 else 0)
    keys = [int(key, 16) for key in scenario["memory"]]
    unsupported = eptp and caps & needed != needed
    return bool(("memory_slots" in host and eptp) or unsupported or len(set(keys)) < len(keys))


def number(value: int | str) -> int:
    """A number as a scenario writes it."""
    return int(value, 16) if isinstance(value, str) else value


def test_reader_and_schema_accept_the_same_nested_scenarios(capsys: pytest.CaptureFixture[str]) -> None:
    start = seed()
    rng, validator = Random(start), Draft202012Validator(NESTED_SCENARIO)
    seen, failing = Counter[str](), list[str]()
    for _ in range(CASES):
        scenario = damaged(rng)
        text = json.dumps(scenario)
        try:
            read_nested_scenario(parse_json(text))
            said = "accepted"
        except InputError as error:
            said = error.code
        seen[said] += 1
        valid = validator.is_valid(scenario) and not beyond_the_schema(scenario)
        if valid != (said == "accepted"):
            failing.append(f"schema {valid}, reader {said}: {text}")
    say(capsys, f"nested scenario reader against JSON Schema (SLAT_SEED={start})", CASES, len(failing))
    assert not failing, min(failing, key=len)
    wanted = ("accepted", "unknown_key", "missing_key", "wrong_type", "out_of_range", "unknown_kind")
    assert all(seen[code] > 0 for code in wanted), seen


def whole(**host: Any) -> dict[str, Any]:
    """The undamaged scenario, with keys of its host replaced."""
    scenario = copy.deepcopy({**WHOLE, "access": ACCESSES[1]})
    scenario["host"] |= host
    return scenario


SLOT = {"guest_physical_address": 0, "host_physical_address": 0, "size": 4096}
REFUSED: dict[str, tuple[Callable[[dict[str, Any]], object], str, str]] = {
    "another schema": (lambda s: s.update(schema="slat-scenario-1"), "unknown_schema", "schema"),
    "two slots in one place": (lambda s: s["host"].update(memory_slots=[SLOT, SLOT]), "duplicate_key", "slots.1"),
    "memory in two ways": (lambda s: s.update(vmcs01={"eptp": "0x60001e"}), "duplicate_key", "memory_slots"),
    "a page of 3 bytes": (
        lambda s: s["host"].update(memory_slots=[SLOT | {"largest_page": "3"}]),
        "wrong_type",
        "slots.0.largest_page",
    ),
    "no slot": (lambda s: s["host"].update(memory_slots=[]), "wrong_length", "memory_slots"),
    "an empty slot": (lambda s: s["host"].update(memory_slots=[SLOT | {"size": 0}]), "out_of_range", "slots.0.size"),
    "half a page": (lambda s: s["host"].update(memory_slots=[SLOT | {"size": 2048}]), "misaligned", "slots.0.size"),
    "a slot beyond the host": (
        lambda s: s["host"].update(memory_slots=[SLOT | {"host_physical_address": "0xfffffff000", "size": 8192}]),
        "out_of_range",
        "slots.0.host_physical_address",
    ),
    "no room for tables": (lambda s: s["host"].update(shadow_pages="0xfffffff000"), "out_of_range", "shadow_pages"),
    "tables between pages": (lambda s: s["host"].update(shadow_pages="0x800000008"), "misaligned", "shadow_pages"),
    "an l1 wider than the host": (
        lambda s: s["host"]["user_space"].update(maxphyaddr=41),
        "out_of_range",
        "user_space.maxphyaddr",
    ),
    "an eptp that is none": (lambda s: s.update(vmcs01={"eptp": 0}), "out_of_range", "vmcs01.eptp"),
    "vmcs01 without ept": (
        lambda s: s.update(vmcs01={"secondary_controls": 0}),
        "out_of_range",
        "vmcs01.secondary_controls",
    ),
    "vmcs01 with pml": (
        lambda s: s.update(vmcs01={"secondary_controls": "0x20002"}),
        "unmodelled_control",
        "vmcs01.secondary_controls",
    ),
    "a cpu that is none": (lambda s: s["host"]["cpu"].update(maxphyaddr=60), "out_of_range", "host.cpu.maxphyaddr"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_describes_no_machine_is_refused_with_its_place(name: str) -> None:
    damage, code, path = REFUSED[name]
    scenario = whole()
    damage(scenario)
    with pytest.raises(InputError) as refused:
        read_nested_scenario(scenario)
    assert refused.value.code == code
    assert path in refused.value.path


LEAF, ROOT01 = 0x2_0000 | 0x407 | 6 << 3, 0x60_0000


def answered(series: str = "v5", leaf: int = LEAF, **sections: dict[str, Any]) -> dict[str, Any]:
    """The answer to an access to L2's page 0, with keys of sections replaced."""
    scenario = whole()
    scenario["host"] = {"cpu": WHOLE["host"]["cpu"]} | sections.pop("host", {})
    scenario["memory"] = {"0x1000": 0x2407, "0x2000": 0x3407, "0x3000": 0x4407, "0x4000": leaf}
    scenario["access"] = {"kind": "read", "guest_physical_address": "0x123"}
    scenario["series"] = series
    for name, keys in sections.items():
        scenario[name] = scenario.get(name, {}) | keys
    document = answer_nested(scenario, steps=True)
    assert json.loads(json.dumps(document)) == document
    assert answer_nested(scenario) == {key: value for key, value in document.items() if key != "steps"}
    return document


@pytest.mark.parametrize("series", VERSIONS)
def test_an_access_that_l0_mends_is_answered_with_what_followed(series: str) -> None:
    document = answered(series, vmcs12={"secondary_controls": 2})
    assert document["outcome"] == "fixed_by_l0"
    assert document["retried"]["outcome"] == "ok"
    assert document["retried"]["host_physical_address"] == "0x20123"
    assert document["series"] == series
    assert len(document["sptes_written"]) == 4
    assert document["memory_written"] == {write["address"]: write["after"] for write in document["sptes_written"]}
    assert {step["stage"] for step in document["steps"]} >= {"L0 exit", "EPT12 PTE", "SPTE PTE", "EPT PTE"}


def test_every_outcome_has_its_document() -> None:
    denied = answered(leaf=LEAF & ~1 & ~2)
    assert (denied["outcome"], denied["exit_reason"], denied["exit_qualification"]) == ("reflected_exit", 48, "0x5e1")
    assert denied["exit_qualification_defined"] == "0x1bfff"
    assert "exit_qualification" not in answered(leaf=LEAF & ~1)
    assert answered(vmcs12={"secondary_controls": 2}, leaf=0)["exit_qualification_defined"] == "0x1bfbf"
    failed = answered(vmcs12={"secondary_controls": "0x400000"})
    assert (failed["outcome"], failed["vm_instruction_error"]) == ("vmcs12_entry_failure", 7)
    assert "vmcs02" not in failed
    state = answered(guest={"cr4": 0})
    assert (state["outcome"], state["exit_reason"], state["exit_qualification"]) == ("vmcs12_entry_failure", 33, "0x0")
    assert "vmcs02" in state
    emulated = answered(host={"memory_slots": [SLOT | {"size": "0x20000"}]})
    assert emulated["outcome"] == "ok"
    assert emulated["emulated_by_l0"] == "mmio"
    stuck = answered("rfc", leaf=LEAF & ~2, access={"kind": "write"})
    assert stuck["retried"]["outcome"] == "stuck"
    assert [fix["result"] for fix in stuck["fixed"]] == ["fixed"], "writable and not readable: misconfigured"
    assert stuck["fixed"][0]["error_code_bits"] == "WRITE"


def test_a_page_fault_of_l2_is_l2s_own() -> None:
    scenario = whole()
    scenario["host"] = {"cpu": WHOLE["host"]["cpu"]}
    scenario["memory"] = {"0x1000": 0x2407, "0x2000": 0x3407, "0x3000": 0x4407, "0x4000": LEAF}
    scenario["access"] = ACCESSES[0] | {"linear_address": 0x123}
    document = answer_nested(scenario)
    assert document["outcome"] == "fixed_by_l0"
    retried = document["retried"]
    assert isinstance(retried, dict)
    assert retried["outcome"] == "page_fault"


def test_a_table_that_loads_no_pdptes_is_an_error_with_its_place() -> None:
    scenario = whole()
    scenario["host"] = {"cpu": WHOLE["host"]["cpu"]}
    scenario["memory"] = {"0x1000": 0x2407, "0x2000": 0x3407, "0x3000": 0x4407, "0x4000": LEAF, "0x20000": 3}
    scenario["guest"] = WHOLE["guest"] | {"efer": 0}
    scenario["access"] = {"kind": "load_pdptes"}
    with pytest.raises(InputError) as refused:
        answer_nested(scenario)
    assert (refused.value.code, refused.value.path) == ("general_protection", "memory.0x20000")


def with_ept01(leaf: int, secondary: int | None = None) -> dict[str, Any]:
    """An EPT01 in L0's memory that maps L1's first 2 MBytes to 1 GByte, with EPT12 there."""
    scenario = whole()
    scenario["host"] = {"cpu": WHOLE["host"]["cpu"]}
    scenario["vmcs01"] = {"eptp": ROOT01 | 0x1E} | ({} if secondary is None else {"secondary_controls": secondary})
    base = 0x4000_0000
    scenario["memory"] = {hex(base + 0x1000 * n): 0x1000 * (n + 1) | 0x407 for n in (1, 2, 3)}
    scenario["memory"] |= {
        hex(base + 0x4000): LEAF,
        hex(ROOT01): ROOT01 | 0x1407,
        hex(ROOT01 + 0x1000): ROOT01 | 0x2407,
    }
    scenario["memory"][hex(ROOT01 + 0x2000)] = leaf
    scenario["access"] = {"kind": "write", "guest_physical_address": "0x123"}
    return scenario


def test_l1s_memory_is_where_a_given_ept01_says() -> None:
    document = answer_nested(with_ept01(0x4000_0000 | 0x407 | 0xB0))
    retried = document["retried"]
    assert isinstance(retried, dict)
    assert retried["host_physical_address"] == "0x40020123"
    document = answer_nested(with_ept01(0x4000_0000 | 0x405 | 0xB0))
    assert document["emulated_by_l0"] == "read-only memory"
    write_protected = 0x4000_0000 | 0x405 | 0xB0 | 1 << 11 | 1 << 53
    assert answer_nested(with_ept01(write_protected))["outcome"] == "fixed_by_l0"


@pytest.mark.parametrize(
    ("leaf", "secondary"),
    [(0x404, None), (0x3, None), (0x5, 0x40_0002), (0x401, 0x40_0002)],
    ids=["no R", "some X is nothing", "XS alone", "XU alone"],
)
def test_an_ept01_that_kvm_never_writes_is_refused(leaf: int, secondary: int | None) -> None:
    scenario = with_ept01(0x4000_0000 | leaf | 0xB0, secondary)
    if leaf == 3:  # a huge page without X is the NX workaround; a small one is nobody's
        scenario["memory"][hex(ROOT01 + 0x2000)] = ROOT01 | 0x3407
        small = {hex(ROOT01 + 0x3000 + 8 * n): 0x4000_0000 + 0x1000 * n | 0x433 for n in range(64)}
        scenario["memory"] |= small | {hex(ROOT01 + 0x3000 + 8 * 1): 0x4000_1000 | 0x33}
    with pytest.raises(InputError, match="never denies L1") as refused:
        answer_nested(scenario)
    assert refused.value.path.startswith("memory.0x60")


def test_an_ept01_that_maps_nothing_leaves_l1_without_memory() -> None:
    for leaf in (0, 0x4000_0000 | 6, 1 << 51 | 7):
        document = answer_nested(with_ept01(leaf))
        assert (document["outcome"], document["exit_qualification"]) == ("reflected_exit", "0x5fa")
    wide = with_ept01(0x4000_0000 | 0x407 | 0xB0)
    wide["memory"][hex(0x4000_4000)] = 1 << 39 | LEAF
    assert answer_nested(wide)["emulated_by_l0"] == "mmio"


def test_an_address_of_l1_beyond_the_levels_of_ept01_is_no_memory() -> None:
    scenario = with_ept01(0x4000_0000 | 0x407 | 0xB0)
    scenario["host"]["cpu"] = WHOLE["host"]["cpu"] | {"maxphyaddr": 52}
    scenario["memory"][hex(0x4000_4000)] = 1 << 50 | LEAF
    assert answer_nested(scenario)["emulated_by_l0"] == "mmio"


def test_slots_may_stand_beside_each_other() -> None:
    slots = [SLOT | {"guest_physical_address": at, "host_physical_address": at} for at in (0x5000, 0x4000, 0x6000)]
    assert read_nested_scenario(whole(memory_slots=slots)).setting.slots[1].guest_physical_address == 0x4000


def test_only_a_document_that_says_so_is_nested() -> None:
    assert is_nested(whole())
    assert not is_nested({"schema": "slat-scenario-1"})
    assert not is_nested([])


def test_steps_never_change_an_answer() -> None:
    for leaf in (LEAF, 0, 2):
        scenario = whole()
        scenario["memory"] = {"0x1000": 0x2407, "0x2000": 0x3407, "0x3000": 0x4407, "0x4000": leaf}
        read, trace = read_nested_scenario(scenario), list[Step]()
        assert run(read, trace)[1] == run(read)[1]
        assert trace
