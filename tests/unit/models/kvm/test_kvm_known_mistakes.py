"""What each version of the series gets wrong, as an L2 or its L1 would notice; reviewers' findings by their numbers.

Where v5 stands beside a version, it does the same access right.
"""

from dataclasses import replace

import pytest
from small_kvm import (
    ALL,
    GUEST,
    LARGE,
    PAGE,
    PD12,
    WB,
    XU,
    R,
    W,
    X,
    access,
    cpu,
    ept12,
    leaf_spte,
    nested,
    page,
    vmcs12,
)
from small_kvm import running as start

from models.kvm import NEWEST, OLD, RFC, V1, V3, V5, Emulated, ReflectedExit, Slot, Stuck
from models.sdm import Guest, LinearAccess, PhysicalAccess, Translated


def outcome(version, leaf, kind, user=False, **options):
    """The outcome of one access of L2 to a page with these rights."""
    return access(start(ept12(leaf), version, **options), kind, user=user).final


@pytest.mark.parametrize("version", [V3, V5, NEWEST], ids=lambda version: version.name)
def test_with_mbec_user_mode_executes_what_has_xu_and_supervisor_mode_what_has_xs(version):
    assert isinstance(outcome(version, page(0, R | X), "fetch"), Translated)
    assert isinstance(outcome(version, page(0, R | XU), "fetch", user=True), Translated)
    assert isinstance(outcome(version, page(0, R | X), "fetch", user=True), ReflectedExit)
    assert isinstance(outcome(version, page(0, R | XU), "fetch"), ReflectedExit)


def test_rfc_never_tells_l1_of_a_user_fetch_without_xu_once_bit_10_is_set_anywhere():
    """I8, I12: permissions[] has no bit for rights beyond 7, so the walk allows what the SPTE denies, for ever."""
    assert isinstance(outcome(RFC, page(0, R | XU), "fetch"), Stuck)
    assert isinstance(outcome(RFC, page(0, R | XU), "write"), Stuck)
    assert isinstance(outcome(V5, page(0, R | XU), "write"), ReflectedExit)


def test_rfc_runs_l2_with_mbec_though_its_l1_did_not_ask_for_it():
    """I4: vmcs02 takes the control from vmcs01, so user mode cannot execute what an L1 without MBEC maps with X."""
    assert isinstance(outcome(RFC, page(0, R | X), "fetch", user=True, mbec=False), Stuck)
    assert isinstance(outcome(V5, page(0, R | X), "fetch", user=True, mbec=False), Translated)


def test_rfc_takes_an_entry_with_bit_10_alone_for_one_that_is_not_present():
    """I8."""
    fault = outcome(RFC, page(0, XU), "fetch", user=True)
    assert isinstance(fault, ReflectedExit)
    assert isinstance(outcome(V5, page(0, XU), "fetch", user=True), Translated)


def test_v1_decides_on_a_user_fetch_by_the_privilege_level():
    """I15: L2 at CPL 0 fetches from a user-mode page (no SMEP) that has XU only."""
    assert isinstance(outcome(V1, page(0, R | XU), "fetch", user=True), ReflectedExit)
    assert isinstance(outcome(V5, page(0, R | XU), "fetch", user=True), Translated)


def test_v1_cannot_build_a_page_that_user_mode_may_only_execute():
    """I13: it takes XU from what is not readable, and the violation recurs."""
    machine = nested(ept12(page(0, XU)), V1)
    assert machine.enter(vmcs12(), replace_cpl(3)) is None
    assert isinstance(access(machine, "fetch", user=True).final, Stuck)


def replace_cpl(cpl: int) -> Guest:
    return replace(GUEST, cpl=cpl)


def test_v1_believes_in_mbec_after_l1_has_turned_it_off():
    """I4, I16: root_role.has_mbec is set late and never cleared."""
    memory = ept12(page(0, XU))
    for version, expected in ((V1, Stuck), (V5, ReflectedExit)):
        machine = start(memory, version)
        assert machine.enter(vmcs12(mbec=False), replace_cpl(3)) is None
        final = access(machine, "fetch", user=True).final
        assert isinstance(final, expected), version.name


def test_without_mbec_v1_allows_what_bit_10_means_nothing_for():
    """I5: bit 10 takes the look-up beyond the table, and no access to such a page is ever reflected."""
    for rights, kind in ((R | XU, "write"), (R | XU, "fetch")):
        assert isinstance(outcome(V1, page(0, rights), kind, mbec=False), Stuck)
        assert isinstance(outcome(V5, page(0, rights), kind, mbec=False), ReflectedExit)


def test_v1_leaves_a_tracked_page_executable_in_user_mode():
    """I11: bit 10 is not part of the mask that access tracking clears."""
    for version, visible in ((V1, XU), (V5, 0)):
        machine = start(ept12(page(0)), version)
        access(machine, "read")
        machine.age()
        assert leaf_spte(machine) & ALL == visible, version.name


