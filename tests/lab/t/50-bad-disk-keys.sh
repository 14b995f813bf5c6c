#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# A toolstack that writes nonsense: each mistake has an error that names the
# key and the value, in xenstore and in the log, and can be made good.

. /lab/lib.sh

KEYS=backend/vbd/0/51712

# told REGEX: in xenstore and in the log
told()
{
	vbd_error_like 0 xvda "$1" && dmesg | grep -qE "vbd-0-51712: .*$1"
}

# refused VALUE REGEX: as physical-device
refused()
{
	ok "physical-device = '$1'" hand_set xvda physical-device "$1"
	ok "is refused with words" wait_for 10 told "$2" ||
		diag "error: $(vbd_error 0 xvda)"
	is "$(vbd_state 0 xvda)" 5 "and the vbd closes"
}

# ms_to_connect: from here to Connected
ms_to_connect()
{
	local begin=${EPOCHREALTIME/./}

	until vbd_state_is 0 xvda 4; do
		[ $((${EPOCHREALTIME/./} - begin)) -lt 30000000 ] || return
	done
	ms_since "$begin"
}

# frontend_waits: in Initialised
frontend_waits()
{
	[ "$(xs_read "$(frontend_path 0 xvda)/state")" = 3 ]
}

# works: the frontend has a disk that works
works()
{
	wait_for 30 disk_has_size xvda &&
		dd if=/dev/urandom of=/dev/xvda bs=4k count=16 oflag=direct conv=nocreat
}

bad_disks()
{
	local value

	ok "a vbd without a disk" hand_attach xvda
	is "$(vbd_state 0 xvda)" 2 "waits in InitWait"
	not_ok "physical_device shows nothing" cat "$(vbd_sysfs 0 xvda)/physical_device"
	for value in xyz 1:2:3 "8:0 junk" 8 : "-1:0" "1ffffff:0" "8:fffffff"; do
		refused "$value" "$KEYS/physical-device: \"$value\" is not MAJOR:MINOR"
	done
	refused "ee:77" "opening disk ee:77 for writing"
	ok "a good one" hand_set xvda physical-device "$devt"
	ok "is taken" wait_for 10 vbd_state_is 0 xvda 2
	is "$(cat "$(vbd_sysfs 0 xvda)/physical_device")" "$devt" "and shown"
	ok "a frontend comes" frontend_load
	ok "and works" works
	for value in ee:77 "junk"; do
		hand_set xvda physical-device "$value"
		ok "a bad one, $value, is refused with words" wait_for 10 told "$value"
	done
	ok "the frontend works on" works
	is "$(vbd_state 0 xvda) $(cat "$(vbd_sysfs 0 xvda)/physical_device")" "4 $devt" \
		"with the same disk"
	ok "detach" hand_detach xvda
}

no_mode()
{
	frontend_unload
	ok "a vbd" hand_attach xvda mode= "physical-device=$devt"
	ok "is refused with words" wait_for 10 told "reading $KEYS/mode"
	ok "with a mode" hand_set xvda mode w
	hand_set xvda physical-device "$devt"
	ok "it is taken" wait_for 10 vbd_state_is 0 xvda 2
	ok "a frontend comes" frontend_load
	ok "and works" works
	ok "detach" hand_detach xvda
}

disk_comes_last()
{
	ok "a vbd whose frontend waits for the disk" hand_attach xvda
	ok "the frontend is ready" wait_for 30 frontend_waits
	is "$(vbd_state 0 xvda)" 2 "the backend waits in InitWait"
	hand_set xvda physical-device "$devt"
	diag "from physical-device to Connected: $(ms_to_connect) ms"
	ok "it works" works
	ok "detach" hand_detach xvda
}

ok "the backend loads" module_load
ok "a disk in memory" null_disk
devt=$(devt_hex /dev/nullb0)
subtest "physical-device" bad_disks
subtest "no mode" no_mode
subtest "the disk comes last" disk_comes_last
is "$(cat /sys/bus/xen-backend/devices/vbd-0-* 2>/dev/null)" "" "no device is left"
ok "the backend unloads" module_unload
done_testing
