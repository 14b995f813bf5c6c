#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# Disks that do not answer: with requests outstanding, with a full queue, inside a
# discard, open, close. Other vbds come and go as usual meanwhile; one that is
# removed by force goes at once, and what the disk has of it is listed until then.
# The same in the middle of an exchange of the disk, and when the driver is unbound.

. /lab/lib.sh

NR=20
DEBUGFS=/sys/kernel/debug/xen-blkback
TRACE=/sys/kernel/tracing
# What xenwatch calls. Probe does more than the others, so the host may interrupt it. In
# the last two xenbus or we have to ask xenstored something
CALLBACKS=(frontend_changed disk_changed state_changed online_changed xenvbd_probe
	reap xenvbd_remove)

trace_callbacks()
{
	printf '%s:mod:xen_blkback\n' "${CALLBACKS[@]}" >$TRACE/set_ftrace_filter &&
		echo function_graph >$TRACE/current_tracer &&
		echo funcgraph-proc >$TRACE/trace_options &&
		echo funcgraph-tail >$TRACE/trace_options
}

# callback_times: name, calls, the longest and the mean in µs, sleep included. Names of
# tasks are cut there
callback_times()
{
	awk '/ xenwatc/ && match($0, /[0-9.]+ us/) {
		us = int(substr($0, RSTART, RLENGTH))
		if (!match($0, /[a-z_]+ \[xen_blkback\]/))
			next
		name = substr($0, RSTART, RLENGTH - 14)
		n[name]++
		sum[name] += us
		if (us > most[name])
			most[name] = us
	}
	END { for (name in n) print name, n[name], most[name] + 0, int(sum[name] / n[name]) }' $TRACE/trace
}

check_callbacks()
{
	local name n us mean seen=0

	while read -r name n us mean; do
		diag "$name: $n calls, the longest $us µs, the mean $mean µs"
		[[ " ${CALLBACKS[*]:5} " == *" $name "* ]] && continue
		seen=$((seen + 1))
		if [ "$name" = xenvbd_probe ]; then
			le "$mean" 10000 "calls of $name take no more than 10 ms in the mean"
		else
			le "$us" 10000 "no call of $name has taken more than 10 ms"
		fi
	done < <(callback_times)
	is $seen 5 "all of them were called"
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
	le "${ms:-99999}" 10000 "$1: others come and go" ||
		sed 's/^/# /' "$LAB_TMP/other"
}

# talk DEVID DEVICE LINE...: a guest's frontend connects, says that, and dies
talk()
{
	local devid=$1 dev=$2

	shift 2
	/job/blkfe --keep - <<-EOF
	vbd devid=$devid physical-device=$(devt_hex "$dev")
	connect
	$(printf '%s\n' "$@")
	EOF
}

be_of() { echo "/local/domain/0/backend/vbd/0/$1"; }
sysfs_of() { echo "/sys/bus/xen-backend/devices/vbd-0-$1"; }

# vanish DEVID: both directories at once, as libxl's last resort
vanish()
{
	xenstore-rm "$(be_of "$1")"
	xenstore-rm "/local/domain/0/blkfe/vbd/$1" 2>/dev/null
	wait_for 30 not test -e "$(sysfs_of "$1")"
}

remnants()
{
	find "$DEBUGFS/remnants" -type f | wc -l
}

remnants_are() { [ "$(remnants)" = "$1" ]; }
tells() { [[ $(xs_read "$(be_of 52000)/waiting") =~ $1 ]]; }
waits_for() { [[ $(cat "$(sysfs_of "$1")/waiting") =~ $2 ]]; }

# gone_soon WHAT DEVID
gone_soon()
{
	local ms

	ms=$(milliseconds vanish "$2" 2>/dev/null)
	diag "$1: the device was gone ${ms:-never} ms after its directory"
	le "${ms:-99999}" 5000 "$1: removed by force it goes at once"
}

