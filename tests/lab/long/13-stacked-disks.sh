#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=2400
#
# Disks that are made of disks: RAID, encryption, thin volumes, snapshots, checksums,
# two paths, compressed memory. Under verified I/O each suffers what its administrators
# do to it, or what it is made for. Data is compared from all sides.

. /lab/lib.sh

RUN=$LAB_TMP/run
# Of a member, without its metadata: 32 MiB
SECTORS=65536

# member_table N: the part of disk N that holds data
member_table()
{
	echo "0 $SECTORS linear /dev/nullb$1 8192"
}

# members NUMBER: /dev/mapper/metaN and /dev/mapper/dataN, each pair on its own disk
members()
{
	local n

	null_disk nr_devices="$1" cache_size=8 || return
	for ((n = 0; n < $1; n++)); do
		dm_disk "meta$n" "0 8192 linear /dev/nullb$n 0" || return
		dm_disk "data$n" "$(member_table "$n")" || return
	done
}

# verify_loop VDEV: rounds of fio until it is told to stop
verify_loop()
{
	while [ -e "$RUN" ]; do
		fio_verify "/dev/$1" --rw=randrw --bsrange=4k-32k --blockalign=4k --iodepth=8 \
			--size=1m --nice=10 || return
		echo round >>"$LAB_TMP/rounds"
	done
}

# wrote_since VDEV SECTORS: for wait_for
wrote_since()
{
	[ "$(vbd_stat 0 "$1" wr_sect)" -gt "$2" ]
}

# goes_on NAME: more has been written than there was in flight
goes_on()
{
	ok "$1: the I/O goes on" wait_for 120 wrote_since xvda \
		$(($(vbd_stat 0 xvda wr_sect) + 1024))
}

# during_io FUNCTION: which makes the trouble, and says it by ok
during_io()
{
	local fio

	: >"$LAB_TMP/rounds"
	touch "$RUN"
	verify_loop xvda >"$LAB_TMP/fio" 2>&1 &
	fio=$!
	goes_on "before"
	"$1"
	goes_on "after"
	rm "$RUN"
	ok "fio has verified all" wait $fio || diag "$(tail -n 5 "$LAB_TMP/fio")"
	diag "rounds of fio: $(wc -l <"$LAB_TMP/rounds")"
}

# check_stack DISK STEP FUNCTION: the vbd stays; stack_detach ends it
check_stack()
{
	ok "attach" disk_attach "$1" xvda || bail "no vbd"
	is "$(blockdev --getss --getsize64 /dev/xvda | paste -sd' ')" \
		"$(blockdev --getss --getsize64 "$1" | paste -sd' ')" \
		"the frontend has its sectors and size"
	ok "fio verifies every size" fio_verify /dev/xvda --rw=randrw --bsrange="$2-256k" \
		--blockalign="$2" --iodepth=16 --size=2m
	during_io "$3"
	ok "the frontend writes" random_through /dev/xvda 3
	ok "it syncs" dd if=/dev/zero of=/dev/xvda bs=4k seek=2000 count=1 conv=fsync,nocreat,notrunc
	ok "dom0 finds the same bytes on the disk" holds_random "$1" direct
	ok "and the frontend reads them" holds_random /dev/xvda direct
	is "$(vbd_stat 0 xvda err_req)" 0 "no request was refused or failed"
}

stack_detach()
{
	ok "detach" hand_detach xvda
}

# raid_table TYPE CHUNK NUMBER
raid_table()
{
	local n members=''

	for ((n = 0; n < $3; n++)); do
		members+=" /dev/mapper/meta$n /dev/mapper/data$n"
	done
	echo "0 $((SECTORS * ($3 > 2 ? $3 - 1 : 1))) raid $1 3 $2 region_size 1024 $3$members"
}

# raid_is HEALTH: and nothing to do. A letter for each member: Alive, alive but not
# in sync, Dead
raid_is()
{
	[ "$(dmsetup status raid | cut -d' ' -f6,8)" = "$1 idle" ]
}

