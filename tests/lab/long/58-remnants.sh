#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# What is left of a vbd that was removed by force while its disk had requests: the
# disk gets no more of them, and nobody else is served on it until those it has are
# done. Otherwise the old data would get over the new.

. /lab/lib.sh

# starts_here SECTOR: the byte that the sector is full of, in hex
starts_here()
{
	dd if=/dev/nullb0 bs=512 skip="$1" count=1 iflag=direct status=none | od -An -tx1 -N1 | tr -d ' '
}

# old_writes: 25 lines for blkfe, to sector 0 last
old_writes()
{
	local n

	for ((n = 24; n >= 0; n--)); do
		echo "write queued sector=$((n * 8)) n=8 pattern=0xaa"
	done
	echo push
}

# A disk of two tags, which takes a second for each
not_sent()
{
	local before lines

	ok "a slow disk with two tags" null_disk irqmode=2 completion_nsec=1000000000 \
		hw_queue_depth=2 submit_queues=1
	before=$(disk_stat /dev/nullb0 writes)
	mapfile -t lines < <(old_writes)
	ok "a guest writes" blkfe_guest 52000 /dev/nullb0 "${lines[@]}"
	nap 1.5
	ok "it is removed by force" stuck_vanish 0
	frontend "another guest writes" - DISK="$(devt_hex /dev/nullb0)" <<-'END'
		protocol x86_64-abi
		timeout state=60000 io=60000
		vbd devid=52016 physical-device=$DISK
		connect
		write sector=0 n=8 pattern=0xbb
		close
		destroy
	END
	ok "no remnant is left" wait_for 60 remnants_are 0
	is "$(starts_here 0)" bb "the younger data is there"
	le $(($(disk_stat /dev/nullb0 writes) - before)) 12 \
		"the disk has not had all of the old writes"
	modprobe -r null_blk
}

# What is put aside is not sent either: flushes that have failed, barriers and what
# waits for them
not_sent_barriers()
{
	local before

	ok "a disk" stuck_disk 0
	before=$(disk_stat /dev/nullb0 writes)
	ok "it stops to answer" stuck_stop 0
	ok "a guest writes, with a barrier in between" blkfe_guest 52000 /dev/mapper/stuck0 \
		'repeat 2 write queued sector=0 n=8' 'barrier queued sector=8 n=8' \
		'repeat 8 write queued sector=16 n=8' push
	nap 0.5
	ok "it is removed by force" stuck_vanish 0
	ok "the disk answers again" stuck_mend 0
	ok "no remnant is left" wait_for 30 remnants_are 0
	is $(($(disk_stat /dev/nullb0 writes) - before)) 2 "the disk had two writes, and no more"
	ok "the disk is free" stuck_remove 0
}

waits()
{
	stuck_writes 0
	ok "it is removed by force" stuck_vanish 0
	frontend "another guest waits" - DISK="$(devt_hex /dev/mapper/stuck0)" <<-'END'
		protocol x86_64-abi
		vbd devid=52016 physical-device=$DISK
		wait-backend 2
		alloc
		publish
		state 3
		sleep ms=3000
		expect-be state 2 timeout=0
		expect-be waiting "~^waiting for writes of a removed vbd, for [0-9]+ s$"
		sh "grep '^waiting for writes of a removed vbd' /sys/bus/xen-backend/devices/vbd-0-52016/waiting"
		sh "dmesg | grep 'vbd-0-52016: waiting for writes of a removed vbd'"
		sh "dmsetup resume stuck0"
		wait-backend 4
		expect-be waiting ""
		features
		state 4
		write sector=0 n=8
		read sector=0 n=8
		close
		destroy
	END
	ok "the disk is free" stuck_remove 0
}

# It can be detached while it waits
gives_up()
{
	stuck_writes 0
	ok "it is removed by force" stuck_vanish 0
	frontend "another guest gives up" - DISK="$(devt_hex /dev/mapper/stuck0)" <<-'END'
		protocol x86_64-abi
		vbd devid=52016 physical-device=$DISK
		wait-backend 2
		alloc
		publish
		state 3
		sleep ms=2000
		be-write online 0
		be-write state 5
		state 6
		wait-backend 6
		free
		destroy
	END
	ok "the disk answers again" stuck_mend 0
	ok "no remnant is left" wait_for 30 remnants_are 0
	ok "the disk is free" stuck_remove 0
}

# Reads do no harm
reads_pass()
{
	ok "a disk" stuck_disk 0
	ok "it stops to answer" stuck_stop 0
	ok "a guest reads from it" blkfe_guest 52000 /dev/mapper/stuck0 \
		'repeat 4 read queued sector=0 n=8' push
	ok "it is removed by force" stuck_vanish 0
	frontend "another guest connects" - DISK="$(devt_hex /dev/mapper/stuck0)" <<-'END'
		protocol x86_64-abi
		vbd devid=52016 physical-device=$DISK
		connect
		sh "dmsetup resume stuck0"
		read sector=0 n=8
		close
		destroy
	END
	ok "no remnant is left" wait_for 30 remnants_are 0
	ok "the disk is free" stuck_remove 0
}

