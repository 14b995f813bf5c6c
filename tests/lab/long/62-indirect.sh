#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# INDIRECT requests: the Linux frontend with few and many segments, the size of
# the batches, and a frontend whose descriptors are wrong or change.

. /lab/lib.sh

# check_frontend SEGMENTS REQUESTS: 4 MiB in REQUESTS requests, both ways
check_frontend()
{
	local rd0 wr0 rd1 wr1

	ok "the frontend loads" frontend_reload max_indirect_segments="$1"
	ok "attach" disk_attach /dev/nullb0 xvda
	is "$(cat /sys/block/xvda/queue/max_segments)" $(($1 > 11 ? $1 : 11)) \
		"the frontend uses them"
	read -r rd0 wr0 <<<"$(vbd_stats 0 xvda rd_req wr_req)"
	ok "the frontend writes" random_through /dev/xvda 4
	ok "and reads the same" holds_random /dev/xvda direct
	read -r rd1 wr1 <<<"$(vbd_stats 0 xvda rd_req wr_req)"
	is "$((wr1 - wr0)) $((rd1 - rd0))" "$2 $2" "in $2 requests each"
	ok "dom0 finds the same bytes on the disk" holds_random /dev/nullb0 direct
	ok "fio verifies" fio_verify /dev/xvda --rw=randrw --bsrange=4k-1m \
		--iodepth=8 --size=12m
	is "$(vbd_stat 0 xvda err_req)" 0 "no request was refused or failed"
	ok "detach" hand_detach xvda
}

ok "the backend loads" module_load feature_persistent=0 grant_policy=map
ok "the frontend loads" frontend_load
ok "a disk in memory" null_disk
subtest "Linux, 0 segments" check_frontend 0 96
subtest "Linux, 32 segments" check_frontend 32 32
subtest "Linux, 256 segments" check_frontend 256 4
disk=$(devt_hex /dev/nullb0)
for abi in "x86_64-abi 40" "x86_32-abi 10"; do
	read -r abi rounds <<<"$abi"
	subtest "blkfe" frontend "$abi" indirect.fe ABI="$abi" ROUNDS="$rounds" \
		STATS=/lab/programs/statistics DISK="$disk"
done
ok "the backend unloads" module_unload
done_testing
