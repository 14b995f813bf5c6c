# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What all parts of the benchmark in dom0 share. WHERE, which many functions take, is
# PLACE/pPERSISTENT/qQUEUES, as in guest/p1/q4.

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

# in_guest WHERE: is the frontend there, or in dom0?
in_guest()
{
	[[ $1 = guest/* ]]
}

# in_front WHERE COMMAND: runs it where the frontend is, with the functions of front.sh.
# All that goes over the guest's console costs events, which are counted.
in_front()
{
	local program

	program=$(sed '/^#/d; /^$/d; s/^\t*//' "$PARTS/front.sh")$'\n'$2
	if in_guest "$1"; then
		guest_run bench "$program" 1000
	else
		bash -c "$program"
	fi
}
