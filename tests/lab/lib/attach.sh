# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Disks come and go, served to dom0 itself: by xl, or by hand, which is faster and can
# do what a toolstack never would.

# attach_loopback DEVICE VDEV [MODE]: with xl; waits for the disk
attach_loopback()
{
	# shellcheck disable=SC2119
	frontend_load || return
	xl block-attach 0 "phy:$1" "$2" "${3:-w}" || return
	LAB_LOOPBACKS+=("$2")
	wait_for 30 test -b "/dev/$2" || return
	wait_for 30 disk_has_size "$2"
}

# detach VDEV: with xl; waits until both ends are gone
detach()
{
	local n kept=()

	xl block-detach 0 "$1" || return
	wait_for 30 not test -b "/dev/$1" || return
	wait_for 30 not xenstore-exists "$(backend_path 0 "$1")" || return
	wait_for 30 vbd_is_gone 0 "$1" || return
	for n in "${LAB_LOOPBACKS[@]}"; do
		[ "$n" = "$1" ] || kept+=("$n")
	done
	LAB_LOOPBACKS=("${kept[@]}")
}

# hand_pairs VDEV [KEY=VALUE...]: the arguments of xenstore-write that make it,
# one a line. KEY is in the backend's directory; KEY= leaves a usual one out.
hand_pairs()
{
	local be fe word k
	local -A keys

	be=$(backend_path 0 "$1") fe=$(frontend_path 0 "$1")
	keys=([frontend]=$fe [frontend-id]=0 [online]=1 [dev]=$1 [mode]=w [state]=1)
	for word in "${@:2}"; do
		keys[${word%%=*}]=${word#*=}
	done
	printf '%s\n' "$fe/backend" "$be" "$fe/backend-id" 0 "$fe/device-type" disk \
		"$fe/virtual-device" "$(vdev_number "$1")" \
		"$fe/protocol" x86_64-abi "$fe/state" 1
	for k in "${!keys[@]}"; do
		[ -z "${keys[$k]}" ] || printf '%s\n' "$be/$k" "${keys[$k]}"
	done
}

# hand_attach VDEV [KEY=VALUE...]: dom0 is the guest; waits for the backend
hand_attach()
{
	local pairs

	mapfile -t pairs < <(hand_pairs "$@")
	# All in one transaction
	xenstore-write -- "${pairs[@]}" || return
	at_end hand_detach "$1"
	wait_for 30 not vbd_is_gone 0 "$1" &&
		wait_for 30 not vbd_state_is 0 "$1" 1
}

# disk_attach DEVICE VDEV [KEY=VALUE...]: as attach_loopback, but without xl and its
# script, which take seconds; hand_detach takes it away
disk_attach()
{
	# shellcheck disable=SC2119
	frontend_load || return
	hand_attach "$2" "physical-device=$(devt_hex "$1")" "${@:3}" || return
	wait_for 30 test -b "/dev/$2" || return
	wait_for 30 disk_has_size "$2"
}

# hand_set VDEV KEY VALUE: writes a key of the backend
hand_set()
{
	xenstore-write -- "$(backend_path 0 "$1")/$2" "$3"
}

# hand_closing VDEV [FRONTEND]: asks for the end as libxl does; a FRONTEND, by the path
# of its directory, is one that has closed already
hand_closing()
{
	local be

	be=$(backend_path 0 "$1")
	xenstore-write "$be/online" 0 "$be/state" 5 ${2:+"$2/state" 6}
}

# hand_close VDEV: and waits for Closed
hand_close()
{
	hand_closing "$1" && wait_for 30 vbd_state_is 0 "$1" 6
}

# hand_detach VDEV: and removes what is left in xenstore
hand_detach()
{
	xenstore-exists "$(backend_path 0 "$1")" || return 0
	vbd_state_is 0 "$1" 6 || hand_close "$1" || return
	wait_for 30 vbd_is_gone 0 "$1" || return
	xenstore-rm "$(backend_path 0 "$1")" "$(frontend_path 0 "$1")" || return
	# blkfront lets go of the disk when its directory is gone
	wait_for 30 not test -b "/dev/$1"
}

# wrong_key KEY VALUE REGEX: a vbd that has it is told so, and goes
wrong_key()
{
	hand_attach xvdb "$1=$2" physical-device="$(devt_hex /dev/nullb0)"
	wait_for 10 vbd_error 0 xvdb
	like "$(vbd_error 0 xvdb)" "$3" "a wrong one is told"
	# Closed by then, and online: nobody else asks for its end
	hand_set xvdb online 0
	ok "detach" hand_detach xvdb
}
