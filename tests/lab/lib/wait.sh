# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Waiting for a condition, and how long something takes.

# nap SECONDS: without a process, which emulation makes dear
nap()
{
	read -r -t "$1" -u "$LAB_NEVER" || :
}
exec {LAB_NEVER}<> <(:)

# wait_for SECONDS COMMAND...: polls until the command succeeds
wait_for()
{
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		nap "${LAB_POLL:-0.1}"
	done
	return 0
}

# not COMMAND...: for wait_for
not()
{
	! "$@"
}

# ms_since BEGIN: milliseconds; BEGIN is an earlier ${EPOCHREALTIME/./}
ms_since()
{
	echo $(((${EPOCHREALTIME/./} - $1) / 1000))
}

# milliseconds COMMAND...: how long it takes; its output goes to stderr
milliseconds()
{
	local begin=${EPOCHREALTIME/./}

	"$@" >&2 && ms_since "$begin"
}
