"""MBEC from the processor through KVM to L2, version by version, and the VM entries of L1 that fail."""

import pytest
from ept_cases import table

from models.kvm import NEWEST, OLD, V3, V5, VERSIONS, Host, Nested, Parameters, Setting, UserSpace, Version
from models.kvm.capabilities import (
    ept_caps_to_lpage_level,
    evmcs_supported_2ndexec,
    hardware_setup,
    nested_vmx_setup_secondary_ctls,
    restrict,
    tdp_level,
    vmx_secondary_exec_control,
    vmx_tdp_has_smep,
)
from models.kvm.svm import (
    HostState,
    NestedFault,
    cached_misc_ctl,
    kvm_init_shadow_npt_mmu,
    npf_interception,
    svm_translate_nested_gpa,
    vmcb02_misc_ctl,
)
from models.kvm.vmcs02 import EntryFailure, construct_eptp, nested_vmx_check_eptp, prepare_vmcs02_secondary
from models.sdm import Guest, InputError, Processor, Vmcs

TABLE = table("kvm_controls")
MBEC, EPT, UNRESTRICTED, PML = 1 << 22, 1 << 1, 1 << 7, 1 << 17
CAPS, ADVANCED = 0x6334141, 1 << 22
GUEST = Guest(cr0=0x8005_0033, cr3=0, cr4=0x2020, efer=0xD00, cpl=0, rflags=2)
ENTRY = {"eptp": 0x101E, "primary_controls": 1 << 31, "secondary_controls": EPT | MBEC}


def host(features: str = "mbec, ept, advanced", off: list[str] | None = None, **options) -> Host:
    chosen = features.split(", ")
    controls = UNRESTRICTED | PML | (MBEC if "mbec" in chosen else 0) | (EPT if "ept" in chosen else 0)
    processor = Processor(
        maxphyaddr=options.get("maxphyaddr", 40),
        raw_maxphyaddr=options.get("maxphyaddr", 40),
        ept_vpid_cap=options.get("caps", CAPS) | (ADVANCED if "advanced" in chosen else 0),
        procbased_ctls2=controls << 32,
    )
    return Host(processor=processor, parameters=Parameters(**dict.fromkeys(off or [], False)))


@pytest.mark.parametrize("case", TABLE["host"], ids=lambda case: f"{case['host']} {case.get('parameters', '')}")
@pytest.mark.parametrize("name", VERSIONS)
def test_mbec_is_enabled_where_the_table_says(name, case):
    kvm = hardware_setup(VERSIONS[name], host(case["host"], case.get("parameters")))
    assert kvm.enable_mbec == (name in case["enable_mbec"])


@pytest.mark.parametrize("name", VERSIONS)
def test_the_control_of_l1_and_of_l2_is_the_one_of_the_table(name):
    version, expected = VERSIONS[name], TABLE["control"][name]
    kvm = hardware_setup(version, host())
    vmcs01 = vmx_secondary_exec_control(kvm)
    assert bool(vmcs01 & MBEC) == bool(expected["vmcs01"])
    assert bool(nested_vmx_setup_secondary_ctls(kvm).secondary_ctls_high & MBEC) == bool(expected["offered"])
    assert bool(evmcs_supported_2ndexec(kvm) & MBEC) == bool(expected["evmcs"])
    for key, secondary in (("without", EPT), ("with", EPT | MBEC)):
        if key in expected:
            vmcs12 = Vmcs(**ENTRY | {"secondary_controls": secondary})
            assert bool(prepare_vmcs02_secondary(kvm, vmcs01, vmcs12) & MBEC) == bool(expected[key])
    enlightened = restrict(kvm, UserSpace(enlightened_vmcs=True))
    assert bool(enlightened.secondary_ctls_high & MBEC) == bool(expected["evmcs"])
    assert vmx_tdp_has_smep(kvm) == (name in ("v3", "v5", "newest"))
    assert not vmx_tdp_has_smep(kvm, trust_domain=True)


