#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=600
#
# A flush that the disk fails for a while is tried again: Linux guests take an
# error for "not supported" and never flush any more.

. /lab/lib.sh

TABLE=/tmp/table

# disk BROKEN|WHOLE: it fails all requests, or none
cat >$TABLE <<-'EOS'
	#!/bin/bash
	size=$(blockdev --getsz /dev/nullb0)
	case $1 in
	broken) table="0 $size flakey /dev/nullb0 0 0 3600" ;;
	whole) table="0 $size flakey /dev/nullb0 0 3600 0" ;;
	esac
	[ -e /dev/mapper/trouble ] || exec dmsetup create trouble --table "$table"
	dmsetup suspend --noflush trouble && dmsetup load trouble --table "$table" &&
		dmsetup resume trouble
EOS
chmod +x $TABLE

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

ok "the backend loads" module_load
ok "the frontend loads" frontend_load
leak_snapshot
ok "a disk with a cache" null_disk cache_size=8
modprobe dm-mod
modprobe dm-flakey
ok "that can fail" $TABLE whole
dmsetup mknodes
at_end dmsetup remove trouble
ok "attach" attach_loopback /dev/mapper/trouble xvda
is "$(cat /sys/block/xvda/queue/write_cache)" "write back" "the frontend flushes"
ok "a flush succeeds" guest_flush
flushes=$(vbd_stat 0 xvda f_req)
ok "the disk breaks" $TABLE broken
flush_now
nap 3
ok "a flush is waiting" flushing
is "$(vbd_stat 0 xvda f_req)" $((flushes + 1)) "the backend has it"
ok "the disk is whole again" $TABLE whole
ok "the flush ends" wait_for 10 not flushing
ok "and has succeeded" wait "$FLUSH"
is "$(cat /sys/block/xvda/queue/write_cache)" "write back" "the frontend flushes as before"
is "$(xs_read "$(backend_path 0 xvda)/feature-flush-cache")" 1 "flushes are offered as before"
ok "another flush" guest_flush
is "$(vbd_stat 0 xvda f_req)" $((flushes + 2)) "which did reach the backend"
is "$(vbd_stat 0 xvda err_req)" 0 "no error was shown"
ok "detach" detach xvda

begin=$SECONDS
frontend "teardown" flush-error.fe DISK="$(devt_hex /dev/mapper/trouble)" \
	BREAK="$TABLE broken"
le $((SECONDS - begin)) 20 "it was quick"
ok "the disk is whole again" $TABLE whole
modprobe brd rd_nr=1 rd_size=65536
at_end modprobe -r brd
frontend "exchange" exchange-flush.fe DISK="$(devt_hex /dev/mapper/trouble)" \
	OTHER="$(devt_hex /dev/ram0)" BREAK="$TABLE broken" MEND="$TABLE whole"
ok "the disk is free" dmsetup remove trouble
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
