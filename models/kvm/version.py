"""In: nothing. Out: what differs between the versions of KVM's MBEC series, one record a version.

Guarantee: a version is a value; every function of this package that depends on one reads it here.
Trusted: no, checked by tests/tables, tests/unit/models/kvm and tests/differential.

`old` is v7.1.5, without MBEC. `rfc` (March 2025), `v1` (December 2025), `v3` (April 2026) and `v5` (May 2026) are the
end states of the series; `newest` is v5 with two later repairs. A version that is wrong in one place alone is
`dataclasses.replace(V5, ...)`.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

from models.sdm.bits import bits

Field = tuple[str, int, int]
"""Name, lowest bit, width."""

MbecSource = Literal["never", "parameter", "vcpu", "mmu"]
"""Who knows whether MBEC is on: nobody; the module parameter; the root role of the MMU that the vCPU uses at the
moment; the root role of the MMU that is walked."""


@dataclass(frozen=True, slots=True)
class AccLayout:
    """ACC_*, the rights of role.access and pte_access. `read` is the bit that stands for reading an EPT page."""

    exec: int
    write: int
    user: int
    read: int
    user_exec: int
    all: int


@dataclass(frozen=True, slots=True)
class SpteLayout:
    """The bits of an EPT SPTE that software uses.

    `saved_mask` << `saved_shift` is where access tracking keeps rights; the MMIO generation has the bits
    3 to `mmio_gen_low_end` and 62:52.
    """

    ad_shift: int
    saved_mask: int
    saved_shift: int
    host_writable: int
    mmu_writable: int
    mmio_gen_low_end: int
    mmio_allowed: int
    frozen: int

    @property
    def ad_mask(self) -> int:
        """SPTE_TDP_AD_MASK."""
        return 3 << self.ad_shift

    @property
    def ad_disabled(self) -> int:
        """SPTE_TDP_AD_DISABLED."""
        return 1 << self.ad_shift

    @property
    def ad_wrprot_only(self) -> int:
        """SPTE_TDP_AD_WRPROT_ONLY."""
        return 2 << self.ad_shift

    @property
    def saved(self) -> int:
        """SHADOW_ACC_TRACK_SAVED_MASK: where the saved rights stand."""
        return self.saved_mask << self.saved_shift


def _fields(*names_and_widths: tuple[str, int]) -> tuple[Field, ...]:
    """Consecutive bit-fields from bit 0 up; "" is unused."""
    fields: list[Field] = []
    low = 0
    for name, width in names_and_widths:
        if name:
            fields.append((name, low, width))
        low += width
    assert low == 32
    return tuple(fields)


_COMMON = (("level", 4), ("has_4_byte_gpte", 1), ("quadrant", 2), ("direct", 1))
_FLAGS = (("invalid", 1), ("efer_nx", 1), ("cr0_wp", 1), ("smep_andnot_wp", 1))
_TAIL = (("smap_andnot_wp", 1), ("ad_disabled", 1), ("guest_mode", 1), ("passthrough", 1))
ROLE_OLD: Final = _fields(
    *_COMMON, ("access", 3), *_FLAGS, *_TAIL, ("is_mirror", 1), ("", 4), ("smm", 8),
)  # fmt: skip
ROLE_RFC: Final = _fields(*_COMMON, ("access", 4), *_FLAGS, *_TAIL, ("", 4), ("smm", 8))
ROLE_V1: Final = _fields(
    *_COMMON, ("access", 4), *_FLAGS, *_TAIL, ("is_mirror", 1), ("has_mbec", 1), ("", 2), ("smm", 8),
)  # fmt: skip
ROLE_NEW: Final = _fields(
    *_COMMON, ("access", 4), *_FLAGS[:-1], *_TAIL, ("is_mirror", 1), ("cr4_smep", 1), ("", 3), ("smm", 8),
)  # fmt: skip

_EXTENDED = (("valid", 1), ("execonly", 1), ("cr4_pse", 1), ("cr4_pke", 1), ("cr4_smap", 1))
EXTENDED_OLD: Final = _fields(*_EXTENDED, ("cr4_smep", 1), ("cr4_la57", 1), ("efer_lma", 1), ("", 24))
EXTENDED_NEW: Final = _fields(*_EXTENDED, ("cr4_la57", 1), ("efer_lma", 1), ("has_pferr_fetch", 1), ("", 24))

ACC_OLD: Final = AccLayout(exec=1, write=2, user=4, read=4, user_exec=0, all=7)
ACC_RFC: Final = AccLayout(exec=1, write=2, user=4, read=4, user_exec=8, all=15)
ACC_NEW: Final = AccLayout(exec=8, write=2, user=4, read=1, user_exec=4, all=15)

NONPRESENT: Final = 1 << 63
"""SHADOW_NONPRESENT_VALUE: suppress #VE."""
_ALLOWED_OLD = 1 << 63 | bits(51, 12) | bits(2, 0)
_RIGHTS_OLD = 0x005
_RIGHTS_NEW = 0x405
# Decision: rfc and v1 are taken to leave FROZEN_SPTE as it was, with bit 10; their patches name the generation alone.
SPTE_OLD: Final = SpteLayout(52, _RIGHTS_OLD, 54, 1 << 57, 1 << 58, 10, _ALLOWED_OLD, NONPRESENT | 0x5A0)
SPTE_RFC: Final = SpteLayout(52, _RIGHTS_OLD, 54, 1 << 57, 1 << 58, 9, _ALLOWED_OLD | 1 << 10, NONPRESENT | 0x5A0)
SPTE_NEW: Final = SpteLayout(60, _RIGHTS_NEW, 52, 1 << 53, 1 << 55, 9, _ALLOWED_OLD | 1 << 10, NONPRESENT | 0x1A0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What differs. A flag that is set is the way of v5, but for those whose text says otherwise.

    `permission_bits`: width of an element of permissions[].
    `rwx_mask`, `misconfig_wx`, `prot_mask`: VMX_EPT_RWX_MASK, VMX_EPT_MISCONFIG_WX_VALUE, EPT_VIOLATION_PROT_MASK.
    `gpte_user_exec`: gpte_access() maps bit 10. `present_by_bit_10`: is_present_gpte() knows it under MBEC.
    `folds_bit_10`: is_bad_mt_xwr() takes bit 10 for X. `read_right`: ACC_READ exists, so shadow_present_mask has no R
    and PFERR_USER no longer means a data read. `splits_execution`: XS and XU are two masks.
    `user_from_qualification`: PFERR_USER comes from bits 7 to 9.
    `guest_bits`: the qualification, not the error code, is asked for bit 7.
    `tells_user_fetch` (v1): bit 6 gives PFERR_USER_FETCH.
    `present_by_bit_6`: bit 6 of the qualification counts for PFERR_PRESENT under MBEC.
    `advanced_information`: bits 9 to 11 reach L1.
    `mode_in_vmcs12_alone`: vmcs02's MBEC never comes from vmcs01. `vmcs01_mbec`: L1 itself runs with MBEC.
    `late_has_mbec` (v1): the role learns of MBEC after the MMU was set up, and never forgets.
    `evmcs_mbec`: enlightened VMCS admits the control.
    `xu_follows_host` (v3): shadow_xu_mask is bit 2 where MBEC is off.
    `mbec_needs_ept_parameter`: kvm_intel.ept=0 clears enable_mbec.
    `wp_exception_for_ept` (rfc): the exception for CR0.WP = 0 is compiled for EPT.
    `pte_access_in_acc`: the final nested walk is told ACC_*, not raw bits.
    `hardware_bits_from_hardware` (newest): an injected violation takes bits 7 to 11 from an exit only if KVM
    handles a page fault. `spte_permissions` (newest): a second permissions[] decides what an SPTE allows.
    `compares_child_role` (newest): an existing child page is kept only if its role is the wanted one.
    `gmet`, `npt_fixed_bits`, `narrow_misc_ctl`, `erratum_1218_spares_sev_es`: AMD, see svm.py.
    """

    name: str
    acc: AccLayout
    role: tuple[Field, ...]
    extended_role: tuple[Field, ...]
    spte: SpteLayout
    mbec_source: MbecSource
    permission_bits: int
    rwx_mask: int = 7
    misconfig_wx: int = 6
    prot_mask: int = 0x78
    gpte_user_exec: bool = True
    present_by_bit_10: bool = True
    folds_bit_10: bool = True
    read_right: bool = True
    splits_execution: bool = True
    user_from_qualification: bool = True
    guest_bits: bool = True
    tells_user_fetch: bool = False
    present_by_bit_6: bool = True
    advanced_information: bool = True
    mode_in_vmcs12_alone: bool = True
    vmcs01_mbec: bool = True
    late_has_mbec: bool = False
    evmcs_mbec: bool = True
    xu_follows_host: bool = False
    mbec_needs_ept_parameter: bool = True
    pte_access_in_acc: bool = True
    wp_exception_for_ept: bool = False
    hardware_bits_from_hardware: bool = False
    spte_permissions: bool = False
    compares_child_role: bool = False
    erratum_1218_spares_sev_es: bool = True
    narrow_misc_ctl: bool = True
    npt_fixed_bits: bool = True
    gmet: bool = True


V5: Final = Version(
    name="v5",
    acc=ACC_NEW,
    role=ROLE_NEW,
    extended_role=EXTENDED_NEW,
    spte=SPTE_NEW,
    mbec_source="mmu",
    permission_bits=16,
)
V3: Final = replace(
    V5,
    name="v3",
    xu_follows_host=True,
    mbec_needs_ept_parameter=False,
    pte_access_in_acc=False,
    erratum_1218_spares_sev_es=False,
    narrow_misc_ctl=False,
    npt_fixed_bits=False,
)
NEWEST: Final = replace(
    V5, name="newest", hardware_bits_from_hardware=True, spte_permissions=True, compares_child_role=True
)
OLD: Final = replace(
    V5,
    name="old",
    acc=ACC_OLD,
    role=ROLE_OLD,
    extended_role=EXTENDED_OLD,
    spte=SPTE_OLD,
    mbec_source="never",
    permission_bits=8,
    prot_mask=0x38,
    gpte_user_exec=False,
    present_by_bit_10=False,
    folds_bit_10=False,
    read_right=False,
    splits_execution=False,
    user_from_qualification=False,
    present_by_bit_6=False,
    advanced_information=False,
    vmcs01_mbec=False,
    evmcs_mbec=False,
    npt_fixed_bits=False,
    narrow_misc_ctl=False,
    gmet=False,
)
RFC: Final = replace(
    OLD,
    name="rfc",
    acc=ACC_RFC,
    role=ROLE_RFC,
    spte=SPTE_RFC,
    mbec_source="parameter",
    rwx_mask=0x407,
    misconfig_wx=0x406,
    gpte_user_exec=True,
    guest_bits=False,
    present_by_bit_6=True,
    mode_in_vmcs12_alone=False,
    vmcs01_mbec=True,
    evmcs_mbec=True,
    wp_exception_for_ept=True,
)
V1: Final = replace(
    OLD,
    name="v1",
    acc=ACC_RFC,
    role=ROLE_V1,
    spte=SPTE_RFC,
    mbec_source="vcpu",
    prot_mask=0x78,
    gpte_user_exec=True,
    present_by_bit_10=True,
    tells_user_fetch=True,
    late_has_mbec=True,
    evmcs_mbec=True,
)

VERSIONS: Final = {version.name: version for version in (OLD, RFC, V1, V3, V5, NEWEST)}
