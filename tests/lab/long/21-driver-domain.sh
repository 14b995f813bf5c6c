#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# The module in a driver domain: a PV guest serves a disk of its own to dom0,
# to blkfe and to Linux's frontend; then it is destroyed, and comes again.

. /lab/lib.sh

# lab_disk SERIAL: the machine's disks are served to the driver domain
lab_disk()
{
	local d

	for d in /sys/block/vd*; do
		[ "$(cat "$d/serial")" != "$1" ] || echo "/dev/${d##*/}"
	done
}

# The stock module is in the image of all modules, ours on the job's disk
# shellcheck disable=SC2016 # the guest expands it
guest_modules='set -e
	mkdir -p /tmp/all /tmp/job /tmp/m/lib/modules
	mount -t squashfs -o ro /dev/xvdy /tmp/all
	mount -t squashfs -o ro /dev/xvdx /tmp/job
	ln -s /tmp/all /tmp/m/lib/modules/$(uname -r)
	modprobe -d /tmp/m null_blk nr_devices=1 memory_backed=1 gb=1
	if [ -e /tmp/job/modules ]; then
		insmod /tmp/job/modules/updates/xen-blkback.ko
	else
		modprobe -d /tmp/m xen-blkback
	fi'

start_driver_domain()
{
	ok "a guest starts" guest_start dd pv "phy:$(lab_disk modules),xvdy,r" \
		"phy:$(lab_disk job),xvdx,r" || bail "no driver domain"
	dd=$(guest_domid dd)
	ok "the backend loads there" guest_run dd "$guest_modules" || bail "no backend"
	# shellcheck disable=SC2016 # the guest expands it
	DISK=$(guest_run dd 'IFS=: read -r a b </sys/block/nullb0/dev; printf %x:%x "$a" "$b"')
	BE=/local/domain/$dd/backend/vbd/0/51712
	FE=/local/domain/0/device/vbd/51712
}

# attach_dd: as a toolstack would, to Linux's frontend in dom0
attach_dd()
{
	/job/blkfe --keep - <<-END || return
		vbd be=$dd base=device devid=51712 physical-device=$DISK
		wait-backend 2 4
	END
	wait_for 30 test -b /dev/xvda && wait_for 30 disk_has_size xvda
}

detach_dd()
{
	xenstore-write "$BE/online" 0 "$BE/state" 5
	wait_for 30 dd_state 6 || return
	xenstore-rm "$BE" "$FE"
	wait_for 30 not test -b /dev/xvda
}

dd_state()
{
	[ "$(xs_read "$BE/state")" = "$1" ]
}

blkfe()
{
	frontend "blkfe" /dev/stdin <<-END
		protocol x86_64-abi
		vbd be=$dd physical-device=$DISK
		connect
		sweep-sizes op=write
		sweep-sizes op=read
		stress count=300 area=65536
		close
		reopen
		connect
		read sector=0 n=8
		destroy
	END
}

verify()
{
	fio_verify /dev/xvda --rw=randrw --bsrange=512-44k --iodepth=32 --size=4m
}

destroyed_with_a_disk()
{
	start_driver_domain
	blkfe
	ok "attach" attach_dd
	ok "fio verifies" verify
	ok "random data" random_through /dev/xvda 2
	ok "are on the disk" holds_random /dev/xvda direct
	ok "it is destroyed" guest_destroy dd
	# The toolstack cleans up after it
	xenstore-rm "$FE"
	ok "the disk is gone" wait_for 30 not test -b /dev/xvda
}

ends_in_order()
{
	start_driver_domain
	ok "attach" attach_dd
	ok "fio verifies" verify
	ok "detach" detach_dd
	is "$(guest_run dd 'ls /sys/bus/xen-backend/devices | wc -l')" 0 "no device is left there"
	ok "the backend unloads there" guest_run dd 'rmmod xen-blkback && rmmod null_blk'
	is "$(guest_run dd "dmesg | grep -E '$LAB_SPLAT'")" "" "no splat in its kernel log"
	ok "it is destroyed" guest_destroy dd
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load
subtest "first" destroyed_with_a_disk
subtest "second" ends_in_order
ok "the backend unloads" module_unload
done_testing
