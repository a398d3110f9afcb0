"""In: the VM-execution control fields of a VMCS. Out: `Vmcs`, and which control each bit is.

Guarantee: a control that is in force and not modelled is refused by its name, never ignored.
Trusted: no, checked by tests/unit/models.

Sources: SDM "Definitions of Pin-Based VM-Execution Controls", the same of primary, secondary and tertiary
processor-based ones.
"""

from dataclasses import dataclass

from models.sdm.errors import InputError

NMI_EXITING = 1 << 3
VIRTUAL_NMIS = 1 << 5

ACTIVATE_TERTIARY_CONTROLS = 1 << 17
ACTIVATE_SECONDARY_CONTROLS = 1 << 31

ENABLE_EPT = 1 << 1
UNRESTRICTED_GUEST = 1 << 7
EPT_VIOLATION_VE = 1 << 18
MODE_BASED_EXECUTE_CONTROL = 1 << 22
SUB_PAGE_WRITE_PERMISSIONS = 1 << 23

EPT_PAGING_WRITE_CONTROL = 1 << 2
GUEST_PAGING_VERIFICATION = 1 << 3


@dataclass(frozen=True, slots=True)
class ControlField:
    """One field: the modelled controls, the reserved bits that read as 1, all others by bit number."""

    name: str
    modelled: int
    default1: int
    unmodelled: dict[int, str]

    @property
    def refused(self) -> int:
        """The mask of the controls that have a name and no model."""
        return sum(1 << number for number in self.unmodelled)


PIN_CONTROLS = ControlField(
    name="pin_controls",
    modelled=NMI_EXITING | VIRTUAL_NMIS,
    default1=0x16,
    unmodelled={
        0: "external-interrupt exiting",
        6: "activate VMX-preemption timer",
        7: "process posted interrupts",
    },
)
PRIMARY_CONTROLS = ControlField(
    name="primary_controls",
    modelled=ACTIVATE_SECONDARY_CONTROLS | ACTIVATE_TERTIARY_CONTROLS,
    default1=0x04006172,
    unmodelled={
        2: "interrupt-window exiting",
        3: "use TSC offsetting",
        7: "HLT exiting",
        9: "INVLPG exiting",
        10: "MWAIT exiting",
        11: "RDPMC exiting",
        12: "RDTSC exiting",
        15: "CR3-load exiting",
        16: "CR3-store exiting",
        19: "CR8-load exiting",
        20: "CR8-store exiting",
        21: "use TPR shadow",
        22: "NMI-window exiting",
        23: "MOV-DR exiting",
        24: "unconditional I/O exiting",
        25: "use I/O bitmaps",
        27: "monitor trap flag",
        28: "use MSR bitmaps",
        29: "MONITOR exiting",
        30: "PAUSE exiting",
    },
)
SECONDARY_CONTROLS = ControlField(
    name="secondary_controls",
    modelled=ENABLE_EPT
    | UNRESTRICTED_GUEST
    | EPT_VIOLATION_VE
    | MODE_BASED_EXECUTE_CONTROL
    | SUB_PAGE_WRITE_PERMISSIONS,
    default1=0,
    unmodelled={
        0: "virtualize APIC accesses",
        2: "descriptor-table exiting",
        3: "enable RDTSCP",
        4: "virtualize x2APIC mode",
        5: "enable VPID",
        6: "WBINVD exiting",
        8: "APIC-register virtualization",
        9: "virtual-interrupt delivery",
        10: "PAUSE-loop exiting",
        11: "RDRAND exiting",
        12: "enable INVPCID",
        13: "enable VM functions (EPTP switching)",
        14: "VMCS shadowing",
        15: "enable ENCLS exiting",
        16: "RDSEED exiting",
        17: "enable PML",
        19: "conceal VMX from PT",
        20: "enable XSAVES/XRSTORS",
        21: "PASID translation",
        24: "Intel PT uses guest physical addresses",
        25: "use TSC scaling",
        26: "enable user wait and pause",
        27: "enable PCONFIG",
        28: "enable ENCLV exiting",
        30: "VMM bus-lock detection",
        31: "instruction timeout",
    },
)
TERTIARY_CONTROLS = ControlField(
    name="tertiary_controls",
    modelled=EPT_PAGING_WRITE_CONTROL | GUEST_PAGING_VERIFICATION,
    default1=0,
    unmodelled={
        0: "LOADIWKEY exiting",
        1: "enable HLAT",
        4: "IPI virtualization",
        6: "enable MSR-list instructions",
        7: "virtualize IA32_SPEC_CTRL",
    },
)

_REFUSED_PIN = PIN_CONTROLS.refused
_REFUSED_PRIMARY = PRIMARY_CONTROLS.refused
_REFUSED_SECONDARY = SECONDARY_CONTROLS.refused
_REFUSED_TERTIARY = TERTIARY_CONTROLS.refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Vmcs:
    """The VMCS fields that address translation reads, with the SDM's encodings.

    Pointers are host-physical. `eptp_index` is 16 bits; the control fields are 32 bits, the tertiary one 64.
    """

    eptp: int
    primary_controls: int
    secondary_controls: int
    tertiary_controls: int = 0
    pin_controls: int = 0
    exception_bitmap: int = 0
    ve_information_address: int = 0
    eptp_index: int = 0
    sppt_pointer: int = 0


def secondary_in_force(vmcs: Vmcs) -> int:
    """The secondary controls, which behave as 0 unless the primary controls activate them."""
    return vmcs.secondary_controls if vmcs.primary_controls & ACTIVATE_SECONDARY_CONTROLS else 0


def tertiary_in_force(vmcs: Vmcs) -> int:
    """The tertiary controls, which behave as 0 unless the primary controls activate them."""
    return vmcs.tertiary_controls if vmcs.primary_controls & ACTIVATE_TERTIARY_CONTROLS else 0


def refuse_unmodelled_controls(vmcs: Vmcs) -> None:
    """Raises `InputError` "unmodelled_control" with the names of what is set and not modelled."""
    if vmcs.pin_controls & _REFUSED_PIN:
        _refuse(PIN_CONTROLS, vmcs.pin_controls)
    if vmcs.primary_controls & _REFUSED_PRIMARY:
        _refuse(PRIMARY_CONTROLS, vmcs.primary_controls)
    secondary = secondary_in_force(vmcs)
    if secondary & _REFUSED_SECONDARY:
        _refuse(SECONDARY_CONTROLS, secondary)
    tertiary = tertiary_in_force(vmcs)
    if tertiary & _REFUSED_TERTIARY:
        _refuse(TERTIARY_CONTROLS, tertiary)


def _refuse(field: ControlField, value: int) -> None:
    names = [f'"{name}" (bit {number})' for number, name in field.unmodelled.items() if value >> number & 1]
    verb = "is" if len(names) == 1 else "are"
    message = f"{', '.join(names)} {verb} set and not modelled"
    raise InputError("unmodelled_control", f"vmcs.{field.name}", message)
