# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Memory that the driver has for one connected vbd, in KiB.

# memory: of a small vbd and of a large one
memory()
{
	local n

	# The first one pays for what all share
	vbd_memory none 16 4 1 >/dev/null
	for n in 0 1 2; do
		vbd_memory "device/memory_p1_q1_kib_$n" 1 1 8
	done
	for n in 0 1 2; do
		vbd_memory "device/memory_p16_q4_kib_$n" 16 4 1
	done
}

# vbd_memory NAME PAGES QUEUES VBDS: what comes free when the driver is unbound from a
# connected vbd. Meanwhile the frontends keep all they have.
vbd_memory()
{
	local devids devid before after go=$LAB_TMP/go

	devids=$(seq 51712 16 $((51712 + 16 * ($4 - 1))))
	for devid in $devids; do
		mkfifo "$go.$devid"
		/job/blkfe -D DEVID="$devid" -D DISK="$(devt_hex "$DISK")" -D PAGES="$2" \
			-D QUEUES="$3" -D GO="$go.$devid" "$PARTS/memory.fe" \
			>"$LAB_TMP/blkfe.$devid" 2>&1 &
	done
	wait_for 60 files "$go.*.up" "$4" || memory_failed "$2" "$3"
	before=$(kernel_kib)
	vbd_driver unbind "$devids"
	after=$(kernel_kib)
	figure "$1" "$(awk -v d=$((before - after)) -v n="$4" 'BEGIN { printf "%.1f", d / n }')"
	vbd_driver bind "$devids"
	for devid in $devids; do
		echo >"$go.$devid"
	done
	wait_for 60 not pgrep -x blkfe
	rm -f "$go".*
}

# files PATTERN COUNT: are there so many?
files()
{
	[ "$(compgen -G "$1" | wc -l)" = "$2" ]
}

memory_failed()
{
	cat "$LAB_TMP"/blkfe.* >&2
	die "memory: blkfe does not connect with $1 pages and $2 queues"
}

# vbd_driver bind|unbind DEVIDS
vbd_driver()
{
	local devid

	for devid in $2; do
		timeout 30 tee "/sys/bus/xen-backend/drivers/vbd/$1" <<<"vbd-0-$devid" \
			>/dev/null || die "memory: cannot $1"
	done
}

# kernel_kib: memory that dom0's kernel has for itself, once all that was put off is
# done. The waiting costs virtual time only.
kernel_kib()
{
	local n f

	nap 3
	for n in 1 2 3; do
		echo 3 >/proc/sys/vm/drop_caches
		for f in /sys/kernel/slab/*/shrink; do
			echo 1 >"$f"
		done
		nap 1
	done
	# The counters are exact after this only
	cat /proc/sys/vm/stat_refresh
	awk -f "$PARTS/kernel-kib.awk" /proc/meminfo /proc/zoneinfo
}
