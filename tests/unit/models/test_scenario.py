"""slat-scenario-1 and slat-outcome-1."""

import json

import pytest

from models.scenario import InputError, answer, parse_json, read_scenario, render_outcome
from models.sdm import Circumstances, GeneralProtection, LinearAccess, PdpteLoad, PhysicalAccess

EXAMPLE = {
    "schema": "slat-scenario-1",
    "cpu": {"maxphyaddr": 40, "ept_vpid_cap": "0x6734141"},
    "vmcs": {
        "eptp": "0x60001e",
        "primary_controls": "0x80000000",
        "secondary_controls": "0x400082",
        "tertiary_controls": "0x0",
    },
    "guest": {
        "cr0": "0x80050033",
        "cr3": "0x610000",
        "cr4": "0x2020",
        "efer": "0xd00",
        "cpl": 0,
        "rflags": "0x2",
    },
    "memory": {"0x600000": "0x601407"},
    "access": {"kind": "read", "linear_address": "0x10000000"},
}


def changed(**sections) -> dict:
    """The example with keys of its sections replaced; a value of None removes the key."""
    scenario = json.loads(json.dumps(EXAMPLE))
    for section, keys in sections.items():
        if not isinstance(keys, dict) or not isinstance(scenario.get(section), dict):
            scenario[section] = keys
            continue
        scenario[section] |= keys
        scenario[section] = {key: value for key, value in scenario[section].items() if value is not None}
    return scenario


def physical(entries: dict, **sections) -> dict:
    """A scenario of EPT alone: guest-physical address 0 through `entries` under the example's root."""
    chain = {"0x600000": "0x601407", "0x601000": "0x602407", "0x602000": "0x603407"} | entries
    access = {"kind": "read", "guest_physical_address": 0}
    return (
        changed(memory=chain)
        | {"access": access}
        | {key: value for key, value in changed(**sections).items() if key in sections}
    )


def test_the_example_of_the_format_stops_at_its_second_ept_entry():
    assert answer(EXAMPLE, steps=True) == {
        "schema": "slat-outcome-1",
        "outcome": "ept_violation",
        "guest_physical_address": "0x610000",
        "guest_linear_address": "0x10000000",
        "exit_reason": 48,
        "exit_qualification": "0x81",
        "exit_qualification_defined": "0x1b1ff",
        "memory_written": {},
        "steps": [
            {"stage": "EPT", "address": "0x610000", "note": "for the guest PML4E"},
            {
                "stage": "EPT PML4E",
                "address": "0x600000",
                "entry": "0x601407",
                "note": "R W XS XU -> table 0x601000; rights so far: R W XS XU",
            },
            {
                "stage": "EPT PDPTE",
                "address": "0x601000",
                "entry": "0x0",
                "note": 'not present: EPT violation (SDM "Prioritization of EPT Misconfigurations and EPT Violations")',
            },
        ],
    }


def test_an_allowed_access_has_an_address_and_a_memory_type():
    assert answer(physical({"0x603000": "0x777437"})) == {
        "schema": "slat-outcome-1",
        "outcome": "ok",
        "host_physical_address": "0x777000",
        "guest_physical_address": "0x0",
        "effective_memory_type": "WB",
        "memory_written": {},
    }


def test_a_misconfiguration_has_neither_qualification_nor_linear_address():
    assert answer(physical({"0x603000": "0x777002"})) == {
        "schema": "slat-outcome-1",
        "outcome": "ept_misconfiguration",
        "guest_physical_address": "0x0",
        "exit_reason": 49,
        "memory_written": {},
    }


def test_a_page_fault_has_an_error_code_and_the_address_in_cr2():
    scenario = changed(vmcs={"secondary_controls": 0}, access={"kind": "write", "linear_address": 0x1234})
    assert answer(scenario) == {
        "schema": "slat-outcome-1",
        "outcome": "page_fault",
        "guest_linear_address": "0x1234",
        "page_fault_error_code": "0x2",
        "memory_written": {},
    }


def test_a_failed_vm_entry_has_its_error_number_or_its_exit_reason():
    assert answer(changed(vmcs={"eptp": 0})) == {
        "schema": "slat-outcome-1",
        "outcome": "vm_entry_failure",
        "vm_instruction_error": 7,
    }
    assert answer(changed(guest={"cr3": "0x10000000000"})) == {
        "schema": "slat-outcome-1",
        "outcome": "vm_entry_failure",
        "exit_reason": 33,
        "exit_qualification": "0x0",
        "exit_qualification_defined": "0xffffffffffffffff",
    }
    pae = {"efer": "0x800", "pdptes": ["0x3", 0, 0, 0]}
    assert answer(changed(guest=pae, access={"linear_address": 0}))["exit_qualification"] == "0x2"


