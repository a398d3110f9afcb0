/*
 * What the C files that slat writes need: the declarations of an EPT access
 * test, and an EPT small enough to be read, which says of each case whether it
 * expects the right thing.
 *
 * The macros and operations have the names and values of kvm-unit-tests, where
 * real processors make the accesses. A case is all of a test but the addresses
 * of tables and pages, which every harness chooses for itself.
 */
#ifndef EPT_ACCESS_H
#define EPT_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef uint32_t u32;
typedef uint64_t u64;

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* EPT paging-structure entries */
#define EPT_RA			(1ull << 0)
#define EPT_WA			(1ull << 1)
#define EPT_EA			(1ull << 2)
#define EPT_MEM_TYPE_SHIFT	3
#define EPT_MEM_TYPE_WC		1ull
#define EPT_MEM_TYPE_WT		4ull
#define EPT_MEM_TYPE_WP		5ull
#define EPT_MEM_TYPE_WB		6ull
#define EPT_IGNORE_PAT		(1ull << 6)
#define EPT_LARGE_PAGE		(1ull << 7)
#define EPT_ACCESS_FLAG		(1ull << 8)
#define EPT_DIRTY_FLAG		(1ull << 9)
#define EPT_EA_USER		(1ull << 10)
#define EPT_SUPPRESS_VE		(1ull << 63)
#define EPT_PAGE_LEVEL		4

/* the EPTP, secondary controls, IA32_VMX_EPT_VPID_CAP */
#define EPTP_AD_FLAG		(1ull << 6)
#define CPU_MODE_BASED_EPT_EXEC	(1u << 22)
#define EPT_CAP_EXEC_ONLY	(1ull << 0)
#define EPT_CAP_2M_PAGE		(1ull << 16)
#define EPT_CAP_1G_PAGE		(1ull << 17)
#define EPT_CAP_AD_FLAG		(1ull << 21)
#define EPT_CAP_ADV_EPT_INFO	(1ull << 22)

/* the guest's own entry for the page */
#define PT_WRITABLE_MASK	(1ull << 1)
#define PT_USER_MASK		(1ull << 2)
#define PT64_NX_MASK		(1ull << 63)

/* exits and the exit qualification */
#define VMX_VMCALL		18
#define VMX_EPT_VIOLATION	48
#define VMX_EPT_MISCONFIG	49
#define EPT_VLT_RD		(1ull << 0)
#define EPT_VLT_WR		(1ull << 1)
#define EPT_VLT_FETCH		(1ull << 2)
#define EPT_VLT_PERM_RD		(1ull << 3)
#define EPT_VLT_PERM_WR		(1ull << 4)
#define EPT_VLT_PERM_EX		(1ull << 5)
#define EPT_VLT_PERM_USER_EX	(1ull << 6)
#define EPT_VLT_LADDR_VLD	(1ull << 7)
#define EPT_VLT_PADDR		(1ull << 8)
#define EPT_VLT_GUEST_USER	(1ull << 9)
#define EPT_VLT_GUEST_RW	(1ull << 10)
#define EPT_VLT_GUEST_NX	(1ull << 11)
#define EPT_VLT_GUEST_MASK \
	(EPT_VLT_GUEST_USER | EPT_VLT_GUEST_RW | EPT_VLT_GUEST_NX)

enum ept_access_op {
	OP_READ,
	OP_WRITE,
	OP_EXEC,
	OP_EXEC_USER,
};

/*
 * One access of the guest. Members that are not given are 0.
 *
 * @caps, @no_caps: what IA32_VMX_EPT_VPID_CAP must and must not have, else the
 *	case is skipped.
 * @maxphyaddr: the widest MAXPHYADDR for which the entries' high address bits
 *	are reserved; 0 if there are none.
 * @ctrl1: secondary controls besides "enable EPT".
 * @eptp: EPTP bits besides memory type, walk length and root.
 * @ept: the entry of each level without the address of its table or page. The
 *	levels below the first that is not present, misconfigured or a page do
 *	not matter.
 * @neighbour: the entry of the next 4-KByte page, which the guest reads first;
 *	0 if it does not.
 * @no_paging: CR0.PG = 0, which takes an unrestricted guest.
 * @pte: U/S, R/W and XD of the page in the guest's own tables. Writes to a page
 *	without PT_WRITABLE_MASK need CR0.WP = 0; SMEP and SMAP are off.
 * @op: what the guest does; all but OP_EXEC_USER at CPL 0.
 * @exit_reason: VMX_VMCALL if the access is done, and the guest goes on.
 * @qual, @qual_undefined: of an EPT violation, the exit qualification, and its
 *	bits 11:0 that the processor leaves undefined.
 */
struct ept_access_case {
	const char *name;
	u64 caps;
	u64 no_caps;
	unsigned int maxphyaddr;
	u32 ctrl1;
	u64 eptp;
	u64 ept[EPT_PAGE_LEVEL + 1];
	u64 neighbour;
	bool no_paging;
	u64 pte;
	enum ept_access_op op;
	u32 exit_reason;
	u64 qual;
	u64 qual_undefined;
};

struct ept_exit {
	u32 reason;
	u64 qual;
};

static unsigned int failures, cases;

static bool user_mode_address(const struct ept_access_case *c)
{
	return c->no_paging || (c->pte & PT_USER_MASK);
}

static bool ept_present(const struct ept_access_case *c, u64 entry)
{
	u64 bits = EPT_RA | EPT_WA | EPT_EA;

	if (c->ctrl1 & CPU_MODE_BASED_EPT_EXEC)
		bits |= EPT_EA_USER;
	return entry & bits;
}

