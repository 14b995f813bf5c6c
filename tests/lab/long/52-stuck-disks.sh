#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=1500
#
# Disks that do not answer: with requests outstanding, with a full queue, inside a
# discard, open, close. Other vbds come and go as usual meanwhile; one that is
# removed by force goes at once, and what the disk has of it is listed until then.
# The same in the middle of an exchange of the disk, and when the driver is unbound.

. /lab/lib.sh

# What xenwatch calls in the driver, and what must not take more than 10 ms: "each" of
# the calls, or their "mean", since a probe does more and the host may interrupt it.
# In those with "none" xenbus or the driver has to ask xenstored something; so it does
# in xs_directory_changed, once for each vbd that goes.
declare -A CALLBACKS=([xs_frontend_changed]=each [xs_directory_changed]=mean [xs_probe]=mean [xs_remove]=none)

NR=20
DRIVER=/sys/bus/xen-backend/drivers/vbd
TRACE=/sys/kernel/tracing

trace_callbacks()
{
	printf '%s:mod:xen_blkback\n' "${!CALLBACKS[@]}" >$TRACE/set_ftrace_filter &&
		echo function_graph >$TRACE/current_tracer &&
		echo funcgraph-proc >$TRACE/trace_options &&
		echo funcgraph-tail >$TRACE/trace_options
}

check_callbacks()
{
	local name n us mean seen=0

	while read -r name n us mean; do
		diag "$name: $n calls, the longest $us µs, the mean $mean µs"
		case ${CALLBACKS[$name]} in
		each) le "$us" 10000 "no call of $name has taken more than 10 ms" ;;
		mean) le "$mean" 10000 "calls of $name take no more than 10 ms in the mean" ;;
		esac
		seen=$((seen + 1))
	done < <(awk -f /lab/programs/callback-times.awk $TRACE/trace)
	is $seen ${#CALLBACKS[@]} "all of them were called"
	echo nop >$TRACE/current_tracer
	echo >$TRACE/set_ftrace_filter
}

# other_vbd: another one connects and goes, without the time that xl takes
other_vbd()
{
	xenstore-write -- "${OTHER[@]}" && LAB_POLL=0.02 wait_for 30 vbd_state_is 0 xvdz 4 &&
		hand_detach xvdz
}

others_come_and_go()
{
	local ms

	ms=$(milliseconds other_vbd 2>"$LAB_TMP/other")
	diag "$1: another vbd came and went in ${ms:-no} ms, alone in $ALONE ms"
	# libxl's patience; most of the time is this script's own
	le "${ms:-99999}" 10000 "$1: others come and go" || diag_file "$LAB_TMP/other"
}

# gone_soon VDEV
gone_soon()
{
	local ms

	ms=$(milliseconds blkfe_vanish "$1" 2>/dev/null)
	diag "the device was gone ${ms:-never} ms after its directory"
	le "${ms:-99999}" 5000 "removed by force it goes at once"
}

# waiting VDEV: what sysfs tells that it waits for
waiting()
{
	cat "$(vbd_sysfs 0 "$1")/waiting"
}

# waits_for VDEV REGEX; tells REGEX: guest 0's xenstore does
waits_for() { [[ $(waiting "$1") =~ $2 ]]; }
tells() { [[ $(vbd_key 0 52000 waiting) =~ $1 ]]; }

# disks_answer NUMBER
disks_answer()
{
	ok "the disks answer again" each "$1" stuck_mend
	ok "no remnant is left" wait_for 30 remnants_are 0
	ok "the disks are free" each "$1" stuck_remove
}

outstanding_requests()
{
	local wait="^closing, for [0-9]+ s: 8 requests to disk"

	ok "$NR disks" each $NR stuck_disk
	ok "they stop to answer" each $NR stuck_stop
	ok "$NR guests write to them" each $NR stuck_guest
	is "$(cat "$(vbd_sysfs 0 52000)/in_flight")" 8 "requests are in flight"
	others_come_and_go "$NR stuck disks"
	blkfe_closing 52000
	ok "one closes: xenstore tells that it waits" wait_for 10 tells "$wait"
	like "$(waiting 52000)" "$wait" "sysfs tells it, too"
	others_come_and_go "one closing"
	gone_soon 52000
	ok "the other guests are removed by force" each $NR stuck_vanish
	is "$(remnants)" $NR "each is listed as a remnant"
	like "$(cat "$REMNANTS"/vbd-0-52001.*)" "8 in flight" "with its requests"
	others_come_and_go "$NR remnants"
	not_ok "the module is not unloaded" module_unload
	disks_answer $NR
}

