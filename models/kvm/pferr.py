"""In: nothing. Out: PFERR_*, the bits of KVM's page-fault error code.

Guarantee: the low 32 bits are those of #PF; the others are KVM's own.
Trusted: no, checked by tests/unit/models/kvm.

Source: arch/x86/include/asm/kvm_host.h. For EPT, PFERR_USER means a data read in old, rfc and v1, and a user-mode
linear address from v3 on.
"""

PFERR_PRESENT = 1 << 0
PFERR_WRITE = 1 << 1
PFERR_USER = 1 << 2
PFERR_RSVD = 1 << 3
PFERR_FETCH = 1 << 4
PFERR_PK = 1 << 5
PFERR_SS = 1 << 6
PFERR_SGX = 1 << 15
PFERR_GUEST_RMP = 1 << 31
PFERR_GUEST_FINAL = 1 << 32
PFERR_GUEST_PAGE = 1 << 33
PFERR_GUEST_ENC = 1 << 34
PFERR_GUEST_SIZEM = 1 << 35
PFERR_GUEST_VMPL = 1 << 36
PFERR_IMPLICIT_ACCESS = 1 << 48
PFERR_PRIVATE_ACCESS = 1 << 49
PFERR_USER_FETCH = 1 << 50
"""Of v1 alone."""

LOW = (1 << 32) - 1

NAMES = (
    (PFERR_PRESENT, "PRESENT"),
    (PFERR_WRITE, "WRITE"),
    (PFERR_USER, "USER"),
    (PFERR_RSVD, "RSVD"),
    (PFERR_FETCH, "FETCH"),
    (PFERR_PK, "PK"),
    (PFERR_SS, "SS"),
    (PFERR_SGX, "SGX"),
    (PFERR_GUEST_FINAL, "GUEST_FINAL"),
    (PFERR_GUEST_PAGE, "GUEST_PAGE"),
    (PFERR_IMPLICIT_ACCESS, "IMPLICIT_ACCESS"),
    (PFERR_PRIVATE_ACCESS, "PRIVATE_ACCESS"),
    (PFERR_USER_FETCH, "USER_FETCH"),
)


def pferr_names(error_code: int) -> str:
    """The names of the set bits: "WRITE|GUEST_FINAL", "0"."""
    return "|".join(name for mask, name in NAMES if error_code & mask) or "0"
