#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# Discard and secure discard: what is offered, what is refused, that the range is
# gone and its neighbours are not, and that a slow one is in nobody's way.

. /lab/lib.sh

# discard_offers: the keys, beside what the disk says
discard_offers()
{
	echo "$(vbd_key 0 xvda feature-discard) $(vbd_key 0 xvda discard-granularity) \
$(vbd_key 0 xvda discard-alignment) $(vbd_key 0 xvda discard-secure)"
}

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

holds_expected()
{
	expected | cmp -n 8388608 - "$1"
}

# check_range DISK WHAT: discarded through the Linux frontend
check_range()
{
	ok "$2: attach" disk_attach "$1" xvda
	is "$(discard_offers)" "$(disk_offers "$1")" "$2: it offers what the disk can"
	ok "$2: a pattern" eval 'pattern | dd of=/dev/xvda bs=1M iflag=fullblock \
		oflag=direct conv=nocreat,notrunc'
	ok "$2: the frontend discards" discard_range /dev/xvda
	isnt "$(vbd_stat 0 xvda ds_req)" 0 "$2: discards are counted"
	blockdev --flushbufs /dev/xvda
	ok "$2: the range is gone, its neighbours are not" holds_expected /dev/xvda
	blockdev --flushbufs "$1"
	ok "$2: dom0 sees the same" holds_expected "$1"
	is "$(vbd_stat 0 xvda err_req)" 0 "$2: no request was refused or failed"
	ok "$2: detach" hand_detach xvda
}

holds_pieces()
{
	{
		pattern | head -c 2097152
		head -c 3112960 /dev/zero
		pattern | tail -c 3178496
	} | cmp -n 8388608 - "$SCSI_DISK"
}

small_pieces()
{
	echo 131072 >"/sys/block/${SCSI_DISK#/dev/}/queue/discard_max_bytes"
}

# check_seams: one discard in many pieces, and it does not begin where the disk's
# granularity of 32 KiB does. From 2 MiB on all is gone to the last whole 32 KiB.
check_seams()
{
	local stat before after

	stat=/sys/block/${SCSI_DISK#/dev/}/stat
	ok "pieces: attach" disk_attach "$SCSI_DISK" xvda
	ok "pieces: a pattern" eval 'pattern | dd of=/dev/xvda bs=1M iflag=fullblock \
		oflag=direct conv=nocreat,notrunc'
	before=$(awk '{ print $12 }' "$stat")
	ok "pieces: the frontend discards" blkdiscard -o 2093056 -l 3M /dev/xvda
	is "$(vbd_stat 0 xvda ds_req)" 1 "pieces: with one request"
	after=$(awk '{ print $12 }' "$stat")
	ok "pieces: the disk sees many" [ $((after - before)) -ge 24 ]
	blockdev --flushbufs "$SCSI_DISK"
	ok "pieces: nothing is lost between them" holds_pieces
	ok "pieces: detach" hand_detach xvda
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
	xenstore-write "$(backend_path 0 xvdb)/online" 0 "$MIRROR/state" 5 && wait_for 30 frontend_has_closed &&
		hand_detach xvdb
}

frontend_has_closed()
{
	[ "$(xs_read "$(frontend_path 0 xvdb)/state")" = 6 ]
}

# erased_how: discards and writes that the secure disk has seen; Linux counts
# secure erases among the writes
erased_how()
{
	awk '{ print $12, $5 }' /sys/block/xvdb/stat
}

check_secure()
{
	local discards writes discards0 writes0

	is "$(discard_offers)" "${1% 0} 1" "it is offered on"
	pattern | dd of=/dev/xvda bs=1M iflag=fullblock oflag=direct conv=nocreat,notrunc status=none
	read -r discards0 writes0 <<<"$(erased_how)"
	ok "the frontend discards securely" discard_range /dev/xvda -s
	read -r discards writes <<<"$(erased_how)"
	is "$discards" "$discards0" "no plain discard reaches the disk"
	isnt "$writes" "$writes0" "a secure one does"
	blockdev --flushbufs /dev/xvda
	ok "the range is gone, its neighbours are not" holds_expected /dev/xvda
	ok "the frontend discards plainly" discard_range /dev/xvda
	isnt "$(erased_how)" "$discards $writes" "that reaches it as such"
	is "$(erased_how | cut -d' ' -f2)" "$writes" "and not as a secure one"
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

# The slow disk hands them on when their six seconds are over
discards_seen()
{
	echo $(($(awk '{ print $12 }' /sys/block/nullb0/stat) - $1))
}

have_been_seen()
{
	[ "$(discards_seen "$1")" = "$2" ]
}

check_turns()
{
	local blkfe before

	before=$(awk '{ print $12 }' /sys/block/nullb0/stat)
	eight_discards >"$LAB_TMP/blkfe" 2>&1 &
	blkfe=$!
	ok "of eight discards a slow disk is given four" wait_for 30 have_been_seen "$before" 4
	nap 1
	is "$(discards_seen "$before")" 4 "and no more at a time"
	ok "the others have their turn" wait $blkfe
	is "$(discards_seen "$before")" 8 "and are seen"
	sed 's/^\(not \)\?ok/  &/; s/^/# /' "$LAB_TMP/blkfe"
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load
leak_snapshot

ok "a disk in memory that discards" null_disk discard=1
check_range /dev/nullb0 "null_blk"
disk=$(devt_hex /dev/nullb0)
for abi in x86_64-abi x86_32-abi; do
	frontend "offered, $abi" discard.fe ABI=$abi DISK="$disk"
done
frontend "discard-enable=0" no-discard.fe ENABLE=0 DISK="$disk"
frontend "read-only" no-discard.fe MODE=r DISK="$disk"

ok "a disk that writes and discards slowly" delayed_disk 0 6000
frontend "slow" slow-discard.fe DISK="$(devt_hex /dev/mapper/slow)"
check_turns
ok "the slow disk is free" dmsetup remove slow

ok "a disk that knows secure erase" secure_disk
ok "attach" disk_attach /dev/xvdb xvda
check_secure "$(disk_offers /dev/xvdb)"
ok "detach" hand_detach xvda
ok "the disk goes" secure_disk_goes

ok "a SCSI disk that unmaps" scsi_disk lbpu=1 unmap_granularity=8 unmap_alignment=0
check_range "$SCSI_DISK" "SCSI"
ok "one that unmaps 32 KiB at a time" scsi_disk lbpu=1 unmap_granularity=64
ok "and no more than 128 KiB at once" small_pieces
check_seams
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
