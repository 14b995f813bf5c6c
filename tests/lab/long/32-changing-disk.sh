#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# A disk that changes under a connected frontend: a row of the table in
# Documentation/guide.rst, "A disk that changes", for each case. What can be followed is
# followed at once, what cannot is told once, and the frontend keeps its disk.

. /lab/lib.sh

TRACE=/sys/kernel/tracing
QUEUE=/sys/block/nullb0/queue

# set_queue ATTRIBUTE VALUE: of the disk in memory
set_queue()
{
	echo "$2" >"$QUEUE/$1"
}

# reads BYTES, writes BYTES: so many, 64 KiB from the beginning
reads()
{
	dd if=/dev/xvda of=/dev/null bs="$1" skip=$((65536 / $1)) count=1 iflag=direct status=none
}

writes()
{
	dd if=/dev/zero of=/dev/xvda bs="$1" seek=$((65536 / $1)) count=1 oflag=direct \
		conv=nocreat,notrunc status=none
}

# listen: to the log from here on
listen()
{
	HEARD=$(klog | wc -l)
}

# heard_once TEXT: and not once more after three looks
heard_once()
{
	nap 3
	is "$(klog | tail -n "+$((HEARD + 1))" | grep -cF "$1")" 1 "the log has it once: $1"
}

# connected NAME: whatever has happened
connected()
{
	is "$(vbd_state 0 xvda)" 4 "$1: the vbd is Connected all the time"
}

# how_written: the flags of a write of the frontend when it comes to the disk
how_written()
{
	local dev

	dev=$(stat -c %Hr,%Lr /dev/nullb0)
	: >$TRACE/trace
	echo 1 >$TRACE/events/block/block_bio_queue/enable
	writes 4096
	echo 0 >$TRACE/events/block/block_bio_queue/enable
	grep -oE "block_bio_queue: $dev [A-Z]+ 128 " $TRACE/trace | cut -d' ' -f3
}

# flushed_since NUMBER: for wait_for
flushed_since()
{
	[ "$(disk_stat /dev/nullb0 flushes)" -gt "$1" ]
}

# cache_comes NAME: nobody writes meanwhile, so that whatever is flushed is not of a write
cache_comes()
{
	local flushes

	flushes=$(disk_stat /dev/nullb0 flushes)
	ok "$1" set_queue write_cache "write back"
	ok "$1: what was written before is flushed" wait_for 10 flushed_since "$flushes"
	is "$(how_written)" WFS "$1: each write goes through it"
}

volatile_cache()
{
	local told="has a volatile cache now, and each write of the guest waits for the medium" flushes

	ok "a disk with a cache" null_disk cache_size=8
	ok "which is off" set_queue write_cache "write through"
	ok "attach" disk_attach /dev/nullb0 xvda
	is "$(vbd_key 0 xvda feature-flush-cache)" 0 "the frontend is told of none"
	is "$(how_written)" WS "a write is a write"
	listen
	cache_comes "the cache comes"
	heard_once "$told"
	ok "it goes" set_queue write_cache "write through"
	is "$(how_written)" WS "and a write is a write again"
	nap 3
	ok "the disk is read-only" blockdev --setro /dev/nullb0
	at_end blockdev --setrw /dev/nullb0
	listen
	flushes=$(disk_stat /dev/nullb0 flushes)
	ok "and the cache comes back" set_queue write_cache "write back"
	ok "what was written before is flushed" wait_for 10 flushed_since "$flushes"
	ok "the disk can be written to" blockdev --setrw /dev/nullb0
	is "$(how_written)" WFS "through the cache"
	heard_once "$told"
	connected "cache"
	ok "detach" hand_detach xvda
	ok "attach again" disk_attach /dev/nullb0 xvda
	is "$(vbd_key 0 xvda feature-flush-cache)" 1 "the frontend is told of the cache"
	is "$(how_written)" WS "and flushes by itself"
	ok "the cache goes" set_queue write_cache "write through"
	ok "a flush costs nothing" dd if=/dev/null of=/dev/xvda conv=notrunc,nocreat,fsync
	is "$(vbd_stat 0 xvda err_req)" 0 "and does not fail"
	ok "detach" hand_detach xvda
}

read_only()
{
	local told="is read-only now, and the guest's writes fail"

	ok "a disk" null_disk
	ok "attach" disk_attach /dev/nullb0 xvda
	ok "the frontend writes" writes 4096
	listen
	ok "the disk is read-only" blockdev --setro /dev/nullb0
	at_end blockdev --setrw /dev/nullb0
	not_ok "writes fail" writes 4096
	ok "reads do not" reads 4096
	ok "an error tells" wait_for 10 vbd_error_like 0 xvda "^30 .*$told\$"
	heard_once "$told"
	connected "read-only"
	ok "the disk can be written to" blockdev --setrw /dev/nullb0
	ok "so it is" writes 4096
	ok "detach" hand_detach xvda
}

