#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=1200
#
# What frontends and administrators are told of a disk: the keys in xenstore,
# read-only, CD-ROM, removable, sysfs files, names of thread and interrupt.

. /lab/lib.sh

# key VDEV NAME
key()
{
	xs_read "$(backend_path 0 "$1")/$2"
}

# refuses_writes DEVICE: the frontend knows, and the backend would not either
refuses_writes()
{
	[ "$(blockdev --getro "$1")" = 1 ] || return
	! dd if=/dev/zero of="$1" bs=4k count=1 oflag=direct conv=nocreat
}

check_keys()
{
	ok "attach" attach_loopback /dev/nullb0 xvda
	is "$(key xvda sectors)" "$(blockdev --getsz /dev/nullb0)" "$1: sectors"
	is "$(key xvda sector-size)" "$2" "$1: sector-size"
	is "$(key xvda physical-sector-size)" \
		"$(blockdev --getpbsz /dev/nullb0)" "$1: physical-sector-size"
	is "$(key xvda info)" 0 "$1: info"
	is "$(key xvda feature-flush-cache)" "$3" "$1: feature-flush-cache"
	is "$(blockdev --getsize64 /dev/xvda)" "$(blockdev --getsize64 /dev/nullb0)" \
		"$1: the frontend has its size"
	is "$(blockdev --getss /dev/xvda)" "$2" "$1: the frontend has its sectors"
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load

ok "a disk without a cache" null_disk
check_keys "no cache" 512 0
is "$(cat "$(vbd_sysfs 0 xvda)/physical_device")" "$(devt_hex /dev/nullb0)" \
	"physical_device shows the disk"
is "$(cat "$(vbd_sysfs 0 xvda)/mode")" w "mode shows w"
ok "the thread is named for domain and disk" pgrep -x '0\.xvda(-0)?'
like "$(cat /proc/interrupts)" ' 0\.xvda|blkif-backend' "so is the interrupt"
ok "detach" detach xvda
ok "no thread is left" not pgrep -x '0\.xvda.*'

ok "a disk with a cache and 4-KiB sectors" null_disk bs=4096 cache_size=8
check_keys "4 KiB and cache" 4096 1
ok "detach" detach xvda
told='frontend has feature-large-sector-size: sectors are 512 bytes all the same, not 4096'
not_ok "the log does not speak of large sectors" grep -q "$told" <(klog)
printf '%s\n' "vbd physical-device=$(devt_hex /dev/nullb0) fe:feature-large-sector-size=1" \
	connect "write sector=8 n=16" "read sector=8 n=16" close reopen connect \
	"read sector=8 n=16" destroy >"$LAB_TMP/large.fe"
frontend "large sectors" "$LAB_TMP/large.fe"
is "$(klog | grep -c "$told")" 1 "the log tells of such a frontend, once"

ok "attach with mode r" attach_loopback /dev/nullb0 xvda r
is "$(key xvda info)" 4 "info says read-only"
is "$(cat "$(vbd_sysfs 0 xvda)/mode")" r "mode shows r"
ok "writes are refused" refuses_writes /dev/xvda
ok "detach" detach xvda

blockdev --setro /dev/nullb0
ok "attach a read-only disk with mode w" attach_loopback /dev/nullb0 xvda w
is "$(key xvda info)" 4 "info says read-only"
ok "writes are refused" refuses_writes /dev/xvda
ok "detach" detach xvda
blockdev --setrw /dev/nullb0

frontend_load
ok "a vbd that the toolstack calls a CD-ROM" hand_attach xvdb mode=r \
	device-type=cdrom "physical-device=$(devt_hex /dev/nullb0)"
ok "connects" wait_for 30 vbd_state_is 0 xvdb 4
is "$(key xvdb info)" 5 "info says CD-ROM and read-only"
ok "it goes" hand_detach xvdb

ok "a removable disk" scsi_disk removable=1
ok "attach" attach_loopback "$SCSI_DISK" xvda
is "$(key xvda info)" 2 "info says removable"
is "$(key xvda feature-flush-cache)" 1 "it has a cache"
ok "detach" detach xvda
ok "the backend unloads" module_unload
done_testing