# exchange: guest 0's disk hangs, and is to be exchanged for another
exchange()
{
	ok "two disks" each 2 stuck_disk
	ok "one hangs" stuck_stop 0
	ok "with its guest's requests" stuck_guest 0
	hand_set 52000 physical-device "$(devt_hex /dev/mapper/stuck1)"
	ok "it is exchanged for the other" \
		wait_for 10 waits_for 52000 "^exchanging the disk, for .*: 8 requests"
}

exchange_forced()
{
	exchange
	others_come_and_go "meanwhile"
	gone_soon 52000
	is "$(remnants)" 1 "it is listed as a remnant"
	disks_answer 2
}

exchange_detached()
{
	exchange
	blkfe_closing 52000
	nap 2
	isnt "$(vbd_state 0 52000)" 6 "it is detached: it waits"
	ok "the disk answers again" stuck_mend 0
	ok "it is closed" wait_for 10 vbd_state_is 0 52000 6
	ok "the disks are free" each 2 stuck_remove
	ok "it goes" blkfe_vanish 52000
}

driver() { echo "vbd-0-$(vdev_number xvdy)" >"$DRIVER/$1"; }
refused() { dmesg | grep "vbd-0-$(vdev_number xvdy): its disk has yet to answer"; }
has_in_flight() { [ "$(cat "$(vbd_sysfs 0 xvdy)/in_flight")" -gt 0 ]; }
is_connected() { [ "$(cat "$(vbd_sysfs 0 xvdy)/state")" = Connected ]; }

unbinding()
{
	local ms dd

	ok "a disk" stuck_disk 0
	ok "attach" disk_attach /dev/mapper/stuck0 xvdy
	ok "it stops to answer" stuck_stop 0
	head -c 64k /dev/urandom >"$LAB_TMP/data"
	dd if="$LAB_TMP/data" of=/dev/xvdy bs=4k count=16 oflag=direct conv=nocreat status=none &
	dd=$!
	ok "a guest writes" wait_for 10 has_in_flight
	ms=$(milliseconds driver unbind)
	diag "the driver was unbound after ${ms:-no} ms"
	le "${ms:-99999}" 20000 "the driver is unbound from it"
	is "$(remnants)" 1 "what is left is listed"
	others_come_and_go "unbound"
	not_ok "it cannot be bound again yet" driver bind
	ok "and says why" refused
	ok "the disk answers again" stuck_mend 0
	ok "no remnant is left" wait_for 30 remnants_are 0
	ok "now it can" driver bind
	ok "it is served again" wait_for 30 is_connected
	ok "the guest has written" wait $dd
	ok "all of it" cmp -n 65536 "$LAB_TMP/data" /dev/mapper/stuck0
	ok "detach" hand_detach xvdy
	ok "the disk is free" stuck_remove 0
}

discards()
{
	local before

	ok "a disk" stuck_disk 0
	ok "it stops to answer" stuck_stop 0
	before=$(disk_stat /dev/nullb0 discards)
	ok "a guest discards" blkfe_guest 52000 /dev/mapper/stuck0 \
		'repeat 8 discard queued sector=0 nr=64' push
	others_come_and_go "meanwhile"
	gone_soon 52000
	disks_answer 1
	is $(($(disk_stat /dev/nullb0 discards) - before)) 4 \
		"of eight discards the disk sees those it had been given"
}

# slow_scsi: takes one command at a time, and two seconds for each
slow_scsi()
{
	ok "a disk that takes one request at a time" scsi_disk max_queue=1
	ok "it is slow" scsi_delay 500
	at_end scsi_delay 0
}

full_queue()
{
	slow_scsi
	ok "a guest fills its queue" blkfe_guest 52000 "$SCSI_DISK" \
		'repeat 4 write queued sector=0 n=8' push
	nap 1
	others_come_and_go "a full queue"
	gone_soon 52000
	others_come_and_go "a remnant with a full queue"
	ok "no remnant is left" wait_for 60 remnants_are 0
}

