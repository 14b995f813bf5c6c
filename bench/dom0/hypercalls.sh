# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Hypercalls of a cell, in a run of its own.

# traced_cell WHERE VBD CELL START: of all domains, by number
traced_cell()
{
	local trace=$LAB_TMP/trace run=$LAB_TMP/run pid

	xentrace -D -S 256 -e 0x20f000 "$trace" 2>/dev/null &
	pid=$!
	nap 0.1
	run_fio "$1" "$2" "$(fio_command "$1" "$3" --time_based --runtime=200ms)" >"$run"
	kill -INT "$pid" || die "$1/$3: xentrace does not run"
	wait "$pid"
	perl "$PARTS/hypercalls.pl" "$trace" >"$LAB_TMP/hypercalls" ||
		die "$1/$3: cannot count hypercalls"
	figures_per_io "$1/$3" "$(ios "$3" "$run" "$4")" "$LAB_TMP/hypercalls"
	rm -f "$trace"
}
