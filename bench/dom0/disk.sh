# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The disks that are measured: null_blk, which answers at once or takes its time. KIND is
# how one is made, and its name under /dev:
#
#   inline           answers inside the submission, as no real disk does
#   500us-t64        takes 500 us for each request, and has 64 tags; ms as well
#   500us-t64-cache  has a write cache, which it must be told to flush

NULL_BLK=/sys/kernel/config/nullb

# disk_settings KIND: files of a disk in configfs, NAME=VALUE
disk_settings()
{
	local time tags cache

	echo size=4096
	[ "$1" != inline ] || return 0
	IFS=- read -r time tags cache <<<"$1"
	echo "irqmode=2 completion_nsec=$(disk_us "$1")000 hw_queue_depth=${tags#t}"
	# null_blk has a cache only of data that it keeps
	[ -z "$cache" ] || echo memory_backed=1 cache_size=64
}

# disk_us KIND: the time that it takes for a request
disk_us()
{
	local time=${1%%-*}

	case $time in
	*us) echo "${time%us}" ;;
	*ms) echo "${time%ms}000" ;;
	*) echo 0 ;;
	esac
}

# disk KIND: the one that is used from now on. Made when it is first asked for.
disk()
{
	local setting

	DISK=/dev/$1
	[ ! -b "$DISK" ] || return 0
	disk_load
	mkdir "$NULL_BLK/$1" || die "no disk $1"
	for setting in $(disk_settings "$1") power=1; do
		echo "${setting#*=}" >"$NULL_BLK/$1/${setting%%=*}" || die "$1: no $setting"
	done
	wait_for 10 test -b "$DISK" || die "no $DISK"
}

disk_load()
{
	[ ! -d "$NULL_BLK" ] || return 0
	modprobe null_blk nr_devices=0 || die "null_blk does not load"
	mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config ||
		die "no configfs"
}
