#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=2400
#
# A guest is saved and restored under verified I/O, to a module with other parameters;
# and xl takes disks away from a guest: by force, and while they connect. No migration:
# it needs Xen to log what a guest writes, and this Xen does not for a PV guest.

. /lab/lib.sh

IMAGE=$LAB_TMP/image
MANY_RINGS='max_queues=2 max_ring_page_order=2 feature_persistent=1'
ONE_RING='max_queues=1 max_ring_page_order=0 feature_persistent=0'

# load PARAMETERS
load()
{
	# shellcheck disable=SC2086 # a list of words
	module_load $1
}

# shellcheck disable=SC2016 # the guest expands it
guest_loop='n=0
	until xenstore-exists data/stop; do
		fio --name=verify --filename=/dev/xvda --direct=1 --ioengine=libaio --thread \
			--verify=crc32c --verify_fatal=1 --minimal --rw=randrw \
			--bsrange=4k-32k --iodepth=16 --size=1m >/tmp/fio ||
				{ cat /tmp/fio; exit 1; }
		n=$((n + 1))
	done
	echo $n'

# wrote_more VDEV SECTORS: for wait_for
wrote_more()
{
	[ "$(vbd_stat "$(guest_domid guest)" "$1" wr_sect)" -gt "$2" ]
}

# goes_on NAME VDEV: more has been written than the rings hold
goes_on()
{
	local had

	had=$(vbd_stat "$(guest_domid guest)" "$2" wr_sect)
	ok "$1: the guest writes" wait_for 120 wrote_more "$2" $((had + 2048))
}

# rings_are NUMBER ORDER PERSISTENT NAME
rings_are()
{
	local id

	id=$(guest_domid guest)
	is "$(driver_threads | grep -c "^$id\.xvda-") $(xs_read \
		"$(frontend_path "$id" xvda)/ring-page-order" || echo 0) $(vbd_key \
		"$id" xvda feature-persistent)" "$1 $2 $3" "$4: rings, their order, persistent grants"
}

# arrived: the guest has a new domain, and nothing is left of the old one
arrived()
{
	local old

	old=$(guest_domid guest)
	# shellcheck disable=SC2034,SC2154 # of lib/guest.sh
	LAB_DOMID[guest]=$(xl domid guest) || return
	[ "$(guest_domid guest)" != "$old" ] || return
	wait_for 60 vbd_is_gone "$old" xvda || return
	wait_for 60 not xenstore-exists "/local/domain/0/backend/vbd/$old" || return
	wait_for 60 vbd_state_is "$(guest_domid guest)" xvda 4
}

save()
{
	local old

	old=$(guest_domid guest)
	xl save guest "$IMAGE" || return
	wait_for 60 not xenstore-exists "/local/domain/0/backend/vbd/$old" || return
	wait_for 60 vbd_is_gone "$old" xvda
}

restore()
{
	xl restore "$IMAGE" && rm "$IMAGE" && arrived
}

# save_restore PARAMETERS NAME: to a module that has them
save_restore()
{
	ok "$2: it is saved" save || bail "no image"
	ok "$2: nobody holds the module" module_unload
	ok "$2: another one is loaded" load "$1"
	ok "$2: it is restored" restore || bail "no guest"
	goes_on "$2" xvda
}

# ring_threads: a vbd that connects anew has new ones
ring_threads()
{
	pgrep "^$(guest_domid guest)\.xvda-"
}

checkpoint()
{
	local threads

	threads=$(ring_threads)
	ok "checkpoint: it is saved" xl save -c guest "$IMAGE"
	rm -f "$IMAGE"
	goes_on "checkpoint" xvda
	is "$(ring_threads)" "$threads" "checkpoint: it has not connected anew"
}

