/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For proofs, which CBMC reads and nobody runs. A proof is a function that is
 * not static and has no arguments; its name is what it proves.
 */
#ifndef PROOF_H
#define PROOF_H

#include <linux/types.h>

/* Any value at all of this type: CBMC tries them all. */
#define any(type)	({ type any_value; any_value; })

/* Only such values are of interest. */
#define given(cond)	__CPROVER_assume(cond)

/* What must hold whatever the values were. */
#define require(cond)	__CPROVER_assert(cond, #cond)

/* There is memory of so many bytes. */
#define may_read(at, bytes)	__CPROVER_r_ok(at, bytes)

static inline bool any_bool(void)
{
	return any(u8) & 1;
}

/* If the one holds, so does the other. */
#define implies(one, other)	(!(one) || (other))

#endif /* PROOF_H */
