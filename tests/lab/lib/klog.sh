# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# dom0's kernel log: marks that say which test a message belongs to, and what must
# never be in it.

LAB_SPLAT='BUG:|BUG at|WARNING:|Oops|general protection fault|Call Trace|blocked for more than|soft lockup|hard LOCKUP|rcu.*stall|refcount_t:|list_(add|del) corruption|unable to handle|UBSAN|KASAN|KFENCE|possible recursive locking|circular locking|suspicious RCU|unreferenced object|Kernel panic|double fault'

# klog_mark TEXT
klog_mark()
{
	echo "lab: $1" >"$LAB_KMSG"
}

tap_after_result()
{
	klog_mark "test $TAP_RUN: $1"
}

# klog: the kernel log since the test started; all of it if that is not in it any more
klog()
{
	dmesg | awk -v mark="lab: start $LAB_NAME" '
		!seen && index($0, mark) { seen = 1; n = 0 }
		{ line[n++] = $0 }
		END { for (i = 0; i < n; i++) print line[i] }'
}

# klog_splats: what must not be there
klog_splats()
{
	klog | grep -E "$LAB_SPLAT" | grep -v -e 'lab: test' -e clocksource
}
