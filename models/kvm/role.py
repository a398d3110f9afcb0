"""In: the context in which a shadow page is made. Out: its role, and the role as one word.

Guarantee: `pack_role` puts every field where the version's union has it; a field that the version lacks must be 0.
Trusted: no, checked by tests/unit/models/kvm and tests/tables.

Source: union kvm_mmu_page_role, union kvm_mmu_extended_role, union kvm_cpu_role (asm/kvm_host.h); mmu.c.
"""

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Final

from models.kvm.version import Field, Version

PG_LEVEL_4K: Final = 1
PG_LEVEL_2M: Final = 2
PG_LEVEL_1G: Final = 3


@dataclass(frozen=True, slots=True)
class PageRole:
    """The base role, with the fields of every version. Two contexts share shadow pages iff their words are equal."""

    level: int = 0
    has_4_byte_gpte: int = 0
    quadrant: int = 0
    direct: int = 0
    access: int = 0
    invalid: int = 0
    efer_nx: int = 0
    cr0_wp: int = 0
    smep_andnot_wp: int = 0
    smap_andnot_wp: int = 0
    ad_disabled: int = 0
    guest_mode: int = 0
    passthrough: int = 0
    is_mirror: int = 0
    cr4_smep: int = 0
    has_mbec: int = 0
    smm: int = 0


@dataclass(frozen=True, slots=True)
class ExtendedRole:
    """What software walks depend on beyond the shadow pages."""

    valid: int = 0
    execonly: int = 0
    cr4_pse: int = 0
    cr4_pke: int = 0
    cr4_smap: int = 0
    cr4_smep: int = 0
    cr4_la57: int = 0
    efer_lma: int = 0
    has_pferr_fetch: int = 0


@dataclass(frozen=True, slots=True)
class CpuRole:
    """The role of an MMU as the vCPU's registers, or vmcs12, determine it."""

    base: PageRole
    ext: ExtendedRole


@lru_cache(maxsize=4096)
def pack_role(version: Version, role: PageRole) -> int:
    """role.word. Raises ValueError for a value that the version's union cannot hold."""
    return _pack(version.role, role)


def pack_extended_role(version: Version, role: ExtendedRole) -> int:
    """ext.word."""
    return _pack(version.extended_role, role)


def unpack_role(version: Version, word: int) -> PageRole:
    """The role of a word; bits that the version leaves unused take no part."""
    return PageRole(**{name: word >> low & (1 << width) - 1 for name, low, width in version.role})


def unpack_extended_role(version: Version, word: int) -> ExtendedRole:
    """The extended role of a word."""
    return ExtendedRole(**{name: word >> low & (1 << width) - 1 for name, low, width in version.extended_role})


def _pack(layout: tuple[Field, ...], role: PageRole | ExtendedRole) -> int:
    word, known = 0, {name for name, _, _ in layout}
    for name, low, width in layout:
        value: int = getattr(role, name)
        if value >> width:
            raise ValueError(f"{name} = {value} does not fit {width} bits")
        word |= value << low
    for field in fields(role):
        if field.name not in known and getattr(role, field.name):
            raise ValueError(f"the role has no {field.name} in this version")
    return word


@dataclass(frozen=True, slots=True)
class Registers:
    """struct kvm_mmu_role_regs, bit by bit."""

    cr0_pg: bool = True
    cr0_wp: bool = True
    cr4_pse: bool = False
    cr4_pae: bool = True
    cr4_la57: bool = False
    cr4_smep: bool = False
    cr4_smap: bool = False
    cr4_pke: bool = False
    efer_nx: bool = False
    efer_lma: bool = True


