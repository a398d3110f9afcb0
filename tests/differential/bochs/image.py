"""The memory of the bare-metal program, which stands at the top of the machine's 40-bit physical address space.

In: the program's code. Out: the bytes of its pages: code, page tables, and the guest's instructions.
Guarantee: the addresses here are those of program/.
Trusted: no, checked by test_harness.py.
"""

import struct
from collections.abc import Iterator

from .case import Access

PAGE = 0x1000
PROGRAM = 0xFF_0000_0000  # host-physical; memory from here to 2^40 is not for cases

# Offsets from PROGRAM.
STACK, CAPABILITIES, PML5, PML4, PDPTS, PD, CODE = 0x1FFF0, 0x22000, 0x2F000, 0x30000, 0x31000, 0x33000, 0x40000
RECORDS, RESULTS, END = 0x100000, 0x1100000, 0x2100000

CODE_PAGE = PROGRAM + CODE  # host-physical address of the page with the instructions of the accesses to data
WRITTEN = 0x5A5A5A5A  # what a write stores
VMCALL = b"\x0f\x01\xc1"
INSTRUCTIONS = {  # the same bytes in 32-bit and 64-bit code
    Access.READ: b"\x8b\x03" + VMCALL,  # mov eax, [rbx]
    Access.WRITE: b"\x89\x03" + VMCALL,  # mov [rbx], eax
    Access.RMW: b"\x83\x03\x01" + VMCALL,  # add dword [rbx], 1
    Access.LOAD_PDPTES: b"\x0f\x22\xdb" + VMCALL,  # mov cr3, rbx
}
CODE_OFFSET = {kind: 16 * number for number, kind in enumerate(INSTRUCTIONS)}  # in that page


def instruction(mark: int) -> int:
    """The word that a fetch may find: `mov eax, mark; vmcall`. `mark` has 32 bits and ends up as the value."""
    return int.from_bytes(b"\xb8" + mark.to_bytes(4, "little") + VMCALL, "little")


def image(code: bytes) -> Iterator[tuple[int, bytes]]:
    """Offsets and bytes of the program's memory. Its page tables map the first TByte to itself."""
    yield 0, code
    yield PML5, struct.pack("<Q", PROGRAM + PML4 | 0x3)
    yield PML4, struct.pack("<2Q", PROGRAM + PDPTS | 0x3, PROGRAM + PDPTS + PAGE | 0x3)
    yield PDPTS, struct.pack("<1024Q", *(gigabyte << 30 | 0x83 for gigabyte in range(1024)))
    # Bochs takes the width of linear addresses from the last MOV to CR4 and the size of a large page from that width.
    # With the wrong one, until the program has executed MOV to CR4, its first 2-MByte page works, a 1-GByte page not.
    yield PDPTS + 8 * (PROGRAM >> 30), struct.pack("<Q", PROGRAM + PD | 0x3)
    yield PD, struct.pack("<512Q", *(PROGRAM + (page << 21) | 0x83 for page in range(512)))
    for kind, instructions in INSTRUCTIONS.items():
        yield CODE + CODE_OFFSET[kind], instructions
