#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# Disks of all kinds that a Debian kernel offers: data from both sides, flushes
# if they have a cache, and requests that do not fit their sectors.

. /lab/lib.sh

# check_disk DISK STEP CACHE [COUNTS]: COUNTS is the device that counts the flushes of
# DISK, if it does not do so itself
check_disk()
{
	local disk=$1 counts=${4:-$1} flushes

	ok "attach" disk_attach "$disk" xvda || return
	is "$(blockdev --getss --getsize64 /dev/xvda | paste -sd' ')" \
		"$(blockdev --getss --getsize64 "$disk" | paste -sd' ')" \
		"the frontend has its sectors and size"
	is "$(vbd_key 0 xvda feature-flush-cache)" "$3" "feature-flush-cache"
	ok "fio verifies" fio_verify /dev/xvda --rw=randrw --bsrange="$2-256k" \
		--blockalign="$2" --iodepth=16 --size=4m
	ok "the frontend writes" random_through /dev/xvda 3
	ok "dom0 finds the same bytes on the disk" holds_random "$disk" direct
	ok "and the frontend reads them" holds_random /dev/xvda direct
	flushes=$(disk_stat "$counts" flushes)
	ok "the frontend syncs" \
		dd if=/dev/zero of=/dev/xvda bs=4k count=1 conv=fsync,nocreat,notrunc
	is $(($(disk_stat "$counts" flushes) - flushes)) "$3" "flushes that reach the disk"
	is "$(vbd_stat 0 xvda err_req)" 0 "no request was refused or failed"
	ok "detach" hand_detach xvda
}

refusals()
{
	klog | grep -c 'refused operation.*not aligned to the logical block size'
}

null_blk()
{
	ok "a disk" null_disk
	check_disk /dev/nullb0 512 0
}

large_sectors()
{
	ok "a disk with a cache" null_disk bs=4096 cache_size=8
	check_disk /dev/nullb0 4096 1
	frontend "misaligned" misaligned.fe DISK="$(devt_hex /dev/nullb0)"
	isnt "$(refusals)" 0 "the driver has said why"
	is "$(klog | grep -c 'I/O error, dev nullb0')" 0 "the disk has seen none"
}

brd()
{
	ok "a disk" ram_disks 1 32768
	check_disk /dev/ram0 512 0
}

linear()
{
	ok "a loop device" loop_disk 32
	ok "dm-linear over it" dm_disk linear "0 65536 linear /dev/loop9 0"
	check_disk /dev/mapper/linear 512 1 /dev/loop9
}

# scsi SECTOR-SIZE
scsi()
{
	ok "a disk" scsi_disk sector_size="$1"
	check_disk "$SCSI_DISK" "$1" 1
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load
subtest "null_blk" null_blk
subtest "null_blk, 4 KiB, cache" large_sectors
subtest "brd" brd
subtest "dm-linear over loop" linear
subtest "scsi_debug" scsi 512
subtest "scsi_debug, 4 KiB" scsi 4096
ok "the backend unloads" module_unload
done_testing
