/*
 * EPT access tests by slat prove --format c.
 * specifications: d801d2121477 (digest of specs/ and proofs/)
 * series: none: no claim rests on a series
 * solver: z3 5.4.1.0
 * budget: 50000000 units of z3 for each question
 * tool: slat 0.1.0
 */
#include "ept_access.h"

/*
 * proofs.doors.a_red_key_opens: proved
 * A red key opens.
 * $ slat prove a_red_key_opens
 * No test: there is no access to EPT in it.
 */

/*
 * proofs.doors.a_blue_key_opens: refuted, as expected
 * A believable mistake: a blue key opens.
 * $ slat prove a_blue_key_opens
 * No test: there is no access to EPT in it.
 */

/*
 * proofs.doors.stamping_keeps_a_key_good: proved
 * What opened a door opens it after stamping.
 * $ slat prove stamping_keeps_a_key_good
 * No test: there is no access to EPT in it.
 */

/*
 * proofs.doors.a_key_without_red_opens: reachable
 * A key can open without being red.
 * $ slat prove a_key_without_red_opens
 * No test: there is no access to EPT in it.
 */

/*
 * proofs.doors.a_stamp_is_repeatable: refuted, as expected
 * A believable mistake: stamping twice gives the same key.
 * $ slat prove a_stamp_is_repeatable
 * No test: there is no access to EPT in it.
 */

/*
 * proofs.doors.wrong: refuted, expected proved
 * No key opens.
 * $ slat prove wrong
 * No test: there is no access to EPT in it.
 */

/*
 * proofs.doors.too_careful: proved, but vacuous
 * A red key opens.
 * $ slat prove too_careful
 * No test: there is no access to EPT in it.
 */

/*
 * proofs.doors.a_key_without_colour_opens: unreachable, expected reachable
 * Magic.
 * $ slat prove a_key_without_colour_opens
 * No test: there is no access to EPT in it.
 */

int main(void)
{
	return report_summary();
}
