#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# Toolstack and guest write to xenstore while the backend waits for the disk, or
# write the same state once more: what it says afterwards is an answer to that, and
# not to what stood there before.

. /lab/lib.sh

# dirty_cache: dom0 has written to the disk, which takes nothing. Its node stays open,
# since the last one to close it would wait for that.
dirty_cache()
{
	dd if=/dev/zero of=/dev/mapper/stuck0 bs=4k count=8 conv=nocreat,notrunc status=none
}

# A frontend that has closed takes Connected for a new beginning
connecting()
{
	ok "a disk" stuck_disk 0
	exec {LAB_STUCK}</dev/mapper/stuck0
	ok "it stops to answer" stuck_stop 0
	ok "its cache is dirty" dirty_cache
	frontend "detached while it connects" - STUCK="$(devt_hex /dev/mapper/stuck0)" <<-'END'
		protocol x86_64-abi
		vbd physical-device=$STUCK
		wait-backend 2
		alloc
		publish
		state 3
		sleep ms=1500
		expect-be state 2 timeout=0
		expect-be waiting "~^writing back the disk's cache"
		be-write online 0
		be-write state 5
		state 5
		state 6
		sleep ms=500
		sh "dmsetup resume stuck0"
		wait-backend 4 6
		expect-be state 6 timeout=0
		free
		destroy
	END
	exec {LAB_STUCK}<&-
	ok "the disk is free" stuck_remove 0
}

# One that has no driver any more is not waited for
starting_again()
{
	ok "a disk that takes three seconds" delayed_disk 3000
	frontend "detached while it starts again" - SLOW="$(devt_hex /dev/mapper/slow)" <<-'END'
		protocol x86_64-abi
		vbd physical-device=$SLOW
		connect
		write sector=0 n=8 queued
		push
		state 1
		sleep ms=1000
		expect-be state 4 timeout=0
		be-write online 0
		be-write state 5
		timeout state=8000
		wait-backend 2 6
		expect-be state 6 timeout=0
		abandon
		free
		destroy
	END
}

# A guest that resumes in place has other rings, and says 3 as if nothing were
resuming()
{
	ok "a disk that takes two seconds" delayed_disk 2000
	frontend "other rings" - DISK="$(devt_hex /dev/nullb0)" <<-'END'
		protocol x86_64-abi
		vbd physical-device=$DISK
		connect
		write sector=0 n=8
		renew
		publish
		state 3
		wait-backend 4
		features
		state 4
		read sector=0 n=8
		write sector=8 n=88
		read sector=8 n=88
		state 4
		state 3
		sleep ms=500
		expect-be state 4 timeout=0
		read sector=0 n=8
		expect-error absent timeout=0
		close
		reopen
		ring pages=4 queues=2
		connect
		write sector=0 n=8 queue=1
		renew
		publish
		state 4
		write sector=16 n=8 queue=1
		read sector=0 n=8
		read sector=16 n=8 queue=0
		close
		destroy
	END
	frontend "other rings, while requests are in flight" - SLOW="$(devt_hex /dev/mapper/slow)" <<-'END'
		protocol x86_64-abi
		vbd physical-device=$SLOW
		connect
		repeat 4 read sector=0 n=8 queued
		push
		renew
		publish
		state 3
		timeout io=20000
		read sector=8 n=8
		close
		destroy
	END
	frontend "other rings before the disk" - DISK="$(devt_hex /dev/nullb0)" <<-'END'
		protocol x86_64-abi
		vbd mode=w
		wait-backend 2
		alloc
		publish
		state 3
		sleep ms=500
		renew
		publish
		state 3
		sleep ms=500
		be-write physical-device $DISK
		wait-backend 4
		features
		state 4
		read sector=0 n=8
		close
		destroy
	END
}

# replacements N: a script of blkfe that makes the directories anew N times, in one
# transaction each, as soon as it sees Closed
# shellcheck disable=SC2016 # variables of blkfe
replacements()
{
	local n

	echo 'vbd physical-device=$DISK'
	for ((n = 0; n < $1; n++)); do
		printf '%s\n' 'wait-backend 2' 'be-write online 0' 'be-write state 5' \
			'wait-backend 6' 'replace physical-device=$DISK'
	done
	printf '%s\n' 'connect' 'write sector=0 n=8' 'read sector=0 n=8' 'close' 'destroy'
}

replaced()
{
	frontend "directories replaced" - DISK="$(devt_hex /dev/nullb0)" < <(replacements 200)
}

driver() { echo "vbd-0-52000" >"/sys/bus/xen-backend/drivers/vbd/$1"; }

# An unbind waits for the disk, but not if the toolstack deletes the vbd meanwhile
unbound_and_deleted()
{
	local begin=${EPOCHREALTIME/./} unbind

	stuck_writes 0
	driver unbind &
	unbind=$!
	nap 1
	blkfe_forget 52000
	wait $unbind
	le "$(ms_since "$begin")" 6000 "the driver is unbound soon"
	ok "the device goes" wait_for 10 vbd_is_gone 0 52000
	ok "the disk answers again" stuck_mend 0
	ok "no remnant is left" wait_for 30 remnants_are 0
	ok "the disk is free" stuck_remove 0
}

# The unbind has given up by then: the disk gets no more from that moment on
unbound_and_deleted_late()
{
	local before

	ok "a disk with a cache" null_disk cache_size=16
	ok "a disk" stuck_disk 0
	before=$(disk_stat /dev/nullb0 writes)
	ok "it stops to answer" stuck_stop 0
	ok "a guest writes, with a barrier in between" blkfe_guest 52000 /dev/mapper/stuck0 \
		'repeat 2 write queued sector=0 n=8' 'barrier queued sector=8 n=8' \
		'repeat 8 write queued sector=16 n=8' push
	nap 0.5
	ok "the driver is unbound" driver unbind
	is "$(remnants)" 1 "a remnant is left"
	nap 2
	ok "the vbd is deleted" stuck_vanish 0
	nap 2
	ok "the disk answers again" stuck_mend 0
	ok "no remnant is left" wait_for 30 remnants_are 0
	is $(($(disk_stat /dev/nullb0 writes) - before)) 2 "the disk had two writes, and no more"
	ok "the disk is free" stuck_remove 0
}

# Closed would tell the toolstack that the disk is free
unbound_and_closing()
{
	stuck_writes 0
	blkfe_closing 52000
	ok "the driver is unbound" driver unbind
	is "$(vbd_state 0 52000)" 5 "the vbd is not Closed: the disk is open"
	ok "the disk answers again" stuck_mend 0
	ok "no remnant is left" wait_for 30 remnants_are 0
	ok "the driver is bound" driver bind
	ok "now it is Closed" wait_for 10 vbd_state_is 0 52000 6
	ok "the disk is free" stuck_remove 0
}

ok "the backend loads" module_load max_queues=2
ok "a disk in memory" null_disk
subtest "connecting" connecting
subtest "starting again" starting_again
subtest "resuming" resuming
subtest "replaced" replaced
subtest "unbound and deleted" unbound_and_deleted
subtest "unbound and closing" unbound_and_closing
subtest "unbound, deleted late" unbound_and_deleted_late
ok "the backend unloads" module_unload
done_testing
