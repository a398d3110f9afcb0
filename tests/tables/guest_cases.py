"""Small guests for the tables: one chain of guest entries, EPT off, one access to a linear address."""

from dataclasses import replace

from models.sdm import ALL_FEATURES, Guest, LinearAccess, Machine, Processor, Vmcs, access

ROOT = 0x10_0000  # the root table; one table follows each 0x1000 further
PAGE = 0x4000_0000  # where an entry that maps a page points: aligned for every page size
CR0, WP, PAGING = 0x31, 1 << 16, 1 << 31
PSE, PAE, LA57, SMEP, SMAP, PKE, PKS = 1 << 4, 1 << 5, 1 << 12, 1 << 20, 1 << 21, 1 << 22, 1 << 24
NXE, LONG = 1 << 11, 1 << 8 | 1 << 10
AC = 1 << 18
MODES = {"32-bit": (PSE, 0), "PAE": (PAE, 0), "4-level": (PAE, LONG), "5-level": (PAE | LA57, LONG)}
LEVELS = {"32-bit": 2, "PAE": 2, "4-level": 4, "5-level": 5}


def chain(mode: str, *entries: int) -> dict[int, int]:
    """Memory in which the walk of linear address 0 meets `entries`; PAE starts at a PDPTE of its own.

    Each entry with P = 1 gets its address, of the next table or, for the last one, of the page.
    """
    memory = {}
    if mode == "PAE":
        memory[ROOT - 0x1000] = ROOT | 1
    for index, entry in enumerate(entries):
        target = PAGE if index == len(entries) - 1 else ROOT + 0x1000 * (index + 1)
        memory[ROOT + 0x1000 * index] = entry | target if entry & 1 else entry
    return memory


def guest(mode: str, **options) -> Guest:
    """A guest in a paging mode at CPL 0 (or `cpl`) with `cr0`, `cr4` and `efer` bits added."""
    cr4, efer = MODES[mode]
    return Guest(
        cr0=CR0 | PAGING | options.get("cr0", 0),
        cr3=ROOT - 0x1000 if mode == "PAE" else ROOT,
        cr4=cr4 | options.get("cr4", 0),
        efer=efer | options.get("efer", NXE),
        cpl=options.get("cpl", 0),
        rflags=2 | options.get("rflags", 0),
        pkru=options.get("pkru", 0),
        pkrs=options.get("pkrs", 0),
    )


def machine(memory: dict[int, int], of: Guest, width: int = 40, without: frozenset = frozenset()) -> Machine:
    """That guest without EPT."""
    return Machine(
        processor=Processor(maxphyaddr=width, raw_maxphyaddr=width, ept_vpid_cap=0, features=ALL_FEATURES - without),
        vmcs=Vmcs(eptp=0, primary_controls=0, secondary_controls=0),
        guest=of,
        memory=memory,
    )


def linear(memory: dict[int, int], of: Guest, kind: str = "read", **options):
    """The outcome of an access to linear address 0."""
    request = replace(LinearAccess(kind=kind, linear_address=0), **options)
    return access(machine(memory, of), request)
