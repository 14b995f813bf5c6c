# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For count.c: marks around a while in which a cell runs steadily, and the symbols of all
# that may run. A mark is a figure mark/NUMBER=NAME.

MARKS=0

# marks_start: before there is a guest
marks_start()
{
	perl "$PARTS/mark.pl" "$LAB_TMP/mark" || die "no program that marks"
	coproc MARK { exec "$LAB_TMP/mark"; }
	mark boot
}

# mark NAME: the machine stands still until count.c has written what ran
mark()
{
	echo >&"${MARK[1]}"
	read -r -u "${MARK[0]}" || die "no mark $1"
	MARKS=$((MARKS + 1))
	figure "mark/$MARKS" "$1"
}

# cost_cell WHERE CELL: naps are of virtual time
cost_cell()
{
	local pid='' window runtime command

	window=$(cost_window "${1##*/}")
	runtime=$(cost_runtime "$1" "$window")
	command=$(fio_command "$1" "$2" --time_based --runtime="${runtime}ms")
	# Nobody may look for the end of it meanwhile
	if in_guest "$1"; then
		guest_send bench "$command >/dev/null 2>&1"
	else
		bash -c "exec $command" >/dev/null 2>&1 &
		pid=$!
	fi
	[[ $1 != neighbour/* ]] || { neighbour_write "$1"; nap 0.5; }
	nap 0.8
	mark begin
	nap "$((window / 1000)).$(printf %03d $((window % 1000)))"
	mark "$1/$2"
	if in_guest "$1"; then
		guest_wait bench 1000
	else
		wait "$pid"
	fi || die "$1/$2: fio failed"
	[[ $1 != neighbour/* ]] || neighbour_wait "$1" >/dev/null
}

# cost_runtime WHERE WINDOW: milliseconds, with those before the first mark
cost_runtime()
{
	if [[ $1 = neighbour/* ]]; then
		echo $(($2 + 1800))
	else
		echo $(($2 + 1000))
	fi
}

# cost_window KIND: milliseconds between the marks
cost_window()
{
	if [ -n "${OPTION[window]}" ]; then
		echo "${OPTION[window]}"
	elif [ "$(disk_us "$1")" -lt 2000 ]; then
		echo 300
	else
		echo 1000
	fi
}

# symbols_of_dom0: and of Xen
symbols_of_dom0()
{
	symbols dom0 <(grep -i ' [tw] ' /proc/kallsyms)
	symbols xen /proc/xen/xensyms
}

# symbols_of_guest: of its modules; all else is as in dom0
symbols_of_guest()
{
	guest_run bench 'grep -i " [tw] .*\[" /proc/kallsyms | gzip -9 | base64 -w 150' |
		sed 's/^/symbols guest /'
}

# symbols WHOSE FILE
symbols()
{
	gzip -c <"$2" | base64 -w 1000 | sed "s/^/symbols $1 /"
}
