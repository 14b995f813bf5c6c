#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=1200
#
# Disks that are in use, fail, shrink, or vanish under a running frontend: it
# gets errors, and can be detached and get a good disk.

. /lab/lib.sh

read_at()
{
	dd if=/dev/xvda of=/dev/null bs=4k skip="$1" count=4 iflag=direct
}

write_at()
{
	dd if=/dev/zero of=/dev/xvda bs=4k seek="$1" count=4 oflag=direct conv=nocreat,notrunc
}

in_use()
{
	mkfs.ext4 -q /dev/nullb0 64m
	ok "mounted in dom0" mount /dev/nullb0 /mnt
	at_end umount /mnt
	not_ok "a busy disk is not served" xl block-attach 0 phy:/dev/nullb0 xvda w
	is "$(vbd_state 0 xvda)" 2 "the backend waits"
	ok "detach" detach xvda
	umount /mnt
	not_ok "a disk that does not exist is not" xl block-attach 0 phy:/dev/nonesuch xvda w
}

fails()
{
	local size

	size=$(blockdev --getsz /dev/nullb0)
	ok "a disk of device mapper" dm_disk trouble "0 $size linear /dev/nullb0 0"
	ok "attach" attach_loopback /dev/mapper/trouble xvda
	ok "it works" write_at 0
	ok "it breaks" dm_change trouble "0 $size error" --noflush
	not_ok "reads fail" read_at 0
	not_ok "writes fail" write_at 0
	isnt "$(vbd_stat 0 xvda err_req)" 0 "errors are counted"
	ok "it is whole again" dm_change trouble "0 $size linear /dev/nullb0 0" --noflush
	ok "reads work" read_at 0
	ok "writes work" write_at 0
	ok "detach" detach xvda
	ok "the disk is free" dm_remove trouble
}

vanishes()
{
	ok "a SCSI disk" scsi_disk
	ok "attach" attach_loopback "$SCSI_DISK" xvda
	ok "it works" write_at 0
	echo 1 >"/sys/block/${SCSI_DISK#/dev/}/device/delete"
	not_ok "it vanishes: reads fail" read_at 0
	not_ok "writes fail" write_at 0
	ok "an error in xenstore says so" wait_for 10 vbd_error_like 0 xvda "has vanished\$"
	nap 2
	isnt "$(cat /sys/block/xvda/size)" 0 "it does not look like a resize"
	not_ok "reads fail still" read_at 0
	ok "detach" detach xvda
	ok "its driver is free" modprobe -r scsi_debug
}

shrinks()
{
	ok "a loop device" loop_disk 16
	ok "attach" attach_loopback /dev/loop9 xvda
	ok "its end works" read_at 4000
	truncate -s 8M /tmp/disk.img
	ok "the file shrinks" losetup -c /dev/loop9
	ok "the frontend learns of it" wait_for 30 disk_has_size xvda 16384
	not_ok "reads beyond the end fail" read_at 4000
	not_ok "writes beyond the end fail" write_at 4000
	is "$(stat -c %s /tmp/disk.img)" 8388608 "the file did not grow"
	ok "reads before it work" read_at 0
	ok "detach" detach xvda
}

good()
{
	ok "is served after all that" attach_loopback /dev/nullb0 xvda
	ok "and works" write_at 0
	ok "detach" detach xvda
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load
ok "a disk in memory" null_disk
subtest "in use" in_use
subtest "fails" fails
subtest "vanishes" vanishes
subtest "shrinks" shrinks
subtest "a good disk" good
ok "the backend unloads" module_unload
done_testing
