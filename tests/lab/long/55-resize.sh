#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=600
#
# A disk that grows and shrinks under a running frontend, idle and under load: it
# is told in time, what is new can be used, what is gone cannot.

. /lab/lib.sh

# told: the size in MiB, as the frontend is told
told()
{
	echo $(($(vbd_key 0 xvda sectors) / 2048))
}

# at_mib DEVICE MIB: one MiB of it
at_mib()
{
	dd if="$1" bs=1M skip="$2" count=1 iflag=direct status=none
}

# is_there MIB: can the frontend read it?
is_there()
{
	[ "$(at_mib /dev/xvda "$1" | wc -c)" = 1048576 ]
}

# write_at_mib MIB: random bytes through the frontend, which dom0 finds
write_at_mib()
{
	head -c 1M /dev/urandom >"$LAB_TMP/mib"
	dd if="$LAB_TMP/mib" of=/dev/xvda bs=1M seek="$1" oflag=direct \
		conv=nocreat,notrunc status=none || return
	at_mib "$DISK" "$1" | cmp - "$LAB_TMP/mib" && at_mib /dev/xvda "$1" | cmp - "$LAB_TMP/mib"
}

# resize_loop MIB
resize_loop()
{
	truncate -s "$1M" /tmp/disk.img && losetup -c /dev/loop9
}

# dm_table MIB: of device mapper, over the loop device
dm_table()
{
	echo "0 $(($1 * 2048)) linear /dev/loop9 0"
}

resize_dm()
{
	dm_change resize "$(dm_table "$1")"
}

# grows COMMAND FROM TO
grows()
{
	not_ok "$1: there is nothing beyond $2 MiB" is_there "$2"
	ok "$1: from $2 to $3 MiB" "$1" "$3"
	# Nothing else runs meanwhile: the vbd is idle, and so is dom0
	nap 1.5
	is "$(told)" "$3" "$1: the frontend is told within 1.5 s"
	ok "$1: it has the new size" wait_for 5 disk_has_size xvda $(($3 * 2048))
	ok "$1: the new part can be used" write_at_mib $(($3 - 1))
	ok "$1: and the seam" write_at_mib $(($2 - 1))
}

# shrinks COMMAND FROM TO
shrinks()
{
	ok "$1: from $2 to $3 MiB" "$1" "$3"
	nap 1.5
	is "$(told)" "$3" "$1: the frontend is told within 1.5 s"
	ok "$1: it has the new size" wait_for 5 disk_has_size xvda $(($3 * 2048))
	not_ok "$1: there is nothing beyond $3 MiB" is_there "$3"
	ok "$1: the rest can be used" write_at_mib $(($3 - 1))
}

# idle NAME: the ring's thread has nothing to do with any of it
idle()
{
	local before

	nap 0.5
	before=$(thread_switches xvda)
	nap 4
	is "$(thread_switches xvda)" "$before" "$1: the ring's thread sleeps for 4 s"
}

# under_load: each pass looks at the size, whatever the time
under_load()
{
	local reader

	fio --name=x --filename=/dev/xvda --size=4m --rw=randread --bs=4k --iodepth=4 \
		--direct=1 --ioengine=libaio --thread --time_based --runtime=60 \
		--minimal >/dev/null 2>&1 &
	reader=$!
	nap 2
	grows resize_loop 16 40
	shrinks resize_loop 40 16
	ok "the load has run all the time" kill $reader
	wait $reader 2>/dev/null
}

linux_frontend()
{
	ok "attach" disk_attach $DISK xvda
	grows resize_loop 16 64
	shrinks resize_loop 64 16
	idle "then"
	under_load
	is "$(vbd_state 0 xvda)" 4 "the backend is Connected all the time"
	is "$(vbd_error 0 xvda)" "" "there was no error"
	ok "detach" hand_detach xvda
}

between_requests()
{
	# shellcheck disable=SC2016 # for that script
	printf 'truncate -s $1M /tmp/disk.img && losetup -c /dev/loop9\n' >/tmp/resize.sh
	frontend "blkfe" resize.fe DISK="$(devt_hex /dev/loop9)" RESIZE="bash /tmp/resize.sh"
}

device_mapper()
{
	resize_loop 64
	ok "a disk" dm_disk resize "$(dm_table 8)"
	DISK=/dev/mapper/resize
	ok "attach" disk_attach $DISK xvda
	grows resize_dm 8 32
	shrinks resize_dm 32 16
	ok "detach" hand_detach xvda
	ok "the disk is free" dm_remove resize
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load
ok "a loop device" loop_disk 16
DISK=/dev/loop9
subtest "loop" linux_frontend
subtest "between requests" between_requests
subtest "device mapper" device_mapper
ok "the backend unloads" module_unload
done_testing
