#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# Rings: what is offered and when, and every way a frontend can describe them.

. /lab/lib.sh

# refuses PARAMETER VALUE...: and keeps what it has
refuses()
{
	local name=$1 before value

	shift
	before=$(parameter "$name")
	for value; do
		! parameter "$name" "$value" || return
		[ "$(parameter "$name")" = "$before" ] || return
	done
}

# takes PARAMETER VALUE...
takes()
{
	local name=$1 value

	shift
	for value; do
		parameter "$name" "$value" && [ "$(parameter "$name")" = "$value" ] || return
	done
}

# keys_before_state: the backend's directory is watched from before it is there;
# what a frontend reads in InitWait must not come later than InitWait
keys_before_state()
{
	local be key watcher

	be=$(backend_path 0 xvdb)
	xenstore-watch "$be" >"$LAB_TMP/writes" &
	watcher=$!
	wait_for 5 grep -q . "$LAB_TMP/writes"
	hand_attach xvdb
	wait_for 5 vbd_state_is 0 xvdb 2
	nap 0.5
	kill $watcher
	sed -i "s,$be/,," "$LAB_TMP/writes"
	# The last of all
	[ "$(tail -n 1 "$LAB_TMP/writes")" = state ] || return
	for key in multi-queue-max-queues max-ring-page-order max-ring-pages \
		feature-max-indirect-segments feature-persistent; do
		grep -qx "$key" "$LAB_TMP/writes" || return
	done
} 2>&1

offered()
{
	ok "is there before InitWait" keys_before_state
	is "$(vbd_key 0 xvdb multi-queue-max-queues)" "$(nproc)" \
		"max_queues=0 offers one ring for each CPU"
	ok "detach" hand_detach xvdb
}

# Lines in modprobe.d that the stock module takes
beyond()
{
	ok "it loads" module_load max_queues=128 max_ring_page_order=5 \
		max_persistent_grants=-1 max_buffer_pages=-1
	is "$(parameter max_queues)" 64 "128 queues count as 64"
	is "$(parameter max_ring_page_order)" 4 "32 pages as 16"
	is "$(parameter max_persistent_grants) $(parameter max_buffer_pages)" "0 0" \
		"negative numbers as none"
	ok "the log says so" eval "dmesg | grep 'max_queues=128 is out of range, and counts as 64'"
	ok "it unloads" module_unload
}

beyond
not_ok "the backend does not load with what is no number" module_load max_queues=many
ok "the backend loads" module_load
ok "max_queues has a range" refuses max_queues 65 -1 4294967296 many ""
ok "and takes what is in it" takes max_queues 1 64 0
ok "max_ring_page_order has a range" refuses max_ring_page_order 5 -1 4294967297 ""
ok "and takes what is in it" takes max_ring_page_order 0 4

ok "no frontend is loaded" frontend_unload
subtest "offered" offered
ok "a disk in memory" null_disk
takes max_queues 4
disk=$(devt_hex /dev/nullb0)
for abi in x86_64-abi x86_32-abi; do
	subtest "shapes" frontend "$abi" shapes.fe ABI=$abi DISK="$disk"
done
ok "the backend unloads" module_unload
done_testing
