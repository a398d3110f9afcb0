/*
 * EPT access tests by slat prove --format c.
 * specifications: babb856ce0d8 (digest of specs/ and proofs/)
 * series: old, v5
 * solver: z3 5.4.1.0
 * budget: 50000000 units of z3 for each question
 * tool: slat 0.1.0
 */
#include "ept_access.h"

/*
 * proofs.spte.reading_is_a_bit: proved
 * What rests on no series is decided once.
 * $ slat prove reading_is_a_bit
 * No test: there is no access to EPT in it.
 */

/*
 * proofs.spte.user_mode_needs_its_bit [old]: not modelled, as expected
 * With MBEC, user mode needs bit 2.
 * $ slat prove user_mode_needs_its_bit --series old
 * No test: there is no access to EPT in it.
 */

/*
 * proofs.spte.user_mode_needs_its_bit [v5]: proved
 * With MBEC, user mode needs bit 2.
 * $ slat prove user_mode_needs_its_bit --series v5
 * No test: there is no access to EPT in it.
 */

/*
 * proofs.spte.one_bit_for_both_modes [old]: proved, but vacuous
 * A believable mistake: either mode may execute what the other may.
 * $ slat prove one_bit_for_both_modes --series old
 * No test: there is no access to EPT in it.
 */

/*
 * proofs.spte.one_bit_for_both_modes [v5]: refuted, as expected
 * A believable mistake: either mode may execute what the other may.
 * $ slat prove one_bit_for_both_modes --series v5
 * No test: there is no access to EPT in it.
 */

/*
 * proofs.spte.supervisor_mode_alone [old]: unreachable, expected reachable
 * A page can be executable in supervisor mode alone.
 * $ slat prove supervisor_mode_alone --series old
 * No test: there is no access to EPT in it.
 */

/*
 * proofs.spte.supervisor_mode_alone [v5]: reachable
 * A page can be executable in supervisor mode alone.
 * $ slat prove supervisor_mode_alone --series v5
 * No test: there is no access to EPT in it.
 */

int main(void)
{
	return report_summary();
}
