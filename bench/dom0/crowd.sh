# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Many vbds at a time, on one disk, each with a frontend of Linux in dom0: what all of
# them take.

# crowd NUMBER...: of vbds
crowd()
{
	local n

	# shellcheck disable=SC2119 # no parameters
	frontend_reload || die "xen-blkfront does not load"
	# The first one pays for what all share
	crowd_of 1 >/dev/null
	for n; do
		crowd_of "$n"
	done
	frontend_unload || die "xen-blkfront does not unload"
}

# crowd_of NUMBER
crowd_of()
{
	# shellcheck disable=SC2034 # of many.sh
	local MANY=$1 pairs begin

	mapfile -t pairs < <(many_pairs "$DISK")
	begin=${EPOCHREALTIME/./}
	xenstore-write -- "${pairs[@]}" || die "crowd: cannot write the keys of $1 vbds"
	LAB_POLL=0.02 wait_for 400 all_are Connected || die "crowd: $1 vbds do not connect"
	figure "crowd/attach_ms/$1" "$(ms_since "$begin")"
	crowd_idle "$1"
	crowd_memory "$1"
	begin=${EPOCHREALTIME/./}
	close_many || die "crowd: $1 vbds do not go"
	figure "crowd/detach_ms/$1" "$(ms_since "$begin")"
}

# crowd_idle NUMBER: threads, and how often all of them wake up in a second
crowd_idle()
{
	local before after

	nap 5
	before=$(crowd_switches)
	nap 10
	after=$(crowd_switches)
	figure "crowd/threads/$1" "${after% *}"
	figure "crowd/wakeups/$1" \
		"$(awk -v d=$((${after#* } - ${before#* })) 'BEGIN { printf "%.1f", d / 10 }')"
}

# crowd_switches: the number of the backend's threads, and how often they have slept
crowd_switches()
{
	awk '$1 == "Name:" { own = $2 ~ /^(blkback[.])?0[.]xvd/; threads += own }
		own && $1 == "voluntary_ctxt_switches:" { slept += $2 }
		END { print threads + 0, slept + 0 }' /proc/[0-9]*/status 2>/dev/null
}

# crowd_memory NUMBER: what comes free when the driver is unbound from all
crowd_memory()
{
	local n before devids=()

	for ((n = 0; n < $1; n++)); do
		devids+=("$(many_number "$n")")
	done
	before=$(kernel_kib)
	vbd_driver unbind "${devids[*]}"
	figure "crowd/memory_kib/$1" $((before - $(kernel_kib)))
	vbd_driver bind "${devids[*]}"
	wait_for 400 all_are Connected || die "crowd: $1 vbds do not connect again"
}
