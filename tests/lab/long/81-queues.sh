#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: vcpus=4 icount timeout=1800
#
# The Linux frontend on four CPUs, with one to four rings of one to sixteen pages and
# with all its own settings: all rings are used, data is verified from both sides, and
# the statistics are their sum.

. /lab/lib.sh

# four_jobs DEVICE OPTION...: fio, the same for both sides
four_jobs()
{
	fio --name=x --filename="$1" --numjobs=4 --size=1m --offset_increment=1m --bs=4k \
		--iodepth=32 --direct=1 --ioengine=libaio --thread --group_reporting \
		--verify=crc32c --verify_fatal=1 --minimal "${@:2}"
}

# frontend_sectors: read and written, as the frontend counts
frontend_sectors()
{
	echo "$(disk_stat /dev/xvda read_sectors) $(disk_stat /dev/xvda write_sectors)"
}

backend_sectors()
{
	vbd_stats 0 xvda rd_sect wr_sect
}

# taken: how many requests each ring has taken
taken()
{
	sed -n 's/^ring [0-9]*: .* req_cons \([0-9]*\),.*/\1/p' "$(vbd_debugfs 0 xvda)" | paste -sd' '
}

# all_worked BEFORE AFTER: each ring
all_worked()
{
	local before after n

	read -r -a before <<<"$1"
	read -r -a after <<<"$2"
	for n in "${!before[@]}"; do
		[ $((after[n] - before[n])) -gt 5 ] || return
	done
}

# said: what the frontend has logged of its disk, "PERSISTENT INDIRECT BOUNCE"
said()
{
	dmesg | sed -n '/blkfront: xvda:/s/.*grants: \(.*\); .*tors: \(.*\); .*buffer: \([a-z]*\).*/\1 \2 \3/p' |
		tail -n 1
}

# offer QUEUES ORDER POLICY: to the next frontend
offer()
{
	parameter max_queues "$1"
	parameter max_ring_page_order "$2"
	parameter grant_policy "$3"
}

# shape QUEUES ORDER MAPPED COPIED: these rings the frontend has, and its data comes
# in this way
shape()
{
	local fe be before

	ok "attach" disk_attach /dev/nullb0 xvda || return
	ways_start
	is "$(find /sys/block/xvda/mq -mindepth 1 -maxdepth 1 -type d | wc -l) \
$(cat /sys/block/xvda/mq/0/nr_tags)" "$1 $((32 << $2))" "the frontend has them"
	is "$(driver_threads | grep -c '^0\.xvda-')" "$1" "a thread each"
	read -r -a fe <<<"$(frontend_sectors)"
	read -r -a be <<<"$(backend_sectors)"
	before=$(taken)
	ok "fio on each CPU verifies" four_jobs /dev/xvda --rw=write \
		--cpus_allowed=0-3 --cpus_allowed_policy=split
	ok "each ring has worked" all_worked "$before" "$(taken)"
	read -r -a fe <<<"$(frontend_sectors) ${fe[*]}"
	read -r -a be <<<"$(backend_sectors) ${be[*]}"
	is "$((be[0] - be[2])) $((be[1] - be[3]))" "$((fe[0] - fe[2])) $((fe[1] - fe[3]))" \
		"the statistics are the sum over the rings"
	ok "dom0 verifies what the frontend wrote" \
		flushed /dev/nullb0 four_jobs /dev/nullb0 --rw=read
	ok "the frontend writes its largest requests" random_through /dev/xvda 2
	ok "dom0 finds the same bytes" flushed /dev/nullb0 holds_random /dev/nullb0 direct
	ok "and the frontend reads them" holds_random /dev/xvda direct
	ways_are 0 xvda "$3" "$4" "data"
	is "$(vbd_stat 0 xvda err_req)" 0 "no request was refused or failed"
	ok "detach" hand_detach xvda
	dd if=/dev/zero of=/dev/nullb0 bs=1M count=4 oflag=direct conv=nocreat,notrunc status=none
}

# variant QUEUES ORDER MAPPED COPIED SAID PARAMETER...: of the frontend, which is
# offered as many rings as large as there can be
variant()
{
	ok "the frontend loads" frontend_reload "${@:6}"
	shape "${@:1:4}"
	is "$(said)" "$5" "persistent grants, indirect, bounce buffer"
}

# try_variant: a case named for its parameters
try_variant()
{
	subtest "${*:6}" variant "$@"
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load max_ring_page_order=4
ok "a disk in memory" null_disk
for rings in "1 0" "2 1" "3 2" "4 3"; do
	read -r queues order <<<"$rings"
	offer "$queues" "$order" auto
	subtest "offered: $queues rings of $((1 << order)) pages" shape "$queues" "$order" some none
done
offer 4 4 auto
on=enabled off=disabled
try_variant 4 4 some none "$on $on $on" max_ring_page_order=4
try_variant 2 1 some none "$on $on $on" max_queues=2 max_ring_page_order=1
# A frontend that does not trust copies, into grants that are persistent or are not
try_variant 3 0 some none "$on $on $on" max_queues=3 trusted=0
try_variant 3 4 none some "$off $on $on" max_queues=3 max_ring_page_order=4 trusted=0 \
	feature_persistent=0
try_variant 4 2 none some "$off $on $off" max_ring_page_order=2 feature_persistent=0
offer 4 4 map
try_variant 4 0 some none "$off $off $off" feature_persistent=0 max_indirect_segments=0
ok "the backend unloads" module_unload
done_testing
