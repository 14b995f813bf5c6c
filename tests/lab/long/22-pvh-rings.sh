#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=1200
#
# A PVH guest with two CPUs uses two rings of four pages.

. /lab/lib.sh

# jobs DEVICE OPTION...: the same for both sides
jobs()
{
	local dev=$1

	shift
	echo "fio --name=x --filename=$dev --numjobs=2 --size=1m --offset_increment=1m \
		--bs=4k --iodepth=16 --direct=1 --ioengine=libaio --thread --group_reporting \
		--verify=crc32c --verify_fatal=1 --minimal $*"
}

ok "the backend loads" module_load max_queues=2 max_ring_page_order=2
ok "a disk in memory" null_disk
leak_snapshot
GUEST_VCPUS=2 GUEST_ARGUMENTS="xen_blkfront.max_ring_page_order=4" \
	ok "a PVH guest with two CPUs" guest_start pvh pvh phy:/dev/nullb0,xvda,w ||
	bail "no guest"
domid=$(guest_domid pvh)
# shellcheck disable=SC2016 # for the guest
is "$(guest_run pvh 'cd /sys/block/xvda/mq; echo $(ls | wc -l) $(<0/nr_tags)')" "2 128" \
	"it has two rings of four pages"
is "$(driver_threads | grep -c "^$domid.xvda-")" 2 "a thread each"
ok "fio on each CPU verifies" guest_run pvh \
	"$(jobs /dev/xvda --rw=write --cpus_allowed=0-1 --cpus_allowed_policy=split)" 400
ok "dom0 verifies what the guest wrote" \
	flushed /dev/nullb0 eval "$(jobs /dev/nullb0 --rw=read)"
is "$(vbd_stat "$domid" xvda err_req)" 0 "no request was refused or failed"
ok "the guest goes" guest_destroy pvh
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
