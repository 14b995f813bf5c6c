#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=2700
#
# The user-space frontend, and a toolstack, that do everything wrong: each
# insult has its clear error, and what follows succeeds.

. /lab/lib.sh

# loop_number OPTION...: of a new disk with a volatile cache
loop_number()
{
	devt_hex "$(losetup --show -f "$@" "$LAB_TMP/image")"
}

ok "the backend loads" module_load
ok "a disk in memory" null_disk
leak_snapshot
disk=$(devt_hex /dev/nullb0)
for scenario in bad-requests read-only bad-ring bad-keys bad-shape \
	states backend-keys hostile; do
	frontend "$scenario" $scenario.fe ABI=x86_64-abi DISK="$disk"
done
frontend "bad-requests, 32 bits" bad-requests.fe ABI=x86_32-abi DISK="$disk"
frontend "hostile, 32 bits" hostile.fe ABI=x86_32-abi ROUNDS=50 DISK="$disk"
truncate -s 16M "$LAB_TMP/image"
at_end losetup -D
frontend "exchange-errors" exchange-errors.fe DISK="$disk" READONLY="$(loop_number -r)" \
	LARGE="$(loop_number -b 4096)" CACHED="$(loop_number)"
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
