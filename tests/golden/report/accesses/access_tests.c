/*
 * EPT access tests by slat prove --format c.
 * specifications: 0123456789ab (digest of specs/ and proofs/)
 * series: none: no claim rests on a series
 * solver: z3 1.2.3
 * budget: 7 units of z3 for each question
 * tool: slat 0.1.0
 */
#include "ept_access.h"

/*
 * proofs.doors.wrong_claim: refuted, expected proved
 * A red key opens.
 * $ slat prove wrong_claim --rlimit 7
 * No test of ept12: paging flag update: no operation of the guest is a
 * PAGING_FLAG_UPDATE by INSTRUCTION.
 */
static const struct ept_access_case ept_access_test_wrong_claim[] = {
	{
		/* ept12: read at a user-mode address */
		.name = "proofs.doors.wrong_claim, ept12: read at a user-mode address",
		.caps = EPT_CAP_EXEC_ONLY,
		.ctrl1 = CPU_MODE_BASED_EPT_EXEC,
		.ept[4] = EPT_RA | EPT_WA | EPT_EA | EPT_EA_USER,
		.ept[3] = EPT_RA | EPT_WA | EPT_EA | EPT_EA_USER,
		.ept[2] = (EPT_MEM_TYPE_WB << EPT_MEM_TYPE_SHIFT) | EPT_LARGE_PAGE | EPT_EA_USER,
		.pte = PT_USER_MASK | PT_WRITABLE_MASK,
		.op = OP_READ,
		.exit_reason = VMX_EPT_VIOLATION,
		.qual = EPT_VLT_RD | EPT_VLT_PERM_USER_EX | EPT_VLT_LADDR_VLD | EPT_VLT_PADDR | EPT_VLT_GUEST_USER | EPT_VLT_GUEST_RW,
	},
	{
		/* ept12: fetch from a user-mode address */
		.name = "proofs.doors.wrong_claim, ept12: fetch from a user-mode address",
		.caps = EPT_CAP_EXEC_ONLY,
		.ctrl1 = CPU_MODE_BASED_EPT_EXEC,
		.ept[4] = EPT_RA | EPT_WA | EPT_EA | EPT_EA_USER,
		.ept[3] = EPT_RA | EPT_WA | EPT_EA | EPT_EA_USER,
		.ept[2] = (EPT_MEM_TYPE_WB << EPT_MEM_TYPE_SHIFT) | EPT_LARGE_PAGE | EPT_EA_USER,
		.pte = PT_USER_MASK | PT_WRITABLE_MASK,
		.op = OP_EXEC,
		.exit_reason = VMX_VMCALL,
	},
	{
		/* ept12: read at a user-mode address */
		.name = "proofs.doors.wrong_claim, ept12: read at a user-mode address",
		.no_caps = EPT_CAP_1G_PAGE,
		.ctrl1 = CPU_MODE_BASED_EPT_EXEC,
		.ept[4] = EPT_WA | EPT_EA_USER,
		.pte = PT_USER_MASK | PT_WRITABLE_MASK,
		.op = OP_READ,
		.exit_reason = VMX_EPT_MISCONFIG,
	},
};

int main(void)
{
	run_ept_access_test(ept_access_test_wrong_claim);
	return report_summary();
}
