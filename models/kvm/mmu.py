"""In: what L1 chose for its EPT12. Out: `Mmu`, KVM's struct kvm_mmu, as far as walks and SPTEs depend on it.

Guarantee: everything is computed anew exactly where the kernel does so: when the cpu_role changes.
Trusted: no, checked by tests/unit/models/kvm.

Source: kvm_init_shadow_ept_mmu(), init_kvm_tdp_mmu(), kvm_init_shadow_npt_mmu() (mmu/mmu.c), mmu_has_mbec() (mmu.h).
"""

from dataclasses import dataclass, replace

from models.kvm.capabilities import Kvm, NestedMsrs, ept_caps_to_lpage_level, vmx_tdp_has_smep
from models.kvm.permissions import PagingModes, PermissionTables, update_permission_bitmask
from models.kvm.role import (
    CpuRole,
    DirectRoot,
    ExtendedRole,
    PageRole,
    ShadowEpt,
    is_cr4_smep,
    kvm_calc_shadow_ept_root_page_role,
    kvm_calc_tdp_mmu_root_page_role,
)
from models.kvm.rsvd_bits import NO_RSVD_BITS, RsvdBits, reset_rsvds_bits_mask_ept
from models.kvm.version import Version
from models.sdm.vmx.processor import CAP_EXECUTE_ONLY

NO_ROLE = CpuRole(PageRole(), ExtendedRole())


@dataclass(slots=True)
class Mmu:
    """struct kvm_mmu. `tables` decide on EPT12's rights, `spte_tables` on those of an SPTE (newest)."""

    version: Version
    cpu_role: CpuRole = NO_ROLE
    root_role: PageRole = NO_ROLE.base
    tables: PermissionTables | None = None
    spte_tables: PermissionTables | None = None
    guest_rsvd_check: RsvdBits = NO_RSVD_BITS
    shadow_zero_check: RsvdBits = NO_RSVD_BITS
    ept_ad: bool = False

    @property
    def permission_tables(self) -> PermissionTables:
        """permissions[] and pkru_mask."""
        assert self.tables is not None, "the MMU was not set up"
        return self.tables


def mmu_has_mbec(kvm: Kvm, walked: Mmu, in_use: Mmu) -> bool:
    """The version's predicate: `walked` is the MMU at hand, `in_use` vcpu->arch.mmu."""
    source = kvm.version.mbec_source
    if source == "mmu":
        return bool(walked.root_role.cr4_smep)
    if source == "vcpu":
        return bool(in_use.root_role.has_mbec)
    return source == "parameter" and kvm.enable_mbec


def ept_permissions(version: Version, role: CpuRole) -> PermissionTables:
    """update_permission_bitmask() and update_pkru_bitmask() for an MMU of EPT."""
    modes = PagingModes(ept=True, tdp=True, cr4_smep=is_cr4_smep(role))
    return PermissionTables(version, update_permission_bitmask(version, modes))


def kvm_init_shadow_ept_mmu(kvm: Kvm, mmu: Mmu, ept: ShadowEpt, msrs: NestedMsrs, maxphyaddr: int) -> bool:
    """Sets up the MMU that shadows EPT12, unless its role is unchanged; whether it did. `maxphyaddr` is L1's."""
    version = kvm.version
    role = kvm_calc_shadow_ept_root_page_role(version, ept)
    if role == mmu.cpu_role:
        return False
    mmu.cpu_role, mmu.root_role = role, role.base
    mmu.ept_ad = ept.accessed_dirty
    mmu.tables = ept_permissions(version, role)
    mmu.spte_tables = mmu.tables if version.spte_permissions else None
    largest = ept_caps_to_lpage_level(msrs.ept_caps)
    mmu.guest_rsvd_check = reset_rsvds_bits_mask_ept(maxphyaddr, ept.execonly, largest)
    mmu.shadow_zero_check = _shadow_zero_check(kvm, ept.execonly)
    return True


def nested_ept_init_mmu_context(kvm: Kvm, mmu: Mmu, ept: ShadowEpt, msrs: NestedMsrs, maxphyaddr: int) -> None:
    """The same at VM entry. v1 tells the root role of MBEC only here, and no line ever takes it back."""
    kvm_init_shadow_ept_mmu(kvm, mmu, ept, msrs, maxphyaddr)
    if kvm.version.late_has_mbec and ept.mbec:
        mmu.root_role = replace(mmu.root_role, has_mbec=1)


def init_direct_mmu(kvm: Kvm, level: int, guest_mode: bool) -> Mmu:
    """The MMU that maps L1's memory for L1 itself, and for an L2 without EPT12."""
    version = kvm.version
    smep = vmx_tdp_has_smep(kvm)
    role = kvm_calc_tdp_mmu_root_page_role(
        version,
        DirectRoot(level, kvm.enable_ept_ad_bits, smep, kvm.masks.user if version.read_right else 0, guest_mode),
    )
    cpu_role = CpuRole(role, ExtendedRole(valid=1))
    modes = PagingModes(ept=True, tdp=True, cr4_smep=bool(role.cr4_smep))
    tables = PermissionTables(version, update_permission_bitmask(version, modes)) if version.spte_permissions else None
    exec_only = bool(kvm.config.ept & CAP_EXECUTE_ONLY)
    return Mmu(
        version=version,
        cpu_role=cpu_role,
        root_role=role,
        spte_tables=tables,
        shadow_zero_check=_shadow_zero_check(kvm, exec_only),
    )


def _shadow_zero_check(kvm: Kvm, execonly: bool) -> RsvdBits:
    """reset_ept_shadow_zero_bits_mask(): what no SPTE of KVM's own may set."""
    processor = kvm.host.processor
    return reset_rsvds_bits_mask_ept(processor.raw_maxphyaddr, execonly, ept_caps_to_lpage_level(kvm.config.ept))
