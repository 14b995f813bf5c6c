# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Disks to serve, in memory or of device mapper, and what dom0 counts of them.

# null_disk [PARAMETER...]: /dev/nullb0, memory-backed unless told otherwise
null_disk()
{
	modprobe -r null_blk
	modprobe null_blk nr_devices=1 memory_backed=1 gb=1 "$@" || return
	at_end modprobe -r null_blk
	wait_for 10 test -b /dev/nullb0
}

# ram_disks NUMBER KIB: /dev/ram0 and so on
ram_disks()
{
	modprobe brd rd_nr="$1" rd_size="$2" && at_end modprobe -r brd
}

# loop_disk MIB: a new /tmp/disk.img, served as /dev/loop9
loop_disk()
{
	truncate -s "$1M" /tmp/disk.img && losetup /dev/loop9 /tmp/disk.img || return
	at_end losetup -d /dev/loop9
}

# scsi_disk [PARAMETER...]: a scsi_debug disk; sets SCSI_DISK to its node
scsi_disk()
{
	modprobe -r scsi_debug
	# Nothing loads it by itself: there is no udev here
	modprobe sd_mod || return
	modprobe scsi_debug dev_size_mb=64 delay=0 "$@" || return
	at_end modprobe -r scsi_debug
	wait_for 10 scsi_debug_node || return
	# shellcheck disable=SC2034 # for the test
	SCSI_DISK=$(scsi_debug_node)
}

scsi_debug_node()
{
	local d

	for d in /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*; do
		[ -d "$d" ] && echo "/dev/${d##*/}" && return
	done
	return 1
}

# dm_disk NAME TABLE: makes /dev/mapper/NAME
dm_disk()
{
	[ -e /sys/module/dm_mod ] || modprobe dm-mod
	dmsetup create "$1" --table "$2" || return
	dmsetup mknodes
	at_end dm_remove "$1"
}

# dm_remove NAME: once its last user is gone
dm_remove()
{
	dmsetup remove --retry "$1"
}

# dm_change NAME TABLE [OPTION]: under its user
dm_change()
{
	dmsetup suspend "${@:3}" "$1" && dmsetup load "$1" --table "$2" && dmsetup resume "$1"
}

# delayed_disk MS [WRITE_MS]: /dev/mapper/slow, which is /dev/nullb0 but takes so
# long to answer, or to answer what is not a read
delayed_disk()
{
	modprobe dm-delay
	dm_disk slow "0 $(blockdev --getsz /dev/nullb0) delay \
		/dev/nullb0 0 $1 ${2:+/dev/nullb0 0 $2}"
}

# devt_hex DEVICE: its number as physical-device has it, MAJOR:MINOR in hex
devt_hex()
{
	printf '%x:%x' $(($(stat -L -c '0x%t' "$1"))) $(($(stat -L -c '0x%T' "$1")))
}

# disk_stat DEVICE reads|read_sectors|writes|write_sectors|discards|flushes: as dom0
# counts what the disk has been given
disk_stat()
{
	local field

	case $2 in
	reads) field=1 ;;
	read_sectors) field=3 ;;
	writes) field=5 ;;
	write_sectors) field=7 ;;
	discards) field=12 ;;
	flushes) field=16 ;;
	esac
	awk -v "field=$field" '{ print $field }' "/sys/dev/block/$(stat -L -c %Hr:%Lr "$1")/stat"
}

# disk_has_size NAME [SECTORS]: it, or any: a node exists before blkfront knows its size
disk_has_size()
{
	local size

	read -r size <"/sys/block/$1/size" || return
	if [ $# = 1 ]; then
		[ "$size" -gt 0 ]
	else
		[ "$size" = "$2" ]
	fi
}