def test_rfc_loses_xu_when_a_page_is_tracked_but_the_walk_gives_it_back():
    """I10, as far as L2 can see: the shadow MMU makes the SPTE anew."""
    machine = start(ept12(page(0, R | XU)), RFC)
    access(machine, "fetch", user=True)
    machine.age()
    assert leaf_spte(machine) & ALL == 0
    assert isinstance(access(machine, "fetch", user=True).final, Translated)


def test_without_mbec_v3_lets_l2_execute_what_has_bit_10_alone():
    """I17: shadow_xu_mask is bit 2 there, and the SPTE grants X that EPT12 does not."""
    off = {"parameters": {"mbec": False}, "mbec": False}
    machine = start(ept12(page(0, R | XU)), V3, **off)
    access(machine, "read")
    assert isinstance(access(machine, "fetch").final, Translated), "EPT12 denies it"
    machine = start(ept12(page(0, R | XU)), V5, **off)
    access(machine, "read")
    assert isinstance(access(machine, "fetch").final, ReflectedExit)


def test_before_v3_a_huge_page_stays_executable_in_user_mode_under_nx_huge_pages():
    """I2."""
    memory = ept12() | {PD12: 0x20_0000 | R | XU | WB | LARGE}
    for version, rights in ((RFC, R | XU), (V5, R)):
        machine = start(memory, version, parameters={"nx_huge_pages": True})
        access(machine, "read")
        assert leaf_spte(machine) & (ALL | LARGE) == rights | LARGE, version.name


def test_before_v3_splitting_loses_user_execution_without_supervisor_execution():
    """I1."""
    memory = ept12() | {PD12: 0x20_0000 | R | XU | WB | LARGE}
    for version, rights in ((OLD, R), (RFC, R | XU), (V5, R | XU)):
        machine = start(memory, version, mbec=version is not OLD)
        access(machine, "read")
        machine.split_huge_pages()
        assert leaf_spte(machine, 5) & ALL == rights, version.name


def test_v5_itself_puts_bits_of_another_exit_into_what_it_reflects():
    """I20, K11: a write that EPT12 denies to a page without memory ends in an EPT misconfiguration first."""
    for version, shown in ((OLD, 0), (V5, 0), (NEWEST, 0x180)):
        machine = start(ept12(page(0, R)), version, mbec=False, slots=(Slot(0, 0, PAGE),))
        assert access(machine, "read").final == Emulated("mmio", 0x123)
        final = access(machine, "write").final
        assert isinstance(final, ReflectedExit)
        assert final.exit_qualification & 0xF80 == shown, version.name


def test_newest_leaves_out_that_the_fetch_was_a_users():
    """H2: bits 11:9 are clear, though L1 was offered them."""
    machine = start(ept12(page(0, R)), NEWEST, slots=(Slot(0, 0, PAGE),))
    access(machine, "read")
    final = access(machine, "fetch", user=True).final
    assert isinstance(final, ReflectedExit)
    assert final.exit_qualification & 0xF80 == 0x180


def test_v5_takes_an_undefined_bit_for_a_present_entry_where_l2_has_no_ept12():
    """H1, K12: vmcs02 runs without MBEC there, and the direct MMU says that it is on."""
    for version, present in ((OLD, 0), (V5, 1), (NEWEST, 1)):
        machine = nested({PAGE: 1}, version, undefined_bits=1 << 6)
        assert machine.enter(vmcs12(secondary_controls=0), GUEST) is None
        answer = machine.access(PhysicalAccess(kind="read", guest_physical_address=PAGE))
        assert isinstance(answer.final, Translated)
        assert answer.fixes[0].error_code & 1 == present, version.name


def test_old_takes_every_access_of_its_emulator_for_a_read():
    """What a page may only execute, the emulator may not fetch from."""
    for version, expected in ((OLD, ReflectedExit), (V5, Emulated)):
        machine = start(ept12(page(0, X)), version, mbec=False, slots=(Slot(0, 0, PAGE),))
        assert isinstance(access(machine, "fetch").final, Emulated)
        assert isinstance(access(machine, "fetch").final, expected)


def test_no_version_makes_l2_write_where_it_may_not():
    for version in (OLD, RFC, V1, V3, V5, NEWEST):
        assert not isinstance(outcome(version, page(0, R), "write", mbec=version is not OLD), Translated)
        assert isinstance(outcome(version, page(0, R | W), "write", mbec=version is not OLD), Translated)


def test_a_user_fetch_with_paging_off_is_what_xu_governs():
    """K10, I18: a linear address counts as a user's while CR0.PG is 0."""
    real = Guest(cr0=0x33, cr3=0, cr4=0x2000, efer=0, cpl=0, rflags=2)
    for rights, expected in ((R | XU, Translated), (R | X, ReflectedExit)):
        machine = nested(ept12(page(0, rights)), processor=cpu())
        assert machine.enter(vmcs12(secondary_controls=0x400082), real) is None
        assert isinstance(machine.access(LinearAccess(kind="fetch", linear_address=0x123)).final, expected)
