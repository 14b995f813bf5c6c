#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# Sectors of 512 bytes on disks of 4-KiB blocks: a real guest that boots from a
# partition at sector 63. One CPU: on several, emulated, xl runs out of patience.

. /lab/lib.sh

KEY=emulate-512e=1
SCRIPT=/etc/xen/scripts/block-512e

# A partition table as old systems made it, in it what guests boot from. All of it is
# written through the vbd: dom0 itself sees blocks of 4 KiB.
make_boot_disk()
{
	disk_attach /dev/nullb0 xvda "$KEY" &&
		echo '63,,83' | sfdisk -q --no-reread -u S /dev/xvda >/dev/null &&
		dd if="$(root_disk)" of=/dev/xvda bs=1M seek=$((63 * 512)) oflag=seek_bytes \
			conv=nocreat,notrunc,fsync status=none
	# And away with it in any case
	hand_detach xvda
}

script_put()
{
	cat >$SCRIPT <<-'EOF'
	#!/bin/sh
	xenstore-write "$XENBUS_PATH/emulate-512e" 1
	exec /etc/xen/scripts/block "$@"
	EOF
	chmod +x $SCRIPT && at_end rm $SCRIPT
}

guest_fio()
{
	guest_run small 'fio --name=x --filename=/dev/xvdb --size=4m --rw=randrw --bsrange=512-44k \
		--blockalign=512 --iodepth=32 --numjobs=2 --offset_increment=4m --direct=1 \
		--ioengine=libaio --thread --verify=crc32c --verify_fatal=1 --minimal'
}

# Its root is the first partition of xvda; xvdb is there to be written.
guest_boots()
{
	local disk='format=raw,access=w,script=block-512e'

	ok "a disk" null_disk bs=4096 cache_size=8
	ok "another one" scsi_disk sector_size=4096
	ok "a disk to boot from" make_boot_disk
	ok "a script for xl" script_put
	GUEST_VCPUS=2 GUEST_ARGUMENTS="lab.root=xvda1" \
		ok "the guest boots" guest_start small pv "$disk,vdev=xvda,target=/dev/nullb0" \
		"$disk,vdev=xvdb,target=$SCSI_DISK" || return
	is "$(guest_run small "awk '{ print (\$1 > 100 ? \"yes\" : \$1) }' /sys/block/xvda/xvda1/stat")" \
		yes "from its partition: it reads there"
	is "$(guest_run small "awk '{ print (\$1 < 100 ? \"yes\" : \$1) }' /sys/block/xvdz/stat")" \
		yes "and not from the disk that it has otherwise"
	is "$(guest_run small 'cat /sys/block/xvda/xvda1/start')" 63 "which begins at sector 63"
	is "$(guest_run small 'blockdev --getss --getpbsz /dev/xvda | paste -sd" "')" \
		"512 4096" "what it knows of the disk"
	isnt "$(vbd_stat "$(guest_domid small)" xvda unaligned)" 0 "it reads no whole blocks"
	ok "fio verifies there" guest_fio
	is "$(vbd_stat "$(guest_domid small)" xvdb err_req)" 0 "no request was refused or failed"
	ok "it stops" guest_stop small
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load
subtest "a guest boots" guest_boots
ok "the backend unloads" module_unload
done_testing
