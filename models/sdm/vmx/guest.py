"""In: the guest registers that paging reads. Out: `Guest`, with named bits.

Guarantee: a guest is a value; whether VM entry accepts it is decided in entry.py.
Trusted: no, checked by tests/unit/models.
"""

from dataclasses import dataclass

CR0_PE = 1 << 0
CR0_WP = 1 << 16
CR0_CD = 1 << 30
CR0_PG = 1 << 31

CR4_PSE = 1 << 4
CR4_PAE = 1 << 5
CR4_LA57 = 1 << 12
CR4_PCIDE = 1 << 17
CR4_SMEP = 1 << 20
CR4_SMAP = 1 << 21
CR4_PKE = 1 << 22
CR4_CET = 1 << 23
CR4_PKS = 1 << 24
CR4_LASS = 1 << 27
CR4_LAM_SUP = 1 << 28

EFER_LME = 1 << 8
EFER_LMA = 1 << 10
EFER_NXE = 1 << 11

RFLAGS_AC = 1 << 18
RFLAGS_VM = 1 << 17

CET_SH_STK_EN = 1 << 0

PAT_AT_RESET = 0x0007040600070406
NO_PDPTES = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """The guest state of one access: registers and MSRs with the SDM's encodings.

    CR3 and the four `pdptes` hold guest-physical addresses; `pdptes` are the VMCS fields, used with PAE
    paging while EPT is on. `pkru` and `pkrs` are 32 bits, the others 64; `cpl` is 0 to 3.
    """

    cr0: int
    cr3: int
    cr4: int
    efer: int
    cpl: int
    rflags: int
    pkru: int = 0
    pkrs: int = 0
    ia32_s_cet: int = 0
    ia32_u_cet: int = 0
    ia32_pat: int = PAT_AT_RESET
    pdptes: tuple[int, int, int, int] = NO_PDPTES
