# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Leaks: what the backend has of threads, memory, grants and xenstore nodes, now
# and before.

# driver_threads: the names of the backend's kernel threads, "DOMID.DEVICE...". All
# processes are asked, as ps does, which takes a second to start.
driver_threads()
{
	local file name

	for file in /proc/[0-9]*/comm; do
		{ read -r name <"$file"; } 2>/dev/null || continue
		[[ ! $name =~ ^([0-9]+\.(xvd|sd|hd)|(xen-)?blkback(\.|$)) ]] || echo "$name"
	done | sort
}

# slab_objects: in use in the driver's cache, ours or stock's
slab_objects()
{
	local f

	# Otherwise free objects of a CPU's own slab count as used
	for f in /sys/kernel/slab/{xenvbd,xen_blk*,blkif*}/shrink; do
		[ ! -w "$f" ] || echo 1 >"$f"
	done
	awk '/^(xenvbd|xen_?blk|blkif)/ { n += $2 } END { print n + 0 }' /proc/slabinfo
}

# grant_entries: active entries in all domains' grant tables, as Xen lists them
grant_entries()
{
	xl debug-keys g
	LAB_GRANTS=
	wait_for 10 grant_dump
	echo "$LAB_GRANTS"
}

# grant_dump: sets LAB_GRANTS from the last list in Xen's log, if that has an end
grant_dump()
{
	LAB_GRANTS=$(xl dmesg | awk '
		/gnttab_usage_print_all \[ key/ { n = ended = 0 }
		/\[0x[0-9a-f]+\]/ && !ended { n++ }
		/gnttab_usage_print_all.*done/ { ended = 1 }
		END { if (ended) print n }')
	[ -n "$LAB_GRANTS" ]
}

# leak_values: one line per thing that must come back to what it was
leak_values()
{
	local references='' threads

	mapfile -t threads < <(driver_threads)
	[ ! -e /sys/module/xen_blkback ] || references=$(</sys/module/xen_blkback/refcnt)
	echo "threads: ${#threads[@]}"
	echo "slab objects: $(slab_objects)"
	echo "nodes: $(xenstore-ls -f /local/domain/0 2>/dev/null | awk '
		/^.local.domain.0.backend.vbd\/.*\// { be++ }
		/^.local.domain.0.device.vbd\// { fe++ }
		END { print be + 0, "backend,", fe + 0, "frontend" }')"
	echo "module references: $references"
	echo "grant entries: $(grant_entries)"
}

# leak_snapshot: what is up now belongs there. Taken before a disk is attached, and
# again when one is that stays for the cases that follow.
leak_snapshot()
{
	LAB_LEAKS=$(leak_values)
}

# leak_check NAME: everything is as at the snapshot, or as the check before has found
# it; lets late work finish
leak_check()
{
	wait_for 10 leak_none
	is "$LAB_LEAKS_NOW" "$LAB_LEAKS" "$1"
	LAB_LEAKS=$LAB_LEAKS_NOW
}

leak_none()
{
	LAB_LEAKS_NOW=$(leak_values)
	[ "$LAB_LEAKS_NOW" = "$LAB_LEAKS" ]
}

# shrink_caches WHAT: as the kernel does when it looks for memory: 2 for what drivers
# and file systems can give back, 3 for the page cache, too
shrink_caches()
{
	echo "$1" >/proc/sys/vm/drop_caches
}

# memory_free: KiB that nobody uses, when all caches are empty
memory_free()
{
	sync
	shrink_caches 3
	awk '/^MemFree/ { print $2 }' /proc/meminfo
}
