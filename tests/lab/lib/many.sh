# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Many vbds of dom0 at a time, made by hand: $MANY of them.

# many_pairs DEVICE: of all of them, on one disk
many_pairs()
{
	local n devt

	devt=$(devt_hex "$1")
	for ((n = 0; n < MANY; n++)); do
		hand_pairs "$(many_number $n)" "physical-device=$devt" "dev=xvd$n"
	done
}

# many_number N: xvda to xvdp, and then as the toolstack counts on
many_number()
{
	if [ "$1" -lt 16 ]; then
		echo $((202 << 8 | $1 << 4))
	else
		echo $((1 << 28 | $1 << 8))
	fi
}

# all_are STATE: of the device, as sysfs has it
all_are()
{
	[ "$(grep -lx "$1" /sys/bus/xen-backend/devices/vbd-0-*/state | wc -l)" = "$MANY" ]
}

none_is_left()
{
	! compgen -G "$1" >/dev/null
}

# close_many: all at once, as for block-detach; until there is nothing
close_many()
{
	local n words=() dirs=() be

	for ((n = 0; n < MANY; n++)); do
		be=$(backend_path 0 "$(many_number $n)")
		words+=("$be/online" 0 "$be/state" 5)
		dirs+=("$be" "$(frontend_path 0 "$(many_number $n)")")
	done
	xenstore-write "${words[@]}" || return
	LAB_POLL=0.02 wait_for 60 none_is_left '/sys/bus/xen-backend/devices/vbd-0-*' || return
	xenstore-rm "${dirs[@]}"
	wait_for 60 none_is_left '/sys/block/xvd*'
}
