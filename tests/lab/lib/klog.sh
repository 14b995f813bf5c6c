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

# klog: the kernel log since the test started
klog()
{
	dmesg | sed -n "/lab: start $LAB_NAME/,\$p"
}

# klog_splats: what must not be there
klog_splats()
{
	klog | grep -E "$LAB_SPLAT" | grep -v -e 'lab: test' -e clocksource
}
