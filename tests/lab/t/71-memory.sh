#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=600
#
# When dom0 is short of memory rings give back the pages they do not use, and go
# on with others.

. /lab/lib.sh

# load DEPTH: the frontend uses those grants first that are mapped already
load()
{
	fio_verify /dev/xvda --rw=randrw --bs=4k --iodepth="$1" --size=1m
}

squeezed()
{
	[ "$(vbd_stat 0 xvda squeezes)" -gt "$1" ]
}

ok "the backend loads" module_load
ok "a disk" null_disk
leak_snapshot
ok "the frontend loads" frontend_load
ok "attach" attach_loopback /dev/nullb0 xvda
ok "grants are mapped" load 32
ok "once more" load 32
mapped=$(vbd_stat 0 xvda map_ops)
ok "and kept" load 8
is "$(vbd_stat 0 xvda map_ops)" "$mapped" "no grant is mapped again"
is "$(vbd_stat 0 xvda squeezes)" 0 "nobody has asked for memory"
nap 2
ok "dom0 looks for memory" shrink_caches 2
ok "the ring gives back, though idle" wait_for 5 squeezed 0
ok "it works as before" load 16
isnt "$(vbd_stat 0 xvda map_ops)" "$mapped" "it has mapped grants again"
load 16 >/dev/null &
for ((n = 0; n < 20; n++)); do
	shrink_caches 2
	nap 0.1
done
ok "and under load" wait $!
is "$(vbd_stat 0 xvda err_req)" 0 "no request has failed"
ok "detach" detach xvda
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
