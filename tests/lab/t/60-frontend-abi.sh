#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=2700
#
# The user-space frontend speaks each ABI: every operation, every shape of
# request, every byte of each response, random I/O against a shadow.

. /lab/lib.sh

ok "the backend loads" module_load
ok "a disk in memory" null_disk
disk=$(devt_hex /dev/nullb0)
for abi in x86_64-abi x86_32-abi; do
	subtest "abi" frontend "$abi" abi.fe ABI=$abi VALUES=full DISK="$disk"
done
ok "a disk with a write cache and discard" null_disk cache_size=16 discard=1
for abi in native absent; do
	subtest "abi" frontend "$abi" abi.fe ABI=$abi VALUES=edge DISK="$disk"
done
ok "the backend unloads" module_unload
done_testing