def test_a_virtualization_exception_shows_its_information_area():
    vmcs = {
        "secondary_controls": "0x440082",
        "ve_information_address": "0x5000",
        "eptp_index": 3,
        "exception_bitmap": 0,
    }
    found = answer(physical({}, vmcs=vmcs))
    assert found["outcome"] == "virtualization_exception"
    assert "exit_reason" not in found
    assert found["virtualization_exception_information"] == {
        "address": "0x5000",
        "exit_reason": 48,
        "exit_qualification": "0x581",
        "exit_qualification_defined": "0x1bfff",
        "guest_linear_address": "0x0",
        "guest_physical_address": "0x0",
        "eptp_index": 3,
    }
    assert found["memory_written"] == {
        "0x5000": "0xffffffff00000030",
        "0x5008": "0x581",
        "0x5020": "0x3",
    }
    vmcs["exception_bitmap"] = 1 << 20
    assert answer(physical({}, vmcs=vmcs))["exit_reason"] == 0


def test_an_spp_event_has_reason_66():
    vmcs = {"secondary_controls": "0xc00082", "sppt_pointer": "0x700000"}
    scenario = physical({"0x603000": "0x2000000000777435"}, vmcs=vmcs)
    scenario["access"]["kind"] = "write"
    found = answer(scenario)
    assert (found["outcome"], found["exit_reason"]) == ("spp_event", 66)
    assert (found["exit_qualification"], found["exit_qualification_defined"]) == ("0x800", "0x11800")


def test_the_general_protection_fault_of_a_pdpte_load_is_an_error_that_names_the_word():
    scenario = physical({"0x603000": "0x777437", "0x777008": "0x3"})
    scenario["guest"] |= {"efer": "0x800", "cr3": 0}
    scenario["access"] = {"kind": "load_pdptes"}
    with pytest.raises(InputError) as caught:
        answer(scenario)
    assert (caught.value.code, caught.value.path) == ("general_protection", "memory.0x777008")


def test_numbers_may_be_integers_or_hexadecimal_strings():
    as_integers = changed(
        cpu={"ept_vpid_cap": 0x6734141},
        vmcs={"eptp": 0x60001E, "primary_controls": 0x80000000, "secondary_controls": 0x400082},
        guest={"cr0": 0x80050033, "cr3": 0x610000, "cr4": 0x2020, "efer": 0xD00, "cpl": "0x0"},
        memory={"0x600000": 0x601407},
        access={"linear_address": 0x10000000},
    )
    assert answer(as_integers) == answer(EXAMPLE)
    assert answer(changed(vmcs={"eptp": "0x60001E"})) == answer(EXAMPLE)


def test_every_optional_field_reaches_the_machine():
    scenario = read_scenario(
        changed(
            cpu={
                "raw_maxphyaddr": 46,
                "procbased_ctls": 1,
                "procbased_ctls2": 2,
                "procbased_ctls3": 3,
                "features": {"nx": False, "la57": True},
            },
            vmcs={
                "ve_information_address": 1,
                "eptp_index": 2,
                "pin_controls": 3,
                "exception_bitmap": 4,
                "sppt_pointer": 5,
            },
            guest={
                "pkru": 1,
                "pkrs": 2,
                "ia32_s_cet": 3,
                "ia32_u_cet": 4,
                "ia32_pat": 5,
                "pdptes": [6, "0x7", 8, 9],
            },
        )
    )
    processor, vmcs, guest = scenario.machine.processor, scenario.machine.vmcs, scenario.machine.guest
    assert (processor.maxphyaddr, processor.raw_maxphyaddr) == (40, 46)
    assert (processor.procbased_ctls, processor.procbased_ctls2, processor.procbased_ctls3) == (1, 2, 3)
    assert "nx" not in processor.features
    assert "la57" in processor.features
    assert (vmcs.ve_information_address, vmcs.eptp_index, vmcs.pin_controls) == (1, 2, 3)
    assert (vmcs.exception_bitmap, vmcs.sppt_pointer) == (4, 5)
    assert (guest.pkru, guest.pkrs, guest.ia32_s_cet, guest.ia32_u_cet) == (1, 2, 3, 4)
    assert (guest.ia32_pat, guest.pdptes) == (5, (6, 7, 8, 9))


