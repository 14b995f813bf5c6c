# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The end of a test, and of each of its cases: what it has put up is taken down, and
# nothing is left behind.

# What is still up, of the script or of the case that runs
LAB_CLEANUPS=()
LAB_LOOPBACKS=()
LAB_GUESTS=()
# leak_values of before
LAB_LEAKS=

# at_end COMMAND...: run when the script, or its case, ends; last first
at_end()
{
	LAB_CLEANUPS+=("$(printf '%q ' "$@")")
}

cleanup()
{
	local n guest

	for guest in "${LAB_GUESTS[@]}"; do
		guest_destroy "$guest"
	done
	for n in "${LAB_LOOPBACKS[@]}"; do
		detach "$n" >/dev/null 2>&1
	done
	for ((n = ${#LAB_CLEANUPS[@]} - 1; n >= 0; n--)); do
		eval "${LAB_CLEANUPS[n]}" >/dev/null 2>&1
	done
	LAB_GUESTS=() LAB_LOOPBACKS=() LAB_CLEANUPS=()
}

# subtest NAME COMMAND...: one case of a script. Its results are "NAME: ...". It runs
# in a process of its own: variables that it sets, and bail, end with it. Then its
# clean-ups run, and the last result is that nothing is left behind.
subtest()
{
	local prefix=$TAP_PREFIX

	TAP_PREFIX+="$1: "
	shift
	# It takes seconds: what the case before has left is known
	[ -n "$LAB_LEAKS" ] || leak_snapshot
	rm -f "$LAB_TMP/case"
	(case_run "$@")
	if [ -e "$LAB_TMP/case" ]; then
		read -r TAP_RUN TAP_FAILED <"$LAB_TMP/case"
		leak_check "nothing is left behind"
	else
		fail "its process was killed"
	fi
	TAP_PREFIX=$prefix
}

# What runs: a "script", a "case", or a case that has "ended"
LAB_RUNS=script

# case_run COMMAND...: the process of a case
case_run()
{
	LAB_CLEANUPS=() LAB_LOOPBACKS=() LAB_GUESTS=() LAB_LEAKS=
	LAB_RUNS=case
	trap case_exit EXIT
	"$@"
	LAB_RUNS=ended
}

# A variable that is not set ends a case early, for one thing
case_exit()
{
	local status=$?

	[ $LAB_RUNS = ended ] || fail "came to its end, and not to exit status $status"
	cleanup
	echo "$TAP_RUN $TAP_FAILED" >"$LAB_TMP/case"
}

# Called by done_testing, and so by bail, which ends no more than a case
tap_before_end()
{
	if [ $LAB_RUNS = case ]; then
		LAB_RUNS=ended
		exit
	fi
	cleanup
	is "$(klog_splats)" "" "no splat in the kernel log"
}

# main_checks VERSION: the main tests, shortened, on a kernel of that version
main_checks()
{
	local name

	export LAB_SHORT=1
	like "$(uname -r)" "^${1/./\\.}\." "the kernel is Linux $1"
	for name in 10-data 30-properties 31-statistics 40-detach 41-no-frontend; do
		relay "$name" bash "/lab/t/$name.sh"
	done
}

# The script left without done_testing: prove sees a missing plan, say why
script_exit()
{
	local status=$?

	rm -rf "$LAB_TMP"
	[ "$status" = 0 ] && [ "$TAP_FAILED" = 0 ] && return
	[ ${#LAB_CLEANUPS[@]} = 0 ] && [ ${#LAB_LOOPBACKS[@]} = 0 ] &&
		[ ${#LAB_GUESTS[@]} = 0 ] && return
	diag "ended early with status $status"
}
trap script_exit EXIT
