#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=1800
#
# PV and PVH guests: data verified in the guest and compared in dom0, again
# after a reboot, and a guest that is destroyed in the middle of its I/O.

. /lab/lib.sh

# md5 FILE: a command for either side
md5()
{
	echo "head -c 8M $1 | md5sum | cut -d' ' -f1"
}

# guest_writes NAME: random bytes; prints their checksum
guest_writes()
{
	guest_run "$1" "set -e
		head -c 8M /dev/urandom >/tmp/random
		dd if=/tmp/random of=/dev/xvda bs=1M oflag=direct conv=fsync status=none
		$(md5 /tmp/random)"
}

dom0_md5()
{
	flushed /dev/nullb0 eval "$(md5 /dev/nullb0)"
}

guest_fio()
{
	guest_run "$1" 'fio --name=x --filename=/dev/xvda --offset=16m --size=8m --rw=randrw \
		--bsrange=512-44k --iodepth=32 --direct=1 --ioengine=libaio --thread \
		--verify=crc32c --verify_fatal=1 --minimal'
}

reboot_guest()
{
	case $1 in
	*pvh) guest_send "$1" 'sync; echo b >/proc/sysrq-trigger; sleep 60' ;;
	*) xl reboot "$1" ;;
	esac
}

check_guest()
{
	local name=guest-$1 sum

	ok "it starts" guest_start "$name" "$1" phy:/dev/nullb0,xvda,w || bail "no $1 guest"
	ok "fio verifies" guest_fio "$name"
	sum=$(guest_writes "$name")
	like "$sum" '^[0-9a-f]{32}$' "it writes random bytes"
	is "$(dom0_md5)" "$sum" "dom0 finds them on the disk"
	ok "it reboots" guest_reboot "$name" reboot_guest "$name" ||
		bail "no reboot"
	is "$(guest_run "$name" "$(md5 /dev/xvda)")" "$sum" "they are there after"
	ok "fio verifies after" guest_fio "$name"
	guest_send "$name" 'dd if=/dev/zero of=/dev/xvda bs=44k oflag=direct'
	ok "it writes without end" wait_for 30 is_writing "$name"
	ok "destroyed while it writes" guest_destroy "$name"
}

# is_writing NAME: more than the reboot's fio has written
is_writing()
{
	[ "$(vbd_stat "$(guest_domid "$1")" xvda wr_sect)" -gt 65536 ]
}

ok "the backend loads" module_load
ok "a disk in memory" null_disk
subtest pv check_guest pv
subtest pvh check_guest pvh
ok "the backend unloads" module_unload
done_testing
