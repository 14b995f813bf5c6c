# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A cell is one run of fio: block size, kind of access and depth, as in 4k-randread-d32;
# what README.md says may follow, as in 4k-randread-d1-writer. VBD are the backend's
# directories in sysfs, one or two; without any the disk tells what was done. RUN and
# START are files with lines "NAME COUNT": what was counted around a run, and around a
# run that fio is only started for.

# The disk where the frontend is
FRONT=/dev/xvda
# The job beside the one that is looked at
WRITER="--rw=randwrite --bs=4k --iodepth=32"

# fio_command WHERE CELL ARGUMENT...: the total depth is the cell's, split over as many
# jobs as there are queues, each on a CPU of its own
fio_command()
{
	local bs rw depth kind jobs cpus=

	IFS=- read -r bs rw depth kind <<<"$2"
	depth=${depth#d}
	jobs=$(queues_of "$1")
	[ "$depth" -ge "$jobs" ] || jobs=1
	[ "$jobs" = 1 ] || cpus="--cpus_allowed=0-$((jobs - 1)) --cpus_allowed_policy=split"
	[[ $rw != randrw ]] || rw+=" --rwmixread=70"
	echo "$(fio_global "$1")" "$cpus" "${@:3}" --name=bench --rw="$rw" --bs="$bs" \
		--iodepth=$((depth / jobs)) --numjobs="$jobs" "$(fio_more "$kind")"
}

# fio_global WHERE: what all jobs have. To look at the clock costs instructions, and a
# disk that answers at once has no latency.
fio_global()
{
	local dev=$FRONT clock=--percentile_list=50:99:99.9

	[[ $1 != native/* ]] || dev=$DISK
	[ "${1##*/}" != inline ] || clock=--gtod_reduce=1
	echo fio --minimal --terse-version=3 --name=global --filename="$dev" --thread \
		--group_reporting --direct=1 --ioengine=libaio --norandommap --randrepeat=1 "$clock"
}

# fio_more KIND: what the rest of a cell's name says
fio_more()
{
	case $1 in
	'') ;;
	writer) echo "--name=beside --new_group $WRITER" ;;
	fsync) echo "--fsync=1" ;;
	*) die "no cells of the kind $1" ;;
	esac
}

# fio_times WHERE: how long a cell is measured there. Waiting for a disk costs nothing;
# where time is the host's, figures want more of it.
fio_times()
{
	local us

	us=$(disk_us "${1##*/}")
	if [[ $1 = smp/* ]] || [ "$us" -ge 2000 ]; then
		echo --time_based --runtime=2s --ramp_time=100ms
	elif [ "$us" = 0 ]; then
		echo --time_based --runtime=500ms --ramp_time=100ms
	else
		echo --time_based --runtime=300ms --ramp_time=50ms
	fi
}

# fio_seconds WHERE: until fio has certainly ended
fio_seconds()
{
	if [[ ! $1 =~ ^(neighbour|smp)/ ]] && [ "$(disk_us "${1##*/}")" -lt 2000 ]; then
		echo 1.7
	else
		echo 3.3
	fi
}

# counters VBD: what the backend has counted so far, "NAME COUNT" per line
counters()
{
	local vbd

	echo "back_ctxt $(sed -n 's/^ctxt //p' /proc/stat)"
	if [ -z "$1" ]; then
		awk '{ print "sectors", $3 + $7 }' "/sys/block/${DISK#/dev/}/stat"
		return
	fi
	for vbd in $1; do
		vbd_counters "$vbd"
	done | awk '{ n[$1] += $2 } END { for (k in n) printf "%s %d\n", k, n[k] }'
}

