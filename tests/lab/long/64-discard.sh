#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# Discard and secure discard: what is offered, what is refused, that the range is
# gone and its neighbours are not, and that a slow one is in nobody's way.

. /lab/lib.sh

# offered: the keys
offered()
{
	local key

	for key in feature-discard discard-granularity discard-alignment discard-secure; do
		vbd_key 0 xvda $key
	done | paste -sd' '
}

# disk_offers DEVICE: what the keys should say of it
disk_offers()
{
	local disk=/sys/block/${1#/dev/}

	echo "1 $(<"$disk/queue/discard_granularity") $(<"$disk/discard_alignment") 0"
}

# pattern: 8 MiB that are zero nowhere
pattern()
{
	head -c 8M /dev/zero | tr '\0' '\245'
}

write_pattern()
{
	pattern | dd of=/dev/xvda bs=1M iflag=fullblock oflag=direct conv=nocreat,notrunc status=none
}

# expected: the pattern without the range of discard_range
expected()
{
	pattern | head -c 2M
	head -c 3M /dev/zero
	pattern | tail -c 3M
}

# discard_range DEVICE [OPTION]
discard_range()
{
	blkdiscard "${@:2}" -o 2M -l 3M "$1"
}

# holds_expected DEVICE
holds_expected()
{
	expected | flushed "$1" cmp -n 8388608 - "$1"
}

# check_range DISK: discarded through the Linux frontend
check_range()
{
	ok "attach" disk_attach "$1" xvda
	is "$(offered)" "$(disk_offers "$1")" "it offers what the disk can"
	ok "a pattern" write_pattern
	ok "the frontend discards" discard_range /dev/xvda
	isnt "$(vbd_stat 0 xvda ds_req)" 0 "discards are counted"
	ok "the range is gone, its neighbours are not" holds_expected /dev/xvda
	ok "dom0 sees the same" holds_expected "$1"
	is "$(vbd_stat 0 xvda err_req)" 0 "no request was refused or failed"
	ok "detach" hand_detach xvda
}

holds_pieces()
{
	{
		pattern | head -c 2097152
		head -c 3112960 /dev/zero
		pattern | tail -c 3178496
	} | flushed "$SCSI_DISK" cmp -n 8388608 - "$SCSI_DISK"
}

small_pieces()
{
	echo 131072 >"/sys/block/${SCSI_DISK#/dev/}/queue/discard_max_bytes"
}

# seams: one discard in many pieces, and it does not begin where the disk's
# granularity of 32 KiB does. From 2 MiB on all is gone to the last whole 32 KiB.
seams()
{
	local before

	ok "a SCSI disk that unmaps 32 KiB at a time" scsi_disk lbpu=1 unmap_granularity=64
	ok "and no more than 128 KiB at once" small_pieces
	ok "attach" disk_attach "$SCSI_DISK" xvda
	ok "a pattern" write_pattern
	before=$(disk_stat "$SCSI_DISK" discards)
	ok "the frontend discards" blkdiscard -o 2093056 -l 3M /dev/xvda
	is "$(vbd_stat 0 xvda ds_req)" 1 "with one request"
	ok "the disk sees many" [ $(($(disk_stat "$SCSI_DISK" discards) - before)) -ge 24 ]
	ok "nothing is lost between them" holds_pieces
	ok "detach" hand_detach xvda
}

# No disk at hand knows secure erase, but xen-blkfront does if its backend
# offers it. Ours will not on a plain disk, so this frontend gets to see a mirror
# of the backend's directory, in which the offer is made.
MIRROR=/local/domain/0/mirror

# mirror STATE [KEY=VALUE]: waits for the backend's state and shows it
mirror()
{
	local be key pairs=()

	be=$(backend_path 0 xvdb)
	wait_for 30 vbd_state_is 0 xvdb "$1" || return
	for key in $(xenstore-list "$be"); do
		pairs+=("$MIRROR/$key" "$(xs_read "$be/$key")")
	done
	[ $# = 1 ] || pairs+=("$MIRROR/${2%%=*}" "${2#*=}")
	xenstore-write -- "${pairs[@]}"
}

# secure_disk: /dev/xvdb, which knows secure erase
secure_disk()
{
	local pairs

	mapfile -t pairs < <(hand_pairs xvdb "physical-device=$(devt_hex /dev/nullb0)")
	# The first pair is the frontend's way to its backend
	xenstore-write -- "$MIRROR/state" 1 "${pairs[0]}" "$MIRROR" "${pairs[@]:2}" || return
	at_end xenstore-rm "$MIRROR"
	mirror 2 && mirror 4 discard-secure=1 || return
	wait_for 30 test -b /dev/xvdb && wait_for 30 disk_has_size xvdb
}

secure_disk_goes()
{
	xenstore-write "$(backend_path 0 xvdb)/online" 0 "$MIRROR/state" 5 &&
		wait_for 30 frontend_has_closed && hand_detach xvdb
}

frontend_has_closed()
{
	[ "$(xs_read "$(frontend_path 0 xvdb)/state")" = 6 ]
}

# erased_how: discards and writes that the secure disk has seen; Linux counts
# secure erases among the writes
erased_how()
{
	echo "$(disk_stat /dev/xvdb discards) $(disk_stat /dev/xvdb writes)"
}

secure()
{
	local discards writes discards0 writes0 offers

	ok "a disk that knows it" secure_disk
	offers=$(disk_offers /dev/xvdb)
	ok "attach" disk_attach /dev/xvdb xvda
	is "$(offered)" "${offers% 0} 1" "it is offered on"
	write_pattern
	read -r discards0 writes0 <<<"$(erased_how)"
	ok "the frontend discards securely" discard_range /dev/xvda -s
	read -r discards writes <<<"$(erased_how)"
	is "$discards" "$discards0" "no plain discard reaches the disk"
	isnt "$writes" "$writes0" "a secure one does"
	ok "the range is gone, its neighbours are not" holds_expected /dev/xvda
	ok "the frontend discards plainly" discard_range /dev/xvda
	isnt "$(erased_how)" "$discards $writes" "that reaches it as such"
	is "$(disk_stat /dev/xvdb writes)" "$writes" "and not as a secure one"
	ok "detach" hand_detach xvda
	ok "the disk goes" secure_disk_goes
}

# eight_discards: each takes the slow disk six seconds
eight_discards()
{
	/job/blkfe --tap - <<-END
		timeout io=60000
		vbd devid=$(vdev_number xvda) physical-device=$(devt_hex /dev/mapper/slow)
		connect
		repeat 8 discard queued sector=1024 nr=8
		push
		wait
		destroy
	END
}

# discards_seen BEFORE; have_been_seen BEFORE NUMBER: the slow disk hands them on when
# their six seconds are over
discards_seen() { echo $(($(disk_stat /dev/nullb0 discards) - $1)); }
have_been_seen() { [ "$(discards_seen "$1")" = "$2" ]; }

turns()
{
	local blkfe before

	before=$(disk_stat /dev/nullb0 discards)
	eight_discards >"$LAB_TMP/blkfe" 2>&1 &
	blkfe=$!
	ok "of eight discards a slow disk is given four" wait_for 30 have_been_seen "$before" 4
	nap 1
	is "$(discards_seen "$before")" 4 "and no more at a time"
	wait $blkfe
	relay "the others have their turn" replay "$LAB_TMP/blkfe" $?
	is "$(discards_seen "$before")" 8 "and are seen"
}

slow_disk()
{
	ok "it writes and discards slowly" delayed_disk 0 6000
	frontend "blkfe" slow-discard.fe DISK="$(devt_hex /dev/mapper/slow)"
	turns
	ok "it is free" dm_remove slow
}

refused()
{
	local abi disk

	disk=$(devt_hex /dev/nullb0)
	for abi in x86_64-abi x86_32-abi; do
		frontend "offered, $abi" discard.fe ABI=$abi DISK="$disk"
	done
	frontend "discard-enable=0" no-discard.fe ENABLE=0 DISK="$disk"
	frontend "read-only" no-discard.fe MODE=r DISK="$disk"
}

scsi()
{
	ok "a disk that unmaps" scsi_disk lbpu=1 unmap_granularity=8 unmap_alignment=0
	check_range "$SCSI_DISK"
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load
ok "a disk in memory that discards" null_disk discard=1
subtest "null_blk" check_range /dev/nullb0
subtest "blkfe" refused
subtest "slow disk" slow_disk
subtest "secure" secure
subtest "SCSI" scsi
subtest "pieces" seams
ok "the backend unloads" module_unload
done_testing