def test_the_defaults_are_those_of_the_format():
    machine = read_scenario(EXAMPLE).machine
    assert machine.processor.raw_maxphyaddr == 40
    assert len(machine.processor.features) == 9
    assert machine.guest.ia32_pat == 0x0007_0406_0007_0406
    assert machine.guest.pdptes == (0, 0, 0, 0)
    assert machine.memory == {0x60_0000: 0x60_1407}


def test_the_three_forms_of_access_are_read_with_all_their_flags():
    around = {
        "event_delivery": True,
        "asynchronous": True,
        "nmi_unblocking_by_iret": True,
        "idt_vectoring_valid": True,
    }
    modes = {"shadow_stack": True, "user_shadow_stack": True, "implicit_supervisor": True}
    linear = {"kind": "rmw", "linear_address": 1}
    circumstances = Circumstances(**around)
    assert read_scenario(EXAMPLE | {"access": linear | around | modes}).request == LinearAccess(
        kind="rmw", linear_address=1, circumstances=circumstances, **modes
    )
    flags = {
        "user_linear_address": True,
        "paging_structure": True,
        "paging_write": True,
        "linear_address_valid": False,
        "page_writable": False,
        "execute_disable": True,
    }
    physical_access = {"kind": "write", "guest_physical_address": 2} | flags
    assert read_scenario(EXAMPLE | {"access": physical_access | around | modes}).request == PhysicalAccess(
        kind="write", guest_physical_address=2, circumstances=circumstances, **flags, **modes
    )
    for load in ({"kind": "load_pdptes"}, {"kind": "load_pdptes", "linear_address": 0}):
        assert read_scenario(EXAMPLE | {"access": load | around}).request == PdpteLoad(circumstances=circumstances)


def test_steps_are_there_only_if_asked_for():
    assert "steps" not in answer(EXAMPLE)


def test_equal_scenarios_give_equal_bytes():
    text = json.dumps(EXAMPLE)
    assert json.dumps(answer(parse_json(text))) == json.dumps(answer(parse_json(text)))


def test_whoever_gives_both_addresses_hears_that_they_exclude_each_other():
    with pytest.raises(InputError, match="an access has this key or `guest_physical_address`, not both"):
        read_scenario(changed(access={"guest_physical_address": 0}))


