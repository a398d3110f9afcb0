"""EPTPs and controls that VM entry accepts and refuses."""

from ept_cases import ROOT, WRITE_BACK, chain, machine, rows, table
from sides import Row, hold
from spec_side import call
from spec_vmcs import specified_vmcs

from models.sdm import PhysicalAccess, Translated, VmEntryFailure, access

EPTP_LINES = table("eptp")["table"].strip().splitlines()[1:]
REFUSED, ACCEPTED = "VM-instruction error 7", "accepted"


def by_model(**options):
    """Whether VM entry fails for its controls."""
    built = machine(chain(7, 7, 7, 7 | WRITE_BACK), **options)
    outcome = access(built, PhysicalAccess(kind="read", guest_physical_address=ROOT))
    if not isinstance(outcome, VmEntryFailure):
        return ACCEPTED
    return f"VM-instruction error {outcome.vm_instruction_error}"


def by_specs(**options):
    """The same by the specifications, which know no pin-based controls."""
    built = machine({}, **options)
    refuses = call("sdm.vmx.entry.vm_entry_refuses", *specified_vmcs(built.vmcs, built.processor))
    return REFUSED if refuses else ACCEPTED


def row(name, expected, **options):
    specs = None if options.get("pin") else lambda: by_specs(**options)
    return Row(name, expected, lambda: by_model(**options), specs)


def test_an_eptp_is_valid_as_the_table_says_on_both_sides(capsys):
    def rows_of_eptps():
        for line in EPTP_LINES:
            left, _, right = line.partition("|")
            eptp, *bits = left.split()
            expected = ACCEPTED if right.split()[0] == "yes" else REFUSED
            yield row(line, expected, eptp=int(eptp, 16), capabilities=sum(1 << int(bit) for bit in bits))

    hold(capsys, "eptp", rows_of_eptps())


def test_controls_are_accepted_as_the_table_says_on_both_sides(capsys):
    def rows_of_controls():
        for words in rows("entry_controls"):
            values = dict(
                zip(("primary", "secondary", "tertiary", "pin"), (int(w, 16) for w in words[:4]), strict=True)
            )
            yield row(" ".join(words), ACCEPTED if words[4] == "ok" else REFUSED, **values)

    hold(capsys, "entry_controls", rows_of_controls())


def test_without_activated_secondary_controls_ept_is_off():
    built = machine({}, primary=0, secondary=0x2)
    outcome = access(built, PhysicalAccess(kind="write", guest_physical_address=0x1234))
    assert isinstance(outcome, Translated)
    assert outcome.host_physical_address == 0x1234