each_dm() { local n; for ((n = 0; n < NR; n++)); do "$@" "stuck$n" || return; done; }
dm_create() { dmsetup create "$1" --table "0 2048 linear /dev/nullb0 $((2048 * ${1#stuck}))"; }
dm_stop() { dmsetup suspend --noflush --nolockfs "$1"; }
dm_guest() { talk $((52000 + ${1#stuck})) "/dev/mapper/$1" 'repeat 8 write queued sector=0 n=8' push; }
dm_vanish() { vanish $((52000 + ${1#stuck})); }

# slow_disk on|off: each command of the SCSI disk takes seconds, one at a time
slow_disk()
{
	local jiffies=0

	[ "$1" = off ] || jiffies=500
	wait_for 60 eval "echo $jiffies >/sys/bus/pseudo/drivers/scsi_debug/delay"
}

disk_discards() { awk '{ print $12 }' /sys/block/nullb0/stat; }
closed_is() { [ "$(xs_read "$(be_of "$1")/state")" = 6 ]; }
has_in_flight() { [ "$(cat "$(sysfs_of "$1")/in_flight")" -gt 0 ]; }
driver_state_is() { [ "$(<"$(sysfs_of "$1")/state")" = "$2" ]; }
refused() { dmesg | grep "vbd-0-$1: its disk has yet to answer"; }
driver() { echo "vbd-0-$2" >"/sys/bus/xen-backend/drivers/vbd/$1"; }

hold_open_mutex()
{
	blockdev --rereadpt "$SCSI_DISK" 2>/dev/null &
	nap 0.5
}

mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
ok "the backend loads" module_load
ok "its callbacks are traced" trace_callbacks
frontend_load
ok "a disk in memory" null_disk discard=1
modprobe brd rd_nr=1 rd_size=16384
at_end modprobe -r brd
modprobe dm-mod
mapfile -t OTHER < <(hand_pairs xvdz "physical-device=$(devt_hex /dev/ram0)")
other_vbd
ALONE=$(milliseconds other_vbd 2>/dev/null)
STUCK=$(vdev_number xvdy)
leak_snapshot

ok "$NR disks" each_dm dm_create
dmsetup mknodes
ok "they stop to answer" each_dm dm_stop
ok "$NR guests write to them" each_dm dm_guest
is "$(cat "$(sysfs_of 52000)/in_flight")" 8 "requests are in flight"
others_come_and_go "$NR stuck disks"
xenstore-write "$(be_of 52000)/online" 0 "$(be_of 52000)/state" 5 /local/domain/0/blkfe/vbd/52000/state 6
ok "one closes: xenstore tells that it waits" \
	wait_for 10 tells "^closing, for [0-9]+ s: 8 requests at disk"
like "$(cat "$(sysfs_of 52000)/waiting")" "^closing, for [0-9]+ s: 8 requests at disk" \
	"sysfs tells it, too"
others_come_and_go "one closing"
gone_soon "outstanding requests" 52000
ok "the other guests are removed by force" each_dm dm_vanish
is "$(remnants)" $NR "each is listed as a remnant"
like "$(cat $DEBUGFS/remnants/vbd-0-52001.*)" "8 in flight" "with its requests"
others_come_and_go "$NR remnants"
not_ok "the module is not unloaded" module_unload
ok "the disks answer again" each_dm dmsetup resume
ok "no remnant is left" wait_for 30 remnants_are 0
ok "the disks are free" each_dm dmsetup remove
leak_check "nothing is left behind"

# exchange_stuck: a guest's disk hangs, and is to be exchanged for another
exchange_stuck()
{
	dm_stop stuck0 && dm_guest stuck0 || return
	xenstore-write "$(be_of 52000)/physical-device" "$(devt_hex /dev/mapper/stuck1)"
	wait_for 10 waits_for 52000 "^exchanging the disk, for .*: 8 requests"
}

ok "two disks" dm_create stuck0
dm_create stuck1
dmsetup mknodes
ok "one is exchanged for the other, and hangs" exchange_stuck
others_come_and_go "inside an exchange"
gone_soon "inside an exchange" 52000
is "$(remnants)" 1 "it is listed as a remnant"
ok "the disk answers again" dmsetup resume stuck0
ok "no remnant is left" wait_for 30 remnants_are 0
ok "the disks are free" dmsetup remove stuck0 stuck1

ok "once more: two disks" dm_create stuck0
dm_create stuck1
dmsetup mknodes
ok "one is exchanged for the other, and hangs" exchange_stuck
xenstore-write "$(be_of 52000)/online" 0 "$(be_of 52000)/state" 5 /local/domain/0/blkfe/vbd/52000/state 6
nap 2
isnt "$(xs_read "$(be_of 52000)/state")" 6 "it is detached: it waits"
ok "the disk answers again" dmsetup resume stuck0
ok "it is closed" wait_for 10 closed_is 52000
ok "the disks are free" dmsetup remove stuck0 stuck1
vanish 52000
leak_check "nothing is left behind"

ok "a disk" dm_create stuck0
dmsetup mknodes
ok "attach" disk_attach /dev/mapper/stuck0 xvdy
ok "it stops to answer" dm_stop stuck0
dd if=/dev/urandom of="$LAB_TMP/data" bs=64k count=1 status=none
dd if="$LAB_TMP/data" of=/dev/xvdy bs=4k count=16 oflag=direct conv=nocreat status=none &
dd=$!
ok "a guest writes" wait_for 10 has_in_flight "$STUCK"
ms=$(milliseconds driver unbind "$STUCK")
diag "the driver was unbound after ${ms:-no} ms"
le "${ms:-99999}" 20000 "the driver is unbound from it"
is "$(remnants)" 1 "what is left is listed"
others_come_and_go "unbound"
not_ok "it cannot be bound again yet" driver bind "$STUCK"
ok "and says why" refused "$STUCK"
ok "the disk answers again" dmsetup resume stuck0
ok "no remnant is left" wait_for 30 remnants_are 0
ok "now it can" driver bind "$STUCK"
ok "it is served again" wait_for 30 driver_state_is "$STUCK" Connected
ok "the guest has written" wait $dd
ok "all of it" cmp -n 65536 "$LAB_TMP/data" /dev/mapper/stuck0
ok "detach" hand_detach xvdy
ok "the disk is free" dmsetup remove stuck0
leak_check "nothing is left behind"

ok "a disk whose discards are stuck" dm_create stuck0
dmsetup mknodes
dm_stop stuck0
discards=$(disk_discards)
ok "a guest discards" talk 52000 /dev/mapper/stuck0 'repeat 8 discard queued sector=0 nr=64' push
others_come_and_go "inside a discard"
gone_soon "inside a discard" 52000
ok "the disk answers again" dmsetup resume stuck0
ok "no remnant is left" wait_for 30 remnants_are 0
is $(($(disk_discards) - discards)) 4 "of eight discards the disk sees those it had been given"
ok "the disk is free" dmsetup remove stuck0

ok "a slow disk that takes one request at a time" scsi_disk max_queue=1
ok "it is slow" slow_disk on
ok "a guest fills its queue" talk 52000 "$SCSI_DISK" 'repeat 4 write queued sector=0 n=8' push
nap 1
others_come_and_go "a full queue"
gone_soon "a full queue" 52000
others_come_and_go "a remnant with a full queue"
ok "no remnant is left" wait_for 60 remnants_are 0

hold_open_mutex
ok "attach a disk whose open hangs" hand_attach xvdy "physical-device=$(devt_hex "$SCSI_DISK")"
ok "it waits" wait_for 10 waits_for "$(vdev_number xvdy)" "^opening the disk"
others_come_and_go "inside an open"
gone_soon "inside an open" "$(vdev_number xvdy)"
xenstore-rm "$(frontend_path 0 xvdy)"
ok "no remnant is left" wait_for 60 remnants_are 0
wait

slow_disk off
ok "attach" talk 52000 "$SCSI_DISK" 'write sector=0 n=8'
slow_disk on
hold_open_mutex
xenstore-write "$(be_of 52000)/online" 0 "$(be_of 52000)/state" 5 /local/domain/0/blkfe/vbd/52000/state 6
ok "it hangs in close" wait_for 10 waits_for 52000 "^closing the disk"
others_come_and_go "inside a close"
gone_soon "inside a close" 52000
ok "no remnant is left" wait_for 60 remnants_are 0
slow_disk off
wait
modprobe -r scsi_debug
leak_check "nothing is left behind"
check_callbacks
modprobe -r xen-blkfront
ok "the backend unloads" module_unload
done_testing
