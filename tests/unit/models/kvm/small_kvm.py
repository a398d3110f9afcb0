"""Small L0s, L1s and L2s: an EPT12 in L1's memory, which is L0's at the same addresses."""

from models.kvm import V5, Answer, Host, Nested, Parameters, Setting, UserSpace, Version
from models.sdm import Guest, PhysicalAccess, Processor, Vmcs

R, W, X, XU = 1, 2, 4, 1 << 10
ALL = R | W | X | XU
WB = 6 << 3
LARGE = 1 << 7
ACCESSED, DIRTY = 1 << 8, 1 << 9
CAPS = 0x6734141
MBEC, UNRESTRICTED, EPT = 1 << 22, 1 << 7, 1 << 1
ROOT12, PDPT12, PD12, PT12 = 0x1000, 0x2000, 0x3000, 0x4000
PAGE = 0x2_0000  # L1's pages from here on are plain memory
HALF = 1 << 39  # KVM's own pages begin here
WIDTH = 40
GUEST = Guest(cr0=0x8005_0033, cr3=0, cr4=0x2020, efer=0xD00, cpl=0, rflags=2)


def ept12(*leaves: int, tables: int = ALL) -> dict[int, int]:
    """L1's memory with an EPT12 that maps L2's pages 0, 1, ... by these entries."""
    memory = {ROOT12: PDPT12 | tables, PDPT12: PD12 | tables, PD12: PT12 | tables}
    return memory | {PT12 + 8 * number: leaf for number, leaf in enumerate(leaves)}


def page(number: int, rights: int = ALL, flags: int = 0) -> int:
    """An entry that maps L1's page of plain memory with that number."""
    return PAGE + 0x1000 * number | rights | flags | WB


def cpu(**options: int) -> Processor:
    """The host's processor."""
    width = options.pop("maxphyaddr", WIDTH)
    return Processor(maxphyaddr=width, raw_maxphyaddr=width, ept_vpid_cap=options.pop("ept_vpid_cap", CAPS), **options)


def nested(memory: dict[int, int], version: Version = V5, **options) -> Nested:
    """L0 and L1. `parameters` and `user_space` are dicts; other options are those of `Setting` and `Host`."""
    host = Host(
        processor=options.pop("processor", None) or cpu(),
        parameters=Parameters(**options.pop("parameters", {})),
        l1tf=options.pop("l1tf", False),
        undefined_bits=options.pop("undefined_bits", 0),
    )
    user_space = UserSpace(**options.pop("user_space", {}))
    return Nested(Setting(version=version, host=host, user_space=user_space, **options), memory)


def vmcs12(mbec: bool = True, flags: bool = False, **options: int) -> Vmcs:
    """vmcs12 with EPT12 at ROOT12."""
    fields = {"eptp": ROOT12 | 0x1E | (0x40 if flags else 0), "primary_controls": 1 << 31}
    fields["secondary_controls"] = EPT | (MBEC if mbec else 0)
    return Vmcs(**(fields | options))


def running(memory: dict[int, int], version: Version = V5, mbec: bool = True, flags: bool = False, **options) -> Nested:
    """An L2 that L1 has entered."""
    machine = nested(memory, version, **options)
    assert machine.enter(vmcs12(mbec, flags), GUEST) is None
    return machine


def access(machine: Nested, kind: str, number: int = 0, user: bool = False, **flags) -> Answer:
    """An access of L2 to its page with that number."""
    address = number << 12 | 0x123
    return machine.access(PhysicalAccess(kind=kind, guest_physical_address=address, user_linear_address=user, **flags))


def leaf_spte(machine: Nested, number: int = 0) -> int:
    """The last SPTE on the way to L2's page with that number, 0 if there is none."""
    assert machine.running is not None
    return machine.running.fetcher.leaf_spte(number << 12) or 0