travels()
{
	local rounds

	GUEST_MEMORY=256 GUEST_VCPUS=2 GUEST_TIMEOUT=300 \
		GUEST_ARGUMENTS="xen_blkfront.max_queues=2 xen_blkfront.max_ring_page_order=2" \
		ok "a guest starts" guest_start guest pv phy:/dev/nullb0,xvda,w || bail "no guest"
	guest_send guest "$guest_loop"
	goes_on "before" xvda
	rings_are 2 2 1 "before"
	save_restore "$ONE_RING" "to one ring"
	rings_are 1 0 0 "to one ring"
	checkpoint
	save_restore "$MANY_RINGS" "to many"
	rings_are 2 2 1 "to many"
	xenstore-write "/local/domain/$(guest_domid guest)/data/stop" 1
	rounds=$(guest_wait guest)
	is $? 0 "fio in the guest has verified all" || diag "$rounds"
	diag "rounds of fio in the guest: $rounds"
	is "$(vbd_stat "$(guest_domid guest)" xvda err_req)" 0 "no request was refused or failed"
	ok "the guest stops" guest_stop guest
}

# connects_and_goes SECONDS: a disk, so long after xl has attached it
connects_and_goes()
{
	local id

	id=$(guest_domid guest)
	ok "$1 s: attach" xl block-attach guest phy:/dev/mapper/linear xvdc w
	nap "$1"
	diag "$1 s: state $(vbd_state "$id" xvdc)"
	ok "$1 s: detach" xl block-detach guest xvdc
	ok "$1 s: it is gone" wait_for 30 vbd_is_gone "$id" xvdc
	ok "$1 s: from xenstore, too" wait_for 30 not xenstore-exists "$(backend_path "$id" xvdc)"
	ok "$1 s: nobody holds the disk" wait_for 10 disk_is_free
}

# stands_and_goes: the guest sleeps, so the disk is taken before it has connected
stands_and_goes()
{
	local id xl

	id=$(guest_domid guest)
	ok "asleep: the guest sleeps" xl pause guest
	ok "asleep: attach" xl block-attach guest phy:/dev/mapper/linear xvdc w
	is "$(vbd_state "$id" xvdc)" 2 "asleep: the backend waits"
	xl block-detach guest xvdc 2>"$LAB_TMP/detach" &
	xl=$!
	ok "asleep: the end is asked for" wait_for 30 vbd_key_is "$id" xvdc online 0
	ok "asleep: the guest wakes up" xl unpause guest
	ok "asleep: detach" wait $xl || diag_file "$LAB_TMP/detach"
	ok "asleep: it is gone" wait_for 30 vbd_is_gone "$id" xvdc
	ok "asleep: from xenstore, too" wait_for 30 not xenstore-exists "$(backend_path "$id" xvdc)"
	ok "asleep: nobody holds the disk" wait_for 10 disk_is_free
}

disk_is_free()
{
	[ "$(dmsetup info -c --noheadings -o open linear)" = 0 ]
}

in_guest()
{
	guest_run guest "for n in \$(seq 100); do [ ! -b /dev/$1 ] || exit 0; sleep 0.2; done; exit 1"
}

# by_force: with requests in the ring. What becomes of them, and of who waits for them
# there, is the guest's own affair.
by_force()
{
	local id

	id=$(guest_domid guest)
	guest_run guest 'fio --name=write --filename=/dev/xvdb --direct=1 --ioengine=libaio \
		--thread --rw=randwrite --bs=16k --iodepth=32 --size=16m --time_based \
		--runtime=1000 --minimal >/dev/null 2>&1 &'
	goes_on "before" xvdb
	ok "the disk is taken by force" xl block-detach --force guest xvdb
	ok "the vbd is gone" wait_for 30 vbd_is_gone "$id" xvdb
	ok "from xenstore, too" wait_for 30 not xenstore-exists "$(backend_path "$id" xvdb)"
	ok "nobody holds the disk" wait_for 10 disk_is_free
}

taken_away()
{
	local delay

	ok "a disk" dm_disk linear "0 65536 linear /dev/nullb1 0"
	GUEST_TIMEOUT=300 ok "a guest starts" guest_start guest pv phy:/dev/nullb0,xvda,w ||
		bail "no guest"
	for delay in 0 1; do
		connects_and_goes $delay
	done
	stands_and_goes
	ok "attach once more" xl block-attach guest phy:/dev/mapper/linear xvdb w
	ok "the guest has the disk" in_guest xvdb
	by_force
	ok "it is destroyed" guest_destroy guest
}

ok "disks in memory" null_disk nr_devices=2
ok "the backend loads" load "$MANY_RINGS"
subtest "save and restore" travels
subtest "taken away" taken_away
ok "the backend unloads" module_unload
done_testing
