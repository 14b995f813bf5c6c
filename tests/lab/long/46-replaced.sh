#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=600
#
# A toolstack takes a vbd away by force while the backend waits for a slow disk,
# and at once gives the guest another with the same number. The new one is served.

. /lab/lib.sh

# replaced: the toolstack takes a vbd away by force, while the backend waits for
# the disk, and gives the guest another with the same number
replaced()
{
	local be fe pairs

	be=$(backend_path 0 xvda) fe=$(frontend_path 0 xvda)
	mapfile -t pairs < <(hand_pairs xvda "physical-device=$(devt_hex /dev/nullb0)")
	printf '%s ' xenstore-write -- "${pairs[@]}" >"$LAB_TMP/again"
	/job/blkfe --tap - <<-END || return
		protocol x86_64-abi
		vbd base=device physical-device=$SLOW
		connect
		write sector=0 n=88 queued
		push
		no-response ms=300
		state 5
		wait-backend 5
		state 6
		sh "xenstore-rm $fe $be; sh $LAB_TMP/again"
		timeout state=10000
		wait-backend 2
		expect-be physical-device $(devt_hex /dev/nullb0)
		wait
		free
		connect
		write sector=0 n=8
		read sector=0 n=8
		close
	END
	hand_detach xvda
}

ok "no frontend is loaded" frontend_unload
ok "the backend loads" module_load
ok "a disk in memory" null_disk
leak_snapshot
ok "a disk that takes two seconds" delayed_disk 2000
SLOW=$(devt_hex /dev/mapper/slow)
ok "directories are replaced while the backend closes" replaced
ok "the slow disk is free" dm_remove slow
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
