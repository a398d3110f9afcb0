"""The reader of scenarios against a JSON Schema of the format, on scenarios that were damaged at random."""

from __future__ import annotations

import copy
import json
from collections import Counter
from random import Random
from typing import Any

import pytest
from comparison import say, seed
from jsonschema import Draft202012Validator
from scenario_schema import CIRCUMSTANCES, MODES, PHYSICAL, SCENARIO

from models.scenario import InputError, parse_json, read_scenario

CASES = 3_000
WHOLE: dict[str, Any] = {
    "schema": "slat-scenario-1",
    "cpu": {
        "maxphyaddr": 40,
        "raw_maxphyaddr": 46,
        "ept_vpid_cap": "0x6734141",
        "procbased_ctls3": "0xC",
        "features": {"nx": True, "la57": False},
    },
    "vmcs": {
        "eptp": "0x60001e",
        "primary_controls": "0x80000000",
        "secondary_controls": "0x400082",
        "tertiary_controls": 0,
        "eptp_index": "0xffff",
        "pin_controls": 22,
        "exception_bitmap": "0xffffffff",
    },
    "guest": {
        "cr0": "0x80050033",
        "cr3": 0x610000,
        "cr4": "0x2020",
        "efer": "0xd00",
        "cpl": 0,
        "rflags": "0x2",
        "pkru": "0x0",
        "pdptes": [0, "0x1", 2, 0],
    },
    "memory": {"0x600000": "0x601407", "0x0000600008": 7},
}
ACCESSES: tuple[dict[str, Any], ...] = (
    {"kind": "read", "linear_address": "0x10000000", **dict.fromkeys(CIRCUMSTANCES + MODES, False)},
    {"kind": "fetch", "guest_physical_address": 4096, **dict.fromkeys(CIRCUMSTANCES + PHYSICAL, False)},
    {"kind": "load_pdptes", "asynchronous": False},
)
# No width but 40 is among them, because the schema has a fixed MAXPHYADDR.
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, 3, 4, -1, 40, 53, 1 << 16, 1 << 32, (1 << 64) - 1, 1 << 64, 10**30, 0.5, "", "0x",
    "0x0", "0X1", "0x28", "0x35",
    "0x10", "0xfffffffff8", "0x1ffffffff", "0x10000000000", "0xffffffffffffffff", "0x00000000000000001", "1",
    "read", "rmw", "execute", "slat-scenario-1", "load_pdptes", [], [0], [0, 0, 0, 0], {}, {"nx": 1}, {"0x8": 0},
    {"8": 0},
)  # fmt: skip
KEYS = ("cr0", "cpl", "eptp", "hlat", "kind", "linear_address", "guest_physical_address", "pdptes", "0x8", "0x9", "8")
KEYS += ("0x10000000000", "0xffff8", "0x600008", "features", "nx", "shadow_stack", "paging_write", "memory", "")


def damaged(rng: Random) -> dict[str, Any]:
    """A scenario with up to two values replaced, removed or added."""
    scenario = copy.deepcopy({**WHOLE, "access": rng.choice(ACCESSES)})
    for _ in range(rng.randrange(3)):
        places = [*containers(scenario), *containers(scenario.get("memory")), *containers(scenario.get("access"))]
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


def written(rng: Random, scenario: dict[str, Any]) -> tuple[str, bool]:
    """The scenario as text, and whether the text repeats a key that an object has."""
    text, key = json.dumps(scenario), rng.choice(("cpl", "eptp", "schema"))
    if rng.random() < 0.95 or f'"{key}"' not in text:
        return text, False
    return text.replace(f'"{key}"', f'"{key}": 0, "{key}"', 1), True


def same_address_twice(scenario: dict[str, Any]) -> bool:
    """Whether two keys of "memory" are one address, which no schema can say."""
    keys = [key for key in scenario.get("memory", ()) if key.startswith("0x")]
    return len({int(key, 16) for key in keys}) < len(keys)


def containers(value: Any) -> list[Any]:
    """Every object and array inside a value, itself included."""
    if isinstance(value, dict):
        return [value, *(found for part in value.values() for found in containers(part))]
    return [value] if isinstance(value, list) else []


def test_reader_and_schema_accept_the_same_scenarios(capsys: pytest.CaptureFixture[str]) -> None:
    start = seed()
    rng, validator = Random(start), Draft202012Validator(SCENARIO)
    seen, failing = Counter[str](), list[str]()
    for _ in range(CASES):
        scenario = damaged(rng)
        text, repeats = written(rng, scenario)
        try:
            read_scenario(parse_json(text))
            said = "accepted"
        except InputError as error:
            said = error.code
        seen[said] += 1
        valid = not repeats and validator.is_valid(scenario) and not same_address_twice(scenario)
        if valid != (said == "accepted"):
            failing.append(f"schema {valid}, reader {said}: {text}")
    say(capsys, f"scenario reader against JSON Schema (SLAT_SEED={start})", CASES, len(failing))
    assert not failing, min(failing, key=len)
    wanted = ("accepted", "unknown_key", "missing_key", "wrong_type", "out_of_range", "misaligned", "duplicate_key")
    assert all(seen[code] > 0 for code in wanted), seen


@pytest.mark.parametrize("text", ["", " \n", "{", "[" * 100_000, "9" * 10_000])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_scenario(parse_json(text))


def test_the_raw_width_is_never_less_than_maxphyaddr() -> None:
    scenario = {**WHOLE, "cpu": {**WHOLE["cpu"], "raw_maxphyaddr": 39}, "access": ACCESSES[0]}
    with pytest.raises(InputError, match="raw_maxphyaddr"):
        read_scenario(scenario)


@pytest.mark.parametrize("access", ACCESSES)
def test_the_undamaged_scenarios_are_accepted(access: dict[str, Any]) -> None:
    assert read_scenario({**WHOLE, "access": access}).request is not None