def test_unrestricted_guest_and_pml_of_vmcs02_are_l1s_choice_and_nobodys():
    kvm = hardware_setup(V5, host())
    both = Vmcs(**ENTRY | {"secondary_controls": EPT | UNRESTRICTED | PML})
    assert prepare_vmcs02_secondary(kvm, EPT | UNRESTRICTED | MBEC, both) == EPT | UNRESTRICTED
    assert prepare_vmcs02_secondary(kvm, EPT | UNRESTRICTED, Vmcs(**ENTRY)) == EPT | MBEC
    inactive = Vmcs(**ENTRY | {"primary_controls": 0})
    assert prepare_vmcs02_secondary(kvm, EPT | MBEC, inactive) == EPT


def test_the_capabilities_of_l1_are_kvms_and_the_processors():
    for version in (OLD, V5):
        offered = nested_vmx_setup_secondary_ctls(hardware_setup(version, host())).ept_caps
        assert bool(offered & ADVANCED) == version.advanced_information
        assert offered & (3 << 16 | 1 << 21) == 3 << 16 | 1 << 21
    small = nested_vmx_setup_secondary_ctls(hardware_setup(V5, host(off=["eptad", "unrestricted_guest"], caps=0x4040)))
    assert small.ept_caps & (3 << 16 | 1 << 21 | 1) == 3 << 16, "large pages are emulated, flags are not"
    assert small.secondary_ctls_high == EPT | MBEC
    without = hardware_setup(V5, host(off=["ept"]))
    assert nested_vmx_setup_secondary_ctls(without).secondary_ctls_high == 0
    assert vmx_secondary_exec_control(without) == 0
    assert [ept_caps_to_lpage_level(caps) for caps in (0, 1 << 16, 3 << 16)] == [1, 2, 3]


def test_user_space_may_take_features_away_and_add_none():
    kvm = hardware_setup(V5, host())
    assert restrict(kvm, UserSpace(secondary_controls=EPT)).secondary_ctls_high == EPT
    assert restrict(kvm, UserSpace(ept_vpid_cap=1 << 6)).ept_caps == 1 << 6
    for chosen in (UserSpace(secondary_controls=1 << 18), UserSpace(ept_vpid_cap=1 << 8)):
        with pytest.raises(InputError, match="KVM offers"):
            restrict(kvm, chosen)


def test_the_eptp_of_l2_has_flags_if_host_and_l1_want_them():
    plain, flagged = Vmcs(**ENTRY), Vmcs(**ENTRY | {"eptp": 0x105E})
    with_flags, without = hardware_setup(V5, host()), hardware_setup(V5, host(off=["eptad"]))
    assert construct_eptp(with_flags, 0x5000, 4, flagged) == 0x505E
    assert construct_eptp(with_flags, 0x5000, 5, plain) == 0x5026
    assert construct_eptp(without, 0x5000, 4, flagged) == 0x501E


def test_direct_tables_have_five_levels_only_where_l1_can_use_them():
    five = hardware_setup(V5, host(caps=CAPS | 1 << 7, maxphyaddr=52))
    assert (tdp_level(five, 52), tdp_level(five, 48), tdp_level(hardware_setup(V5, host()), 52)) == (5, 4, 4)


# ---- VM entry


def l0(version: Version = V5, lacks: int = 0, **user_space) -> Nested:
    features = host(caps=CAPS & ~lacks)
    return Nested(Setting(version=version, host=features, user_space=UserSpace(**user_space)), {})


@pytest.mark.parametrize("case", TABLE["entry"], ids=lambda case: case["name"])
def test_a_vm_entry_of_l1_fails_as_the_table_says(case):
    lacks = sum(1 << bit for bit in case.get("lacks", []))
    machine = l0(lacks=lacks)
    fields = {key: case[key] for key in case if key in ENTRY or key == "pin_controls"}
    failure = machine.enter(Vmcs(**ENTRY | fields), GUEST)
    assert isinstance(failure, EntryFailure)
    assert failure.vm_instruction_error == 7
    assert case["because"] in failure.because
    assert machine.running is None


def test_a_vm_entry_with_mbec_fails_where_it_was_not_offered():
    for machine in (l0(OLD), l0(secondary_controls=EPT)):
        failure = machine.enter(Vmcs(**ENTRY), GUEST)
        assert failure is not None
        assert "0x400000" in failure.because


