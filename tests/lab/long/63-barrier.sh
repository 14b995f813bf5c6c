#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=600
#
# Barriers order the writes of all rings of a vbd: the kernel's own trace of what
# the disk is given, and completes, tells.

. /lab/lib.sh

TRACE=/sys/kernel/tracing

# record: what the disk is given from now on, and what it completes
record()
{
	echo >$TRACE/trace
	echo 1 >$TRACE/events/block/block_bio_queue/enable &&
		echo 1 >$TRACE/events/block/block_rq_complete/enable
}

# recorded: what was, in the order that it happened
recorded()
{
	awk -v dev="$(tr : , </sys/block/nullb0/dev)" -f /lab/programs/block-order.awk $TRACE/trace
}

# when EVENT SECTOR: its place in the record, the first if there are several
when()
{
	grep -n -x -m 1 "$1 $2" "$LAB_TMP/record" | cut -d: -f1
}

# ordered EVENT SECTOR EVENT SECTOR NAME
ordered()
{
	local a b

	a=$(when "$1" "$2") b=$(when "$3" "$4")
	[ -n "$a" ] && [ -n "$b" ] && [ "$a" -lt "$b" ]
	report $? "$5" || diag "$1 $2 is number ${a:-none}, $3 $4 number ${b:-none}"
}

# after_all BARRIER SECTOR...: it starts when these are complete
after_all()
{
	local barrier=$1 sector

	shift
	for sector; do
		ordered complete "$sector" queue "$barrier" "$barrier waits for $sector"
	done
}

# before_all BARRIER SECTOR...: these start when it is complete
before_all()
{
	local barrier=$1 sector

	shift
	for sector; do
		ordered complete "$barrier" queue "$sector" "$sector waits for $barrier"
	done
}

ok "the backend loads" module_load max_queues=4
ok "a slow disk with a cache" null_disk cache_size=16 discard=1 irqmode=2 \
	completion_nsec=1000000000 submit_queues=4
leak_snapshot
ok "the disk is recorded" record
frontend "barrier" barrier.fe DISK="$(devt_hex /dev/nullb0)" PADDING=zero
recorded >"$LAB_TMP/record"
after_all 5000 1000 1100 1200 1300 1400
before_all 5000 2000 2100 2200 2300
ordered queue 3000 queue 5000 "a read of the same ring passes it"
ordered queue 3100 queue 5000 "a read of another ring passes it"
after_all flush 1500
before_all flush 2500
ordered complete flush queue 6000 "a barrier waits for the one before it"
after_all 6000 2500
before_all 6000 2600 2700
after_all 7000 1800
before_all 7000 2800 2900
echo 0 >$TRACE/events/block/enable
diag "$(paste -sd, "$LAB_TMP/record")"
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