static bool ept_leaf(int level, u64 entry)
{
	return level == 1 || (level < 4 && (entry & EPT_LARGE_PAGE));
}

static u64 ept_reserved(const struct ept_access_case *c, int level, u64 entry)
{
	u64 low = level == 1 ? 0 : (1ull << (12 + 9 * (level - 1))) - (1ull << 12);
	u64 high = c->maxphyaddr ? (1ull << 52) - (1ull << c->maxphyaddr) : 0;

	if (ept_leaf(level, entry))
		return low | high;
	return 0x78 | (level == 4 ? EPT_LARGE_PAGE : 0) | high;
}

static bool ept_misconfigured(const struct ept_access_case *c, int level, u64 entry)
{
	u64 type = entry >> EPT_MEM_TYPE_SHIFT & 7;
	u64 exec = EPT_EA;

	if (c->ctrl1 & CPU_MODE_BASED_EPT_EXEC)
		exec |= EPT_EA_USER;
	if (!(entry & EPT_RA) && (entry & EPT_WA))
		return true;
	if (!(entry & EPT_RA) && (entry & exec) && !(c->caps & EPT_CAP_EXEC_ONLY))
		return true;
	if (entry & ept_reserved(c, level, entry))
		return true;
	return ept_leaf(level, entry) && (type == 2 || type == 3 || type == 7);
}

/* The rights over all entries that are used, or where the walk ends instead. */
static struct ept_exit ept_walk(const struct ept_access_case *c, u64 *rights)
{
	int level;

	*rights = ~0ull;
	for (level = EPT_PAGE_LEVEL; level > 0; level--) {
		u64 entry = c->ept[level];

		*rights &= entry;
		if (!ept_present(c, entry)) {
			*rights = 0;
			return (struct ept_exit) { VMX_EPT_VIOLATION, 0 };
		}
		if (ept_misconfigured(c, level, entry))
			return (struct ept_exit) { VMX_EPT_MISCONFIG, 0 };
		if (ept_leaf(level, entry))
			break;
	}
	return (struct ept_exit) { VMX_VMCALL, 0 };
}

static u64 needed_right(const struct ept_access_case *c)
{
	switch (c->op) {
	case OP_READ:
		return EPT_RA;
	case OP_WRITE:
		return EPT_WA;
	default:
		if (!(c->ctrl1 & CPU_MODE_BASED_EPT_EXEC))
			return EPT_EA;
		return user_mode_address(c) ? EPT_EA_USER : EPT_EA;
	}
}

static u64 violation_qual(const struct ept_access_case *c, u64 rights)
{
	u64 qual = EPT_VLT_LADDR_VLD | EPT_VLT_PADDR;

	qual |= c->op == OP_READ ? EPT_VLT_RD :
		c->op == OP_WRITE ? EPT_VLT_WR : EPT_VLT_FETCH;
	qual |= (rights & 7) << 3;
	qual |= rights & EPT_EA_USER ? EPT_VLT_PERM_USER_EX : 0;
	qual |= user_mode_address(c) ? EPT_VLT_GUEST_USER : 0;
	qual |= c->no_paging || (c->pte & PT_WRITABLE_MASK) ? EPT_VLT_GUEST_RW : 0;
	qual |= c->pte & PT64_NX_MASK ? EPT_VLT_GUEST_NX : 0;
	return qual;
}

static struct ept_exit ept_access(const struct ept_access_case *c)
{
	u64 rights;
	struct ept_exit seen = ept_walk(c, &rights);

	if (seen.reason == VMX_VMCALL && !(rights & needed_right(c)))
		seen.reason = VMX_EPT_VIOLATION;
	if (seen.reason == VMX_EPT_VIOLATION)
		seen.qual = violation_qual(c, rights);
	return seen;
}

/* Whether the guest's own paging lets it make the access at all. */
static bool guest_may(const struct ept_access_case *c)
{
	if (c->no_paging)
		return !c->pte && c->op != OP_EXEC_USER;
	if (c->op == OP_EXEC_USER)
		return (c->pte & PT_USER_MASK) && !(c->pte & PT64_NX_MASK);
	return c->op != OP_EXEC || !(c->pte & PT64_NX_MASK);
}

/* Whether the guest can read the next page, through the tables of this one. */
static bool neighbour_readable(const struct ept_access_case *c)
{
	u64 rights = c->neighbour;
	int level;

	for (level = EPT_PAGE_LEVEL; level > 1; level--) {
		if (ept_leaf(level, c->ept[level]) || ept_misconfigured(c, level, c->ept[level]))
			return false;
		rights &= c->ept[level];
	}
	return (rights & EPT_RA) && !ept_misconfigured(c, 1, c->neighbour);
}

static void report(bool pass, const char *name)
{
	cases++;
	failures += !pass;
	printf("%s: %s\n", pass ? "PASS" : "FAIL", name);
}

static inline void run_ept_access_cases(const struct ept_access_case *c, size_t count)
{
	for (; count; c++, count--) {
		struct ept_exit seen = ept_access(c);
		bool same = seen.reason == c->exit_reason &&
			    !((seen.qual ^ c->qual) & ~c->qual_undefined);

		if (c->neighbour && !neighbour_readable(c))
			same = false;
		report(same && guest_may(c), c->name);
	}
}

#define run_ept_access_test(test) run_ept_access_cases(test, ARRAY_SIZE(test))

static inline int report_summary(void)
{
	printf("%u cases, %u failed\n", cases, failures);
	return failures != 0;
}

#endif