def test_a_vm_entry_with_a_cr3_beyond_l1s_addresses_fails_with_reason_33():
    failure = l0(maxphyaddr=36).enter(Vmcs(**ENTRY), Guest(cr0=0x8005_0033, cr3=1 << 36, cr4=0x2020, efer=0xD00,
                                                          cpl=0, rflags=2))  # fmt: skip
    assert failure is not None
    assert (failure.exit_reason, failure.qualification) == (33, 0)


def test_an_eptp_is_judged_by_what_l1_was_offered():
    assert nested_vmx_check_eptp(0x1018, 1 << 6 | 1 << 8, 40) is None
    assert nested_vmx_check_eptp(0x101E, 1 << 6 | 1 << 14, 40) is None
    assert nested_vmx_check_eptp(0x1066, 1 << 7 | 1 << 14 | 1 << 21, 40) is None
    assert nested_vmx_check_eptp(0x101E, 1 << 7 | 1 << 14, 40) is not None


def test_a_control_that_the_processor_model_lacks_is_refused_by_its_name():
    with pytest.raises(InputError, match=r"vmcs12\.secondary_controls: .*enable PML"):
        l0().enter(Vmcs(**ENTRY | {"secondary_controls": EPT | PML}), GUEST)
    with pytest.raises(InputError, match="ept"):
        Nested(Setting(version=V5, host=host(off=["ept"])), {})


# ---- AMD


def test_nested_npt_takes_gmet_for_smep_and_fixes_wp_and_smap_in_v5():
    state = HostState(wp=True, smep=True, smap=True, pke=True, nxe=True, gmet=False)
    observed = {}
    for name, version in VERSIONS.items():
        role, root = kvm_init_shadow_npt_mmu(version, state, 4)
        observed[name] = role.base.cr0_wp, role.base.smap_andnot_wp, role.ext.cr4_smap, role.base.cr4_smep
        assert root.level == 4
        assert role.ext.cr4_pke == 0
    assert observed["v5"] == observed["newest"] == (1, 0, 0, 0)
    assert observed["v3"] == (0, 1, 1, 0)
    assert observed["old"] == (0, 1, 1, 0)
    role, root = kvm_init_shadow_npt_mmu(V5, HostState(True, False, False, False, False, gmet=True), 5)
    assert (role.base.cr4_smep, role.ext.has_pferr_fetch, root.passthrough) == (1, 0, 1)
    role, _ = kvm_init_shadow_npt_mmu(V5, state, 4)
    assert role.ext.has_pferr_fetch == 1, "from L1's own CR4.SMEP"


def test_with_gmet_the_mode_of_a_fetch_is_the_privilege_level():
    fetch, user = 1 << 4, 1 << 2
    for version, sev_es, expected in ((V5, False, fetch), (V5, True, fetch | user), (V3, True, fetch)):
        assert npf_interception(version, NestedFault(fetch | user, gmet=True, cpl=0, sev_es=sev_es)) == expected
    assert npf_interception(V5, NestedFault(fetch, gmet=True, cpl=3)) == fetch | user
    assert npf_interception(V5, NestedFault(fetch | user, gmet=False, cpl=0)) == fetch | user
    assert npf_interception(V5, NestedFault(user, gmet=True, cpl=0)) == user
    assert npf_interception(OLD, NestedFault(fetch | user, gmet=True, cpl=0)) == fetch | user


def test_every_nested_walk_is_a_users_without_gmet():
    assert svm_translate_nested_gpa(V5, 0, gmet=False) == 4
    assert svm_translate_nested_gpa(V5, 0, gmet=True) == 0
    assert svm_translate_nested_gpa(OLD, 0, gmet=True) == 4


def test_vmcb02_takes_gmet_from_l1_with_nested_npt_and_else_from_l0():
    np, gmet, sev = 1, 1 << 3, 1 << 1
    assert vmcb02_misc_ctl(V5, np | gmet | sev, 0) == np | gmet
    assert vmcb02_misc_ctl(V3, np | gmet | sev, 0) == np | gmet | sev
    assert vmcb02_misc_ctl(NEWEST, np | gmet, np) == np
    assert vmcb02_misc_ctl(V5, np, np | gmet) == np | gmet
    assert vmcb02_misc_ctl(OLD, np, np | gmet) == np
    assert cached_misc_ctl(np | gmet, np_offered=True, gmet_offered=False) == np
    assert cached_misc_ctl(np | gmet, np_offered=False, gmet_offered=True) == gmet
