# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The device itself: how long attaching takes, and how often an idle one wakes up.

# attach_times N: milliseconds from physical-device written to Connected; the frontend
# in dom0 waits for it
attach_times()
{
	local n

	# shellcheck disable=SC2119 # no parameters
	frontend_load
	for ((n = 0; n < $1; n++)); do
		hand_attach xvda || die "attach: no device"
		nap 0.5
		attach_time "device/attach_ms_$n" "$(backend_path 0 xvda)"
		hand_detach xvda || die "attach: cannot detach"
	done
}

# attach_time NAME BACKEND
attach_time()
{
	local begin end

	coproc WATCH { exec xenstore-watch "$2/state"; }
	# The watch fires once when it is set
	read -r -t 10 -u "${WATCH[0]}" _
	begin=${EPOCHREALTIME/./}
	xenstore-write "$2/physical-device" "$(devt_hex "$DISK")"
	while end=; read -r -t 10 -u "${WATCH[0]}" _; do
		end=${EPOCHREALTIME/./}
		[ "$(xs_read "$2/state")" != 4 ] || break
	done
	[ -n "$end" ] || die "attach: not connected within 10 s"
	figure "$1" "$(((end - begin) / 1000)).$(((end - begin) / 100 % 10))"
	# shellcheck disable=SC2153 # set by coproc
	kill "$WATCH_PID"
	wait "$WATCH_PID" 2>/dev/null
}

# idle_wakeups: of the thread of a ring that has nothing to do, per second
idle_wakeups()
{
	local before after

	frontend_reload || die "xen-blkfront does not load"
	attach_loopback "$DISK" xvda || die "idle: cannot attach"
	dd if=/dev/xvda of=/dev/null bs=1M count=8 iflag=direct status=none
	nap 2
	before=$(thread_switches xvda)
	nap 10
	after=$(thread_switches xvda)
	[ -n "$before" ] || die "idle: finds no thread of the backend"
	figure device/idle_wakeups "$(awk -v d=$((after - before)) 'BEGIN { printf "%.2f", d / 10 }')"
	detach xvda || die "idle: cannot detach"
}
