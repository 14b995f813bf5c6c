#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# The right disk, and another one in its place: diskseq is checked before
# anything is published, opened tells when it is held, and a new physical-device
# is a new disk under a running guest, or the old one stays.

. /lab/lib.sh

BE=$(backend_path 0 xvda)

# key NAME: of the backend
key() { vbd_key 0 xvda "$1"; }

seq_of() { cat "/sys/block/$1/diskseq"; }
hex() { printf '%016x' "$1"; }
sum_of() { head -c 1M "$1" | md5sum; }
direct_sum() { dd if="$1" bs=64k count=16 iflag=direct status=none | md5sum; }

# random_disk DEVICE
random_disk()
{
	dd if=/dev/urandom of="$1" bs=64k count=16 oflag=direct conv=nocreat status=none
}

# refused NAME REGEX: with an error
refused()
{
	ok "$1" wait_for 10 vbd_error_like 0 xvda "$2"
}

wrong_diskseq()
{
	local value wrong

	is "$(key opened)" 0 "opened is 0"
	not_ok "none in sysfs" cat "$(vbd_sysfs 0 xvda)/diskseq"
	wrong=$(hex $(($(seq_of ram0) + 1)))
	xenstore-write "$BE/diskseq" "$wrong" "$BE/physical-device" "$ram0"
	refused "another disk's: an error names both" \
		"disk $ram0 has diskseq $(printf %x "$(seq_of ram0)"), $(printf %x 0x"$wrong") is wanted"
	is "$(key opened) $(key sectors)" "0 " "nothing is opened or published"
	is "$(vbd_state 0 xvda)" 5 "the vbd closes"
	for value in xyz 0 -1 00000000000000001 ""; do
		xenstore-write -- "$BE/diskseq" "$value" "$BE/physical-device" "$ram0"
		refused "'$value' is refused" "diskseq: .$value. is not the number"
	done
	xenstore-write "$BE/diskseq" "$(hex "$(seq_of ram0)")" \
		"$BE/physical-device-uid" "$wrong" "$BE/physical-device" "$ram0"
	refused "so is a physical-device-uid that says otherwise" "physical-device-uid: .*not diskseq"
}

right_diskseq()
{
	xenstore-rm "$BE/physical-device-uid"
	hand_set xvda physical-device "$ram0"
	ok "with its own it is opened" wait_for 10 vbd_key_is 0 xvda opened 1
	is "$(cat "$(vbd_sysfs 0 xvda)/diskseq")" "$(seq_of ram0)" "sysfs shows it"
	ok "a frontend comes" frontend_load
	ok "and connects" wait_for 30 disk_has_size xvda 65536
	is "$(direct_sum /dev/xvda)" "$(sum_of /dev/ram0)" "to that disk"
}

diskseq()
{
	ok "attach without a disk" hand_attach xvda
	wrong_diskseq
	right_diskseq
	ok "detach" hand_detach xvda
}

# exchanged DISK NAME
exchanged()
{
	hand_set xvda physical-device "$(devt_hex "$1")"
	ok "$2" wait_for 10 vbd_key_is 0 xvda oracle/active-physical-device "$(devt_hex "$1")"
	ok "the guest sees its size" wait_for 10 disk_has_size xvda "$(blockdev --getsz "$1")"
	is "$(direct_sum /dev/xvda)" "$(sum_of "$1")" "and its data"
}

exchange()
{
	local fio n name

	ok "attach" disk_attach /dev/ram0 xvda diskseq="$(hex "$(seq_of ram0)")"
	xenstore-rm "$BE/diskseq"
	fio --name=x --filename=/dev/xvda --rw=randread --bs=4k --iodepth=8 --direct=1 \
		--ioengine=libaio --thread --time_based --runtime=300 --minimal >/dev/null 2>&1 &
	fio=$!
	nap 1
	for n in 1 2 3; do
		for name in ram1 nullb0 ram0; do
			exchanged "/dev/$name" "another disk, $name, round $n"
		done
	done
	is "$(key oracle/physical-device-change-status)" "" "no error"
	ok "the guest writes" random_disk /dev/xvda
	is "$(direct_sum /dev/ram0)" "$(direct_sum /dev/xvda)" "to the new disk"
	ok "reads went on through all that" kill $fio
	wait $fio
	is "$(vbd_stat 0 xvda err_req)" 0 "without an error"
	is "$(cat "$(vbd_sysfs 0 xvda)/physical_device")" "$ram0" "sysfs shows the disk"
	ok "the one before is free" blockdev --rereadpt /dev/nullb0
	ok "detach" hand_detach xvda
}

# refuses WHAT DEVT REGEX: and the old disk stays
refuses()
{
	hand_set xvda physical-device "$2"
	refused "$1 is refused" "$3"
	like "$(key oracle/physical-device-change-status)" "$3" "with words"
	is "$(vbd_state 0 xvda) $(direct_sum /dev/xvda)" "4 $(direct_sum /dev/ram0)" \
		"the guest keeps its disk"
}

no_exchange()
{
	ok "attach" disk_attach /dev/ram0 xvda
	refuses "a disk that does not exist" ee:77 "opening disk ee:77"
	refuses "no number" junk "is not MAJOR:MINOR"
	blockdev --setro /dev/ram1
	refuses "a read-only disk" "$ram1" "is read-only"
	blockdev --setrw /dev/ram1
	ok "no disk in memory" modprobe -r null_blk
	ok "one with large blocks" null_disk bs=4096
	refuses "a disk with large blocks" "$(devt_hex /dev/nullb0)" "larger logical blocks"
	ok "one with a cache" null_disk cache_size=8
	refuses "a disk with a cache" "$(devt_hex /dev/nullb0)" "volatile cache"
	ok "detach" hand_detach xvda
	frontend_unload
}

barriers()
{
	ok "two slow disks" null_disk nr_devices=2 cache_size=8 irqmode=2 completion_nsec=1000000000
	frontend "barriers" exchange.fe DISK="$(devt_hex /dev/nullb0)" OTHER="$(devt_hex /dev/nullb1)"
}

ok "the backend loads" module_load max_queues=4
ok "a disk in memory" null_disk
ok "two more" ram_disks 2 32768
random_disk /dev/ram0
random_disk /dev/ram1
ram0=$(devt_hex /dev/ram0) ram1=$(devt_hex /dev/ram1)
subtest "diskseq" diskseq
subtest "exchange" exchange
subtest "refused" no_exchange
subtest "exchange with writes in flight" barriers
ok "the backend unloads" module_unload
done_testing
