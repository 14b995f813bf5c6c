#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=1200
#
# What frontends and administrators are told of a disk: the keys in xenstore,
# read-only, CD-ROM, removable, sysfs files, names of thread and interrupt.

. /lab/lib.sh

# key NAME: of dom0's xvda
key()
{
	vbd_key 0 xvda "$1"
}

# sysfs FILE: of dom0's xvda
sysfs()
{
	cat "$(vbd_sysfs 0 xvda)/$1"
}

# refuses_writes DEVICE: the frontend knows, and the backend would not either
refuses_writes()
{
	[ "$(blockdev --getro "$1")" = 1 ] || return
	! dd if=/dev/zero of="$1" bs=4k count=1 oflag=direct conv=nocreat
}

# check_keys SECTOR-SIZE FLUSH: attached with xl
check_keys()
{
	ok "attach" attach_loopback /dev/nullb0 xvda
	is "$(key sectors)" "$(blockdev --getsz /dev/nullb0)" "sectors"
	is "$(key sector-size)" "$1" "sector-size"
	is "$(key physical-sector-size)" "$(blockdev --getpbsz /dev/nullb0)" \
		"physical-sector-size"
	is "$(key info)" 0 "info"
	is "$(key feature-flush-cache)" "$2" "feature-flush-cache"
	is "$(blockdev --getsize64 /dev/xvda)" "$(blockdev --getsize64 /dev/nullb0)" \
		"the frontend has its size"
	is "$(blockdev --getss /dev/xvda)" "$1" "the frontend has its sectors"
}

no_cache()
{
	ok "a disk" null_disk
	check_keys 512 0
	is "$(sysfs physical_device)" "$(devt_hex /dev/nullb0)" "physical_device shows the disk"
	is "$(sysfs mode)" w "mode shows w"
	ok "the thread is named for domain and disk" pgrep -x '0\.xvda(-0)?'
	like "$(cat /proc/interrupts)" ' 0\.xvda|blkif-backend' "so is the interrupt"
	ok "detach" detach xvda
	ok "no thread is left" not pgrep -x '0\.xvda.*'
}

large_sectors()
{
	local told='frontend has feature-large-sector-size: sectors are 512 bytes all the same, not 4096'

	ok "a disk with a cache" null_disk bs=4096 cache_size=8
	check_keys 4096 1
	ok "detach" detach xvda
	not_ok "the log does not speak of them" grep -q "$told" <(klog)
	printf '%s\n' "vbd physical-device=$(devt_hex /dev/nullb0) fe:feature-large-sector-size=1" \
		connect "write sector=8 n=16" "read sector=8 n=16" close reopen connect \
		"read sector=8 n=16" destroy >"$LAB_TMP/large.fe"
	frontend "a frontend that knows them" "$LAB_TMP/large.fe"
	is "$(klog | grep -c "$told")" 1 "the log tells of such a frontend, once"
}

mode_r()
{
	ok "attach with mode r" attach_loopback /dev/nullb0 xvda r
	is "$(key info)" 4 "info says read-only"
	is "$(sysfs mode)" r "mode shows r"
	ok "writes are refused" refuses_writes /dev/xvda
	ok "detach" detach xvda
}

read_only_disk()
{
	blockdev --setro /dev/nullb0
	at_end blockdev --setrw /dev/nullb0
	ok "attach with mode w" attach_loopback /dev/nullb0 xvda w
	is "$(key info)" 4 "info says read-only"
	ok "writes are refused" refuses_writes /dev/xvda
	ok "detach" detach xvda
}

cdrom()
{
	ok "a vbd that the toolstack calls so" hand_attach xvda mode=r \
		device-type=cdrom "physical-device=$(devt_hex /dev/nullb0)"
	ok "connects" wait_for 30 vbd_state_is 0 xvda 4
	is "$(key info)" 5 "info says CD-ROM and read-only"
	ok "it goes" hand_detach xvda
}

removable()
{
	ok "a disk" scsi_disk removable=1
	ok "attach" attach_loopback "$SCSI_DISK" xvda
	is "$(key info)" 2 "info says removable"
	is "$(key feature-flush-cache)" 1 "it has a cache"
	ok "detach" detach xvda
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load
subtest "no cache" no_cache
subtest "sectors of 4 KiB" large_sectors
ok "a disk" null_disk
subtest "mode r" mode_r
subtest "read-only disk" read_only_disk
subtest "CD-ROM" cdrom
subtest "removable" removable
ok "the backend unloads" module_unload
done_testing