raid_lacks()
{
	[[ $(dmsetup status raid | cut -d' ' -f6) = *D* ]]
}

# lose_member: number 1 fails with requests in flight, and comes back as it was
lose_member()
{
	ok "a member fails" dm_change data1 "0 $SECTORS error" --noflush
	ok "the array lacks it" wait_for 60 raid_lacks
	goes_on "without it"
	ok "the member is back" dm_change data1 "$(member_table 1)" --noflush
	ok "the array takes it again" eval 'dmsetup suspend raid && dmsetup resume raid'
	nap 1
	not_ok "it is not dead any more" raid_lacks
}

raid1()
{
	ok "two disks" members 2
	ok "RAID 1" dm_disk raid "$(raid_table raid1 0 2)"
	check_stack /dev/mapper/raid 512 lose_member
	ok "the array recovers" wait_for 120 raid_is AA || diag "$(dmsetup status raid)"
	ok "the first member has the bytes" holds_random /dev/mapper/data0 direct
	ok "the second one, too" holds_random /dev/mapper/data1 direct
	ok "they are the same to the end" cmp /dev/mapper/data0 /dev/mapper/data1
	stack_detach
}

raid5_checked()
{
	dmsetup message raid 0 check && nap 1 && wait_for 120 raid_is AAA
}

raid5()
{
	ok "three disks" members 3
	ok "RAID 5" dm_disk raid "$(raid_table raid5_ls 128 3)"
	check_stack /dev/mapper/raid 512 lose_member
	ok "the array recovers" wait_for 120 raid_is AAA || diag "$(dmsetup status raid)"
	ok "it compares data and parity" raid5_checked
	is "$(dmsetup status raid | cut -d' ' -f9)" 0 "sectors that do not fit"
	ok "a member fails for good" dm_change data0 "0 $SECTORS error" --noflush
	ok "the frontend reads all the same" holds_random /dev/xvda direct
	stack_detach
}

crypt_table()
{
	echo "0 $SECTORS crypt aes-xts-plain64 $(printf '%0128d' 7) 0 /dev/mapper/data0 0"
}

# suspended: as for a change of the table
suspended()
{
	ok "it is suspended" dmsetup suspend crypt
	nap 2
	ok "it is resumed" dmsetup resume crypt
}

crypt()
{
	local had

	ok "a disk" members 1
	ok "dm-crypt" dm_disk crypt "$(crypt_table)"
	check_stack /dev/mapper/crypt 512 suspended
	had=$(disk_stat /dev/nullb0 flushes)
	ok "it syncs once more" \
		dd if=/dev/zero of=/dev/xvda bs=4k seek=2000 count=1 conv=fsync,nocreat,notrunc
	is $(($(disk_stat /dev/nullb0 flushes) - had)) 1 "flushes that reach the disk below"
	not_ok "what is on the disk below is not what was written" \
		holds_random /dev/mapper/data0 direct
	stack_detach
	ok "another one with its key" dm_disk again "$(crypt_table)"
	ok "reads it" holds_random /dev/mapper/again direct
}

# thin_pool SECTORS: of data
thin_pool()
{
	echo "0 $1 thin-pool /dev/mapper/meta0 /dev/mapper/data1 128 0"
}

# pool_used: blocks of 64 KiB
pool_used()
{
	dmsetup status pool | cut -d' ' -f6 | cut -d/ -f1
}

pool_is_full()
{
	dmsetup status pool | grep -q out_of_data_space
}

thin_snapshot()
{
	ok "it is suspended" dmsetup suspend thin
	ok "a snapshot is made" dmsetup message pool 0 "create_snap 1 0"
	ok "it is resumed" dmsetup resume thin
}

# thin_full: the frontend waits for space, and gets it
thin_full()
{
	local writer

	random_through /dev/xvda 20 &
	writer=$!
	ok "the pool is full" wait_for 60 pool_is_full || diag "$(dmsetup status pool)"
	nap 2
	ok "the frontend waits" kill -0 $writer
	ok "the pool grows" dm_change pool "$(thin_pool $SECTORS)"
	ok "the frontend has written all" wait $writer
	ok "dom0 finds the same bytes on the disk" holds_random /dev/mapper/thin direct
	ok "and the frontend reads them" holds_random /dev/xvda direct
	is "$(vbd_stat 0 xvda err_req)" 0 "no request was refused or failed"
}