inside_open()
{
	slow_scsi
	hold_open_mutex "$SCSI_DISK"
	ok "attach" hand_attach xvdy "physical-device=$(devt_hex "$SCSI_DISK")"
	ok "it waits" wait_for 10 waits_for xvdy "^opening the disk"
	others_come_and_go "meanwhile"
	gone_soon xvdy
	xenstore-rm "$(frontend_path 0 xvdy)"
	ok "no remnant is left" wait_for 60 remnants_are 0
	wait
}

inside_close()
{
	slow_scsi
	ok "it is not" scsi_delay 0
	ok "attach" blkfe_guest 52000 "$SCSI_DISK" 'write sector=0 n=8'
	ok "it is slow again" scsi_delay 500
	hold_open_mutex "$SCSI_DISK"
	blkfe_closing 52000
	ok "it hangs in close" wait_for 10 waits_for 52000 "^closing the disk"
	others_come_and_go "meanwhile"
	gone_soon 52000
	ok "no remnant is left" wait_for 60 remnants_are 0
	wait
}

# More vbds than a workqueue does items at a time, 512. Nobody's driver is in front.
CROWD=520

# crowd_each COMMAND...: with the numbers of some vbds, until all had their turn. One
# command for each would take minutes.
crowd_each()
{
	local n

	for ((n = 60000; n < 60000 + CROWD; n += 20)); do
		"$@" $(seq $n $((n + 19))) || return
	done
}

# crowd_attach DISK N...
crowd_attach()
{
	local disk n be words=()

	disk=$(devt_hex "$1")
	shift
	for n; do
		be=$(backend_path 0 "$n")
		words+=("/crowd/$n/state" 1 "$be/frontend" "/crowd/$n" "$be/frontend-id" 0
			"$be/online" 1 "$be/mode" w "$be/physical-device" "$disk" "$be/state" 1)
	done
	xenstore-write -- "${words[@]}"
}

crowd_leave()
{
	local n words=()

	for n; do
		words+=("$(backend_path 0 "$n")" "/crowd/$n")
	done
	xenstore-rm "${words[@]}"
}

crowd_waiting() { grep -l "^opening the disk" "$DRIVER"/vbd-0-6*/waiting | wc -l; }
crowd_waits() { [ "$(crowd_waiting)" = $CROWD ]; }

# Each waits inside its work item; and removed by force, inside its teardown as well. The
# loop device is not opened before its partitions are read.
crowd()
{
	# They wait for longer than the kernel finds right, and it would say so.
	echo 0 >/proc/sys/kernel/hung_task_timeout_secs
	ok "a disk" stuck_disk 0
	ok "a loop device on it" losetup -P /dev/loop8 /dev/mapper/stuck0
	ok "whose partitions have to be read again" blockdev --flushbufs /dev/loop8 /dev/mapper/stuck0
	ok "it stops to answer" stuck_stop 0
	hold_open_mutex /dev/loop8
	ok "$CROWD vbds are attached" crowd_each crowd_attach /dev/loop8
	ok "all wait" wait_for 120 crowd_waits || echo "# $(crowd_waiting) do"
	others_come_and_go "$CROWD vbds that wait"
	ok "all are removed by force" crowd_each crowd_leave
	ok "each is listed as a remnant" wait_for 120 remnants_are $CROWD
	others_come_and_go "$CROWD remnants"
	ok "the disk answers again" stuck_mend 0
	ok "no remnant is left" wait_for 120 remnants_are 0
	wait
	ok "the loop device is free" losetup -d /dev/loop8
	ok "and the disk" stuck_remove 0
}

ok "the backend loads" module_load
ok "its callbacks are traced" trace_callbacks
frontend_load
ok "a disk in memory" null_disk discard=1
ok "another one" ram_disks 1 16384
mapfile -t OTHER < <(hand_pairs xvdz "physical-device=$(devt_hex /dev/ram0)")
other_vbd
ALONE=$(milliseconds other_vbd 2>/dev/null)

subtest "outstanding requests" outstanding_requests
subtest "inside an exchange" exchange_forced
subtest "inside an exchange, detached" exchange_detached
subtest "unbound" unbinding
subtest "inside a discard" discards
subtest "a full queue" full_queue
subtest "inside an open" inside_open
subtest "inside a close" inside_close
subtest "more than a workqueue has places" crowd
check_callbacks
frontend_unload
ok "the backend unloads" module_unload
done_testing
