#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# The statistics agree with what was done, to the request and the sector, and
# each flush of the frontend is one at the disk. xentop shows the same, and so do
# the tracepoints.

. /lab/lib.sh

STATS=(rd_req rd_sect wr_req wr_sect f_req ds_req oo_req)
TRACE=/sys/kernel/tracing

# adds NAME WANT COMMAND...: so much the command adds to each of STATS
adds()
{
	local name=$1 want=$2 before after n got=()

	shift 2
	read -r -a before <<<"$(vbd_stats 0 xvda "${STATS[@]}")"
	ok "$name" "$@"
	read -r -a after <<<"$(vbd_stats 0 xvda "${STATS[@]}")"
	for n in "${!STATS[@]}"; do
		got+=($((after[n] - before[n])))
	done
	is "${got[*]}" "$want" "$name: ${STATS[*]}"
}

# fio_on_disk OPTION...: a fixed number of requests, one at a time
fio_on_disk()
{
	fio --name=count --filename=/dev/xvda --direct=1 --ioengine=psync \
		--thread --minimal "$@"
}

check_xentop()
{
	local line rd_req rd_sect wr_req wr_sect

	read -r rd_req rd_sect wr_req wr_sect _ <<<"$(vbd_stats 0 xvda "${STATS[@]}")"
	line=$(xentop -b -i 1 -x | grep -A 1000 Domain-0 | grep 'VBD.* 51712 ' | tr -s ' ')
	like "$line" "RD: $rd_req WR: $wr_req RSECT: $rd_sect WSECT: $wr_sect" \
		"xentop shows them"
}

counts()
{
	local flushes

	ok "attach" attach_loopback /dev/nullb0 xvda
	#                           rd_req rd_sect wr_req wr_sect f_req ds_req oo_req
	adds "256 reads of 4 KiB"  "256 2048 0 0 0 0 0" fio_on_disk --rw=randread --bs=4k --size=1m
	adds "256 writes of 4 KiB" "0 0 256 2048 0 0 0" fio_on_disk --rw=randwrite --bs=4k --size=1m
	adds "64 reads of 512 B"   "64 64 0 0 0 0 0" fio_on_disk --rw=read --bs=512 --size=32k
	adds "32 writes of 44 KiB" "0 0 32 2816 0 0 0" fio_on_disk --rw=write --bs=44k --size=1408k
	flushes=$(disk_stat /dev/nullb0 flushes)
	adds "25 writes, 25 fsyncs" "0 0 25 200 25 0 0" perl /lab/programs/fsyncs.pl /dev/xvda 25
	is "$(($(disk_stat /dev/nullb0 flushes) - flushes))" 25 "25 flushes reached the disk"
	check_xentop
	ok "detach" detach xvda
}

# traced EVENT: how often the one command of the case has met it
traced()
{
	grep -c " $1: domid=0 vdev=51712 ring=[0-9]* id=[0-9]* read sector=[0-9]* nr_sects=8 nr_segs=1 error=0 req=" \
		$TRACE/trace
}

# A histogram of what each request has taken, as performance.rst says
TAKE='hist:keys=req:t=common_timestamp.usecs'
# shellcheck disable=SC2016 # they are the kernel's variables
RESPOND='hist:keys=req:us=common_timestamp.usecs-$t:onmatch(xen_blkback.xenvbd_take).xenvbd_latency($us)'
LATENCY='hist:keys=us.log2'

latency_begin()
{
	echo 'xenvbd_latency u64 us' >>$TRACE/synthetic_events &&
		echo "$TAKE" >$TRACE/events/xen_blkback/xenvbd_take/trigger &&
		echo "$RESPOND" >$TRACE/events/xen_blkback/xenvbd_respond/trigger &&
		echo "$LATENCY" >$TRACE/events/synthetic/xenvbd_latency/trigger
}

# A module does not take its histograms with it
latency_end()
{
	echo "!$LATENCY" >$TRACE/events/synthetic/xenvbd_latency/trigger &&
		echo "!$RESPOND" >$TRACE/events/xen_blkback/xenvbd_respond/trigger &&
		echo "!$TAKE" >$TRACE/events/xen_blkback/xenvbd_take/trigger &&
		echo '!xenvbd_latency u64 us' >>$TRACE/synthetic_events
}

latency_total()
{
	awk '$1 == "Hits:" { print $2 }' $TRACE/events/synthetic/xenvbd_latency/hist
}

tracepoints()
{
	local event

	ok "attach" disk_attach /dev/nullb0 xvda
	echo 1 >$TRACE/events/xen_blkback/enable
	ok "a histogram of latencies" latency_begin
	ok "256 reads are traced" fio_on_disk --rw=randread --bs=4k --size=1m
	echo 0 >$TRACE/events/xen_blkback/enable
	for event in xenvbd_take xenvbd_submit xenvbd_respond; do
		is "$(traced $event)" 256 "each meets $event"
	done
	is "$(latency_total)" 256 "and is in the histogram"
	ok "which goes again" latency_end
	ok "detach" hand_detach xvda
}

ok "the backend loads" module_load
ok "a disk with a cache" null_disk cache_size=8
subtest "statistics" counts
subtest "tracepoints" tracepoints
ok "the backend unloads" module_unload
done_testing
