#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# Frontends that go and come in every order, with requests in flight on a slow
# disk; a module that is loaded while twenty vbds are waiting; and the freezer,
# which stops all threads of dom0.

. /lab/lib.sh
MANY=20

# blkfe_script: a scenario from stdin
blkfe_script()
{
	/job/blkfe --keep - >&2
}

# hand_over: a boot loader, then a kernel with a larger ring, then one without:
# three frontends on one device
hand_over()
{
	blkfe_script <<-END || return
		protocol x86_32-abi
		vbd physical-device=$(devt_hex /dev/nullb0)
		connect
		write sector=0 n=64 pattern=0x11
		close
	END
	blkfe_script <<-END || return
		attach
		protocol x86_64-abi
		ring pages=8 scheme=order
		persistent on
		reopen
		connect
		read sector=0 n=64
		write sector=64 n=64 pattern=0x22
		close
	END
	blkfe_script <<-END
		attach
		protocol x86_64-abi
		reopen
		connect
		read sector=0 n=64
		read sector=64 n=64
		close
	END
}

# what_is_left of the bytes that hand_over wrote: nothing else may be among them
what_is_left()
{
	flushed /dev/nullb0 head -c 32k /dev/nullb0 | tr -d '\021' | wc -c
	head -c 64k /dev/nullb0 | tail -c 32k | tr -d '\042' | wc -c
}

# restless: frontends that write while the module looks at them for the first time
restless()
{
	local n

	while [ -e "$LAB_TMP/restless" ]; do
		for n in 0 5 9 15; do
			xenstore-write "$(frontend_path 0 "$(many_number $n)")/state" 6
			xenstore-write "$(frontend_path 0 "$(many_number $n)")/state" 1
		done
	done
}

# freeze: as for suspend, but only as far as stopping all threads
freeze()
{
	echo 1 >/sys/module/suspend/parameters/pm_test_delay
	echo freezer >/sys/power/pm_test || return
	echo freeze >/sys/power/state
}

slow_disk()
{
	local slow

	ok "a disk that takes two seconds" delayed_disk 2000
	slow=$(devt_hex /dev/mapper/slow)
	frontend "reset" reset.fe DISK="$slow"
	ok "it is free" dm_remove slow
}

three_frontends()
{
	ok "they come" hand_over
	is "$(what_is_left)" $'0\n0' "what they wrote is on the disk"
	hand_set xvda online 0
	ok "and then none" wait_for 10 vbd_is_gone 0 xvda
	xenstore-rm "$(backend_path 0 xvda)" /local/domain/0/blkfe
}

late_backend()
{
	local begin pairs

	ok "the backend unloads" module_unload
	mapfile -t pairs < <(many_pairs /dev/nullb0)
	ok "$MANY vbds" xenstore-write -- "${pairs[@]}"
	touch "$LAB_TMP/restless"
	restless &
	ok "the backend loads while frontends write" module_load
	rm "$LAB_TMP/restless"
	wait
	ok "all vbds wait" wait_for 30 all_are InitWait
	begin=${EPOCHREALTIME/./}
	ok "the frontend loads" frontend_load
	ok "all connect" wait_for 60 all_are Connected
	diag "$MANY vbds of a guest that starts connect in $(ms_since "$begin") ms"
	ok "and go" close_many
}

freezer()
{
	local fio n

	ok "attach" attach_loopback /dev/nullb0 xvda
	fio_verify /dev/xvda --rw=randrw --bsrange=512-44k --iodepth=16 --size=8m --rate_iops=150 \
		--nice=10 >"$LAB_TMP/fio" 2>&1 &
	fio=$!
	for n in 1 2 3; do
		nap 1
		ok "all threads freeze, $n" freeze
	done
	ok "fio has verified all" wait $fio || diag "$(tail -n 5 "$LAB_TMP/fio")"
	ok "detach" detach xvda
}

ok "no frontend is loaded" frontend_unload
ok "the backend loads" module_load
ok "a disk in memory" null_disk
subtest "a slow disk" slow_disk
subtest "three frontends, one after the other" three_frontends
subtest "the backend comes last" late_backend
subtest "freezer" freezer
ok "the backend unloads" module_unload
done_testing
