#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=1800
#
# Attach and detach 50 times with I/O until just before, and through it. Then
# nothing is left: no thread, object, grant, node, reference, open disk.

. /lab/lib.sh

CYCLES=${LAB_SHORT:+8}
CYCLES=${CYCLES:-45}
LOOP=/dev/loop9
BE=$(backend_path 0 xvda) FE=$(frontend_path 0 xvda) SYSFS=$(vbd_sysfs 0 xvda)

# Conditions for wait_for that cost no process
is_there() { [ -e "$1" ]; }
has_size() { read -r size </sys/block/xvda/size && [ "$size" -gt 0 ]; } 2>/dev/null
is_reading() { read -r reads </sys/block/xvda/stat && [ "${reads%% *}" -gt 50 ]; }
is_running() { [ -d "/proc/$1" ]; }

# cycle N: in odd ones the reader is still at work when the disk is taken away
cycle()
{
	local reader

	xenstore-write "${ATTACH[@]}" || return
	wait_for 30 is_there "$SYSFS" && wait_for 30 has_size || return
	dd if=/dev/xvda of=/dev/null bs=4k iflag=direct 2>/dev/null &
	reader=$!
	wait_for 30 is_reading || return
	if [ $(($1 % 2)) = 0 ]; then
		kill $reader
		wait $reader
	fi 2>/dev/null
	xenstore-write "$BE/online" 0 "$BE/state" 5
	LAB_POLL=0.02 wait_for 30 vbd_state_is 0 xvda 6 || return
	losetup -d "$LOOP" || return
	! is_there "/sys/block/${LOOP#/dev/}/loop" || { echo "the disk is open"; return 1; }
	wait_for 30 not is_there "$SYSFS" || return
	xenstore-rm "$BE" "$FE"
	wait_for 30 not is_there /dev/xvda || return
	wait_for 30 not is_running $reader || { echo "its reader hangs"; return 1; }
	losetup "$LOOP" /tmp/disk.img
}

cycles()
{
	local n

	for ((n = 1; n <= CYCLES; n++)); do
		cycle $n || { echo "in cycle $n"; return 1; }
	done
}

# xl_cycle: the same as a person does it, with a file
xl_cycle()
{
	attach_loopback /tmp/disk.img xvda || return
	fio --name=x --filename=/dev/xvda --rw=randrw --bsrange=512-44k --iodepth=32 \
		--direct=1 --ioengine=libaio --thread --size=4m --minimal || return
	detach xvda || return
	! losetup -a | grep -v "$LOOP:"
}

fast_cycles()
{
	mapfile -t ATTACH < <(hand_pairs xvda "physical-device=$(devt_hex "$LOOP")")
	at_end hand_detach xvda
	ok "attach, read, detach, $CYCLES times" cycles
}

xl_cycles()
{
	local n

	for n in 1 2 3 4 5; do
		ok "attach, fio, detach, $n" xl_cycle
	done
}

module_in_use()
{
	ok "attach" attach_loopback /tmp/disk.img xvda
	not_ok "it is not unloaded" module_unload
	like "$(slab_objects) $(driver_threads)" '^1 0\.xvda(-0)?$' "one object, one thread"
	ok "detach" detach xvda
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load
ok "a loop device" loop_disk 32
subtest "by hand" fast_cycles
subtest "with xl and a file" xl_cycles
ok "the backend unloads" module_unload
ok "and loads" module_load
subtest "a module in use" module_in_use
ok "the backend unloads again" module_unload
done_testing
