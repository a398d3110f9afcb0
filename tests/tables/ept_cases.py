"""Small machines for the tables: one chain of EPT entries, one access to a guest-physical address."""

import tomllib
from pathlib import Path

from models.sdm import Guest, Machine, PhysicalAccess, Processor, Vmcs, access

HERE = Path(__file__).parent
ROOT = 0x60_0000  # the EPT root table; one table follows each 0x1000 further
PAGE = 0x4000_0000  # where an entry that maps a page points: aligned for every page size
ALL_CAPABILITIES = 0xE341C1  # bits 0, 6, 7, 8, 14, 16, 17, 21, 22, 23
RIGHTS = {"r": 1 << 0, "w": 1 << 1, "x": 1 << 2, "u": 1 << 10, "s": 1 << 60}
WRITE_BACK = 6 << 3
MAPS_PAGE = 1 << 7
RFLAGS = 2


def table(name: str) -> dict:
    """The TOML file of that name."""
    return tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))


def rows(name: str) -> list[list[str]]:
    """The words of each row of a file's "table", without its heading and without the bars."""
    lines = table(name)["table"].strip().splitlines()
    return [line.replace("|", " ").split() for line in lines[1:]]


def bit_ranges(fields: str, symbols: dict[str, int]) -> dict[int, str]:
    """ "51:M reserved" and the like, as the meaning of every single bit. Empty ranges name no bit."""

    def position(text: str) -> int:
        name, _, minus = text.partition("-")
        return (symbols[name] if name in symbols else int(name)) - int(minus or 0)

    words = fields.split()
    meaning: dict[int, str] = {}
    for positions, what in zip(words[::2], words[1::2], strict=True):
        high, _, low = positions.partition(":")
        for bit in range(position(low or high), position(high) + 1):
            assert bit not in meaning, f"bit {bit} stands twice"
            meaning[bit] = what
    return meaning


def chain(*entries: int, page: int = PAGE) -> dict[int, int]:
    """Memory in which the walk of guest-physical address 0 meets `entries`, from the root down.

    Each entry that is not 0 gets its address: of the next table, or `page` for the last one.
    """
    memory = {}
    for index, entry in enumerate(entries):
        last = index == len(entries) - 1
        target = page if last else ROOT + 0x1000 * (index + 1)
        memory[ROOT + 0x1000 * index] = entry | target if entry else 0
    return memory


def machine(memory: dict[int, int], **options) -> Machine:
    """A 64-bit guest at CPL 0 behind EPT; `options` override what the tables vary."""
    secondary = options.get("secondary", 0x2) | (0x400000 if options.get("mbe") else 0)
    eptp = ROOT | (0x26 if options.get("levels") == 5 else 0x1E)
    eptp |= (0x40 if options.get("flags") else 0) | (0x80 if options.get("sss") else 0)
    capabilities = options.get("capabilities", ALL_CAPABILITIES)
    if not options.get("advanced", True):
        capabilities &= ~(1 << 22)
    width = options.get("maxphyaddr", 40)
    return Machine(
        processor=Processor(maxphyaddr=width, raw_maxphyaddr=width, ept_vpid_cap=capabilities),
        vmcs=Vmcs(
            eptp=options.get("eptp", eptp),
            primary_controls=options.get("primary", 0x8002_0000),
            secondary_controls=secondary,
            tertiary_controls=options.get("tertiary", 0),
            pin_controls=options.get("pin", 0),
        ),
        guest=Guest(cr0=0x8005_0033, cr3=0, cr4=0x2020, efer=0xD00, cpl=0, rflags=RFLAGS),
        memory=memory,
    )


def physical(memory: dict[int, int], kind: str = "read", **options):
    """The outcome of an access to guest-physical address 0."""
    return access(machine(memory, **options), PhysicalAccess(kind=kind, guest_physical_address=0))