thin()
{
	local used

	ok "two disks" members 2
	ok "a pool" dm_disk pool "$(thin_pool $((SECTORS / 2)))"
	ok "a thin volume" dmsetup message pool 0 "create_thin 0"
	ok "which is larger than it" dm_disk thin "0 $((SECTORS * 8)) thin /dev/mapper/pool 0"
	check_stack /dev/mapper/thin 512 thin_snapshot
	ok "the snapshot is left" dmsetup message pool 0 "delete 1"
	thin_full
	used=$(pool_used)
	ok "the frontend discards" blkdiscard -o 8M -l 8M /dev/xvda
	is $((used - $(pool_used))) 128 "blocks that the pool has back"
	stack_detach
}

# integrity_table SECTORS: checksums of the disk below beside its data, with a journal
integrity_table()
{
	echo "0 $1 integrity /dev/mapper/data0 0 - J 1 internal_hash:crc32c"
}

# integrity_disk: the first table writes the superblock, which tells the size
integrity_disk()
{
	local blocks

	dm_disk sum "$(integrity_table 1)" || return
	blocks=$(($(dmsetup status sum | cut -d' ' -f5) / 8))
	dm_change sum "$(integrity_table $((blocks * 8)))" &&
		dd if=/dev/zero of=/dev/mapper/sum bs=1M oflag=direct iflag=count_bytes \
			count=$((blocks * 4096)) status=none
}

