"""In: a processor and the parameters of kvm_intel. Out: what KVM uses, what it offers to L1, vmcs01's controls.

Guarantee: every bit of the result is modelled by models/sdm; other VMX features are neither used nor offered here.
Trusted: no, checked by tests/unit/models/kvm and tests/tables.

Source: setup_vmcs_config(), vmx_hardware_setup(), vmx_secondary_exec_control() (vmx/vmx.c),
nested_vmx_setup_secondary_ctls(), vmx_restore_control_msr(), vmx_restore_vmx_ept_vpid_cap() (vmx/nested.c).
"""

from dataclasses import dataclass
from functools import lru_cache

from models.kvm.masks import MaskInputs, ShadowMasks, kvm_mmu_set_ept_masks
from models.kvm.role import PG_LEVEL_1G, PG_LEVEL_2M, PG_LEVEL_4K
from models.kvm.version import Version
from models.sdm import Processor
from models.sdm.errors import InputError
from models.sdm.vmx import controls as ctl
from models.sdm.vmx import processor as cap

ENABLE_PML = 1 << 17
MBEC = ctl.MODE_BASED_EXECUTE_CONTROL
CAP_INVEPT, CAP_EXTENT_CONTEXT, CAP_EXTENT_GLOBAL = 1 << 20, 1 << 25, 1 << 26

EVMCS1_2NDEXEC = ctl.ENABLE_EPT | ctl.UNRESTRICTED_GUEST | ENABLE_PML
"""EVMCS1_SUPPORTED_2NDEXEC without MBEC, of the modelled controls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Module parameters of kvm_intel and kvm. `mbec` is enable_pt_guest_exec_control in rfc; v1 has none."""

    ept: bool = True
    eptad: bool = True
    pml: bool = True
    mbec: bool = True
    unrestricted_guest: bool = True
    nx_huge_pages: bool = False
    mmio_caching: bool = True


DEFAULT_PARAMETERS = Parameters()


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The machine. `l1tf`: it has that bug. `undefined_bits`: what undefined bits of an exit qualification read as."""

    processor: Processor
    parameters: Parameters = DEFAULT_PARAMETERS
    l1tf: bool = False
    undefined_bits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSpace:
    """What user space lets L1 see: subsets of what KVM offers, or None for all of it.

    `secondary_controls`: allowed 1-settings of IA32_VMX_PROCBASED_CTLS2; `ept_vpid_cap`: IA32_VMX_EPT_VPID_CAP.
    `enlightened_vmcs`: L1 uses one. `maxphyaddr`: L1's, the host's if None.
    """

    secondary_controls: int | None = None
    ept_vpid_cap: int | None = None
    enlightened_vmcs: bool = False
    maxphyaddr: int | None = None


EVERYTHING = UserSpace()


@dataclass(frozen=True, slots=True)
class VmcsConfig:
    """vmcs_config and vmx_capability: the secondary controls and EPT capabilities that KVM considers."""

    secondary: int
    ept: int


@dataclass(frozen=True, slots=True)
class Kvm:
    """KVM once it is loaded.

    `enable_mbec`: in rfc enable_pt_guest_exec_control, in v1 cpu_has_vmx_mode_based_ept_exec().
    """

    version: Version
    host: Host
    config: VmcsConfig
    enable_ept: bool
    enable_ept_ad_bits: bool
    enable_pml: bool
    enable_unrestricted_guest: bool
    enable_mbec: bool
    masks: ShadowMasks

    @property
    def nx_huge_pages(self) -> bool:
        """is_nx_huge_page_enabled()."""
        return self.host.parameters.nx_huge_pages


@dataclass(frozen=True, slots=True)
class NestedMsrs:
    """struct nested_vmx_msrs: what vmcs12 may contain."""

    secondary_ctls_high: int
    ept_caps: int


def setup_vmcs_config(version: Version, processor: Processor) -> VmcsConfig:
    """What KVM takes from the processor."""
    optional = ctl.ENABLE_EPT | ctl.UNRESTRICTED_GUEST | ENABLE_PML
    if version.mbec_source != "never":
        optional |= MBEC
    secondary, ept = processor.procbased_ctls2 >> 32 & optional, processor.ept_vpid_cap
    if not secondary & ctl.ENABLE_EPT:
        secondary, ept = secondary & ~MBEC, 0
    if version.user_from_qualification and not ept & cap.CAP_ADVANCED_EXIT_INFORMATION:
        secondary &= ~MBEC
    return VmcsConfig(secondary, ept)


@lru_cache(maxsize=256)
def hardware_setup(version: Version, host: Host) -> Kvm:
    """vmx_hardware_setup().

    Decision: INVEPT, without which KVM leaves EPT alone, is taken to be there: nothing is cached in this model.
    """
    config, chosen = setup_vmcs_config(version, host.processor), host.parameters
    enable_ept = bool(
        chosen.ept
        and config.secondary & ctl.ENABLE_EPT
        and config.ept & cap.CAP_WALK_LENGTH_4
        and config.ept & cap.CAP_WRITE_BACK
    )
    ad_bits = bool(enable_ept and chosen.eptad and config.ept & cap.CAP_ACCESSED_DIRTY)
    mbec = bool(config.secondary & MBEC) and (version.mbec_source == "vcpu" or chosen.mbec)
    if version.mbec_needs_ept_parameter:
        mbec = mbec and enable_ept
    inputs = MaskInputs(
        has_ad_bits=ad_bits,
        has_exec_only=bool(config.ept & cap.CAP_EXECUTE_ONLY),
        mbec=mbec,
        mmio_caching=chosen.mmio_caching,
        l1tf=host.l1tf,
        maxphyaddr=host.processor.maxphyaddr,
    )
    return Kvm(
        version=version,
        host=host,
        config=config,
        enable_ept=enable_ept,
        enable_ept_ad_bits=ad_bits,
        enable_pml=bool(ad_bits and chosen.pml and config.secondary & ENABLE_PML),
        enable_unrestricted_guest=bool(
            enable_ept and chosen.unrestricted_guest and config.secondary & ctl.UNRESTRICTED_GUEST
        ),
        enable_mbec=mbec,
        masks=kvm_mmu_set_ept_masks(version, inputs),
    )


def ept_caps_to_lpage_level(ept_caps: int) -> int:
    """The largest page of these capabilities."""
    if ept_caps & cap.CAP_PAGE_1G:
        return PG_LEVEL_1G
    return PG_LEVEL_2M if ept_caps & cap.CAP_PAGE_2M else PG_LEVEL_4K


def tdp_level(kvm: Kvm, l1_maxphyaddr: int) -> int:
    """kvm_mmu_get_tdp_level(): five levels only where L1 can use them."""
    return 5 if kvm.config.ept & cap.CAP_WALK_LENGTH_5 and l1_maxphyaddr > 48 else 4


def vmx_secondary_exec_control(kvm: Kvm) -> int:
    """vmcs01's secondary controls. PML, which models/sdm lacks and which only logs, is left out."""
    controls = ctl.ENABLE_EPT if kvm.enable_ept else 0
    if kvm.enable_unrestricted_guest:
        controls |= ctl.UNRESTRICTED_GUEST
    if kvm.version.vmcs01_mbec and kvm.enable_mbec:
        controls |= MBEC
    return controls


