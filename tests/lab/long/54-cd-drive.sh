#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=600
#
# A CD drive: the medium is taken out under a running guest, and another one put
# in; a guest that finds the drive empty; and a disk, which cannot be taken out.

. /lab/lib.sh

BE=$(backend_path 0 xvda)

direct_sum() { dd if="$1" bs=64k iflag=direct status=none | md5sum; }

# medium N SECTORS: an image, /dev/loopN
medium()
{
	head -c $(($2 * 512)) /dev/urandom >"/tmp/medium$1" && losetup -r "/dev/loop$1" "/tmp/medium$1"
}

# holds N: the guest sees that medium
holds()
{
	wait_for 10 disk_has_size xvda "$(blockdev --getsz "/dev/loop$1")" &&
		[ "$(direct_sum /dev/xvda)" = "$(md5sum <"/tmp/medium$1")" ]
}

insert()
{
	hand_set xvda physical-device "$(devt_hex "/dev/loop$1")" && wait_for 10 vbd_key_is 0 xvda opened 1
}

is_empty()
{
	wait_for 10 vbd_key_is 0 xvda opened 0 && wait_for 10 disk_has_size xvda 0 && vbd_key_is 0 xvda sectors 0 &&
		vbd_key_is 0 xvda state 4 && vbd_key_is 0 xvda oracle/active-physical-device ""
}

# read_all: goes on whatever becomes of it
read_all()
{
	while [ -e "$LAB_TMP/reading" ]; do
		dd if=/dev/xvda of=/dev/null bs=64k iflag=direct status=none
	done 2>/dev/null
}

# complaints: of the driver, since $seen lines of the log
complaints()
{
	klog | tail -n "+$((seen + 1))" | grep "vbd vbd-0-51712:" |
		grep -v "ring .: ring-ref"
}

ok "no frontend is loaded" modprobe -r xen-blkfront
ok "the backend loads" module_load max_queues=2
# is_active MAJOR:MINOR: the guest has it now
is_active()
{
	[ "$(vbd_key 0 xvda oracle/active-physical-device)" = "$1" ]
}

modprobe loop
ok "two media" medium 1 8192
medium 2 12288
ok "a disk with a cache" null_disk cache_size=8 discard=1
leak_snapshot
ok "that is slow" delayed_disk 200
frontend "drive" cd-drive.fe DISK="$(devt_hex /dev/mapper/slow)" \
	SIZE="$(blockdev --getsz /dev/mapper/slow)"
ok "it is free" dmsetup remove slow
leak_check "nothing is left behind"
seen=$(klog | wc -l)

ok "a drive with a medium" disk_attach /dev/loop1 xvda device-type=cdrom mode=r
ok "the guest sees it" holds 1
is "$(vbd_key 0 xvda info)" 5 "as a CD-ROM that cannot be written"
touch "$LAB_TMP/reading"
read_all &
for n in 2 1 2; do
	ok "taken out" hand_set xvda physical-device ""
	ok "the drive is empty" is_empty
	ok "the medium is free" losetup -d /dev/loop$((3 - n))
	ok "and comes back" losetup -r /dev/loop$((3 - n)) /tmp/medium$((3 - n))
	is "$(cat "$(vbd_sysfs 0 xvda)/physical_device" "$(vbd_sysfs 0 xvda)/diskseq" 2>&1 |
		grep -c 'No such device')" 2 "sysfs has no disk"
	is "$(head -c 512 /dev/xvda | wc -c)" 0 "nothing can be read"
	ok "another is put in" insert $n
	ok "the guest sees that one" holds $n
done
rm "$LAB_TMP/reading"
wait
is "$(complaints)" "" "nobody complained"
ok "exchanged directly" insert 1
ok "the guest sees that" holds 1

ok "the key is removed" xenstore-rm "$BE/physical-device"
ok "the drive is empty again" is_empty
hand_set xvda physical-device ee:77
ok "what is no medium is refused" wait_for 10 vbd_error_like 0 xvda "opening disk ee:77"
like "$(vbd_key 0 xvda oracle/physical-device-change-status)" "opening disk ee:77" "with words"
is "$(vbd_key 0 xvda state) $(vbd_key 0 xvda opened)" "4 0" "the drive is still there, and empty"
# Some toolstacks empty all that tells of the medium
xenstore-write "$BE/diskseq" "" "$BE/physical-device-uid" "" "$BE/physical-device" ""
nap 1
not_ok "an emptied diskseq is no wrong one" vbd_error_like 0 xvda "diskseq|physical-device-uid"
xenstore-rm "$BE/diskseq"
xenstore-rm "$BE/physical-device-uid"
ok "a good one" insert 2
ok "is taken" holds 2
ok "detach" hand_detach xvda

ok "a drive that has been empty from the start" hand_attach xvda device-type=cdrom mode=r
is "$(vbd_key 0 xvda state) $(vbd_key 0 xvda opened)" "2 0" "it waits for its script"
hand_set xvda physical-device ""
ok "the guest connects" wait_for 10 vbd_state_is 0 xvda 4
is "$(vbd_key 0 xvda sectors) $(vbd_key 0 xvda sector-size) $(vbd_key 0 xvda info)" "0 2048 7" "to an empty drive"
ok "a medium" insert 2
ok "is seen" holds 2
hand_set xvda physical-device ""
ok "taken out" is_empty
ok "no disk in memory" modprobe -r null_blk
ok "one with large blocks" null_disk bs=4096
hand_set xvda physical-device "$(devt_hex /dev/nullb0)"
ok "is refused" wait_for 10 vbd_error_like 0 xvda "larger logical blocks"
ok "the drive stays empty" is_empty
ok "detach, empty as it is" hand_detach xvda

large=$(devt_hex /dev/nullb0)
ok "a guest that is told of large blocks" disk_attach /dev/nullb0 xvda device-type=cdrom mode=r
ok "is given a medium of small ones" insert 2
ok "and sees it" holds 2
hand_set xvda physical-device "$large"
ok "it may have the first one again" wait_for 10 is_active "$large"
hand_set xvda physical-device ""
ok "taken out" is_empty
hand_set xvda physical-device "$large"
ok "and once more" wait_for 10 is_active "$large"
ok "detach" hand_detach xvda

ok "a disk" disk_attach /dev/loop1 xvda mode=r
hand_set xvda physical-device ""
ok "is not taken out" wait_for 10 vbd_error_like 0 xvda 'physical-device: .* is not MAJOR:MINOR'
ok "the guest keeps it" holds 1
xenstore-rm "$BE/physical-device"
nap 1
ok "nor by removing the key" holds 1
is "$(vbd_key 0 xvda opened)" 1 "it is held"
ok "detach" hand_detach xvda
ok "the media are free" losetup -d /dev/loop1 /dev/loop2
leak_check "nothing is left behind"
modprobe -r xen-blkfront
ok "the backend unloads" module_unload
done_testing
