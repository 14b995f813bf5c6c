#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: vcpus=4 icount timeout=1800
#
# The Linux frontend on four CPUs, with one to four rings of one to sixteen pages and
# with all its own settings: all rings are used, data is verified from both sides, and
# the statistics are their sum.

. /lab/lib.sh

PARAMETERS=/sys/module/xen_blkback/parameters

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
	awk '{ print $3, $7 }' /sys/block/xvda/stat
}

backend_sectors()
{
	echo "$(vbd_stat 0 xvda rd_sect) $(vbd_stat 0 xvda wr_sect)"
}

# sleeps QUEUES: how often each of the rings' threads has slept
sleeps()
{
	local n

	for ((n = 0; n < $1; n++)); do
		awk '/^voluntary/ { print $2 }' "/proc/$(pgrep -x "0\.xvda-$n")/status"
	done | paste -sd' '
}

# all_worked BEFORE AFTER: each thread
all_worked()
{
	local before after n

	read -r -a before <<<"$1"
	read -r -a after <<<"$2"
	for n in "${!before[@]}"; do
		[ $((after[n] - before[n])) -gt 5 ] || return
	done
}

# ways: how the data came, of "mapped" and "copied"
ways()
{
	local ways=()

	[ "$(vbd_stat 0 xvda map_ops)" = 0 ] || ways+=(mapped)
	[ "$(vbd_stat 0 xvda copy_ops)" = 0 ] || ways+=(copied)
	echo "${ways[*]}"
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
	echo "$1" >$PARAMETERS/max_queues
	echo "$2" >$PARAMETERS/max_ring_page_order
	echo "$3" >$PARAMETERS/grant_policy
}

# check_shape QUEUES ORDER WAY WHAT: these rings the frontend has
check_shape()
{
	local what="$4: $1 rings of $((1 << $2)) pages" fe be slept

	ok "$what: attach" disk_attach /dev/nullb0 xvda || return
	is "$(find /sys/block/xvda/mq -mindepth 1 -maxdepth 1 -type d | wc -l) \
$(cat /sys/block/xvda/mq/0/nr_tags)" "$1 $((32 << $2))" "$what: the frontend has them"
	is "$(driver_threads | grep -c '^0\.xvda-')" "$1" "$what: a thread each"
	read -r -a fe <<<"$(frontend_sectors)"
	read -r -a be <<<"$(backend_sectors)"
	slept=$(sleeps "$1")
	ok "$what: fio on each CPU verifies" four_jobs /dev/xvda --rw=write \
		--cpus_allowed=0-3 --cpus_allowed_policy=split
	ok "$what: each thread has worked" all_worked "$slept" "$(sleeps "$1")"
	read -r -a fe <<<"$(frontend_sectors) ${fe[*]}"
	read -r -a be <<<"$(backend_sectors) ${be[*]}"
	is "$((be[0] - be[2])) $((be[1] - be[3]))" "$((fe[0] - fe[2])) $((fe[1] - fe[3]))" \
		"$what: the statistics are the sum over the rings"
	blockdev --flushbufs /dev/nullb0
	ok "$what: dom0 verifies what the frontend wrote" four_jobs /dev/nullb0 --rw=read
	ok "$what: the frontend writes its largest requests" random_through /dev/xvda 2
	blockdev --flushbufs /dev/nullb0
	ok "$what: dom0 finds the same bytes" holds_random /dev/nullb0 direct
	ok "$what: and the frontend reads them" holds_random /dev/xvda direct
	is "$(ways)" "$3" "$what: data is $3"
	is "$(vbd_stat 0 xvda err_req)" 0 "$what: no request was refused or failed"
	ok "$what: detach" hand_detach xvda
	dd if=/dev/zero of=/dev/nullb0 bs=1M count=4 oflag=direct conv=nocreat,notrunc status=none
}

# variant QUEUES ORDER WAY SAID PARAMETER...: of the frontend, which is offered as many
# rings as large as there can be
variant()
{
	local parameters=("${@:5}")

	ok "the frontend loads with ${parameters[*]}" frontend_reload "${parameters[@]}"
	check_shape "$1" "$2" "$3" "${parameters[*]}"
	is "$(said)" "$4" "${parameters[*]}: persistent grants, indirect, bounce buffer"
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load max_ring_page_order=4
ok "a disk in memory" null_disk
leak_snapshot
for shape in "1 0" "2 1" "3 2" "4 3"; do
	read -r queues order <<<"$shape"
	offer "$queues" "$order" auto
	check_shape "$queues" "$order" mapped offered
done
offer 4 4 auto
on=enabled off=disabled
variant 4 4 mapped "$on $on $on" max_ring_page_order=4
variant 2 1 mapped "$on $on $on" max_queues=2 max_ring_page_order=1
# A frontend that does not trust copies, into grants that are persistent or are not
variant 3 0 mapped "$on $on $on" max_queues=3 trusted=0
variant 3 4 copied "$off $on $on" max_queues=3 max_ring_page_order=4 trusted=0 \
	feature_persistent=0
variant 4 2 copied "$off $on $off" max_ring_page_order=2 feature_persistent=0
offer 4 4 map
variant 4 0 mapped "$off $off $off" feature_persistent=0 max_indirect_segments=0
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
