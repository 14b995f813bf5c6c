#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# Persistent grants: they need both sides, are limited, and go when nobody has
# used them for a while. Without them nothing stays mapped. An idle ring sleeps.

. /lab/lib.sh

PARAMETERS=/sys/module/xen_blkback/parameters

# parameter NAME VALUE
parameter()
{
	echo "$2" >"$PARAMETERS/$1"
}

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

# check_pair BACKEND FRONTEND TRUSTED: what is offered, what happens
check_pair()
{
	local what="backend $1, frontend $2, trusted $3" both=$(($1 & $2))

	ok "$what: parameters" eval "parameter feature_persistent $1 &&
		frontend_reload feature_persistent=$2 trusted=$3"
	ok "$what: attach" disk_attach /dev/nullb0 xvda
	is "$(xs_read "$(backend_path 0 xvda)/feature-persistent" \
		"$(frontend_path 0 xvda)/feature-persistent" | paste -sd' ')" \
		"$1 $2" "$what: both say so"
	mapped_by few_requests >/dev/null 2>&1
	is "$(mapped_by few_requests 2>/dev/null)" $((both ? 0 : 16 * 11)) \
		"$what: grants mapped by 16 requests of 11 pages"
	is "$(mapped)" $((both ? 11 : 0)) "$what: grants that stay mapped"
	ok "$what: fio verifies" fio_verify /dev/xvda --rw=randrw --bsrange=512-128k \
		--iodepth=16 --size=4m
	ok "$what: the frontend writes" random_through /dev/xvda 2
	ok "$what: dom0 finds the same bytes on the disk" holds_random /dev/nullb0 direct
	[ $both = 1 ] || is "$(mapped)" 0 "$what: nothing stays mapped"
	ok "$what: detach" hand_detach xvda
}

check_limit()
{
	parameter max_persistent_grants 20
	ok "limit of 20: attach" disk_attach /dev/nullb0 xvda
	ok "limit of 20: fio verifies" fio_verify /dev/xvda --rw=randrw --bsrange=4k-128k \
		--iodepth=16 --size=4m
	is "$(mapped)" 20 "limit of 20: no more stay mapped"
	parameter max_persistent_grants 1056
	ok "limit of 1056: fio verifies" fio_verify /dev/xvda --rw=randrw --bsrange=4k-128k \
		--iodepth=16 --size=4m
	le 100 "$(mapped)" "limit of 1056: more do"
}

# The ring of check_limit is idle, many grants are mapped
check_age()
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
	ok "detach" hand_detach xvda
}

nothing_mapped()
{
	[ "$(mapped)" = 0 ]
}

ok "the backend loads" module_load grant_policy=persistent
ok "a disk in memory" null_disk
leak_snapshot
ENTRIES=$(grant_entries)
check_pair 0 1 1
check_pair 1 0 0
check_pair 1 1 1
check_limit
check_age
for persistent in 0 1; do
	parameter feature_persistent $persistent
	frontend "backend $persistent" grants.fe DISK="$(devt_hex /dev/nullb0)"
done
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
