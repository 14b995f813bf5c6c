#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# A frontend that changes its state as fast as xenstore takes it, a random walk
# over states and keys, many vbds at once; others are served meanwhile, and
# nothing is left behind. 45-more-storms.sh has more of the same.

. /lab/lib.sh
MANY=${MANY:-40}

# within NAME LIMIT COMMAND...: how long it takes, as a test
within()
{
	local name=$1 limit=$2 begin=${EPOCHREALTIME/./} ms

	shift 2
	ok "$name" "$@" || return
	ms=$(ms_since "$begin")
	diag "$name: $ms ms"
	le "$ms" "$limit" "$name: within $limit ms"
}

# toggle: a frontend that does
toggle()
{
	frontend_raw walk.fe DISK="$disk" LIMIT=seconds="${STORM:-8}" STATES=100 TOOLSTACK=0 PAUSE=0
}

storm()
{
	local storm

	toggle >"$LAB_TMP/storm" 2>&1 &
	storm=$!
	wait_for 10 not vbd_is_gone 0 xvda
	nap 1
	within "attach while another frontend toggles its state" 10000 \
		hand_attach xvdb "physical-device=$disk"
	within "and detach" 10000 hand_detach xvdb
	wait $storm
	relay "toggle" replay "$LAB_TMP/storm" $?
}

many()
{
	local pairs begin

	ok "the frontend loads" frontend_load
	mapfile -t pairs < <(many_pairs /dev/nullb0)
	ok "$MANY vbds at once" xenstore-write -- "${pairs[@]}"
	begin=${EPOCHREALTIME/./}
	LAB_POLL=0.02 ok "all connect" wait_for 120 all_are Connected
	diag "$MANY vbds: Connected after $(ms_since "$begin") ms"
	begin=${EPOCHREALTIME/./}
	ok "and go" close_many
	diag "$MANY vbds: gone after $(ms_since "$begin") ms"
}

ok "no frontend is loaded" frontend_unload
ok "the backend loads" module_load
ok "a disk in memory" null_disk
disk=$(devt_hex /dev/nullb0)
subtest "storm" storm
subtest "random walk" frontend "walk" walk.fe DISK="$disk" LIMIT=steps=3000 SEED="${SEED:-0}"
subtest "many" many
ok "the backend unloads" module_unload
done_testing
