#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# A disk is taken from a guest that has no driver for it, or never answers: at
# once, not when the toolstack's patience ends. One frontend follows another.

. /lab/lib.sh

# frontend_leaves, frontend_returns: blkfront cannot do the second half after an
# unbind, so the next frontend's first words are written by hand. Linux 7.3 takes
# them for those of a new device, and would bind blkfront to it again.
frontend_leaves()
{
	at_end sh -c 'echo 1 >/sys/bus/xen/drivers_autoprobe'
	echo 0 >/sys/bus/xen/drivers_autoprobe
	echo "vbd-$(vdev_number xvda)" >/sys/bus/xen/drivers/vbd/unbind
}

frontend_returns()
{
	xenstore-write "$(frontend_path 0 xvda)/state" 1
}

none()
{
	local ms

	ok "attach" hand_attach xvda "physical-device=$(devt_hex /dev/nullb0)"
	is "$(vbd_state 0 xvda)" 2 "the backend waits"
	ms=$(milliseconds hand_close xvda)
	diag "closed in $ms ms"
	le "${ms:-99999}" 3000 "it closes fast"
	ok "the disk is free at once" modprobe -r null_blk
	ok "detach" hand_detach xvda
}

never_runs()
{
	local domid ms

	ok "a disk in memory" null_disk
	guest_config frozen pv phy:/dev/nullb0,xvda,w >"$LAB_TMP/frozen.cfg"
	ok "it is made" xl create -q -p "$LAB_TMP/frozen.cfg"
	at_end xl destroy frozen
	domid=$(xl domid frozen)
	ms=$(milliseconds xl block-detach frozen xvda)
	diag "xl block-detach took $ms ms"
	le "${ms:-99999}" 9000 "xl detaches without running into its time limit"
	ok "it goes" xl destroy frozen
	ok "and its disks" wait_for 30 not xenstore-exists "/local/domain/0/backend/vbd/$domid"
}

one_follows_another()
{
	ok "a disk in memory" null_disk
	ok "attach" attach_loopback /dev/nullb0 xvda
	ok "the frontend leaves" frontend_leaves
	ok "the backend closes" wait_for 10 vbd_state_is 0 xvda 6
	is "$(driver_threads)" "" "no thread is left"
	ok "another one comes" frontend_returns
	ok "the backend waits for it" wait_for 10 vbd_state_is 0 xvda 2
	ok "detach" detach xvda
}

ok "no frontend is loaded" frontend_unload
ok "the backend loads" module_load
ok "a disk in memory" null_disk
subtest "no frontend" none
subtest "a guest that never runs" never_runs
ok "the frontend loads" frontend_load
subtest "frontends" one_follows_another
ok "the backend unloads" module_unload
done_testing
