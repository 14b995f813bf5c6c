# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Runs scenarios of the user-space frontend inside a lab test. Source it after
# lib.sh.

# disk_devt NAME: the device as physical-device wants it, "major:minor" in hex
disk_devt()
{
	devt_hex "/dev/$1"
}

# frontend NAME SCENARIO [VARIABLE=VALUE...]: each check of the scenario becomes
# a test; one more says that it ran to its end. SCENARIO may be a path.
frontend()
{
	local name=$1 scenario=$2 line ended='' defines=()

	shift 2
	[[ $scenario == /* ]] || scenario=/job/scenarios/$scenario
	# Stock leaves response padding as the request had it
	[ "$LAB_MODULE" = ours ] || defines+=(-D PADDING=no-leak -D ERRORS=any)
	for line; do
		defines+=(-D "$line")
	done
	diag "$name"
	while IFS= read -r line; do
		case $line in
		"ok "*) pass "$name: ${line#ok * - /job/scenarios/}" ;;
		"not ok "*) fail "$name: ${line#not ok * - /job/scenarios/}" ;;
		1..*) ended=1 ;;
		*) echo "$line" ;;
		esac
	done < <(/job/blkfe --tap "${defines[@]}" "$scenario")
	is "$ended" 1 "$name: ran to its end"
}
