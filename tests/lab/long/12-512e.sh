#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=1800 vcpus=4
#
# Sectors of 512 bytes on disks of 4-KiB blocks: data from both sides, many rings that
# write to the same blocks.

. /lab/lib.sh

KEY=emulate-512e=1

# eight_writers DEVICE: each writes a sector of its own of every block, and verifies
eight_writers()
{
	local n

	{
		printf '[global]\nfilename=%s\ndirect=1\nioengine=libaio\nthread\n' "$1"
		printf 'verify=crc32c\nverify_fatal=1\nrw=randwrite\nbs=512\n'
		printf 'blockalign=4096\niodepth=4\nsize=1m\nnumber_ios=250\n'
		for n in 0 1 2 3 4 5 6 7; do
			printf '[sector%d]\noffset=%d\n' $n $((n * 512))
		done
	} >"$LAB_TMP/writers.fio"
	fio --minimal "$LAB_TMP/writers.fio"
}

# misplaced_through DEVICE MIB: as random_through, but a sector further
misplaced_through()
{
	head -c "${2}M" /dev/urandom >"$LAB_TMP/random"
	dd if="$LAB_TMP/random" of="$1" bs=1M seek=512 oflag=direct,seek_bytes \
		conv=nocreat,notrunc status=none
}

# holds_misplaced DEVICE
holds_misplaced()
{
	flushed "$1" dd if="$1" bs=1M skip=512 count="$(stat -c %s "$LAB_TMP/random")" \
		iflag=skip_bytes,count_bytes status=none | cmp - "$LAB_TMP/random"
}

# check_disk DISK CACHE
check_disk()
{
	local disk=$1

	is "$(blockdev --getss "$disk")" 4096 "the disk has large blocks"
	ok "attach" disk_attach "$disk" xvda "$KEY" || return
	is "$(vbd_key 0 xvda sector-size) $(vbd_key 0 xvda physical-sector-size)" \
		"512 4096" "what the frontend is told"
	is "$(blockdev --getss --getpbsz --getsize64 /dev/xvda | paste -sd' ')" \
		"512 4096 $(blockdev --getsize64 "$disk")" "what it makes of it"
	is "$(vbd_key 0 xvda feature-flush-cache)" "$2" "feature-flush-cache"
	is "$(find /sys/block/xvda/mq -mindepth 1 -maxdepth 1 | wc -l)" 4 "it has four rings"
	ok "eight writers in each block verify" eight_writers /dev/xvda
	ok "fio verifies whatever size" fio_verify /dev/xvda --rw=randrw --bsrange=512-256k \
		--blockalign=512 --iodepth=16 --numjobs=4 --size=2m --offset_increment=2m
	ok "every size up to 44 KiB verifies" fio_each_size /dev/xvda 512 16
	ok "the frontend writes at sector 1" misplaced_through /dev/xvda 3
	ok "dom0 finds the same bytes on the disk" holds_misplaced "$disk"
	ok "and the frontend reads them" holds_misplaced /dev/xvda
	isnt "$(vbd_stat 0 xvda unaligned)" 0 "requests that were not whole blocks"
	is "$(vbd_stat 0 xvda err_req)" 0 "no request was refused or failed"
	ok "detach" hand_detach xvda
}

null_blk()
{
	ok "a disk with a cache" null_disk bs=4096 cache_size=8
	check_disk /dev/nullb0 1
	frontend "emulated" emulated.fe DISK="$(devt_hex /dev/nullb0)"
	is "$(klog | grep -c 'refused operation')" 0 "nothing was refused"
	is "$(klog | grep -c 'I/O error, dev nullb0')" 0 "the disk has failed nothing"
}

scsi()
{
	ok "a disk" scsi_disk sector_size=4096
	check_disk "$SCSI_DISK" 1
}

whole_blocks()
{
	ok "a disk" null_disk bs=4096
	ok "attach" disk_attach /dev/nullb0 xvda "$KEY" || return
	ok "fio verifies whole blocks" fio_verify /dev/xvda --rw=randrw --bsrange=4k-256k \
		--blockalign=4k --iodepth=16 --size=4m
	is "$(vbd_stat 0 xvda unaligned)" 0 "all went to the disk as they were"
	ok "detach" hand_detach xvda
}

small_blocks()
{
	ok "a disk" null_disk bs=512
	ok "attach" disk_attach /dev/nullb0 xvda "$KEY" || return
	is "$(vbd_key 0 xvda sector-size)" 512 "sector-size"
	ok "fio verifies" fio_verify /dev/xvda --rw=randrw --bsrange=512-44k --iodepth=16 \
		--size=2m
	is "$(vbd_stat 0 xvda unaligned)" 0 "there is nothing to emulate"
	ok "detach" hand_detach xvda
}

without_the_key()
{
	ok "a disk" null_disk bs=4096
	ok "attach" disk_attach /dev/nullb0 xvda
	is "$(vbd_key 0 xvda sector-size)" 4096 "sector-size"
	ok "detach" hand_detach xvda
	wrong_key emulate-512e 2 'emulate-512e: "2" is neither 0 nor 1$'
}

ok "the backend loads" module_load max_queues=4
ok "the frontend loads" frontend_load max_queues=4
subtest "null_blk" null_blk
subtest "scsi_debug" scsi
subtest "whole blocks" whole_blocks
subtest "blocks of 512 bytes" small_blocks
subtest "without the key" without_the_key
ok "the backend unloads" module_unload
done_testing