# wakeups DIRECTORY: how often the threads of a vbd have slept; of both modules
wakeups()
{
	local domid=${1##*/vbd-}

	awk -v name="^(blkback[.])?${domid%%-*}[.]${FRONT#/dev/}-[0-9]+\$" '
		$1 == "Name:" { own = $2 ~ name }
		own && $1 == "voluntary_ctxt_switches:" { n += $2 }
		END { print n + 0 }' /proc/[0-9]*/status 2>/dev/null
}

# vbd_counters DIRECTORY: without a process for each, which emulation makes dear
vbd_counters()
{
	local f n reads writes

	read -r n <"$1/xenbus/events"
	read -r reads <"$1/statistics/rd_sect"
	read -r writes <"$1/statistics/wr_sect"
	printf '%s %d\n' back_events "$n" sectors $((reads + writes)) back_wakeups "$(wakeups "$1")"
	[ "$LAB_MODULE" = ours ] || return 0
	for f in "$1"/statistics/*; do
		read -r n <"$f"
		echo "stat_${f##*/} $n"
	done
}

# run_fio WHERE VBD COMMAND [MEANWHILE]: prints what was counted around it
run_fio()
{
	counters "$2" >"$LAB_TMP/before"
	in_front "$1" "measure $3" "$(fio_seconds "$1")" "${@:4}" >"$LAB_TMP/front" ||
		{ sed 's/^/bench: /' "$LAB_TMP/front" >&2; die "fails in $1: $3"; }
	counters "$2" >"$LAB_TMP/after"
	awk 'NR == FNR { before[$1] = $2; next } { printf "%s %d\n", $1, $2 - before[$1] }' \
		"$LAB_TMP/before" "$LAB_TMP/after"
	sed -nE 's/^([a-z0-9_]+)=([0-9.]+)$/\1 \2/p' "$LAB_TMP/front"
}

# run_start WHERE VBD: prints what starting fio costs, to be taken off each cell
run_start()
{
	local command warm

	command=$(fio_command "$1" 4k-randread-d1 --number_ios=1)
	warm=$LAB_TMP/warm-${1%%/*}-$(queues_of "$1")
	# The first one brings its files into memory
	[ -e "$warm" ] || run_fio "$1" "$2" "$command" >"$warm"
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
	local size=${1%%-*} bytes

	case $size in
	*k) bytes=$((${size%k} << 10)) ;;
	*m) bytes=$((${size%m} << 20)) ;;
	esac
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
	local run=$LAB_TMP/run

	if [[ $1 = neighbour/* ]]; then
		run_fio "$1" "$2" "$(fio_command "$1" "$3" --time_based --runtime=300ms \
			--ramp_time=1500ms)" neighbour_write
		neighbour_wait "$1"
	else
		run_fio "$1" "$2" "$(fio_command "$1" "$3" "$(fio_times "$1")")"
	fi >"$run"
	[ -n "$(count iops "$run")" ] || die "no figure for $1/$3"
	figures_of_fio "$1/$3" "$run"
	figures_per_io "$1/$3" "$(ios "$3" "$run" "$4")" "$run" "$4"
}

# figures_of_fio NAME RUN: rates, and microseconds until an I/O of 50, 99, 99.9 % is done
figures_of_fio()
{
	awk -v name="$1" '$1 ~ /^(beside_)?(iops|p[0-9]+)$/ { print name "/" $1 "=" $2 }' "$2"
}

# measure_disk WHERE VBD: all cells that are asked for
measure_disk()
{
	local start=$LAB_TMP/start cells c

	cells=$(plan_cells "${1%%/*}" "${1##*/}")
	if [ -n "${OPTION[cost]}" ]; then
		for c in $cells; do
			cost_cell "$1" "$c"
		done
		return
	fi
	run_start "$1" "$2" >"$start"
	for c in $cells; do
		cell "$1" "$2" "$c" "$start"
	done
	[[ ! $1 =~ ^(guest|loopback)/.*/inline$ ]] || more_runs "$1" "$2" "$start"
}

# more_runs WHERE VBD START: of the disk that answers at once, what is dear to count
more_runs()
{
	local c

	for c in ${OPTION[traced]}; do
		! plan_has "${1%%/*}/${1##*/}/$c" || traced_cell "$1" "$2" "$c" "$3"
	done
	# Of a process that is the backend, the kernel's stacks tell nothing
	[ -n "$2" ] || return 0
	for c in ${OPTION[allocating]}; do
		allocating_cell "$1" "$2" "$c" "$3"
	done
}
