# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Disks that do not answer, and slow ones that hold up whoever opens or closes them.
# Guest N, whose vbd is number 52000 + N, has /dev/mapper/stuckN. And the vbds that
# are left of guests whose disks do not answer.

REMNANTS=/sys/kernel/debug/xen-blkback/remnants

# each NUMBER COMMAND...: COMMAND 0, COMMAND 1 and so on; fails if one of them has
each()
{
	local n status=0

	for ((n = 0; n < $1; n++)); do
		"${@:2}" "$n" || status=1
	done
	return $status
}

# stuck_disk N: 1 MiB of /dev/nullb0; answers until stuck_stop
stuck_disk()
{
	dm_disk "stuck$1" "0 2048 linear /dev/nullb0 $((2048 * $1))" && at_end stuck_mend "$1"
}

stuck_stop()
{
	dmsetup suspend --noflush --nolockfs "stuck$1"
}

stuck_mend()
{
	dmsetup resume "stuck$1"
}

stuck_remove()
{
	dm_remove "stuck$1"
}

# stuck_guest N: connects, has eight writes outstanding, and dies
stuck_guest()
{
	blkfe_guest $((52000 + $1)) "/dev/mapper/stuck$1" 'repeat 8 write queued sector=0 n=8' push
}

# stuck_writes N: a disk that has stopped to answer the writes of a guest
stuck_writes()
{
	ok "a disk" stuck_disk "$1"
	ok "it stops to answer" stuck_stop "$1"
	ok "a guest writes" stuck_guest "$1"
}

# stuck_vanish N: guest N is removed by force
stuck_vanish()
{
	blkfe_vanish $((52000 + $1))
}

# remnants: their number
remnants()
{
	find "$REMNANTS" -type f | wc -l
}

# remnants_are NUMBER: for wait_for
remnants_are()
{
	[ "$(remnants)" = "$1" ]
}

# scsi_delay JIFFIES: the SCSI disk takes so long for each command, one at a time. It
# can be set when no command is in work.
scsi_delay()
{
	wait_for 60 eval "echo $1 >/sys/bus/pseudo/drivers/scsi_debug/delay"
}

# hold_open_mutex DISK: in the background, whoever opens or closes the disk waits
hold_open_mutex()
{
	blockdev --rereadpt "$1" 2>/dev/null &
	nap 0.5
}
