#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=600 xen=gnttab_max_maptrack_frames=1
#
# One guest has used up the hypervisor's table of mappings, of which all of dom0 has
# one. Another one does not notice: its data is copied. Here the table has 256 places,
# and keeping grants mapped takes them.

. /lab/lib.sh

takes_all()
{
	ok "a disk of one, to keep grants" disk_attach /dev/ram0 xvda
	ok "a disk of the other" disk_attach /dev/ram1 xvdb
	vbd_tunable 0 xvdb grant_policy map
	ways_start
	ok "the other verifies" fio_verify /dev/xvdb --rw=write --bs=4k --size=1m --iodepth=8
	ways_are 0 xvdb some none "at first"
	ok "the one takes all it can" fio_verify /dev/xvda --rw=write --bs=128k --size=64m \
		--iodepth=64
	diag "$(cat "$(vbd_debugfs 0 xvda)")"
	isnt "$(vbd_stat 0 xvda copy_ops)" 0 "the table is full: it has to copy, too"
	is "$(vbd_stat 0 xvda err_req)" 0 "its own requests do not fail for that"
}

does_not_notice()
{
	local bs

	for bs in 4k 128k 1m; do
		ok "the other verifies, $bs" fio_verify /dev/xvdb --rw=randrw --bs=$bs \
			--size=16m --io_size=16m --iodepth=32
	done
	is "$(vbd_stat 0 xvdb err_req)" 0 "none of its requests has failed"
	isnt "$(vbd_stat 0 xvdb copy_ops)" 0 "its data was copied"
}

recovers()
{
	ok "the one goes" hand_detach xvda
	nap 2
	ways_count 0 xvdb
	ok "the other verifies again" fio_verify /dev/xvdb --rw=write --bs=4k --size=1m \
		--iodepth=8
	ways_are 0 xvdb some none "with the table free"
	ok "detach" hand_detach xvdb
}

check_handles()
{
	takes_all
	does_not_notice
	recovers
}

ok "the backend loads" module_load max_queues=1 max_persistent_grants=4096
ok "disks in memory" ram_disks 2 131072
ok "the frontend loads" frontend_load max_ring_page_order=4 max_indirect_segments=256
subtest "map handles" check_handles
ok "the backend unloads" module_unload
done_testing
