#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How long things take that a toolstack does: attaching and detaching while other
# disks hang, many at once, one after the other. For either module:
#
#     tests/lab/lab run -t 1800 -m stock tests/lab/compare.sh [PART...]
#     tests/lab/lab run -t 1800 -m ours tests/lab/compare.sh [PART...]
#
# Not a test: it prints figures, and no wait is longer than $LIMIT seconds. The
# frontends are dom0's own, and share xenwatch with the backend.
#
# Functions are called by name.
# shellcheck disable=SC2317

. /lab/lib.sh

LIMIT=30
NR=20
PARTS=(queued closing full discard open close forced detach many40 many100 cycles unload)

# figure NAME VALUE
figure()
{
	printf '%-48s %s\n' "$1" "$2"
}

# taking COMMAND...: how long until it succeeds
taking()
{
	local begin=${EPOCHREALTIME/./}

	if LAB_POLL=0.02 wait_for "$LIMIT" "$@"; then
		echo "$(ms_since "$begin") ms"
	else
		echo "more than $LIMIT s"
	fi
}

# Conditions that are timed, so they take no process that can be spared
is_gone() { [ ! -e "/sys/bus/xen-backend/devices/vbd-0-$1" ]; }
state_is() { [ "$(xs_read "/local/domain/0/backend/vbd/0/$1/state")" = "$2" ]; }

# others WHEN: another vbd is attached, and detached
others()
{
	local attach detach n=$OTHER_ID

	xenstore-write -- "${OTHER[@]}"
	attach=$(taking state_is "$n" 4)
	hand_closing "$n"
	detach=$(taking is_gone "$n")
	figure "$1: attach another" "$attach"
	figure "$1: detach it" "$detach"
	[[ $attach$detach != *more* ]] || OWED=1
	xenstore-rm "$(backend_path 0 "$n")" "$(frontend_path 0 "$n")"
}

# settle: what a hanging disk has kept from happening happens now
settle()
{
	[ "${OWED-}" ] || return 0
	taking is_gone "$OTHER_ID" >/dev/null
	taking not test -b /dev/xvdz >/dev/null
	OWED=
}

# guest DEVID DEVICE LINE...: see blkfe_guest
guest()
{
	blkfe_guest "$@" >"$LAB_TMP/guest" 2>&1 || diag_file "$LAB_TMP/guest"
}

use_stuck() { guest $((52000 + $1)) "/dev/mapper/stuck$1" 'repeat 8 write queued sector=0 n=8' push; }
forget_stuck() { blkfe_forget $((52000 + $1)); }
end_stuck() { blkfe_closing $((52000 + $1)); }
free_stuck() { wait_for "$LIMIT" is_gone $((52000 + $1)); stuck_remove "$1"; }

stuck()
{
	each "$NR" stuck_disk
	each "$NR" stuck_stop
	each "$NR" use_stuck
}

# mend: the disks answer again, and the vbds go
mend()
{
	each "$NR" stuck_mend
	each "$NR" end_stuck
	figure "$1: all gone when they answer" "$(taking all_gone)"
	each "$NR" forget_stuck
	each "$NR" free_stuck >/dev/null 2>&1
	settle
}
all_gone() { ! compgen -G '/sys/bus/xen-backend/devices/vbd-0-520*' >/dev/null; }

part_queued()
{
	stuck
	others "$NR hanging disks"
	mend "$NR hanging disks"
}

part_closing()
{
	stuck
	each "$NR" end_stuck
	nap 1
	others "$NR vbds closing, disks hang"
	mend "$NR vbds closing, disks hang"
}

part_forced()
{
	stuck
	blkfe_forget 52000
	figure "directory deleted, disk hangs: device gone" "$(taking is_gone 52000)"
	others "directory deleted, disk hangs"
	mend "directory deleted, disk hangs"
}

part_discard()
{
	stuck_disk 0
	stuck_stop 0
	guest 52000 /dev/mapper/stuck0 'repeat 8 discard queued sector=0 nr=64' push
	nap 1
	others "inside a discard"
	blkfe_closing 52000
	nap 1
	others "inside a discard, closing"
	stuck_mend 0
	free_stuck 0
	blkfe_forget 52000
	settle
}

with_scsi()
{
	scsi_disk max_queue=1 >/dev/null && scsi_delay 1250
}

without_scsi()
{
	blkfe_closing 52000 2>/dev/null
	LIMIT=120 taking is_gone 52000 >/dev/null
	blkfe_forget 52000 2>/dev/null
	scsi_delay 0
	wait
	settle
	modprobe -r scsi_debug
}

