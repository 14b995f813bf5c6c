# SPDX-License-Identifier: GPL-2.0-only
#
# awk -v name=NAME -v ios=IOS -f per-io.awk START COUNTS
#
# Prints a figure NAME/... for each count: divided by the I/Os, less what START has of
# it. Rates and percentiles are not counts, and sectors are the I/Os themselves.

FILENAME == ARGV[1] { start[$1] = $2; next }
$1 ~ /^(beside_)?(iops|p[0-9]+)$/ || $1 == "sectors" { next }
{
	n = $2 - start[$1]
	printf "%s/%s=%.4f\n", name, $1, (n > 0 ? n : 0) / ios
}
