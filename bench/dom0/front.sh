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

# of_fio: rates and percentiles of fio's terse output; of mixed reads and writes those of
# the reads. A second job has its name in front.
of_fio()
{
	awk -F ';' '/^3;fio/ {
		who = $3 == "bench" ? "" : $3 "_"
		print who "iops=" $8 + $49
		for (i = 0; i < 3; i++) {
			split($(($8 > 0 ? 18 : 59) + i), at, "%=")
			if (at[2] > 0)
				printf "%sp%d=%s\n", who, at[1] * (at[1] > 99 ? 10 : 1), at[2]
		}
	}'
}

# measure COMMAND...: what fio says, and what was counted around it
measure()
{
	local irqs ctxt out

	irqs=$(irqs) ctxt=$(ctxt)
	out=$("$@" 2>/tmp/fio.err) || { cat /tmp/fio.err; echo "$out"; return 1; }
	echo "$out" | of_fio
	echo "front_irqs=$(($(irqs) - irqs))"
	echo "front_ctxt=$(($(ctxt) - ctxt))"
}
