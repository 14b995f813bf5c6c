#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=540
#
# A disk served to dom0 itself: attach, write, read back, detach.

. /lab/lib.sh

ok "the backend loads" module_load
ok "a disk in memory" null_disk
ok "the frontend loads" frontend_load
leak_snapshot
ok "attach" attach_loopback /dev/nullb0 xvda w
is "$(vbd_state 0 xvda)" 4 "the backend says Connected"
ok "fio writes and verifies" fio --name=smoke --filename=/dev/xvda --rw=randrw \
	--bsrange=512-44k --bs_unaligned=0 --direct=1 --ioengine=libaio \
	--iodepth=32 --size=16m --verify=crc32c --minimal
ok "random data through the frontend" \
	dd if=/dev/urandom of=/dev/xvda bs=64k count=64 oflag=direct
ok "the same bytes on the disk" flushed /dev/nullb0 cmp -n 4194304 /dev/xvda /dev/nullb0
isnt "$(vbd_stat 0 xvda wr_req)" 0 "writes are counted"
ok "detach" detach xvda
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
