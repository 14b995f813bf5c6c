#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=600
#
# A flush that the disk fails for a while is tried again: Linux guests take an
# error for "not supported" and never flush any more.

. /lab/lib.sh

FLAKY=/lab/programs/flaky

# guest_flush: all that fsync() does when there is nothing to write
guest_flush()
{
	dd if=/dev/null of=/dev/xvda conv=notrunc,nocreat,fsync status=none
}

# flush_now: in the background
flush_now()
{
	guest_flush &
	FLUSH=$!
}

flushing()
{
	kill -0 "$FLUSH"
}

write_cache()
{
	cat /sys/block/xvda/queue/write_cache
}

repeated()
{
	local flushes

	ok "attach" attach_loopback /dev/mapper/trouble xvda
	is "$(write_cache)" "write back" "the frontend flushes"
	ok "a flush succeeds" guest_flush
	flushes=$(vbd_stat 0 xvda f_req)
	ok "the disk breaks" $FLAKY broken
	flush_now
	nap 3
	ok "a flush is waiting" flushing
	is "$(vbd_stat 0 xvda f_req)" $((flushes + 1)) "the backend has it"
	ok "the disk is whole again" $FLAKY whole
	ok "the flush ends" wait_for 10 not flushing
	ok "and has succeeded" wait "$FLUSH"
	is "$(write_cache)" "write back" "the frontend flushes as before"
	is "$(vbd_key 0 xvda feature-flush-cache)" 1 "flushes are offered as before"
	ok "another flush" guest_flush
	is "$(vbd_stat 0 xvda f_req)" $((flushes + 2)) "which did reach the backend"
	is "$(vbd_stat 0 xvda err_req)" 0 "no error was shown"
	ok "detach" detach xvda
}

teardown()
{
	local begin=$SECONDS

	at_end $FLAKY whole
	frontend "blkfe" flush-error.fe DISK="$trouble" BREAK="$FLAKY broken"
	le $((SECONDS - begin)) 20 "it was quick"
	ok "the disk is whole again" $FLAKY whole
}

exchange()
{
	ok "another disk" ram_disks 1 65536
	frontend "blkfe" exchange-flush.fe DISK="$trouble" OTHER="$(devt_hex /dev/ram0)" \
		BREAK="$FLAKY broken" MEND="$FLAKY whole"
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load
ok "a disk with a cache" null_disk cache_size=8
modprobe -a dm-mod dm-flakey
ok "that can fail" $FLAKY whole
dmsetup mknodes
at_end dm_remove trouble
trouble=$(devt_hex /dev/mapper/trouble)
subtest "repeated" repeated
subtest "teardown" teardown
subtest "exchange" exchange
ok "the disk is free" dm_remove trouble
ok "the backend unloads" module_unload
done_testing