ERRORS = {
    "no object at all": ([], "wrong_type", ""),
    "an unknown key": (changed(more=1), "unknown_key", "more"),
    "an unknown key of a section": (changed(guest={"cr8": 0}), "unknown_key", "guest.cr8"),
    "a key of the other form of access": (
        changed(access={"paging_write": True}),
        "unknown_key",
        "access.paging_write",
    ),
    "both addresses": (
        changed(access={"guest_physical_address": 0}),
        "unknown_key",
        "access.linear_address",
    ),
    "a missing section": (
        {key: value for key, value in EXAMPLE.items() if key != "cpu"},
        "missing_key",
        "cpu",
    ),
    "a missing key": (changed(guest={"cr3": None}), "missing_key", "guest.cr3"),
    "no address": (changed(access={"linear_address": None}), "missing_key", "access.linear_address"),
    "another schema": (changed(schema="slat-scenario-2"), "unknown_schema", "schema"),
    "a schema that is no string": (changed(schema=["x"]), "unknown_schema", "schema"),
    "a section that is no object": (changed(cpu=[]), "wrong_type", "cpu"),
    "a number that is true": (changed(guest={"cpl": True}), "wrong_type", "guest.cpl"),
    "a number that is false": (changed(guest={"cpl": False}), "wrong_type", "guest.cpl"),
    "a number with a fraction": (changed(guest={"cpl": 0.0}), "wrong_type", "guest.cpl"),
    "a number that is null": (changed(guest={"cpl": [None]}), "wrong_type", "guest.cpl"),
    "a decimal string": (changed(guest={"cr3": "4096"}), "wrong_type", "guest.cr3"),
    "a hexadecimal string without digits": (changed(guest={"cr3": "0x"}), "wrong_type", "guest.cr3"),
    "digits with underscores": (changed(guest={"cr3": "0x1_0"}), "wrong_type", "guest.cr3"),
    "digits of another script": (changed(guest={"cr3": "0x\u0661"}), "wrong_type", "guest.cr3"),
    "a sign": (changed(guest={"cr3": "-0x1"}), "wrong_type", "guest.cr3"),
    "a negative number": (changed(guest={"cr3": -1}), "out_of_range", "guest.cr3"),
    "65 bits": (changed(guest={"cr3": 1 << 64}), "out_of_range", "guest.cr3"),
    "33 bits of controls": (
        changed(vmcs={"primary_controls": 1 << 32}),
        "out_of_range",
        "vmcs.primary_controls",
    ),
    "a CPL of 4": (changed(guest={"cpl": 4}), "out_of_range", "guest.cpl"),
    "17 bits of an EPTP index": (changed(vmcs={"eptp_index": 1 << 16}), "out_of_range", "vmcs.eptp_index"),
    "a narrow MAXPHYADDR": (changed(cpu={"maxphyaddr": 31}), "out_of_range", "cpu.maxphyaddr"),
    "a wide MAXPHYADDR": (changed(cpu={"maxphyaddr": 53}), "out_of_range", "cpu.maxphyaddr"),
    "a raw width that is smaller": (
        changed(cpu={"raw_maxphyaddr": 39}),
        "out_of_range",
        "cpu.raw_maxphyaddr",
    ),
    "an unknown feature": (changed(cpu={"features": {"avx": True}}), "unknown_key", "cpu.features.avx"),
    "a feature that is a number": (changed(cpu={"features": {"nx": 1}}), "wrong_type", "cpu.features.nx"),
    "three PDPTEs": (changed(guest={"pdptes": [1, 2, 3]}), "wrong_length", "guest.pdptes"),
    "PDPTEs in an object": (changed(guest={"pdptes": {}}), "wrong_type", "guest.pdptes"),
    "a PDPTE that is no number": (
        changed(guest={"pdptes": [0, 0, "x", 0]}),
        "wrong_type",
        "guest.pdptes.2",
    ),
    "misaligned memory": (changed(memory={"0x600001": "0x0"}), "misaligned", "memory.0x600001"),
    "memory at 2^MAXPHYADDR": (
        changed(memory={"0x10000000000": "0x0"}),
        "out_of_range",
        "memory.0x10000000000",
    ),
    "a word of 65 bits": (
        changed(memory={"0x600008": "0x10000000000000000"}),
        "wrong_type",
        "memory.0x600008",
    ),
    "an integer word of 65 bits": (changed(memory={"0x600008": 1 << 64}), "out_of_range", "memory.0x600008"),
    "one address in two spellings": (
        changed(memory={"0x0600000": "0x0"}),
        "duplicate_key",
        "memory.0x0600000",
    ),
    "a decimal address": (changed(memory={"8": "0x0"}), "wrong_type", "memory.8"),
    "an address that is no number": (changed(memory={"0xg": "0x0"}), "wrong_type", "memory.0xg"),
    "a word that is no number": (changed(memory={"0x600008": []}), "wrong_type", "memory.0x600008"),
    "an unknown kind": (changed(access={"kind": "execute"}), "unknown_kind", "access.kind"),
    "a kind that is no string": (changed(access={"kind": 1}), "wrong_type", "access.kind"),
    "a kind that is an array": (changed(access={"kind": []}), "wrong_type", "access.kind"),
    "a flag that is a number": (
        changed(access={"shadow_stack": 1}),
        "wrong_type",
        "access.shadow_stack",
    ),
    "a guest-physical address of 53 bits": (
        EXAMPLE | {"access": {"kind": "read", "guest_physical_address": 1 << 52}},
        "out_of_range",
        "access.guest_physical_address",
    ),
    "a shadow-stack access without shadow stacks": (
        changed(access={"shadow_stack": True}),
        "invalid_access",
        "access.shadow_stack",
    ),
    "a non-canonical address": (
        changed(access={"linear_address": "0x800000000000"}),
        "non_canonical",
        "access.linear_address",
    ),
    "a load of PDPTEs without PAE paging": (
        EXAMPLE | {"access": {"kind": "load_pdptes"}},
        "invalid_access",
        "access.kind",
    ),
    "a control that is not modelled": (
        changed(vmcs={"secondary_controls": "0x420082"}),
        "unmodelled_control",
        "vmcs.secondary_controls",
    ),
    "state that is no matter of paging": (
        changed(guest={"rflags": 0}),
        "invalid_guest_state",
        "guest.rflags",
    ),
}


@pytest.mark.parametrize(("scenario", "code", "path"), ERRORS.values(), ids=ERRORS)
def test_wrong_input_is_reported_with_its_code_and_path(scenario, code, path):
    with pytest.raises(InputError) as caught:
        answer(parse_json(json.dumps(scenario)))
    assert (caught.value.code, caught.value.path) == (code, path)
    assert caught.value.message


