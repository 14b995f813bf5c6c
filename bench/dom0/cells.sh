# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A cell is one run of fio: block size, kind of access and depth, as in 4k-randread-d32.
# VBD is the backend's directory in sysfs; without one the disk tells what was done.
# RUN and START are files with lines "NAME COUNT": what was counted around a run, and
# around a run that fio is only started for.

# fio_command WHERE CELL ARGUMENT...: the total depth is the cell's, split over as many
# jobs as there are queues, each on a CPU of its own
fio_command()
{
	local bs rw depth dev=/dev/xvda jobs=${1##*/q} cpus=

	IFS=- read -r bs rw depth <<<"$2"
	depth=${depth#d}
	[[ $1 != native/* ]] || dev=$DISK
	[ "$depth" -ge "$jobs" ] || jobs=1
	[ "$jobs" = 1 ] || cpus="--cpus_allowed=0-$((jobs - 1)) --cpus_allowed_policy=split"
	shift 2
	echo fio --name=bench --filename="$dev" --rw="$rw" --bs="$bs" \
		--iodepth=$((depth / jobs)) --numjobs="$jobs" --group_reporting --thread \
		--direct=1 --ioengine=libaio --norandommap --randrepeat=1 --gtod_reduce=1 \
		--minimal --terse-version=3 "$cpus" "$@"
}

# counters VBD: what the backend has counted so far, "NAME COUNT" per line
counters()
{
	local f

	echo "back_ctxt $(sed -n 's/^ctxt //p' /proc/stat)"
	if [ -z "$1" ]; then
		awk '{ print "sectors", $3 + $7 }' "/sys/block/${DISK#/dev/}/stat"
		return
	fi
	echo "back_events $(cat "$1/xenbus/events")"
	echo "sectors $(($(cat "$1/statistics/rd_sect") + $(cat "$1/statistics/wr_sect")))"
	[ "$LAB_MODULE" = ours ] || return 0
	for f in "$1"/statistics/*; do
		echo "stat_${f##*/} $(cat "$f")"
	done
}

# run_fio WHERE VBD COMMAND: prints what was counted around it
run_fio()
{
	counters "$2" >"$LAB_TMP/before"
	in_front "$1" "measure $3" >"$LAB_TMP/front" ||
		{ sed 's/^/bench: /' "$LAB_TMP/front" >&2; die "fails in $1: $3"; }
	counters "$2" >"$LAB_TMP/after"
	awk 'NR == FNR { before[$1] = $2; next } { printf "%s %d\n", $1, $2 - before[$1] }' \
		"$LAB_TMP/before" "$LAB_TMP/after"
	sed -nE 's/^([a-z_]+)=([0-9.]+)$/\1 \2/p' "$LAB_TMP/front"
}

# run_start WHERE VBD: prints what starting fio costs, to be taken off each cell
run_start()
{
	local command

	command=$(fio_command "$1" 4k-randread-d1 --number_ios=1)
	# Twice: the first one brings its files into memory
	run_fio "$1" "$2" "$command" >/dev/null
	run_fio "$1" "$2" "$command"
}

# count NAME FILE
count()
{
	awk -v name="$1" '$1 == name { print $2 }' "$2"
}

# ios CELL RUN START: how many I/Os of the cell's size were done
ios()
{
	local bytes=${1%%-*}

	bytes=$(numfmt --from=iec "${bytes^^}")
	echo $((($(count sectors "$2") - $(count sectors "$3")) * 512 / bytes))
}

# figures_per_io NAME IOS COUNTS [START]: a figure NAME/... of each count
figures_per_io()
{
	[ "$2" -gt 0 ] || die "no figure for $1"
	awk -v name="$1" -v ios="$2" -f "$PARTS/per-io.awk" "${4:-/dev/null}" "$3"
}

# cell WHERE VBD CELL START
cell()
{
	local run=$LAB_TMP/run iops

	run_fio "$1" "$2" "$(fio_command "$1" "$3" --time_based \
		--runtime="${OPTION[runtime]}" --ramp_time="${OPTION[ramp]}")" >"$run"
	iops=$(count iops "$run")
	[ -n "$iops" ] || die "no figure for $1/$3"
	figure "$1/$3/iops" "$iops"
	figures_per_io "$1/$3" "$(ios "$3" "$run" "$4")" "$run" "$4"
}

# measure_disk WHERE VBD: all cells that are asked for
measure_disk()
{
	local start=$LAB_TMP/start c

	if [ -n "${OPTION[profile]}" ]; then
		profile_cell "$1" "${OPTION[profile]}"
		return
	fi
	run_start "$1" "$2" >"$start"
	for c in ${OPTION[cells]}; do
		cell "$1" "$2" "$c" "$start"
	done
	[[ $1 != native/* ]] || return 0
	for c in ${OPTION[traced]}; do
		[[ " ${OPTION[cells]} " != *" $c "* ]] || traced_cell "$1" "$2" "$c" "$start"
	done
	# Of a process that is the backend, the kernel's stacks tell nothing
	[ -n "$2" ] || return 0
	for c in ${OPTION[allocating]}; do
		allocating_cell "$1" "$2" "$c" "$start"
	done
}
