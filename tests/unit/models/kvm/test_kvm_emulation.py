"""What L0 does in L2's place: pages that are no memory of L1, read-only memory, and what the emulator finds there."""

from small_kvm import (
    ALL,
    GUEST,
    PAGE,
    PT12,
    WB,
    R,
    W,
    X,
    access,
    ept12,
    leaf_spte,
    nested,
    page,
    running,
    vmcs12,
)

from models.kvm import NEWEST, V5, Emulated, ReflectedExit, Slot
from models.sdm import Guest, LinearAccess, PdpteLoad, Translated

PRESENT, HOST_WRITABLE, MMU_WRITABLE, AD_DISABLED, SVE = 1 << 11, 1 << 53, 1 << 55, 1 << 60, 1 << 63
IPAT = 1 << 6


def test_what_is_no_memory_of_l1_gets_an_mmio_spte_and_is_emulated():
    machine = running(ept12(page(0)), slots=(Slot(0, 0, PAGE),))
    answer = access(machine, "write")
    assert answer.final == Emulated("mmio", 0x123)
    assert leaf_spte(machine) & 7 == 6
    answer = access(machine, "write")
    assert answer.final == Emulated("mmio", 0x123)
    assert answer.sptes == (), "the misconfiguration says it all"


def test_without_mmio_caching_there_is_no_mmio_spte():
    machine = running(ept12(page(0)), slots=(Slot(0, 0, PAGE),), parameters={"mmio_caching": False})
    assert access(machine, "read").final == Emulated("mmio", 0x123)
    assert leaf_spte(machine) == 0


def test_a_new_generation_of_memory_slots_makes_mmio_sptes_anew():
    machine = running(ept12(page(0)), slots=(Slot(0, 0, PAGE),))
    access(machine, "read")
    before = leaf_spte(machine)
    machine.new_memslots()
    answer = access(machine, "read")
    assert answer.final == Emulated("mmio", 0x123)
    assert leaf_spte(machine) != before
    assert answer.fixes[0].exit_reason == 49


def test_an_old_mmio_spte_makes_kvm_reflect_with_bits_of_an_exit_that_had_none():
    memory = ept12(page(0, X))
    for version in (V5, NEWEST):
        machine = running(memory, version, slots=(Slot(0, 0, PAGE),))
        assert access(machine, "fetch").final == Emulated("mmio", 0x123)
        machine.new_memslots()
        final = access(machine, "fetch").final
        assert final == ReflectedExit(48, 0x21, 0x123), "walked as a read, which EPT12 denies"


def test_what_ept12_denies_in_mmio_is_found_by_the_emulator_without_the_bits_of_hardware():
    for version, bits in ((V5, 0), (NEWEST, 0x180)):
        machine = running(ept12(page(0, R)), version, slots=(Slot(0, 0, PAGE),))
        access(machine, "read")
        assert access(machine, "write").final == ReflectedExit(48, bits | 0xA, 0x123)
        assert access(machine, "fetch", user=True).final == ReflectedExit(48, bits | 0xC, 0x123)


def test_read_only_memory_of_l1_is_read_and_its_writes_are_emulated():
    slots = (Slot(0, 0, PAGE), Slot(PAGE, PAGE, 0x1000, writable=False))
    machine = running(ept12(page(0)), slots=slots)
    assert isinstance(access(machine, "read").final, Translated)
    assert not leaf_spte(machine) & (W | HOST_WRITABLE)
    assert access(machine, "write").final == Emulated("read-only memory", 0x123)


def test_an_mmio_spte_of_a_table_out_of_sync_is_dropped_once_its_page_is_another():
    memory = ept12(page(0), PT12 | ALL | WB)
    machine = running(memory, slots=(Slot(0, 0, PAGE),))
    access(machine, "write", 1)
    access(machine, "read")
    before = leaf_spte(machine)
    machine.enter(vmcs12(), machine.running.guest)
    assert leaf_spte(machine) == before
    access(machine, "write", 1)
    machine.zap_all()
    access(machine, "write", 1)
    machine.memory[PT12] = page(1)
    machine.enter(vmcs12(), machine.running.guest)
    assert leaf_spte(machine) == SVE


def test_an_mmio_page_of_l2_is_checked_by_the_emulator_with_the_mode_of_its_linear_address():
    tables = {PAGE + 0x1000 * n: 0x1000 * (n + 1) | 0x67 for n in range(3)} | {PAGE + 0x3000: 0x4000 | 0x67}
    memory = ept12(*(page(number) for number in range(4)), page(4, R | X)) | tables
    machine = nested(memory, slots=(Slot(0, 0, PAGE + 0x4000),))
    assert machine.enter(vmcs12(), GUEST) is None
    assert machine.access(LinearAccess(kind="read", linear_address=0x123)).final == Emulated("mmio", 0x4123)
    final = machine.access(LinearAccess(kind="fetch", linear_address=0x123)).final
    assert final == ReflectedExit(48, 0x2C, 0x4123), "a user-mode address, which has no XU"


def test_a_table_of_l2_in_mmio_is_asked_for_w_by_the_emulator():
    machine = nested(ept12(page(0, R)), slots=(Slot(0, 0, PAGE),))
    assert machine.enter(vmcs12(), GUEST) is None
    walk = LinearAccess(kind="read", linear_address=0x123)
    assert machine.access(walk).final == Emulated("mmio", 0)
    assert machine.access(walk).final == ReflectedExit(48, 0xB, 0)


def test_a_load_of_pdptes_from_mmio_asks_for_w_too():
    pae = Guest(cr0=0x8005_0033, cr3=0, cr4=0x2020, efer=0, cpl=0, rflags=2)
    machine = nested(ept12(page(0, R)), slots=(Slot(0, 0, PAGE),))
    assert machine.enter(vmcs12(), pae) is None
    assert machine.access(PdpteLoad()).final == Emulated("mmio", 0)
    assert machine.access(PdpteLoad()).final == ReflectedExit(48, 0xB, 0)