def vmx_tdp_has_smep(kvm: Kvm, trust_domain: bool = False) -> bool:
    """Whether the root role of a direct MMU says that the host uses MBEC; never for a TDX guest."""
    return kvm.version.mbec_source == "mmu" and kvm.enable_mbec and not trust_domain


def nested_vmx_setup_secondary_ctls(kvm: Kvm) -> NestedMsrs:
    """What KVM offers to L1."""
    if not kvm.enable_ept:
        return NestedMsrs(0, 0)
    controls = ctl.ENABLE_EPT
    offered = cap.CAP_EXECUTE_ONLY | cap.CAP_WALK_LENGTH_4 | cap.CAP_WALK_LENGTH_5 | cap.CAP_WRITE_BACK | CAP_INVEPT
    if kvm.version.advanced_information:
        offered |= cap.CAP_ADVANCED_EXIT_INFORMATION
    ept_caps = offered & kvm.config.ept
    ept_caps |= CAP_EXTENT_CONTEXT | CAP_EXTENT_GLOBAL | cap.CAP_PAGE_2M | cap.CAP_PAGE_1G
    if kvm.enable_ept_ad_bits:
        controls, ept_caps = controls | ENABLE_PML, ept_caps | cap.CAP_ACCESSED_DIRTY
    if kvm.enable_unrestricted_guest:
        controls |= ctl.UNRESTRICTED_GUEST
    if kvm.enable_mbec:
        controls |= MBEC
    return NestedMsrs(controls, ept_caps)


def evmcs_supported_2ndexec(kvm: Kvm) -> int:
    """EVMCS1_SUPPORTED_2NDEXEC of the modelled controls; rfc admits MBEC while the vCPU has it."""
    version = kvm.version
    admits = version.evmcs_mbec and (version.mbec_source != "parameter" or kvm.enable_mbec)
    return EVMCS1_2NDEXEC | (MBEC if admits else 0)


def restrict(kvm: Kvm, user_space: UserSpace) -> NestedMsrs:
    """What L1 sees once user space has chosen. Raises `InputError` for a bit that KVM does not offer."""
    offered = nested_vmx_setup_secondary_ctls(kvm)
    controls = _subset(user_space.secondary_controls, offered.secondary_ctls_high, "secondary_controls")
    ept_caps = _subset(user_space.ept_vpid_cap, offered.ept_caps, "ept_vpid_cap")
    if user_space.enlightened_vmcs:
        controls &= evmcs_supported_2ndexec(kvm)
    return NestedMsrs(controls, ept_caps)


def _subset(chosen: int | None, offered: int, name: str) -> int:
    if chosen is None:
        return offered
    if chosen & ~offered:
        message = f"KVM offers {hex(offered)}; {hex(chosen & ~offered)} is not part of it"
        raise InputError("out_of_range", f"host.user_space.{name}", message)
    return chosen
