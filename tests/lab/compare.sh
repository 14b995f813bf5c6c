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
BE=/local/domain/0/backend/vbd/0
FE=/local/domain/0/blkfe/vbd

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
		echo "$(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
	else
		echo "more than $LIMIT s"
	fi
}

is_gone() { [ ! -e "/sys/bus/xen-backend/devices/vbd-0-$1" ]; }
state_is() { [ "$(xs_read "$BE/$1/state")" = "$2" ]; }

# close_it DEVID: as libxl does, with a frontend that is Closed
close_it()
{
	xenstore-write "$BE/$1/online" 0 "$BE/$1/state" 5 "$FE/$1/state" 6
}

# others WHEN: another vbd is attached, and detached
others()
{
	local attach detach n=$OTHER_ID

	xenstore-write -- "${OTHER[@]}"
	attach=$(taking state_is "$n" 4)
	xenstore-write "$BE/$n/online" 0 "$BE/$n/state" 5
	detach=$(taking is_gone "$n")
	figure "$1: attach another" "$attach"
	figure "$1: detach it" "$detach"
	[[ $attach$detach != *more* ]] || OWED=1
	xenstore-rm "$BE/$n" "/local/domain/0/device/vbd/$n"
}

# settle: what a hanging disk has kept from happening happens now
settle()
{
	[ "${OWED-}" ] || return 0
	taking is_gone "$OTHER_ID" >/dev/null
	taking not test -b /dev/xvdz >/dev/null
	OWED=
}

# guest DEVID DEVICE LINE...: a guest connects, says that, and dies
guest()
{
	local devid=$1 dev=$2

	shift 2
	/job/blkfe --keep - <<-END >"$LAB_TMP/guest" 2>&1 || sed 's/^/# /' "$LAB_TMP/guest"
	vbd devid=$devid physical-device=$(devt_hex "$dev")
	connect
	$(printf '%s\n' "$@")
	END
}

# forget DEVID: both directories at once, as libxl's last resort
forget()
{
	xenstore-rm "$BE/$1"
	xenstore-rm "$FE/$1" 2>/dev/null
}

each() { local n; for ((n = 0; n < NR; n++)); do "$@" "$n"; done; }
make_stuck() { dmsetup create "stuck$1" --table "0 2048 linear /dev/nullb0 $((2048 * $1))"; }
stop_stuck() { dmsetup suspend --noflush --nolockfs "stuck$1"; }
use_stuck() { guest $((52000 + $1)) "/dev/mapper/stuck$1" 'repeat 8 write queued sector=0 n=8' push; }
mend_stuck() { dmsetup resume "stuck$1"; }
forget_stuck() { forget $((52000 + $1)); }
end_stuck() { close_it $((52000 + $1)); }
free_stuck() { wait_for "$LIMIT" is_gone $((52000 + $1)); dmsetup remove --retry "stuck$1"; }

stuck()
{
	each make_stuck
	dmsetup mknodes
	each stop_stuck
	each use_stuck
}

# mend: the disks answer again, and the vbds go
mend()
{
	each mend_stuck
	each end_stuck
	figure "$1: all gone when they answer" "$(taking all_gone)"
	each forget_stuck
	each free_stuck >/dev/null 2>&1
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
	each end_stuck
	nap 1
	others "$NR vbds closing, disks hang"
	mend "$NR vbds closing, disks hang"
}

part_forced()
{
	stuck
	forget 52000
	figure "directory deleted, disk hangs: device gone" "$(taking is_gone 52000)"
	others "directory deleted, disk hangs"
	mend "directory deleted, disk hangs"
}

part_discard()
{
	make_stuck 0
	dmsetup mknodes
	stop_stuck 0
	guest 52000 /dev/mapper/stuck0 'repeat 8 discard queued sector=0 nr=64' push
	nap 1
	others "inside a discard"
	close_it 52000
	nap 1
	others "inside a discard, closing"
	mend_stuck 0
	free_stuck 0
	forget 52000
	settle
}

# slow JIFFIES: for each command of the SCSI disk, one at a time
slow()
{
	wait_for 60 eval "echo $1 >/sys/bus/pseudo/drivers/scsi_debug/delay"
}

with_scsi()
{
	scsi_disk max_queue=1 >/dev/null && slow 1250
}

without_scsi()
{
	close_it 52000 2>/dev/null
	LIMIT=120 taking is_gone 52000 >/dev/null
	forget 52000 2>/dev/null
	slow 0
	wait
	settle
	modprobe -r scsi_debug
}

# hold_open_mutex: whoever opens or closes the disk waits
hold_open_mutex()
{
	blockdev --rereadpt "$SCSI_DISK" 2>/dev/null &
	nap 0.5
}

part_full()
{
	with_scsi
	guest 52000 "$SCSI_DISK" 'repeat 8 write queued sector=0 n=8' push
	nap 1
	others "a full queue"
	close_it 52000
	nap 1
	others "a full queue, closing"
	without_scsi
}

part_open()
{
	local pairs

	with_scsi
	hold_open_mutex
	mapfile -t pairs < <(hand_pairs 52000 "physical-device=$(devt_hex "$SCSI_DISK")")
	xenstore-write -- "${pairs[@]}"
	nap 1
	others "inside an open"
	wait
	xenstore-write "$BE/52000/online" 0 "$BE/52000/state" 5
	without_scsi
	xenstore-rm /local/domain/0/device/vbd/52000
}

part_close()
{
	with_scsi
	slow 0
	guest 52000 "$SCSI_DISK" 'write sector=0 n=8'
	slow 1250
	hold_open_mutex
	close_it 52000
	nap 1
	others "inside a close"
	without_scsi
}

# Requests that take two seconds; then the same without any
part_detach()
{
	modprobe -q dm-delay
	dmsetup create slow --table "0 2048 delay /dev/nullb0 0 2000"
	dmsetup mknodes
	guest 52000 /dev/mapper/slow 'repeat 32 write queued sector=0 n=8' push
	close_it 52000
	figure "detach, 32 requests of 2 s: Closed" "$(taking state_is 52000 6)"
	figure "detach, 32 requests of 2 s: disk removed" "$(taking dmsetup remove slow)"
	wait_for "$LIMIT" is_gone 52000
	forget 52000
	guest 52000 /dev/nullb0 'write sector=0 n=8'
	close_it 52000
	figure "detach, idle: Closed" "$(taking state_is 52000 6)"
	wait_for "$LIMIT" is_gone 52000
	forget 52000
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
	figure "200 cycles" "$(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
	nap 3
	has=$(memory_free)
	leak_values >"$LAB_TMP/after"
	figure "200 cycles: memory" "$((had - has)) KiB less"
	figure "200 cycles: left behind" "$(left_behind)"
}

memory_free()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^MemFree/ { print $2 }' /proc/meminfo
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
modprobe dm-mod
modprobe brd rd_nr=1 rd_size=16384
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
klog | grep -E "$LAB_SPLAT" | grep -v -e 'lab: test' -e clocksource | sed 's/^/# /'
exit 0
