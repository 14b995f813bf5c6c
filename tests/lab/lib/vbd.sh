# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A vbd as xenstore and sysfs show it. VDEV is a name, as xvda, or a number.

xs_read()
{
	xenstore-read "$@" 2>/dev/null
}

# vdev_number VDEV: xvda -> 51712, as the toolstack counts
vdev_number()
{
	local letters=${1#xvd} part=0 n=0 i

	[[ $1 =~ ^[0-9]+$ ]] && echo "$1" && return
	if [[ $letters =~ ^([a-z]+)([0-9]+)$ ]]; then
		letters=${BASH_REMATCH[1]} part=${BASH_REMATCH[2]}
	fi
	for ((i = 0; i < ${#letters}; i++)); do
		n=$((n * 26 + $(printf %d "'${letters:i:1}") - 96))
	done
	n=$((n - 1))
	if [ $n -lt 16 ] && [ "$part" -lt 16 ]; then
		echo $((202 << 8 | n << 4 | part))
	else
		echo $((1 << 28 | n << 8 | part))
	fi
}

# backend_path DOMID VDEV
backend_path()
{
	echo "/local/domain/0/backend/vbd/$1/$(vdev_number "$2")"
}

# frontend_path DOMID VDEV
frontend_path()
{
	echo "/local/domain/$1/device/vbd/$(vdev_number "$2")"
}

# vbd_key DOMID VDEV KEY: of the backend
vbd_key()
{
	xs_read "$(backend_path "$1" "$2")/$3"
}

# vbd_key_is DOMID VDEV KEY VALUE: for wait_for
vbd_key_is()
{
	[ "$(vbd_key "$1" "$2" "$3")" = "$4" ]
}

# vbd_state DOMID VDEV: the backend's state; 4 is Connected
vbd_state()
{
	vbd_key "$1" "$2" state
}

# vbd_state_is DOMID VDEV STATE: for wait_for
vbd_state_is()
{
	vbd_key_is "$1" "$2" state "$3"
}

# vbd_error DOMID VDEV: the message the backend left for the administrator
vbd_error()
{
	xs_read "/local/domain/0/error/backend/vbd/$1/$(vdev_number "$2")/error"
}

# vbd_error_like DOMID VDEV REGEX: for wait_for
vbd_error_like()
{
	[[ $(vbd_error "$1" "$2") =~ $3 ]]
}

# vbd_sysfs DOMID VDEV: the device's directory in sysfs
vbd_sysfs()
{
	echo "/sys/bus/xen-backend/devices/vbd-$1-$(vdev_number "$2")"
}

# vbd_is_gone DOMID VDEV: for wait_for
vbd_is_gone()
{
	[ ! -e "$(vbd_sysfs "$1" "$2")" ]
}

# vbd_stat DOMID VDEV FILE: of its statistics
vbd_stat()
{
	cat "$(vbd_sysfs "$1" "$2")/statistics/$3"
}

# vbd_stats DOMID VDEV FILE...: in one line
vbd_stats()
{
	local dir file n all=()

	dir=$(vbd_sysfs "$1" "$2")/statistics
	for file in "${@:3}"; do
		read -r n <"$dir/$file"
		all+=("$n")
	done
	echo "${all[*]}"
}

# vbd_debugfs DOMID VDEV: its file of debugfs
vbd_debugfs()
{
	echo "/sys/kernel/debug/xen-blkback/$(basename "$(vbd_sysfs "$1" "$2")")"
}

# vbd_tunable DOMID VDEV NAME [VALUE]
vbd_tunable()
{
	local file

	file=$(vbd_sysfs "$1" "$2")/tunables/$3
	if [ $# = 3 ]; then
		cat "$file"
	else
		echo "$4" >"$file"
	fi
}

# thread_switches VDEV: how often the thread of dom0's first ring has slept or been
# preempted
thread_switches()
{
	awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$(pgrep -x "0\.$1-0")/status"
}

