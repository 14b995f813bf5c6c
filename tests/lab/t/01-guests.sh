#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=1200
#
# A PV and a PVH guest boot from the backend and use a disk of their own.

. /lab/lib.sh

# uses_disk NAME: emulated, a PVH guest takes half a minute for this, and some
# machines take three times as long
uses_disk()
{
	guest_run "$1" 'set -e
		mkfs.ext4 -q /dev/xvda
		mount /dev/xvda /mnt
		fio --name=x --directory=/mnt --size=1m --rw=randwrite --bs=4k \
			--direct=1 --verify=crc32c --ioengine=libaio --iodepth=8 --minimal
		umount /mnt
		fsck.ext4 -fn /dev/xvda' 400
}

# check_guest TYPE
check_guest()
{
	local name=guest-$1

	ok "it starts" guest_start "$name" "$1" phy:/dev/nullb0,xvda,w || bail "no $1 guest"
	is "$(guest_run "$name" 'echo "one  two"; exit 3'; echo $?)" \
		$'one  two\n3' "it runs commands"
	is "$(guest_run "$name" 'seq 5000' | md5sum)" "$(seq 5000 | md5sum)" \
		"long output arrives whole"
	ok "it makes a file system and verifies data" uses_disk "$name"
	ok "it stops" guest_stop "$name"
	ok "dom0 finds the file system sound" flushed /dev/nullb0 fsck.ext4 -fn /dev/nullb0
}

ok "the backend loads" module_load
ok "a disk in memory" null_disk
subtest pv check_guest pv
subtest pvh check_guest pvh
ok "the backend unloads" module_unload
done_testing
