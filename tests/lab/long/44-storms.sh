#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# A frontend that changes its state as fast as xenstore takes it, a random walk
# over states and keys, many vbds at once; others are served meanwhile, and
# nothing is left behind. long/ has more of the same.

. /lab/lib.sh
MANY=${MANY:-40}

# within NAME LIMIT COMMAND...: how long it takes, as a test
within()
{
	local name=$1 limit=$2 begin=${EPOCHREALTIME/./} ms

	shift 2
	ok "$name" "$@" || return
	ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
	diag "$name: $ms ms"
	le $ms "$limit" "$name: within $limit ms"
}

storm()
{
	frontend "toggle" walk.fe DISK="$disk" LIMIT=seconds="$1" STATES=100 TOOLSTACK=0 PAUSE=0
}

ok "no frontend is loaded" modprobe -r xen-blkfront
ok "the backend loads" module_load
ok "a disk in memory" null_disk
leak_snapshot
disk=$(devt_hex /dev/nullb0)

storm "${STORM:-8}" >"$LAB_TMP/storm" &
storm=$!
wait_for 10 test -e "$(vbd_sysfs 0 xvda)"
nap 1
within "attach while another frontend toggles its state" 10000 \
	hand_attach xvdb "physical-device=$disk"
within "and detach" 10000 hand_detach xvdb
wait $storm
# It ran in a subshell: its tests count here
while IFS= read -r line; do
	case $line in
	"ok "*) pass "${line#ok * - }" ;;
	"not ok "*) fail "${line#not ok * - }" ;;
	*) echo "$line" ;;
	esac
done <"$LAB_TMP/storm"
frontend "walk" walk.fe DISK="$disk" LIMIT=steps=3000 SEED="${SEED:-0}"
leak_check "nothing is left behind"

ok "the frontend loads" frontend_load
mapfile -t pairs < <(many_pairs /dev/nullb0)
ok "$MANY vbds at once" xenstore-write -- "${pairs[@]}"
begin=${EPOCHREALTIME/./}
LAB_POLL=0.02 ok "all connect" wait_for 120 all_are Connected
diag "$MANY vbds: Connected after $(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
begin=${EPOCHREALTIME/./}
ok "and go" close_many
diag "$MANY vbds: gone after $(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
