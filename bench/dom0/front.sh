# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What runs where the frontend is, in the guest or in dom0. Its text goes there with
# each command, without comments and indentation.

# irqs: interrupts of all frontends
irqs()
{
	awk '$NF == "blkif" { for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i }
		END { print n + 0 }' /proc/interrupts
}

# ctxt: context switches
ctxt()
{
	sed -n 's/^ctxt //p' /proc/stat
}

# measure COMMAND...: fio's rate, and what was counted around it
measure()
{
	local irqs ctxt out

	irqs=$(irqs) ctxt=$(ctxt)
	out=$("$@" 2>/tmp/fio.err) || { cat /tmp/fio.err; echo "$out"; return 1; }
	echo "$out" | awk -F ';' '/^3;fio/ { print "iops=" ($8 > $49 ? $8 : $49) }'
	echo "front_irqs=$(($(irqs) - irqs))"
	echo "front_ctxt=$(($(ctxt) - ctxt))"
}
