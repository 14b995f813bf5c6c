#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# Persistent grants: they need both sides, are limited, and go when nobody has
# used them for a while. Without them nothing stays mapped. An idle ring sleeps.

. /lab/lib.sh

# mapped: grants of dom0's own that the backend has mapped, beside the ring
mapped()
{
	echo $(($(grant_entries) - ENTRIES - 1))
}

# few_requests: 16 of 11 pages each, one after the other; the frontend takes the
# pages that it used last
few_requests()
{
	dd if=/dev/zero of=/dev/xvda bs=44k count=16 oflag=direct conv=nocreat,notrunc
}

# mapped_by COMMAND...: how many grants were mapped meanwhile
mapped_by()
{
	local before

	before=$(vbd_stat 0 xvda map_ops)
	"$@" >&2 || return
	echo $(($(vbd_stat 0 xvda map_ops) - before))
}

# no_switches SECONDS NAME
no_switches()
{
	local before

	before=$(thread_switches xvda)
	nap "$1"
	is "$(thread_switches xvda)" "$before" "$2: the thread does not wake up in $1 s"
}

# pair BACKEND FRONTEND TRUSTED: what is offered, what happens
pair()
{
	local both=$(($1 & $2))

	ok "the backend's parameter" parameter feature_persistent "$1"
	ok "the frontend's" frontend_reload feature_persistent="$2" trusted="$3"
	ok "attach" disk_attach /dev/nullb0 xvda
	is "$(vbd_key 0 xvda feature-persistent) $(xs_read "$(frontend_path 0 xvda)/feature-persistent")" \
		"$1 $2" "both say so"
	mapped_by few_requests >/dev/null 2>&1
	is "$(mapped_by few_requests 2>/dev/null)" $((both ? 0 : 16 * 11)) \
		"grants mapped by 16 requests of 11 pages"
	is "$(mapped)" $((both ? 11 : 0)) "grants that stay mapped"
	ok "fio verifies" fio_verify /dev/xvda --rw=randrw --bsrange=512-128k \
		--iodepth=16 --size=4m
	ok "the frontend writes" random_through /dev/xvda 2
	ok "dom0 finds the same bytes on the disk" holds_random /dev/nullb0 direct
	[ $both = 1 ] || is "$(mapped)" 0 "nothing stays mapped"
	ok "detach" hand_detach xvda
}

# limit_and_age: the second part needs an idle ring with many grants
limit_and_age()
{
	ok "attach" disk_attach /dev/nullb0 xvda
	limit
	age
	ok "detach" hand_detach xvda
}

limit()
{
	parameter max_persistent_grants 20
	ok "limit of 20: fio verifies" fio_verify /dev/xvda --rw=randrw --bsrange=4k-128k \
		--iodepth=16 --size=4m
	is "$(mapped)" 20 "limit of 20: no more stay mapped"
	parameter max_persistent_grants 1056
	ok "limit of 1056: fio verifies" fio_verify /dev/xvda --rw=randrw --bsrange=4k-128k \
		--iodepth=16 --size=4m
	# How many depends on how many of the 16 are in flight at a time.
	le 40 "$(mapped)" "limit of 1056: more do"
}

age()
{
	no_switches 4 "unused for less than a minute"
	parameter persistent_grant_unused_seconds 6
	few_requests 2>/dev/null
	is "$(mapped)" 11 "unused for 6 seconds: those just used are left"
	ok "a little later none is" wait_for 15 nothing_mapped
	no_switches 3 "none left"
	parameter persistent_grant_unused_seconds 0
	ok "they come again" few_requests
	no_switches 3 "0 seconds"
	is "$(mapped)" 11 "with 0 seconds they stay"
	parameter persistent_grant_unused_seconds 60
}

nothing_mapped()
{
	[ "$(mapped)" = 0 ]
}

ok "the backend loads" module_load grant_policy=persistent
ok "a disk in memory" null_disk
ENTRIES=$(grant_entries)
for settings in "0 1 1" "1 0 0" "1 1 1"; do
	read -r backend frontend trusted <<<"$settings"
	subtest "backend $backend, frontend $frontend, trusted $trusted" \
		pair "$backend" "$frontend" "$trusted"
done
subtest "kept" limit_and_age
disk=$(devt_hex /dev/nullb0)
for persistent in 0 1; do
	parameter feature_persistent $persistent
	subtest "blkfe, backend $persistent" frontend "grants" grants.fe DISK="$disk"
done
ok "the backend unloads" module_unload
done_testing
