#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# Disks of all kinds that a Debian kernel offers: data from both sides, flushes
# if they have a cache, and requests that do not fit their sectors.

. /lab/lib.sh

# disk_stat DISK FIELD: of the disk's own statistics; 16 are flushes
disk_stat()
{
	awk "{ print \$$2 }" "/sys/dev/block/$(stat -L -c %Hr:%Lr "$1")/stat"
}

# check_disk DISK STEP CACHE WHAT [COUNTS]: COUNTS is the device that counts the
# flushes of DISK, if it does not do so itself
check_disk()
{
	local disk=$1 counts=${5:-$1} flushes

	ok "$4: attach" disk_attach "$disk" xvda || return
	is "$(blockdev --getss --getsize64 /dev/xvda | paste -sd' ')" \
		"$(blockdev --getss --getsize64 "$disk" | paste -sd' ')" \
		"$4: the frontend has its sectors and size"
	is "$(xs_read "$(backend_path 0 xvda)/feature-flush-cache")" "$3" \
		"$4: feature-flush-cache"
	ok "$4: fio verifies" fio_verify /dev/xvda --rw=randrw --bsrange="$2-256k" \
		--blockalign="$2" --iodepth=16 --size=4m
	ok "$4: the frontend writes" random_through /dev/xvda 3
	ok "$4: dom0 finds the same bytes on the disk" holds_random "$disk" direct
	ok "$4: and the frontend reads them" holds_random /dev/xvda direct
	flushes=$(disk_stat "$counts" 16)
	ok "$4: the frontend syncs" \
		dd if=/dev/zero of=/dev/xvda bs=4k count=1 conv=fsync,nocreat,notrunc
	is $(($(disk_stat "$counts" 16) - flushes)) "$3" "$4: flushes that reach the disk"
	is "$(vbd_stat 0 xvda err_req)" 0 "$4: no request was refused or failed"
	ok "$4: detach" hand_detach xvda
}

refusals()
{
	klog | grep -c 'refused operation.*not aligned to the logical block size'
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load
leak_snapshot

ok "null_blk" null_disk
check_disk /dev/nullb0 512 0 "null_blk"
ok "null_blk with a cache and 4-KiB sectors" null_disk bs=4096 cache_size=8
check_disk /dev/nullb0 4096 1 "null_blk, 4 KiB, cache"
frontend "misaligned" misaligned.fe DISK="$(devt_hex /dev/nullb0)"
isnt "$(refusals)" 0 "the driver has said why"
is "$(klog | grep -c 'I/O error, dev nullb0')" 0 "the disk has seen none"

ok "brd" modprobe brd rd_nr=1 rd_size=32768
at_end modprobe -r brd
check_disk /dev/ram0 512 0 "brd"

truncate -s 32M /tmp/disk.img
ok "a loop device" losetup /dev/loop9 /tmp/disk.img
at_end losetup -d /dev/loop9
modprobe dm-mod
ok "dm-linear over it" dmsetup create linear --table "0 65536 linear /dev/loop9 0"
dmsetup mknodes
at_end dmsetup remove linear
check_disk /dev/mapper/linear 512 1 "dm-linear over loop" /dev/loop9

ok "scsi_debug" scsi_disk
check_disk "$SCSI_DISK" 512 1 "scsi_debug"
ok "scsi_debug with 4-KiB sectors" scsi_disk sector_size=4096
check_disk "$SCSI_DISK" 4096 1 "scsi_debug, 4 KiB"
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