# spoil DISK: the last copy on it of how the random data begins; the journal has one, too
spoil()
{
	local at

	# shellcheck disable=SC2016 # perl expands it
	at=$(perl -e 'local $/; open my $disk, "<", $ARGV[0]; open my $data, "<", $ARGV[1];
		print rindex <$disk>, substr(<$data>, 0, 512)' "$1" "$LAB_TMP/random")
	[ "$at" != -1 ] && printf 'not what it was' | dd of="$1" bs=1 seek="$at" \
		conv=nocreat,notrunc,fsync status=none
}

sum_suspended()
{
	ok "it is suspended" dmsetup suspend sum
	nap 2
	ok "it is resumed" dmsetup resume sum
}

integrity()
{
	ok "a disk" members 1
	ok "dm-integrity" integrity_disk
	check_stack /dev/mapper/sum 512 sum_suspended
	# Its journal is written to its place
	ok "it is suspended" dmsetup suspend sum
	ok "bytes change on the disk below" spoil /dev/mapper/data0
	ok "it is resumed" dmsetup resume sum
	not_ok "the frontend gets an error" dd if=/dev/xvda of=/dev/null bs=4k count=1 iflag=direct
	isnt "$(vbd_stat 0 xvda err_req)" 0 "which is counted"
	ok "it writes there" random_through /dev/xvda 1
	ok "and has its bytes" holds_random /dev/xvda direct
	stack_detach
}

# snapshot_io: the snapshot is written at the same time
snapshot_io()
{
	ok "the snapshot is attached" disk_attach /dev/mapper/snap xvdb
	ok "it has the bytes of before" cmp -n 4194304 /dev/xvdb "$LAB_TMP/before"
	ok "fio verifies there" fio_verify /dev/xvdb --rw=randrw --bsrange=4k-64k \
		--blockalign=4k --iodepth=16 --offset=4m --size=2m
	ok "the bytes of before are untouched" flushed /dev/xvdb \
		cmp -n 4194304 /dev/xvdb "$LAB_TMP/before"
	is "$(vbd_stat 0 xvdb err_req)" 0 "the snapshot: no request was refused or failed"
	ok "the snapshot is detached" hand_detach xvdb
}

snapshot()
{
	ok "two disks" members 2
	ok "what will change" dd if=/dev/urandom of=/dev/mapper/data0 bs=1M count=4 \
		oflag=direct conv=nocreat,notrunc status=none
	dd if=/dev/mapper/data0 of="$LAB_TMP/before" bs=1M count=4 iflag=direct status=none
	ok "a snapshot" dm_disk snap \
		"0 $SECTORS snapshot /dev/mapper/data0 /dev/mapper/data1 P 16"
	ok "its origin" dm_disk origin "0 $SECTORS snapshot-origin /dev/mapper/data0"
	check_stack /dev/mapper/origin 512 snapshot_io
	stack_detach
	ok "the snapshot still has the bytes of before" flushed /dev/mapper/snap \
		cmp -n 4194304 /dev/mapper/snap "$LAB_TMP/before"
}

# paths: both nodes of one disk
paths()
{
	local d

	for d in /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*; do
		[ ! -d "$d" ] || echo "${d##*/}"
	done
}

# path_state NODE running|offline
path_state()
{
	echo "$2" >"/sys/block/$1/device/state"
}

# path_back NODE: as multipathd does
path_back()
{
	path_state "$1" running && dmsetup message paths 0 "reinstate_path $(<"/sys/block/$1/dev")"
}

# failed_paths_are NUMBER: for wait_for
failed_paths_are()
{
	[ "$(dmsetup status paths | grep -o ' F ' | wc -l)" = "$1" ]
}

lose_paths()
{
	local had

	ok "a path fails" path_state "${PATHS[0]}" offline
	ok "that is seen" wait_for 30 failed_paths_are 1 || diag "$(dmsetup status paths)"
	goes_on "on one path"
	ok "the other path fails" path_state "${PATHS[1]}" offline
	ok "that is seen" wait_for 30 failed_paths_are 2 || diag "$(dmsetup status paths)"
	nap 1
	had=$(vbd_stat 0 xvda wr_sect)
	nap 2
	is "$(vbd_stat 0 xvda wr_sect)" "$had" "the frontend waits"
	ok "the first one is back" path_back "${PATHS[0]}"
	goes_on "on the first one"
	ok "the second one is back" path_back "${PATHS[1]}"
}

multipath()
{
	local had

	ok "a disk" scsi_disk add_host=2
	nap 1
	mapfile -t PATHS < <(paths)
	is ${#PATHS[@]} 2 "it has two paths"
	ok "dm-multipath" dm_disk paths "0 $SECTORS multipath 1 queue_if_no_path 0 1 1 \
		round-robin 0 2 1 /dev/${PATHS[0]} 8 /dev/${PATHS[1]} 8"
	check_stack /dev/mapper/paths 512 lose_paths
	had=$(disk_stat /dev/mapper/paths flushes)
	ok "it syncs once more" \
		dd if=/dev/zero of=/dev/xvda bs=4k seek=2000 count=1 conv=fsync,nocreat,notrunc
	is $(($(disk_stat /dev/mapper/paths flushes) - had)) 1 "flushes of the disk"
	ok "the first path has the bytes" holds_random "/dev/${PATHS[0]}" direct
	ok "the second one, too" holds_random "/dev/${PATHS[1]}" direct
	stack_detach
}

zram_disk()
{
	modprobe zram num_devices=1 && at_end modprobe -r zram || return
	echo 32M >/sys/block/zram0/disksize && at_end eval 'echo 1 >/sys/block/zram0/reset'
}

# compacted: what it keeps is moved in memory
compacted()
{
	ok "it is compacted" eval 'echo 1 >/sys/block/zram0/compact'
}

zram()
{
	ok "a compressed disk" zram_disk
	check_stack /dev/zram0 4096 compacted
	not_ok "it is in use" eval 'echo 1 >/sys/block/zram0/reset'
	stack_detach
	ok "and now is not" eval 'echo 1 >/sys/block/zram0/reset'
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load
subtest "RAID 1" raid1
subtest "RAID 5" raid5
subtest "dm-crypt" crypt
subtest "dm-thin" thin
subtest "dm-integrity" integrity
subtest "snapshot" snapshot
subtest "multipath" multipath
subtest "zram" zram
ok "the backend unloads" module_unload
done_testing
