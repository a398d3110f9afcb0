"""In: an access that L0 must emulate. Out: the access with which KVM's emulator walks EPT12 first.

Guarantee: the emulator sees L2's own page tables as the processor just did; nothing is written.
Trusted: no, checked by tests/unit/models/kvm and tests/differential.

Source: vcpu_mmio_gva_to_gpa() (x86.c), FNAME(walk_addr_generic) on the nested MMU, vmx_translate_nested_gpa().
Decision: the emulator's walk of L2's tables is taken to be the processor's; only its walk of EPT12 is KVM's own.
"""

from models.kvm.pferr import PFERR_FETCH, PFERR_GUEST_FINAL, PFERR_GUEST_PAGE, PFERR_WRITE
from models.kvm.version import Version
from models.kvm.violation import vmx_translate_nested_gpa
from models.sdm import LinearAccess, Machine, PdpteLoad, PhysicalAccess, Request
from models.sdm.admission import admit_linear
from models.sdm.memory import PhysicalMemory
from models.sdm.paging.rights import GuestPage
from models.sdm.paging.walk import walk
from models.sdm.run import Run
from models.sdm.vm_entry import Entered, enter

KINDS = {"read": 0, "write": PFERR_WRITE, "rmw": PFERR_WRITE, "fetch": PFERR_FETCH}


def emulated_access(version: Version, machine: Machine, request: Request, address: int) -> int:
    """The access to L2's guest-physical `address`, the one that exited, as KVM's walker of EPT12 is told of it.

    In L2's tables it always asks for W, as if each of its walks set a flag.
    """
    in_tables, user = True, False
    if isinstance(request, PhysicalAccess):
        in_tables, user = request.paging_structure, request.user_linear_address
    elif isinstance(request, LinearAccess):
        page = _page(machine, request)
        in_tables = page is None or page.guest_physical_address != address
        user = page is not None and page.user
    if in_tables or isinstance(request, PdpteLoad):
        return vmx_translate_nested_gpa(version, PFERR_WRITE | PFERR_GUEST_PAGE, 0)
    pte_access = version.acc.user if user else 0
    return vmx_translate_nested_gpa(version, KINDS[request.kind] | PFERR_GUEST_FINAL, pte_access)


def _page(machine: Machine, request: LinearAccess) -> GuestPage | None:
    """What L2's tables say of the linear address, through vmcs02's EPT."""
    entered = enter(machine.processor, machine.vmcs, machine.guest)
    assert isinstance(entered, Entered), "L2 was running"
    intent = admit_linear(machine.guest, entered.paging, request)
    memory, guest = PhysicalMemory(machine.memory), machine.guest
    run = Run(machine.vmcs, guest, memory, entered.ept, request.circumstances, guest.pdptes, None, None)
    page = walk(run, entered.paging, request.linear_address, intent)
    return page if isinstance(page, GuestPage) else None
