#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=1200
#
# The ways to the guest's pages: each of them carries the data, and the counters
# say that it was this one. Set by parameter, by key, and under load.

. /lab/lib.sh

policy()
{
	cat "$(vbd_sysfs 0 xvda)/tunables/grant_policy"
}

set_policy()
{
	echo "$1" >"$(vbd_sysfs 0 xvda)/tunables/grant_policy"
}

# counted NAME MAPPED COPIED: since the last time, "some" or "none"
declare -A BEFORE=([map_ops]=0 [copy_ops]=0)
counted()
{
	local s n got=()

	for s in map_ops copy_ops; do
		n=$(vbd_stat 0 xvda $s)
		[ "$n" -gt "${BEFORE[$s]}" ] && got+=(some) || got+=(none)
		BEFORE[$s]=$n
	done
	is "${got[*]}" "$2 $3" "$1: mapped and copied"
}

verify()
{
	ok "$1: fio verifies" fio_verify /dev/xvda --rw=randrw --bsrange=512-128k \
		--iodepth=32 --size=4m
	ok "$1: dd through the frontend" random_through /dev/xvda 2
	blockdev --flushbufs /dev/nullb0
	ok "$1: dom0 finds the same bytes" holds_random /dev/nullb0
	ok "$1: and the frontend reads them" holds_random /dev/xvda direct
}

way()
{
	ok "$1: set at run time" set_policy "$1"
	is "$(policy)" "$1" "$1: and shown"
	counted "before" "$4" "$5"
	verify "$1"
	counted "$1" "$2" "$3"
}

ok "the backend loads" module_load grant_policy=copy
is "$(cat /sys/module/xen_blkback/parameters/grant_policy)" copy "the parameter is shown"
not_ok "one that does not exist is refused" \
	sh -c 'echo fly >/sys/module/xen_blkback/parameters/grant_policy'
ok "a disk" null_disk cache_size=8
leak_snapshot
ok "the frontend loads" frontend_load feature_persistent=1
ok "attach" attach_loopback /dev/nullb0 xvda
is "$(policy)" copy "the parameter counts for a new device"
is "$(xs_read "$(backend_path 0 xvda)/feature-persistent")" 0 "persistent grants are not offered"
verify "copy"
counted "copy" none some
way map some none none none
not_ok "a policy that does not exist is refused" set_policy fly
is "$(policy)" map "and changes nothing"
ok "detach" detach xvda

echo auto >/sys/module/xen_blkback/parameters/grant_policy
BEFORE=([map_ops]=0 [copy_ops]=0)
ok "attach with auto" attach_loopback /dev/nullb0 xvda
is "$(xs_read "$(backend_path 0 xvda)/feature-persistent")" 1 "persistent grants are offered"
verify "auto, persistent"
counted "auto, persistent" some none
way copy none some none none
way map some none none none
way persistent some none none none
fio_verify /dev/xvda --rw=randrw --bsrange=512-128k --iodepth=32 --size=16m >"$LAB_TMP/fio" 2>&1 &
fio=$!
for ((n = 0; n < 10; n++)); do
	for policy in copy map persistent; do
		set_policy $policy || fail "set $policy"
		nap 0.1
	done
done
ok "changed under load: fio verifies" wait $fio
is "$(vbd_stat 0 xvda err_req)" 0 "and no request fails"
counted "changed under load" some some
echo 1 >/sys/block/nullb0/queue/stable_writes
ok "detach" detach xvda
BEFORE=([map_ops]=0 [copy_ops]=0)
ok "a disk that wants stable pages" attach_loopback /dev/nullb0 xvda
verify "stable pages"
counted "stable pages" some some
dd if=/dev/zero of=/dev/xvda bs=4k count=64 oflag=direct status=none
counted "stable pages, writes" none some
ok "detach" detach xvda
echo 0 >/sys/block/nullb0/queue/stable_writes

ok "the frontend without persistent grants" frontend_reload feature_persistent=0
BEFORE=([map_ops]=0 [copy_ops]=0)
ok "attach" attach_loopback /dev/nullb0 xvda
verify "auto, not persistent"
counted "auto, not persistent" none some
ok "detach" detach xvda

ok "the key of a vbd is read" hand_attach xvdb grant-policy=copy \
	physical-device="$(devt_hex /dev/nullb0)"
is "$(cat "$(vbd_sysfs 0 xvdb)/tunables/grant_policy")" copy "and counts"
ok "detach" hand_detach xvdb
wrong_key grant-policy fly 'grant-policy: "fly" is unknown'

echo copy >/sys/module/xen_blkback/parameters/grant_policy
frontend "bad requests are copied" bad-requests.fe ABI=x86_64-abi DISK="$(devt_hex /dev/nullb0)"
frontend "hostile ones, too" hostile.fe ABI=x86_64-abi ROUNDS=50 DISK="$(devt_hex /dev/nullb0)"
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
