#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=600
#
# A CD drive: the medium is taken out under a running guest, and another one put
# in; a guest that finds the drive empty; and a disk, which cannot be taken out.

. /lab/lib.sh

# key NAME: of the backend
key() { vbd_key 0 xvda "$1"; }

# key_becomes NAME VALUE
key_becomes() { wait_for 10 vbd_key_is 0 xvda "$1" "$2"; }

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
	hand_set xvda physical-device "$(devt_hex "/dev/loop$1")" && key_becomes opened 1
}

take_out()
{
	hand_set xvda physical-device ""
}

is_empty()
{
	key_becomes opened 0 && wait_for 10 disk_has_size xvda 0 &&
		[ "$(key sectors) $(key state) $(key oracle/active-physical-device)" = "0 4 " ]
}

# read_all: goes on whatever becomes of it
read_all()
{
	while [ -e "$LAB_TMP/reading" ]; do
		dd if=/dev/xvda of=/dev/null bs=64k iflag=direct status=none
	done 2>/dev/null
}

# complaints LINE: of the driver, from there on in the log
complaints()
{
	klog | tail -n "+$1" | grep "vbd vbd-0-51712:" | grep -v ": connected: "
}

whole_life()
{
	ok "a disk with a cache" null_disk cache_size=8 discard=1
	ok "that is slow" delayed_disk 200
	frontend "drive" cd-drive.fe DISK="$(devt_hex /dev/mapper/slow)" \
		SIZE="$(blockdev --getsz /dev/mapper/slow)"
	ok "it is free" dm_remove slow
}

# changed N: the medium is taken out, and N put in
changed()
{
	local other=$((3 - $1))

	ok "taken out" take_out
	ok "the drive is empty" is_empty
	ok "the medium is free" losetup -d /dev/loop$other
	ok "and comes back" losetup -r /dev/loop$other /tmp/medium$other
	is "$(cat "$(vbd_sysfs 0 xvda)/physical_device" "$(vbd_sysfs 0 xvda)/diskseq" 2>&1 |
		grep -c 'No such device')" 2 "sysfs has no disk"
	is "$(head -c 512 /dev/xvda | wc -c)" 0 "nothing can be read"
	ok "another is put in" insert "$1"
	ok "the guest sees that one" holds "$1"
}

media()
{
	local n seen

	seen=$(klog | wc -l)
	ok "a drive with a medium" disk_attach /dev/loop1 xvda device-type=cdrom mode=r
	ok "the guest sees it" holds 1
	is "$(key info)" 5 "as a CD-ROM that cannot be written"
	touch "$LAB_TMP/reading"
	read_all &
	for n in 2 1 2; do
		changed $n
	done
	rm "$LAB_TMP/reading"
	wait
	is "$(complaints $((seen + 1)))" "" "nobody complained"
	ok "exchanged directly" insert 1
	ok "the guest sees that" holds 1
	no_medium
	ok "a good one" insert 2
	ok "is taken" holds 2
	ok "detach" hand_detach xvda
}

# no_medium: but the key is gone, or nonsense
no_medium()
{
	local be

	be=$(backend_path 0 xvda)
	ok "the key is removed" xenstore-rm "$be/physical-device"
	ok "the drive is empty again" is_empty
	hand_set xvda physical-device ee:77
	ok "what is no medium is refused" wait_for 10 vbd_error_like 0 xvda "opening disk ee:77"
	like "$(key oracle/physical-device-change-status)" "opening disk ee:77" "with words"
	is "$(key state) $(key opened)" "4 0" "the drive is still there, and empty"
	# Some toolstacks empty all that tells of the medium
	xenstore-write "$be/diskseq" "" "$be/physical-device-uid" "" "$be/physical-device" ""
	nap 1
	not_ok "an emptied diskseq is no wrong one" vbd_error_like 0 xvda "diskseq|physical-device-uid"
	xenstore-rm "$be/diskseq"
	xenstore-rm "$be/physical-device-uid"
}

empty_drive()
{
	ok "attach" hand_attach xvda device-type=cdrom mode=r
	is "$(key state) $(key opened)" "2 0" "it waits for its script"
	take_out
	ok "the guest connects" key_becomes state 4
	is "$(key sectors) $(key sector-size) $(key info)" "0 2048 7" "to an empty drive"
	ok "a medium" insert 2
	ok "is seen" holds 2
	ok "taken out" take_out
	ok "the drive is empty" is_empty
	ok "a disk with large blocks" null_disk bs=4096
	hand_set xvda physical-device "$(devt_hex /dev/nullb0)"
	ok "is refused" wait_for 10 vbd_error_like 0 xvda "larger logical blocks"
	ok "the drive stays empty" is_empty
	ok "detach, empty as it is" hand_detach xvda
}

large_blocks()
{
	local large

	ok "a disk with them" null_disk bs=4096
	large=$(devt_hex /dev/nullb0)
	ok "a guest that is told of them" disk_attach /dev/nullb0 xvda device-type=cdrom mode=r
	ok "is given a medium of small ones" insert 2
	ok "and sees it" holds 2
	hand_set xvda physical-device "$large"
	ok "it may have the first one again" key_becomes oracle/active-physical-device "$large"
	take_out
	ok "taken out" is_empty
	hand_set xvda physical-device "$large"
	ok "and once more" key_becomes oracle/active-physical-device "$large"
	ok "detach" hand_detach xvda
}

no_drive()
{
	ok "attach" disk_attach /dev/loop1 xvda mode=r
	take_out
	ok "it is not taken out" wait_for 10 vbd_error_like 0 xvda \
		'physical-device: .* is not MAJOR:MINOR'
	ok "the guest keeps it" holds 1
	xenstore-rm "$(backend_path 0 xvda)/physical-device"
	nap 1
	ok "nor by removing the key" holds 1
	is "$(key opened)" 1 "it is held"
	ok "detach" hand_detach xvda
}

ok "no frontend is loaded" frontend_unload
ok "the backend loads" module_load max_queues=2
modprobe loop
ok "two media" medium 1 8192
medium 2 12288
subtest "blkfe" whole_life
subtest "media" media
subtest "a drive that is empty from the start" empty_drive
subtest "large blocks" large_blocks
subtest "a disk" no_drive
ok "the media are free" losetup -d /dev/loop1 /dev/loop2
frontend_unload
ok "the backend unloads" module_unload
done_testing
