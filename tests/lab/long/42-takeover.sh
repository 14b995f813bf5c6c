#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# Another module takes over under running guests: from stock to this one and
# back, with tools/xen-blkback-takeover. No write is lost, none is done twice:
# fio verifies what it wrote, blkfe every response and every byte. What would
# fail is refused before anything is changed.

. /lab/lib.sh

TOOL=/job/xen-blkback-takeover
STOCK=/lib/modules/$(uname -r)/kernel/drivers/block/xen-blkback/xen-blkback.ko
RUN=$LAB_TMP/run
IDLE=$(blkfe_path xvdc)

# loaded: stock or ours
loaded()
{
	[ -e /sys/module/xen_blkback/parameters/buffer_squeeze_duration_ms ] &&
		echo stock || echo ours
}

# tool STATUS ARGUMENT...: runs it and wants this exit status
tool()
{
	local want=$1 status=0

	shift
	"$TOOL" "$@" >"$LAB_TMP/tool" 2>&1 || status=$?
	[ "$status" = "$want" ] && return
	echo "exit status $status, not $want"
	cat "$LAB_TMP/tool"
	return 1
}

# says TEXT: the tool did, when it ran last
says()
{
	grep -q -e "$1" "$LAB_TMP/tool"
}

# writes_on NAME VDEV: requests arrive and are answered, since the takeover
writes_on()
{
	local had

	had=$(vbd_stat "$1" "$2" wr_sect)
	wait_for 60 wrote_since "$1" "$2" "$had"
}

wrote_since()
{
	[ "$(vbd_stat "$1" "$2" wr_sect)" -gt "$3" ]
}

# takeover FROM TO ARGUMENT...: and all three guests go on
takeover()
{
	local name="$1 to $2"

	is "$(loaded)" "$1" "$name: before"
	shift 2
	ok "$name: taken over" tool 0 "$@" max_queues=2
	sed -n '/^\[\|^longest\| ms without/p' "$LAB_TMP/tool" | while IFS= read -r line; do
		diag "$name: $line"
	done
	is "$(loaded)" "${name##* }" "$name: after"
	ok "$name: dom0's disk is served" writes_on 0 xvda
	ok "$name: blkfe's disk is served" writes_on 0 xvdb
	ok "$name: the guest's disk is served" writes_on "$(guest_domid guest)" xvda
}

# The three of them work until told to stop
fio_loop()
{
	while [ -e "$RUN" ]; do
		fio_verify /dev/xvda --rw=randrw --bsrange=512-44k --iodepth=32 --size=2m \
			--nice=19 || return
		echo round >>"$LAB_TMP/fio-loops"
	done
}

blkfe_loop()
{
	nice -n 19 /job/blkfe --tap - <<-END
		timeout io=60000
		protocol x86_64-abi
		ring queues=2
		vbd devid=$(vdev_number xvdb) physical-device=$(devt_hex /dev/nullb1)
		connect
		stress while=$RUN area=65536 seed=$RANDOM
		destroy
	END
}

# shellcheck disable=SC2016 # the guest expands it
guest_loop='n=0
	until xenstore-exists data/stop; do
		fio --name=verify --filename=/dev/xvda --direct=1 --ioengine=libaio --thread \
			--verify=crc32c --verify_fatal=1 --minimal --rw=randrw \
			--bsrange=4k-44k --iodepth=32 --size=1m --rate_iops=100 >/tmp/fio ||
				{ cat /tmp/fio; exit 1; }
		n=$((n + 1))
	done
	echo $n'

at_work()
{
	[ -e "$LAB_TMP/fio-loops" ] && vbd_state_is 0 xvdb 4 &&
		[ "$(vbd_stat "$(guest_domid guest)" xvda wr_sect)" -gt 1000 ]
}

# guests_begin: sets FIO and BLKFE, which work in the background
guests_begin()
{
	ok "a guest starts" guest_start guest pv phy:/dev/nullb2,xvda,w || bail "no guest"
	ok "attach" attach_loopback /dev/nullb0 xvda
	touch "$RUN"
	fio_loop >"$LAB_TMP/fio" 2>&1 &
	FIO=$!
	blkfe_loop >"$LAB_TMP/blkfe" 2>&1 &
	BLKFE=$!
	guest_send guest "$guest_loop"
	ok "all are at work" wait_for 60 at_work || bail "they are not"
}

guests_end()
{
	local rounds

	rm "$RUN"
	xenstore-write "/local/domain/$(guest_domid guest)/data/stop" 1
	ok "fio in dom0 has verified all" wait "$FIO" || diag "$(tail -n 5 "$LAB_TMP/fio")"
	diag "rounds of fio in dom0: $(wc -l <"$LAB_TMP/fio-loops")"
	wait "$BLKFE"
	relay "blkfe has had each response once" replay "$LAB_TMP/blkfe" $?
	rounds=$(guest_wait guest)
	is $? 0 "fio in the guest has verified all"
	diag "rounds of fio in the guest: $rounds"
	ok "the guest stops" guest_stop guest
	ok "detach" detach xvda
}

# refusals: of what would fail, before anything is changed
refusals()
{
	ok "a dry run" tool 0 -n max_queues=2
	ok "names all vbds" says "vbds: 4"
	is "$(loaded)" stock "and changes nothing"
	ok "too few queues for a guest are refused" tool 1
	ok "with the parameter that would do" says "give max_queues=2"
	ok "a frontend that does nothing" /job/blkfe --keep - <<-END
		vbd devid=$(vdev_number xvdc)
		wait-backend 2
	END
	xenstore-write "$IDLE/state" 5
	ok "it closes" wait_for 10 vbd_state_is 0 xvdc 5
	ok "is refused" tool 1 max_queues=2
	ok "by name" says "vbd-0-$(vdev_number xvdc): between two states"
	xenstore-write "$IDLE/state" 6
	ok "it is closed" wait_for 10 vbd_state_is 0 xvdc 6
	xenstore-write "$IDLE/feature-persistent" 1 "$(backend_path 0 xvdc)/feature-persistent" 0
	ok "persistent grants that were not agreed on are refused" tool 1 max_queues=2
	ok "with the parameter that would do" says "give feature_persistent=0"
	xenstore-rm "$IDLE"
	ok "it is gone" wait_for 10 vbd_is_gone 0 xvdc
	xenstore-rm "$(backend_path 0 xvdc)"
	is "$(loaded)" stock "still nothing has changed"
}

# old_one_back: the other does not load
old_one_back()
{
	ok "a module that does not load" tool 2 max_queues=2 \
		feature_persistent=perhaps
	is "$(loaded)" stock "the old one is back"
	is "$(parameter max_queues)" 2 "as it was"
	ok "and serves" writes_on 0 xvda
}

ok "disks in memory" null_disk nr_devices=3
ok "the stock module loads" insmod "$STOCK" max_queues=2
leak_snapshot
guests_begin
refusals
takeover stock ours
takeover ours stock -m stock
old_one_back
takeover stock ours
ok "the loaded one is left alone" tool 0 max_queues=2
ok "it says so" says "is the loaded module already"
takeover ours ours -f
guests_end
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
