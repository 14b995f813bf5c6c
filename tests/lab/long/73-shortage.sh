#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=600
#
# When a ring has as many pages to copy to as it may have, requests are mapped, if they
# may be, or wait; when it has as many to map to, they wait. The same while dom0 has no
# memory for more.

. /lab/lib.sh

# stat_of NAME: a figure of the disk's
stat_of()
{
	vbd_stat "$DOMID" xvda "$1"
}

# look_at DOMID: at its xvda
look_at()
{
	DOMID=$1
	SYSFS=$(vbd_sysfs "$1" xvda)
	ways_start
}

# pages_are REGEX: what debugfs tells of the ring
pages_are()
{
	grep -qE "^ring 0: $1" "/sys/kernel/debug/xen-blkback/${SYSFS##*/}"
}

# check_limit NAME PAGES MAPPED COPIED OPTION...: fio comes to this limit, and has its data
check_limit()
{
	local name=$1 fio

	fio_verify /dev/xvda --iodepth=64 "${@:5}" >"$LAB_TMP/fio" 2>&1 &
	fio=$!
	ok "$name: the limit is reached" wait_for 60 pages_are "$2" ||
		diag "$(cat "/sys/kernel/debug/xen-blkback/${SYSFS##*/}")"
	ok "$name: fio verifies" wait $fio
	ways_are 0 xvda "$3" "$4" "$name"
	is "$(stat_of err_req)" 0 "$name: no request has failed"
}

# slow_stable 0|1: must what the slow disk writes stay the same meanwhile?
slow_stable()
{
	echo "$1" >"/sys/dev/block/$(stat -L -c '%Hr:%Lr' /dev/mapper/slow)/queue/stable_writes"
}

check_limits()
{
	ok "the frontend loads" frontend_load max_ring_page_order=4 max_indirect_segments=256 \
		feature_persistent=0
	ok "a slow disk" delayed_disk 500
	ok "attach" disk_attach /dev/mapper/slow xvda
	look_at 0
	check_limit copy "1024 pages to copy to, 0 of them free" some some \
		--rw=write --bs=128k --size=16m
	ok "its data must not change" slow_stable 1
	check_limit "copy, stable pages" "1024 pages to copy to, 0 of them free" none some \
		--rw=write --bs=128k --size=16m --do_verify=0
	ok "its data may change" slow_stable 0
	vbd_tunable 0 xvda grant_policy map
	check_limit map "8192 pages, 0 of them free" some none --rw=write --bs=1m --size=96m
	ok "detach" hand_detach xvda
}

# verify SECONDS: for the guest; 256 pages at a time
verify()
{
	echo "fio --name=v --filename=/dev/xvda --rw=randrw --bs=128k --iodepth=8 --size=8m \
		--loops=100000 --runtime=$1 --direct=1 --ioengine=libaio --thread \
		--verify=crc32c --verify_fatal=1 --minimal >/tmp/fio || { cat /tmp/fio; exit 1; }"
}

# hog KIB: leaves so much of dom0's memory free
hog()
{
	mkdir -p /tmp/hog
	mount -t tmpfs -o size=100% hog /tmp/hog && at_end umount /tmp/hog || return
	fallocate -l $(($(memory_free) - $1))K /tmp/hog/file
}

# run_out: for a moment the kernel keeps all that is free for emergencies; rings
# give back what they do not use, and get no more. Nothing here starts a process: it
# would need memory. Sets OUT to how much was mapped. If nothing is, dom0's processes
# are starved before long, and the machine stops: that fails, too.
run_out()
{
	local n reserve free tries

	read -r reserve </proc/sys/vm/min_free_kbytes
	read -r n <"$SYSFS/statistics/map_ops"
	# The second line is MemFree
	{ read -r free; read -r free; } </proc/meminfo
	echo $((${free//[!0-9]/} + 4096)) >/proc/sys/vm/min_free_kbytes
	for ((tries = 0; tries < 4; tries++)); do
		shrink_caches 2
		nap 0.1
		read -r OUT <"$SYSFS/statistics/map_ops"
		OUT=$((OUT - n))
		[ $OUT = 0 ] || break
	done
	echo "$reserve" >/proc/sys/vm/min_free_kbytes
}

check_memory()
{
	local n

	ok "a guest" guest_start pv pv phy:/dev/nullb0,xvda,w || bail "no guest"
	look_at "$(guest_domid pv)"
	ok "it verifies" guest_run pv "$(verify 5)" 200
	ways_are "$DOMID" xvda none some "with memory"
	ok "most of dom0's memory is taken" hog 65536
	# The lowest 16 MiB are for devices only
	echo 1 1 1 1 >/proc/sys/vm/lowmem_reserve_ratio
	guest_send pv "$(verify 30)"
	nap 5
	for ((n = 0; n < 8; n++)); do
		run_out
		[ "$OUT" = 0 ] || break
		nap 1
	done
	rm /tmp/hog/file
	isnt "$OUT" 0 "without memory requests are mapped"
	diag "$OUT segments, at try $n; squeezed $(stat_of squeezes) times"
	ok "the guest has verified" guest_wait pv 200
	ways_count "$DOMID" xvda
	ok "it verifies again" guest_run pv "$(verify 5)" 200
	ways_are "$DOMID" xvda none some "with memory again"
	is "$(stat_of err_req)" 0 "no request has failed"
	ok "the guest goes" guest_destroy pv
}

ok "the backend loads" module_load grant_policy=copy max_queues=1
ok "a disk in memory" null_disk
subtest "limits" check_limits
subtest "dom0's memory" check_memory
ok "the backend unloads" module_unload
done_testing
