# SPDX-License-Identifier: GPL-2.0-only
#
# awk -f kernel-kib.awk /proc/meminfo /proc/zoneinfo
#
# KiB that the kernel has for itself: all that is neither free, on the lists of CPUs
# included, nor of files or programs.

$1 == "MemTotal:" { n += $2 }
$1 ~ /^(MemFree|Buffers|Cached|AnonPages|PageTables):$/ { n -= $2 }
# Pages on the list of a CPU
$1 == "count:" { n -= $2 * 4 }
END { print n }