SEVENTEEN_DIGITS = "0x00000000000000008"
SPELLINGS = {
    "an address of 17 digits": ({SEVENTEEN_DIGITS: "0x0"}, SEVENTEEN_DIGITS),
    "a word of 17 digits": ({"0x8": SEVENTEEN_DIGITS}, "0x8"),
    "an upper-case prefix": ({"0x8": "0X8"}, "0x8"),
    "a blank": ({"0x8": " 0x8"}, "0x8"),
    "two words in one": ({"0x8": "0x8,0x10"}, "0x8"),
    "two addresses in one": ({"0x8,0x10": "0x8"}, "0x8,0x10"),
    "two prefixes in one and none in the other": ({"0x8": "80", "0x10": "0x0x8"}, "0x8"),
    "a word that is a misaligned address elsewhere": ({"0x9": "0x9"}, "0x9"),
}


@pytest.mark.parametrize(("memory", "key"), SPELLINGS.values(), ids=SPELLINGS)
def test_a_word_of_memory_is_judged_alike_whatever_stands_beside_it(memory, key):
    plain = {"0x600000": "0x9", "0x600008": "0x8"}
    assert answer(changed(memory=plain))
    for beside in ({}, plain, {"0x600010": 5}):
        with pytest.raises(InputError) as caught:
            answer(changed(memory=memory | beside))
        assert caught.value.path == f"memory.{key}"


def test_a_section_that_was_read_before_is_checked_no_less():
    assert answer(parse_json(json.dumps(changed(guest={"cpl": 0}))))
    for wrong in (False, 0.0, [0]):
        with pytest.raises(InputError):
            answer(parse_json(json.dumps(changed(guest={"cpl": wrong}))))


DUPLICATES = {
    "memory.0x8": json.dumps(EXAMPLE).replace('"0x600000": "0x601407"', '"0x8": "0x0", "0x8": "0x0"'),
    "guest.cpl": json.dumps(EXAMPLE).replace('"cpl": 0', '"cpl": 0, "cpl": 0'),
    "schema": json.dumps(EXAMPLE).replace("{", '{"schema": "slat-scenario-1", ', 1),
    "access.kind": json.dumps(EXAMPLE).replace('"kind"', '"kind": "read", "kind"'),
    "cpu.features.nx": json.dumps(changed(cpu={"features": {"nx": True}})).replace(
        '"nx": true', '"nx": true, "nx": true'
    ),
}


@pytest.mark.parametrize(("path", "text"), DUPLICATES.items(), ids=DUPLICATES)
def test_a_repeated_key_is_reported_where_it_stands(path, text):
    with pytest.raises(InputError) as caught:
        answer(parse_json(text))
    assert (caught.value.code, caught.value.path) == ("duplicate_key", path)


NO_JSON = {
    "nothing": "",
    "blanks": " \n\t",
    "half an object": '{"schema": ',
    "two values": "{} {}",
    "deep nesting": "[" * 200_000,
    "deep nesting of objects": '{"a":' * 200_000,
    "a byte order mark": "\ufeff{}",
    "a control character": '{"a": "\x01"}',
}


@pytest.mark.parametrize("text", NO_JSON.values(), ids=NO_JSON)
def test_text_that_is_no_json_is_an_input_error_without_a_path(text):
    with pytest.raises(InputError) as caught:
        parse_json(text)
    assert caught.value.code in ("blank", "invalid_json")
    assert caught.value.path == ""


NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "1" * 5000, "-" + "9" * 100_000, "1.5", "0e0"]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: text[:12])
def test_numbers_that_are_no_integers_or_too_large_are_reported_with_their_path(number):
    text = json.dumps(EXAMPLE).replace('"0x610000"', number)
    with pytest.raises(InputError) as caught:
        answer(parse_json(text))
    assert caught.value.code in ("wrong_type", "out_of_range")
    assert caught.value.path == "guest.cr3"


def test_messages_are_short_and_printable_whatever_the_input():
    key = "\ud800\x1b[31m" + "k" * 1_000_000
    for scenario in (changed(guest={key: 0}), changed(memory={key: 0}), changed(access={"kind": key})):
        with pytest.raises(InputError) as caught:
            answer(parse_json(json.dumps(scenario)))
        text = str(caught.value)
        assert len(text) < 400
        assert text.isascii()
        assert text.isprintable()


def test_a_general_protection_outcome_is_the_only_one_that_cannot_be_rendered():
    with pytest.raises(InputError):
        render_outcome(GeneralProtection(0, 0, {}))
