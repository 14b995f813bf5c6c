#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=800
#
# When a ring has as many pages to copy to as it may have, requests are mapped, if they
# may be, or wait; when it has as many to map to, they wait. The same while all rings
# have as much of dom0's memory as they may; but what one guest has does not keep it from
# another one.

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
	ways_start
}

# pages_are REGEX: what debugfs tells of the ring
pages_are()
{
	grep -qE "^ring 0: $1" "$(vbd_debugfs "$DOMID" xvda)"
}

# check_limit NAME PAGES MAPPED COPIED OPTION...: fio comes to this limit, and has its data
check_limit()
{
	local name=$1 fio

	fio_verify /dev/xvda --iodepth=64 "${@:5}" >"$LAB_TMP/fio" 2>&1 &
	fio=$!
	ok "$name: the limit is reached" wait_for 60 pages_are "$2" ||
		diag "$(cat "$(vbd_debugfs "$DOMID" xvda)")"
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
	ok "a slow disk" delayed_disk 1000
	ok "attach" disk_attach /dev/mapper/slow xvda
	look_at 0
	check_limit copy "1024 pages to copy to, 0 of them free" some some \
		--rw=write --bs=128k --size=32m
	ok "its data must not change" slow_stable 1
	check_limit "copy, stable pages" "1024 pages to copy to, 0 of them free" none some \
		--rw=write --bs=128k --size=32m --do_verify=0
	ok "its data may change" slow_stable 0
	vbd_tunable 0 xvda grant_policy map
	check_limit map "8192 pages, 0 of them free" some none --rw=write --bs=1m --size=128m
	ok "detach" hand_detach xvda
}

# verify SECONDS: for the guest; 256 pages at a time
verify()
{
	echo "fio --name=v --filename=/dev/xvda --rw=randrw --bs=128k --iodepth=8 --size=8m \
		--loops=100000 --runtime=$1 --direct=1 --ioengine=libaio --thread \
		--verify=crc32c --verify_fatal=1 --minimal >/tmp/fio || { cat /tmp/fio; exit 1; }"
}

# check_shared NAME MAPPED COPIED: the guest verifies meanwhile
check_shared()
{
	ways_count "$DOMID" xvda
	ok "$1: it verifies" guest_run pv "$(verify 5)" 200
	ways_are "$DOMID" xvda "$2" "$3" "$1"
}

# All rings together may have so much of dom0's memory to copy to: here nothing.
check_memory()
{
	ok "a slow disk" delayed_disk 20
	ok "a guest" guest_start pv pv phy:/dev/mapper/slow,xvda,w || bail "no guest"
	look_at "$(guest_domid pv)"
	check_shared "with memory" none some
	ok "there is none for rings any more" parameter max_copy_percent 0
	# One at a time copies all the same
	check_shared "without memory" some some
	ok "its data must not change" slow_stable 1
	check_shared "without memory, stable pages" some some
	ok "it waited for memory" test "$(stat_of oo_req)" -gt 0
	ok "its data may change" slow_stable 0
	ok "there is memory again" parameter max_copy_percent 10
	check_shared "with memory again" none some
	is "$(stat_of err_req)" 0 "no request has failed"
	ok "the guest goes" guest_destroy pv
}

# Of 1 % of dom0's memory, some 3700 pages, dom0's own two rings want more than a half.
# The guest finds the pages that it needs all the same.
check_domains()
{
	local fio

	ok "a slow disk" delayed_disk 200
	ok "a guest" guest_start pv pv phy:/dev/mapper/slow,xvda,w || bail "no guest"
	look_at "$(guest_domid pv)"
	ok "dom0 has the disk" disk_attach /dev/mapper/slow xvda
	ok "dom0 has it twice" disk_attach /dev/mapper/slow xvdb
	ok "there is little memory for rings" parameter max_copy_percent 1
	fio --rw=randread --bs=128k --iodepth=64 --size=32m --direct=1 --ioengine=libaio \
		--thread --time_based --runtime=400 --name=a --filename=/dev/xvda \
		--name=b --filename=/dev/xvdb >"$LAB_TMP/fio" 2>&1 &
	fio=$!
	ok "dom0 has its share" \
		wait_for 60 grep -q -E "^domain 0: .* may have ([12]?[0-9]|3[01]) more" "$(vbd_debugfs 0 xvda)" ||
		diag "$(cat "$(vbd_debugfs 0 xvda)")"
	check_shared "beside dom0" none some
	kill $fio
	wait $fio
	ok "there is memory again" parameter max_copy_percent 10
	is "$(stat_of err_req)" 0 "no request has failed"
	ok "detach" hand_detach xvdb
	ok "detach the other one" hand_detach xvda
	ok "the guest goes" guest_destroy pv
}

ok "the backend loads" module_load grant_policy=copy max_queues=1
ok "a disk in memory" null_disk
subtest "limits" check_limits
subtest "dom0's memory" check_memory
subtest "two domains" check_domains
ok "the backend unloads" module_unload
done_testing
