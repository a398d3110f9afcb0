"""In: a role, an error code, the rights of a translation. Out: whether KVM calls the access a fault.

Guarantee: `update_permission_bitmask` is the kernel's table, element for element; `permission_fault` its look-up.
Trusted: no, checked by tests/tables (the tables of the compiled kernel functions) and tests/differential.

Source: update_permission_bitmask(), update_pkru_bitmask() (mmu/mmu.c), permission_fault() (mmu.h).

    index = (error code | RSVD if SMAP does not apply) >> 1        bit n of an element: the rights n fault
"""

from dataclasses import dataclass
from functools import lru_cache

from models.kvm.pferr import (
    LOW,
    PFERR_FETCH,
    PFERR_IMPLICIT_ACCESS,
    PFERR_PK,
    PFERR_PRESENT,
    PFERR_RSVD,
    PFERR_USER,
    PFERR_USER_FETCH,
    PFERR_WRITE,
)
from models.kvm.version import Version

Permissions = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PagingModes:
    """The bits of an MMU's role on which permissions[] depends. `tdp`: nested paging walks with this MMU."""

    ept: bool = False
    tdp: bool = False
    cr0_wp: bool = False
    efer_nx: bool = False
    cr4_smep: bool = False
    cr4_smap: bool = False


@dataclass(frozen=True, slots=True)
class Viewer:
    """What permission_fault() asks of the vCPU. `mbec` (v1): mmu_has_mbec() of the MMU in use, whatever is walked."""

    rflags_ac: bool = False
    cpl: int = 0
    pkru: int = 0
    mbec: bool = False


SUPERVISOR = Viewer()


def _having(right: int, width: int) -> int:
    """The rights (as bits of an element) among which `right` is."""
    return sum(1 << value for value in range(width) if value & right)


@lru_cache(maxsize=1024)
def update_permission_bitmask(version: Version, modes: PagingModes) -> Permissions:
    """permissions[16]."""
    return tuple(_element(version, modes, index << 1) for index in range(16))


def _element(version: Version, modes: PagingModes, pfec: int) -> int:
    """The rights that fault with an error code."""
    width, acc = version.permission_bits, version.acc
    every = (1 << width) - 1
    w, x, u = (_having(right, width) for right in (acc.write, acc.exec, acc.user))
    write, user, fetch = (bool(pfec & mask) for mask in (PFERR_WRITE, PFERR_USER, PFERR_FETCH))
    wf = every & ~w if write else 0
    ff = every & ~x if fetch else 0
    if version.read_right:
        rf = 0 if write or fetch else every & ~_having(acc.read, width)
    else:
        rf = every & ~u if modes.ept and user else 0
    if modes.ept:
        if version.read_right and fetch and modes.cr4_smep and user:
            ff = every & ~_having(acc.user_exec, width)
        return rf | wf | ff
    kf = 0 if user else u
    gmet = version.gmet and modes.tdp and modes.cr4_smep
    uf = every & ~u if user and not gmet else 0
    if not modes.efer_nx:
        ff = 0
    if not modes.cr0_wp and not user:
        wf = 0
    if modes.cr4_smep and fetch:
        ff |= kf
    smapf = kf if modes.cr4_smap and not fetch and not pfec & PFERR_RSVD else 0
    return rf | wf | uf | ff | smapf


def update_pkru_bitmask(cr4_pke: bool, cr0_wp: bool) -> int:
    """pkru_mask: two bits for each error code, AD and WD of the key that deny the access."""
    mask = 0
    for pfec in range(0, 32, 2) if cr4_pke else ():
        user_pte, fetch = pfec & PFERR_RSVD, pfec & PFERR_FETCH
        access_disable = bool(user_pte) and not fetch
        write_disable = access_disable and pfec & PFERR_WRITE and (pfec & PFERR_USER or cr0_wp)
        mask |= (access_disable | bool(write_disable) << 1) << pfec
    return mask


def table_fault(permissions: Permissions, pte_access: int, access: int, not_smap: bool = False) -> bool:
    """The look-up alone. An element narrower than `pte_access` reaches reads as 0 there, as it does in C."""
    pfec = access & LOW
    if pfec >> 5:
        raise ValueError(f"permissions[] has no element for error code {hex(pfec)}")
    return bool(permissions[(pfec | (PFERR_RSVD if not_smap else 0)) >> 1] >> pte_access & 1)


def mbec_permission_fault(version: Version, pte_access: int, access: int, cpl: int) -> bool:
    """v1's check of MBEC. PFERR_USER_FETCH does not fit the 32 bits of its argument, so the CPL decides."""
    acc, pfec = version.acc, access & LOW
    user = bool(pfec & PFERR_USER_FETCH) or cpl > 0
    executable = acc.user_exec if user else acc.exec
    return bool(
        (pfec & PFERR_WRITE and not pte_access & acc.write)
        or (pfec & PFERR_FETCH and not pte_access & executable)
        or (pfec & PFERR_USER and not pte_access & acc.user)
    )


@dataclass(frozen=True, slots=True)
class PermissionTables:
    """What permission_fault() asks of the MMU."""

    version: Version
    permissions: Permissions
    pkru_mask: int = 0


def permission_fault(tables: PermissionTables, pte_access: int, pte_pkey: int, access: int, viewer: Viewer) -> int:
    """0, or the error code of the fault: PFERR_PRESENT, with PFERR_PK if a protection key denies."""
    if viewer.mbec and tables.version.mbec_source == "vcpu":
        fault = mbec_permission_fault(tables.version, pte_access, access, viewer.cpl)
    else:
        not_smap = viewer.rflags_ac and not access & PFERR_IMPLICIT_ACCESS
        fault = table_fault(tables.permissions, pte_access, access, not_smap)
    error_code = PFERR_PRESENT if fault else 0
    if tables.pkru_mask:
        keys = viewer.pkru >> 2 * pte_pkey & 3
        offset = access & LOW & ~1 | (PFERR_RSVD if pte_access & tables.version.acc.user else 0)
        if keys & tables.pkru_mask >> offset:
            error_code |= PFERR_PRESENT | PFERR_PK
    return error_code