exchanges()
{
	ok "two disks" each 2 stuck_disk
	ok "one stops to answer" stuck_stop 0
	ok "a guest writes to it" stuck_guest 0
	ok "it is removed by force" stuck_vanish 0
	frontend "another guest's disk is exchanged" - DISK="$(devt_hex /dev/mapper/stuck1)" \
		STUCK="$(devt_hex /dev/mapper/stuck0)" <<-'END'
		protocol x86_64-abi
		vbd devid=52016 physical-device=$DISK
		connect
		be-write physical-device $STUCK
		sleep ms=2500
		expect-be oracle/active-physical-device absent timeout=0
		expect-be waiting "~^waiting for writes of a removed vbd, for [0-9]+ s$"
		write sector=0 n=8
		read sector=0 n=8
		sh "dmsetup resume stuck0"
		expect-be oracle/active-physical-device $STUCK timeout=10000
		expect-be waiting ""
		write sector=8 n=8
		read sector=8 n=8
		close
		destroy
	END
	ok "the disks are free" each 2 stuck_remove
}

# waits_for_stuck0 WHERE DISK: a guest of DISK, which lies above or below
waits_for_stuck0()
{
	frontend "a guest of the disk $1 waits" - DISK="$(devt_hex "$2")" <<-'END'
		protocol x86_64-abi
		vbd devid=52016 physical-device=$DISK
		wait-backend 2
		alloc
		publish
		state 3
		sleep ms=3000
		expect-be state 2 timeout=0
		expect-be waiting "~^waiting for writes of a removed vbd, for [0-9]+ s$"
		sh "dmsetup resume stuck0"
		wait-backend 4
		features
		state 4
		write sector=0 n=8
		read sector=0 n=8
		close
		destroy
	END
	ok "no remnant is left" wait_for 30 remnants_are 0
}

# stuck0 lies on nullb0, and upper on stuck0
through_dm()
{
	stuck_writes 0
	ok "it is removed by force" stuck_vanish 0
	waits_for_stuck0 below /dev/nullb0
	ok "a disk on that" dm_disk upper "0 2048 linear /dev/mapper/stuck0 0"
	ok "it stops to answer" stuck_stop 0
	ok "a guest writes" stuck_guest 0
	ok "it is removed by force" stuck_vanish 0
	waits_for_stuck0 above /dev/mapper/upper
	ok "the upper disk is free" dm_remove upper
	ok "the disk is free" stuck_remove 0
}

# Two disks that lie on a third are two, such as logical volumes of one group
beside_dm()
{
	ok "two disks on a third" each 2 stuck_disk
	ok "one stops to answer" stuck_stop 0
	ok "a guest writes to it" stuck_guest 0
	ok "it is removed by force" stuck_vanish 0
	frontend "a guest of the other one connects" - DISK="$(devt_hex /dev/mapper/stuck1)" <<-'END'
		protocol x86_64-abi
		vbd devid=52016 physical-device=$DISK
		connect
		write sector=0 n=8
		read sector=0 n=8
		close
		destroy
	END
	is "$(remnants)" 1 "the remnant is still there"
	ok "the disk answers again" stuck_mend 0
	ok "no remnant is left" wait_for 30 remnants_are 0
	ok "the disks are free" each 2 stuck_remove
}

# partition NUMBER: of the SCSI disk
partition()
{
	devt_hex "$SCSI_DISK$1"
}

partitions()
{
	ok "a disk with two partitions" scsi_disk max_queue=1 num_parts=2
	ok "they are found" wait_for 10 test -b "${SCSI_DISK}2"
	ok "it takes two seconds" scsi_delay 500
	at_end scsi_delay 0
	ok "a guest writes to the first" blkfe_guest 52000 "${SCSI_DISK}1" \
		'repeat 3 write queued sector=0 n=8' push
	nap 0.5
	ok "it is removed by force" stuck_vanish 0
	frontend "another guest waits for the second" - DISK="$(partition 2)" <<-'END'
		protocol x86_64-abi
		timeout state=30000 io=30000
		vbd devid=52016 physical-device=$DISK
		wait-backend 2
		alloc
		publish
		state 3
		sleep ms=500
		expect-be state 2 timeout=0
		wait-backend 4
		features
		state 4
		read sector=0 n=8
		close
		destroy
	END
	ok "no remnant is left" wait_for 60 remnants_are 0
}

ok "the backend loads" module_load
subtest "not sent" not_sent
ok "a disk in memory, with a cache" null_disk cache_size=16
subtest "barriers not sent" not_sent_barriers
subtest "waits" waits
subtest "gives up" gives_up
subtest "reads pass" reads_pass
subtest "exchanges" exchanges
subtest "through dm" through_dm
subtest "beside dm" beside_dm
subtest "partitions" partitions
ok "the backend unloads" module_unload
done_testing
