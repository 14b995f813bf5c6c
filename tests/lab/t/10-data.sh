#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=1200
#
# Data: requests of every size on disks with small and large sectors and on a
# file, compared from both sides; and dom0's page cache never hides the truth.

. /lab/lib.sh

MIB=${LAB_SHORT:+4}
MIB=${MIB:-16}

# dom0_cache_coherent: dom0 keeps the disk open all the time, so that only the
# backend can make its cache and the disk agree
dom0_cache_coherent()
{
	# The kernel's own writing back would only hide a backend that does not
	echo 0 >/proc/sys/vm/dirty_writeback_centisecs
	at_end eval 'echo 500 >/proc/sys/vm/dirty_writeback_centisecs'
	exec 9</dev/nullb0
	head -c 4M /dev/urandom >"$LAB_TMP/random"
	dd if="$LAB_TMP/random" of=/dev/nullb0 bs=64k conv=nocreat,notrunc status=none
	ok "dom0 has unwritten data in its cache" dirty
	ok "attach while it has" attach_loopback /dev/nullb0 xvda
	ok "the frontend reads what dom0 wrote before" holds_random /dev/xvda direct
	ok "the frontend writes" random_through /dev/xvda 4
	ok "dom0 does not see its old copy" holds_random /dev/nullb0
	ok "detach" detach xvda
	exec 9<&-
}

dirty()
{
	[ "$(awk '$1 == "Dirty:" { print $2 }' /proc/meminfo)" -ge 1024 ]
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load
ok "a disk with 512-byte sectors" null_disk
subtest "512-byte sectors" check_data /dev/nullb0 512 "$MIB"
subtest "dom0's cache" dom0_cache_coherent
ok "a disk with 4-KiB sectors" null_disk bs=4096
subtest "4-KiB sectors" check_data /dev/nullb0 4096 "$MIB"
truncate -s 64M /tmp/disk.img
subtest "a file" check_data /tmp/disk.img 512 "$MIB"
is "$(losetup -a)" "" "no loop device is left"
ok "the backend unloads" module_unload
done_testing