part_full()
{
	with_scsi
	guest 52000 "$SCSI_DISK" 'repeat 8 write queued sector=0 n=8' push
	nap 1
	others "a full queue"
	blkfe_closing 52000
	nap 1
	others "a full queue, closing"
	without_scsi
}

part_open()
{
	local pairs

	with_scsi
	hold_open_mutex "$SCSI_DISK"
	mapfile -t pairs < <(hand_pairs 52000 "physical-device=$(devt_hex "$SCSI_DISK")")
	xenstore-write -- "${pairs[@]}"
	nap 1
	others "inside an open"
	wait
	hand_closing 52000
	without_scsi
	xenstore-rm "$(frontend_path 0 52000)"
}

part_close()
{
	with_scsi
	scsi_delay 0
	guest 52000 "$SCSI_DISK" 'write sector=0 n=8'
	scsi_delay 1250
	hold_open_mutex "$SCSI_DISK"
	blkfe_closing 52000
	nap 1
	others "inside a close"
	without_scsi
}

# Requests that take two seconds; then the same without any
part_detach()
{
	delayed_disk 2000
	guest 52000 /dev/mapper/slow 'repeat 32 write queued sector=0 n=8' push
	blkfe_closing 52000
	figure "detach, 32 requests of 2 s: Closed" "$(taking state_is 52000 6)"
	figure "detach, 32 requests of 2 s: disk removed" "$(taking dmsetup remove slow)"
	wait_for "$LIMIT" is_gone 52000
	blkfe_forget 52000
	guest 52000 /dev/nullb0 'write sector=0 n=8'
	blkfe_closing 52000
	figure "detach, idle: Closed" "$(taking state_is 52000 6)"
	wait_for "$LIMIT" is_gone 52000
	blkfe_forget 52000
}

part_many40() { many 40; }
part_many100() { many 100; }

# many NR: attached in one transaction, each with a frontend of Linux
many()
{
	local MANY=$1 pairs

	mapfile -t pairs < <(many_pairs /dev/nullb0)
	xenstore-write -- "${pairs[@]}"
	figure "$MANY at once: all Connected" "$(LIMIT=120 taking all_are Connected)"
	figure "$MANY at once: all gone" "$(milliseconds close_many) ms"
}

part_cycles()
{
	local n had has begin

	cycle_script() { for ((n = 0; n < $1; n++)); do
		printf '%s\n' "vbd physical-device=$(devt_hex /dev/nullb0)" connect \
			"write sector=8 n=88" "read sector=8 n=88" destroy
	done; }
	cycle_script 20 >"$LAB_TMP/cycles"
	/job/blkfe "$LAB_TMP/cycles" >/dev/null
	cycle_script 200 >"$LAB_TMP/cycles"
	leak_values >"$LAB_TMP/before"
	had=$(memory_free)
	begin=${EPOCHREALTIME/./}
	/job/blkfe "$LAB_TMP/cycles" >/dev/null || figure "200 cycles" "failed"
	figure "200 cycles" "$(ms_since "$begin") ms"
	nap 3
	has=$(memory_free)
	leak_values >"$LAB_TMP/after"
	figure "200 cycles: memory" "$((had - has)) KiB less"
	figure "200 cycles: left behind" "$(left_behind)"
}

# left_behind: what has changed between two leak_values
left_behind()
{
	diff "$LAB_TMP/before" "$LAB_TMP/after" | sed -n 's/^> //p' | paste -sd, | grep . || echo nothing
}

part_unload()
{
	cp "$LAB_TMP/start" "$LAB_TMP/before"
	leak_values >"$LAB_TMP/after"
	figure "at the end: left behind" "$(left_behind)"
	modprobe -r xen-blkfront
	figure "at the end: unloading" "$(taking modprobe -r xen-blkback)"
	figure "at the end: threads" "$(driver_threads | wc -l)"
}

module_load || exit
frontend_load
null_disk discard=1 >/dev/null
ram_disks 1 16384
OTHER_ID=$(vdev_number xvdz)
mapfile -t OTHER < <(hand_pairs xvdz "physical-device=$(devt_hex /dev/ram0)")
[ $# = 0 ] || PARTS=("$@")
echo "# $LAB_MODULE, Linux $LAB_KERNEL"
others "warming up" >/dev/null
leak_values >"$LAB_TMP/start"
others "alone"
for part in "${PARTS[@]}"; do
	"part_$part"
done
diag "$(klog_splats)"
exit 0
