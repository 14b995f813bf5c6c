# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Memory that a cell allocates, in a run of its own.

ALLOCATION_EVENTS=(/sys/kernel/tracing/events/kmem/{kmalloc,kmem_cache_alloc,mm_page_alloc})

# histograms PREFIX: of the allocations by stack; "!" takes them away
histograms()
{
	local event

	for event in "${ALLOCATION_EVENTS[@]}"; do
		echo "$1hist:keys=stacktrace" >"$event/trigger" ||
			die "no histogram of ${event##*/}"
	done
}

# allocating_cell WHERE VBD CELL START: by the backend, and by the block layer for it.
# What fio needs to start has no backend in its stack.
allocating_cell()
{
	local run=$LAB_TMP/run

	histograms ''
	run_fio "$1" "$2" "$(fio_command "$1" "$3" --time_based --runtime=100ms)" >"$run"
	awk -f "$PARTS/allocations.awk" "${ALLOCATION_EVENTS[@]/%//hist}" \
		>"$LAB_TMP/allocations" || die "$1/$3: not all allocations are counted"
	figures_per_io "$1/$3" "$(ios "$3" "$run" "$4")" "$LAB_TMP/allocations"
	histograms '!'
}
