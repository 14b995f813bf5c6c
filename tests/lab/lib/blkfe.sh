# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The user-space frontend, blkfe: its scenarios inside a test, and guests of a few
# lines that die.

# frontend NAME SCENARIO [VARIABLE=VALUE...]: each check of the scenario becomes
# a result; one more says that it ran to its end. SCENARIO may be a path, or - for
# standard input.
frontend()
{
	diag "$1"
	relay "$1" frontend_raw "${@:2}"
}

# frontend_raw SCENARIO [VARIABLE=VALUE...]: its own TAP
frontend_raw()
{
	local scenario=$1 word defines=()

	# Stock leaves response padding as the request had it
	[ "$LAB_MODULE" = ours ] || defines+=(-D PADDING=no-leak -D ERRORS=any)
	for word in "${@:2}"; do
		defines+=(-D "$word")
	done
	# The names of the checks begin with the path as it is given
	(cd /job/scenarios && exec /job/blkfe --tap "${defines[@]}" "$scenario")
}

# replay FILE STATUS: the TAP of a program that ran in the background, and its exit
# status; for relay
replay()
{
	cat "$1"
	return "$2"
}

# blkfe_path VDEV: the directory of the frontend
blkfe_path()
{
	echo "/local/domain/0/blkfe/vbd/$(vdev_number "$1")"
}

# blkfe_guest DEVID DEVICE LINE...: a guest connects, says that, and dies
blkfe_guest()
{
	at_end blkfe_forget "$1"
	/job/blkfe --keep - <<-END
	vbd devid=$1 physical-device=$(devt_hex "$2")
	connect
	$(printf '%s\n' "${@:3}")
	END
}

# blkfe_closing DEVID: asks for the end as libxl does; the frontend has closed already
blkfe_closing()
{
	hand_closing "$1" "$(blkfe_path "$1")"
}

# blkfe_forget DEVID: both directories go at once, as libxl's last resort
blkfe_forget()
{
	xenstore-rm "$(backend_path 0 "$1")"
	xenstore-rm "$(blkfe_path "$1")" 2>/dev/null
}

# blkfe_vanish DEVID: removed by force
blkfe_vanish()
{
	blkfe_forget "$1"
	wait_for 30 vbd_is_gone 0 "$1"
}
