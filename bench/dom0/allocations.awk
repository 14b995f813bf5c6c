# SPDX-License-Identifier: GPL-2.0-only
#
# awk -f allocations.awk HISTOGRAM...
#
# Adds up tracefs' histograms of allocations by stack, below which is the backend:
# "alloc_block COUNT" and "alloc_own COUNT". What the block layer allocates is told by
# the function that allocates; all else is the driver's. An interrupt that came while
# the driver ran is not. Fails if any allocation, or each one, was not counted.

BEGIN { n["block"] = n["own"] = 0 }

# One stack, innermost function first, and how often it was
/^\{/ { caller = ""; end = under = 0; next }
/^\}/ && under {
	n[caller ~ /^(__)?(bio|bvec|blk|submit_bio|null)_/ ? "block" : "own"] += $NF
	print FILENAME, caller, $NF >"/dev/stderr"
}

# The whole histogram
/^ *Hits:/ { hits += $2 }
/^ *Dropped:/ { dropped += $2 }

# A function of the stack, FUNCTION+OFFSET
!/^ +[^ ]+\+0x/ || end { next }
/asm_|_upcall|_interrupt/ { end = 1; next }
!caller && !/^ *(__)?(mempool|kmalloc|kmem_cache|alloc_pages|get_free_pages)/ { caller = $1 }
/\[xen_blkback\]/ { under = end = 1 }

END {
	if (!hits || dropped) {
		print dropped + 0, "dropped, of", hits + 0 >"/dev/stderr"
		exit 1
	}
	for (k in n)
		print "alloc_" k, n[k]
}
