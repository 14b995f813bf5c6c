# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For bench/profile: marks while a cell runs, and symbols of all that may run.

# profile_cell WHERE CELL: marks when it runs steadily; the naps are of virtual time
profile_cell()
{
	local command pid=

	command="$(fio_command "$1" "$2" --time_based --runtime=3s) >/dev/null 2>&1"
	# Nobody may look for the end of it meanwhile
	if in_guest "$1"; then
		guest_send bench "$command"
	else
		bash -c "$command" &
		pid=$!
	fi
	nap 1.5
	figure profile/begin 1
	nap 1
	figure profile/end 1
	if in_guest "$1"; then
		guest_wait bench 1000
	else
		wait "$pid"
	fi || die "$1/$2: fio failed"
	all_symbols "$1"
}

# all_symbols WHERE: of Xen, dom0, and the guest's modules
all_symbols()
{
	symbols dom0 <(grep -i ' [tw] ' /proc/kallsyms)
	symbols xen /proc/xen/xensyms
	! in_guest "$1" || guest_run bench \
		'grep -i " [tw] .*\[" /proc/kallsyms | gzip -9 | base64 -w 150' |
		sed 's/^/symbols guest /'
}

# symbols WHOSE FILE
symbols()
{
	gzip -c <"$2" | base64 -w 1000 | sed "s/^/symbols $1 /"
}
