# SPDX-License-Identifier: GPL-2.0-only
#
# From a function_graph trace: what xenwatch has called of the driver, one a line:
# name, calls, the longest and the mean in µs, sleep included. The tracer cuts the
# names of tasks.

/ xenwatc/ && match($0, /[0-9.]+ us/) {
	us = int(substr($0, RSTART, RLENGTH))
	if (!match($0, /[a-z_]+ \[xen_blkback\]/))
		next
	name = substr($0, RSTART, RLENGTH - 14)
	n[name]++
	sum[name] += us
	if (us > most[name])
		most[name] = us
}

END {
	for (name in n)
		print name, n[name], most[name] + 0, int(sum[name] / n[name])
}