# block_size BYTES: of the loop device, under its user
block_size()
{
	losetup --sector-size "$1" /dev/loop9
}

logical_blocks()
{
	local larger="has larger logical blocks now, and requests for less fail"
	local readonly="is read-only now, and the guest's writes fail"

	ok "a loop device" loop_disk 16
	ok "attach" disk_attach /dev/loop9 xvda
	ok "the frontend reads 512 bytes" reads 512
	listen
	ok "the disk has larger blocks" block_size 4096
	not_ok "to read 512 bytes fails" reads 512
	not_ok "so does writing them" writes 512
	ok "4 KiB can be read" reads 4096
	ok "and written" writes 4096
	ok "an error tells" wait_for 10 vbd_error_like 0 xvda "^124 .*$larger\$"
	heard_once "$larger"
	connected "larger blocks"
	ok "it has small ones again" block_size 512
	ok "512 bytes can be read" reads 512
	nap 3

	listen
	ok "both at a time, larger blocks" block_size 4096
	ok "and read-only" blockdev --setro /dev/loop9
	heard_once "$larger"
	heard_once "$readonly"
	ok "and back" blockdev --setrw /dev/loop9
	connected "both"
	ok "detach" hand_detach xvda
	ok "attach again" disk_attach /dev/loop9 xvda
	is "$(vbd_key 0 xvda sector-size)" 4096 "the frontend is told of larger blocks"
	ok "the disk has smaller ones" block_size 512
	ok "which the frontend does not need" writes 4096
	is "$(vbd_stat 0 xvda err_req)" 0 "nothing fails"
	ok "detach" hand_detach xvda
}

stable_writes()
{
	local copied

	ok "a disk" null_disk
	ok "attach" disk_attach /dev/nullb0 xvda
	ok "pages are mapped" vbd_tunable 0 xvda grant_policy map
	copied=$(vbd_stat 0 xvda copy_ops)
	ok "the frontend writes" writes 4096
	is "$(vbd_stat 0 xvda copy_ops)" "$copied" "from where the data is"
	ok "the disk wants stable data" set_queue stable_writes 1
	ok "the frontend writes" writes 4096
	le $((copied + 1)) "$(vbd_stat 0 xvda copy_ops)" "a copy"
	copied=$(vbd_stat 0 xvda copy_ops)
	ok "it does not any more" set_queue stable_writes 0
	ok "the frontend writes" writes 4096
	is "$(vbd_stat 0 xvda copy_ops)" "$copied" "from where the data is"
	ok "detach" hand_detach xvda
}

# The block layer of a guest hides that a discard was not supported, once
discards()
{
	local pieces

	ok "a disk" null_disk discard=1
	ok "attach" disk_attach /dev/nullb0 xvda
	ok "the frontend discards" blkdiscard -l 65536 /dev/xvda
	is "$(vbd_stats 0 xvda ds_req err_req)" "1 0" "as the disk does"
	ok "at most 4 KiB at a time" set_queue discard_max_bytes 4096
	pieces=$(disk_stat /dev/nullb0 discards)
	ok "the frontend discards" blkdiscard -l 65536 /dev/xvda
	is "$(vbd_stats 0 xvda ds_req err_req)" "2 0" "so does it"
	is $(($(disk_stat /dev/nullb0 discards) - pieces)) 16 "piece by piece"
	ok "the disk knows none any more" set_queue discard_max_bytes 0
	blkdiscard -l 65536 /dev/xvda 2>/dev/null
	is "$(vbd_stats 0 xvda ds_req err_req)" "3 1" "the frontend is told so"
	not_ok "and tries it no more" blkdiscard -l 65536 /dev/xvda
	connected "discards"
	ok "detach" hand_detach xvda
	# Linux lets nobody write another discard_max_bytes after 0.
	ok "a disk that knows them" null_disk discard=1
	ok "attach again" disk_attach /dev/nullb0 xvda
	ok "it discards again" blkdiscard -l 65536 /dev/xvda
	ok "detach" hand_detach xvda
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load
subtest "volatile cache" volatile_cache
subtest "read-only" read_only
subtest "logical blocks" logical_blocks
subtest "stable writes" stable_writes
subtest "discards" discards
ok "the backend unloads" module_unload
done_testing
