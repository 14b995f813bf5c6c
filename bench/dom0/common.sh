# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What all parts of the benchmark in dom0 share. WHERE, which many functions take, is
# PLACE/pPERSISTENT/qQUEUES/KIND, as in guest/p1/q4/inline; KIND is the disk, see disk.sh.

die()
{
	echo "bench: $*" >&2
	cleanup
	exit 1
}

# figure NAME VALUE
figure()
{
	echo "$1=$2"
}

# queues_of WHERE
queues_of()
{
	local queues=${1#*/*/q}

	echo "${queues%%/*}"
}

# in_guest WHERE: is the frontend there, or in dom0?
in_guest()
{
	[[ $1 =~ ^(guest|neighbour|apart|smp)/ ]]
}

# front_program COMMAND: with the functions of front.sh. All that goes over a guest's
# console costs events, which are counted.
front_program()
{
	sed '/^#/d; /^$/d; s/^\t*//' "$PARTS/front.sh"
	echo "$1"
}

# in_front WHERE COMMAND [SECONDS [MEANWHILE]]: runs it where the frontend is. Nobody
# looks for the end of it in a guest for so long: to look takes the guest's CPU for
# milliseconds. Time in which all wait costs nothing. MEANWHILE is a function.
in_front()
{
	local program

	program=$(front_program "$2")
	if in_guest "$1"; then
		guest_send bench "$program"
		[ $# -lt 4 ] || "$4" "$1"
		nap "${3:-0.5}"
		guest_wait bench 1000
	else
		bash -c "$program"
	fi
}
