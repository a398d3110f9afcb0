"""In: what CPUID and the VMX capability MSRs report. Out: `Processor`, the fixed part of a machine.

Guarantee: a processor is a value; nothing here looks at a VMCS or at memory.
Trusted: no, checked by tests/unit/models.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from models.sdm.vmx.controls import (
    PRIMARY_CONTROLS,
    SECONDARY_CONTROLS,
    TERTIARY_CONTROLS,
    ControlField,
)

# IA32_VMX_EPT_VPID_CAP (MSR 48CH), SDM "VPID and EPT Capabilities".
CAP_EXECUTE_ONLY = 1 << 0
CAP_WALK_LENGTH_4 = 1 << 6
CAP_WALK_LENGTH_5 = 1 << 7
CAP_UNCACHEABLE = 1 << 8
CAP_WRITE_BACK = 1 << 14
CAP_PAGE_2M = 1 << 16
CAP_PAGE_1G = 1 << 17
CAP_ACCESSED_DIRTY = 1 << 21
CAP_ADVANCED_EXIT_INFORMATION = 1 << 22
CAP_SUPERVISOR_SHADOW_STACK = 1 << 23

Feature = Literal["nx", "smep", "smap", "pku", "pse", "pse36", "page1gb", "la57", "cet"]
FEATURES: tuple[Feature, ...] = get_args(Feature)
ALL_FEATURES: frozenset[Feature] = frozenset(FEATURES)


def _every_setting_allowed(field: ControlField) -> int:
    """The capability MSR that requires no control and allows the modelled ones and the default-1 class."""
    return (field.modelled | field.default1) << 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """A logical processor's paging and VMX capabilities.

    Widths are in bits: `raw_maxphyaddr` is CPUID.80000008H:EAX[7:0] and bounds guest-physical addresses
    while EPT is on; `maxphyaddr` is what is left for host-physical addresses after a TME reduction. The
    other fields are MSR values: `procbased_ctls` and `procbased_ctls2` hold the allowed 0-settings in
    31:0 and the allowed 1-settings in 63:32, `procbased_ctls3` the allowed 1-settings alone.
    """

    maxphyaddr: int
    raw_maxphyaddr: int
    ept_vpid_cap: int
    procbased_ctls: int = _every_setting_allowed(PRIMARY_CONTROLS)
    procbased_ctls2: int = _every_setting_allowed(SECONDARY_CONTROLS)
    procbased_ctls3: int = TERTIARY_CONTROLS.modelled
    features: frozenset[Feature] = ALL_FEATURES
