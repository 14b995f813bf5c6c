#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=1200
#
# The ways to the guest's pages: each of them carries the data, and the counters
# say that it was this one. Set by parameter, by key, and under load.

. /lab/lib.sh

policy()
{
	vbd_tunable 0 xvda grant_policy "$@"
}

offered()
{
	vbd_key 0 xvda feature-persistent
}

# attach: counted from the start
attach()
{
	ok "attach" disk_attach /dev/nullb0 xvda
	ways_start
}

# verify MAPPED COPIED NAME
verify()
{
	ok "$3: fio verifies" fio_verify /dev/xvda --rw=randrw --bsrange=512-128k \
		--iodepth=32 --size=4m
	ok "$3: dd through the frontend" random_through /dev/xvda 2
	ok "$3: dom0 finds the same bytes" flushed /dev/nullb0 holds_random /dev/nullb0
	ok "$3: and the frontend reads them" holds_random /dev/xvda direct
	ways_are 0 xvda "$1" "$2" "$3"
}

# switched POLICY MAPPED COPIED
switched()
{
	ok "$1: set at run time" policy "$1"
	is "$(policy)" "$1" "$1: and shown"
	ways_are 0 xvda none none "$1: before"
	verify "$2" "$3" "$1"
}

by_parameter()
{
	attach
	is "$(policy)" copy "it counts for a new device"
	is "$(offered)" 0 "persistent grants are not offered"
	verify none some copy
	switched map some none
	not_ok "a policy that does not exist is refused" policy fly
	is "$(policy)" map "and changes nothing"
	ok "detach" hand_detach xvda
}

by_frontend()
{
	attach
	is "$(offered)" 1 "persistent grants are offered"
	verify some none "auto"
	switched copy none some
	switched map some none
	switched persistent some none
	under_load
	ok "detach" hand_detach xvda
}

under_load()
{
	local n policy fio

	fio_verify /dev/xvda --rw=randrw --bsrange=512-128k --iodepth=32 --size=16m >"$LAB_TMP/fio" 2>&1 &
	fio=$!
	for ((n = 0; n < 10; n++)); do
		for policy in copy map persistent; do
			policy $policy || fail "set $policy"
			nap 0.1
		done
	done
	ok "changed under load: fio verifies" wait $fio
	is "$(vbd_stat 0 xvda err_req)" 0 "and no request fails"
	ways_are 0 xvda some some "changed under load"
}

stable_pages()
{
	echo 1 >/sys/block/nullb0/queue/stable_writes
	at_end eval 'echo 0 >/sys/block/nullb0/queue/stable_writes'
	attach
	verify some some "reads and writes"
	dd if=/dev/zero of=/dev/xvda bs=4k count=64 oflag=direct status=none
	ways_are 0 xvda none some "writes"
	ok "detach" hand_detach xvda
}

not_persistent()
{
	attach
	verify none some "auto"
	ok "detach" hand_detach xvda
}

by_key()
{
	ok "that of a vbd is read" hand_attach xvdb grant-policy=copy \
		physical-device="$(devt_hex /dev/nullb0)"
	is "$(vbd_tunable 0 xvdb grant_policy)" copy "and counts"
	ok "detach" hand_detach xvdb
	wrong_key grant-policy fly 'grant-policy: "fly" is unknown'
}

nasty_frontends()
{
	local disk

	disk=$(devt_hex /dev/nullb0)
	frontend "bad requests" bad-requests.fe ABI=x86_64-abi DISK="$disk"
	frontend "hostile ones" hostile.fe ABI=x86_64-abi ROUNDS=50 DISK="$disk"
}

ok "the backend loads" module_load grant_policy=copy
is "$(parameter grant_policy)" copy "the parameter is shown"
not_ok "one that does not exist is refused" parameter grant_policy fly
ok "a disk" null_disk cache_size=8
ok "the frontend loads" frontend_load feature_persistent=1
subtest "parameter" by_parameter
parameter grant_policy auto
subtest "persistent frontend" by_frontend
subtest "a disk that wants stable pages" stable_pages
ok "the frontend without persistent grants" frontend_reload feature_persistent=0
subtest "frontend that is not persistent" not_persistent
subtest "key" by_key
parameter grant_policy copy
subtest "copied" nasty_frontends
ok "the backend unloads" module_unload
done_testing