def kvm_calc_cpu_role(version: Version, regs: Registers, smm: bool, guest_mode: bool) -> CpuRole:
    """The role of a guest's own paging."""
    access = version.acc.all
    if not regs.cr0_pg:
        base = PageRole(access=access, direct=1, smm=int(smm), guest_mode=int(guest_mode))
        return CpuRole(base, ExtendedRole(valid=1))
    smep_in_base = any(name == "cr4_smep" for name, _, _ in version.role)
    la57 = int(regs.efer_lma and regs.cr4_la57)
    level = 4 + la57 if regs.efer_lma else 3 if regs.cr4_pae else 2
    base = PageRole(
        level=level,
        has_4_byte_gpte=int(not regs.cr4_pae),
        access=access,
        efer_nx=int(regs.efer_nx),
        cr0_wp=int(regs.cr0_wp),
        smep_andnot_wp=int(regs.cr4_smep and not regs.cr0_wp and not smep_in_base),
        smap_andnot_wp=int(regs.cr4_smap and not regs.cr0_wp),
        guest_mode=int(guest_mode),
        cr4_smep=int(regs.cr4_smep and smep_in_base),
        smm=int(smm),
    )
    ext = ExtendedRole(
        valid=1,
        cr4_pse=int(regs.cr4_pse),
        cr4_pke=int(regs.efer_lma and regs.cr4_pke),
        cr4_smap=int(regs.cr4_smap),
        cr4_smep=int(regs.cr4_smep and not smep_in_base),
        cr4_la57=la57,
        efer_lma=int(regs.efer_lma),
        has_pferr_fetch=int(smep_in_base and (regs.efer_nx or regs.cr4_smep)),
    )
    return CpuRole(base, ext)


def is_cr4_smep(role: CpuRole) -> bool:
    """CR4.SMEP (MBEC for nested EPT, GMET for nested NPT), wherever the version keeps it."""
    return bool(role.base.cr4_smep or role.ext.cr4_smep)


def has_pferr_fetch(role: CpuRole) -> bool:
    """Whether error codes have PFERR_FETCH."""
    return bool(role.ext.has_pferr_fetch or role.base.efer_nx or role.ext.cr4_smep)


@dataclass(frozen=True, slots=True)
class DirectRoot:
    """What the root role of a direct TDP MMU depends on. `tdp_has_smep`: the host runs L1 with MBEC (or GMET)."""

    level: int
    ad_enabled: bool
    tdp_has_smep: bool = False
    shadow_user_mask: int = 0
    guest_mode: bool = False
    smm: bool = False


def kvm_calc_tdp_mmu_root_page_role(version: Version, root: DirectRoot) -> PageRole:
    """The root role of a direct TDP MMU."""
    access = version.acc.all
    smep = root.tdp_has_smep and any(name == "cr4_smep" for name, _, _ in version.role)
    if smep and root.shadow_user_mask:
        access &= ~version.acc.user
    return PageRole(
        level=root.level,
        direct=1,
        access=access,
        efer_nx=1,
        cr0_wp=1,
        ad_disabled=int(not root.ad_enabled),
        guest_mode=int(root.guest_mode),
        cr4_smep=int(smep),
        smm=int(root.smm),
    )


@dataclass(frozen=True, slots=True)
class ShadowEpt:
    """What L1 chose for its EPT12: `level` and `accessed_dirty` from the EPTP, `mbec` from vmcs12."""

    level: int
    accessed_dirty: bool
    execonly: bool
    mbec: bool


def kvm_calc_shadow_ept_root_page_role(version: Version, ept: ShadowEpt) -> CpuRole:
    """The cpu_role of nested EPT, whose base is the root role too."""
    mbec = ept.mbec and version.mbec_source == "mmu"
    base = PageRole(
        level=ept.level,
        access=version.acc.all,
        ad_disabled=int(not ept.accessed_dirty),
        guest_mode=1,
        cr4_smep=int(mbec),
    )
    return CpuRole(base, ExtendedRole(valid=1, execonly=int(ept.execonly)))


@lru_cache(maxsize=4096)
def kvm_mmu_child_role(parent: PageRole, direct: bool, access: int) -> PageRole:
    """The role of a child page: its parent's, one level down, with the rights of what leads to it.

    A table of 4-byte entries spans several shadow pages (quadrant); EPT has none.
    """
    return replace(parent, level=parent.level - 1, access=access, direct=int(direct), passthrough=0)


def sync_role_ignore(version: Version) -> int:
    """The bits of the word that kvm_sync_page_check() does not compare: level, access, quadrant, passthrough."""
    ignored = PageRole(level=0xF, access=version.acc.all, quadrant=3, passthrough=1)
    return pack_role(version, ignored)
