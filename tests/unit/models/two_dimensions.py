"""Machines with guest paging behind EPT: a builder that lays out both sets of tables in memory."""

from dataclasses import replace

from models.sdm import Guest, LinearAccess, Machine, Processor, Vmcs, access

EPT_ROOT = 0x60_0000
ALL = 0x407  # R, W, X or XS, XU
WRITE_BACK = 6 << 3
CAPABILITIES = 0xE341C1  # bits 0, 6, 7, 8, 14, 16, 17, 21, 22, 23
GUEST_TABLES = 0x10_0000  # guest-physical, one page a level, root first
TARGET = 0x1234_5678_9000  # guest-physical address of the page, under a PML4E of its own
HOST_TARGET = 0x4567_8000
LINEAR = 0x7F12_3456_7ABC
OPEN = 0x67  # P, R/W, U/S, A, D


class Tables:
    """Memory with an EPT of four or five levels; `ept` and `page` address entries for tampering."""

    def __init__(self, levels: int = 4) -> None:
        self.memory: dict[int, int] = {}
        self.levels = levels
        self.next_table = EPT_ROOT

    def ept(self, guest_physical: int, level: int) -> int:
        """Host-physical address of the EPT entry of a level that translates `guest_physical`."""
        table = EPT_ROOT
        for upper in range(self.levels, level, -1):
            at = table | guest_physical >> 9 * upper & 0xFF8
            if at not in self.memory:
                self.next_table += 0x1000
                self.memory[at] = self.next_table | ALL
            table = self.memory[at] & 0xF_FFFF_FFFF_F000
        return table | guest_physical >> 9 * level & 0xFF8

    def map(self, guest_physical: int, host_physical: int, rights: int = ALL, level: int = 1) -> int:
        """Maps the page at `guest_physical` and returns where the entry is."""
        at = self.ept(guest_physical, level)
        self.memory[at] = host_physical | rights | WRITE_BACK | (1 << 7 if level > 1 else 0)
        return at


def host(guest_physical: int) -> int:
    """Where the builder puts the guest's own tables in host-physical memory."""
    return guest_physical + 0x1000_0000


def machine(tables: Tables, **options) -> Machine:
    """A 64-bit guest at CPL 0 behind EPT with mode-based execute control; `options` replace fields."""
    eptp = EPT_ROOT | (0x26 if tables.levels == 5 else 0x1E) | options.pop("eptp_bits", 0)
    fields = {
        "processor": {"maxphyaddr": 46, "raw_maxphyaddr": 46, "ept_vpid_cap": CAPABILITIES},
        "vmcs": {"eptp": eptp, "primary_controls": 0x8002_0000, "secondary_controls": 0x40_0082},
        "guest": {
            "cr0": 0x8005_0033,
            "cr3": GUEST_TABLES,
            "cr4": 0x2020,
            "efer": 0xD00,
            "cpl": 0,
            "rflags": 2,
        },
    }
    for name, value in options.items():
        owner = next(
            part
            for part, kind in (("processor", Processor), ("vmcs", Vmcs), ("guest", Guest))
            if name in kind.__dataclass_fields__
        )
        fields[owner][name] = value
    return Machine(
        processor=Processor(**fields["processor"]),
        vmcs=Vmcs(**fields["vmcs"]),
        guest=Guest(**fields["guest"]),
        memory=tables.memory,
    )


def guest_entry(level: int, linear: int = LINEAR) -> int:
    """Guest-physical address of the guest entry of a level (4 to 1) for a linear address."""
    return GUEST_TABLES + 0x1000 * (4 - level) | linear >> 9 * level & 0xFF8


def four_levels(entries: dict[int, int] | None = None, linear: int = LINEAR) -> Tables:
    """A 4-level guest walk for `linear`, mapped by EPT; `entries` replaces the flags of a guest level."""
    tables = Tables()
    flags = {4: OPEN, 3: OPEN, 2: OPEN, 1: OPEN} | (entries or {})
    for level in (4, 3, 2, 1):
        at = guest_entry(level, linear)
        tables.map(at & ~0xFFF, host(at & ~0xFFF))
        target = GUEST_TABLES + 0x1000 * (5 - level) if level > 1 else TARGET
        tables.memory[host(at)] = target | flags[level]
    tables.map(TARGET, HOST_TARGET)
    return tables


def linear_access(tables: Tables, kind: str = "read", flags: dict | None = None, **options):
    """The outcome of an access to LINEAR."""
    request = replace(LinearAccess(kind=kind, linear_address=LINEAR), **(flags or {}))
    return access(machine(tables, **options), request)
