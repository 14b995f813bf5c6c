#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=1500 icount
#
# A vbd in a cgroup: limited and weighed there, and nobody else is; by key, by file and
# by xen-vbd; while the guest runs, after it has come again, under another module. Loop
# devices, flushes and discards are charged, too.

. /lab/lib.sh

CGROUPS=/sys/fs/cgroup
TAKEOVER=/job/xen-blkback-takeover
BUSY=()

# ---- cgroups and what they have seen -----------------------------------------

cgroups_up()
{
	mount -t cgroup2 none $CGROUPS || return
	echo +io >$CGROUPS/cgroup.subtree_control || return
	mkdir $CGROUPS/guests || return
	echo +io >$CGROUPS/guests/cgroup.subtree_control
}

# cgroup NAME: a new one, below guests
cgroup()
{
	mkdir "$CGROUPS/guests/$1" && at_end rmdir "$CGROUPS/guests/$1"
}

# number DEVICE: as the files of cgroups have it
number()
{
	stat -L -c %Hr:%Lr "$1"
}

# limit NAME DEVICE LIMIT...: of a cgroup
limit()
{
	echo "$(number "$2") ${*:3}" >"$CGROUPS/guests/$1/io.max"
}

# charged NAME DEVICE COUNTER: of its io.stat
charged()
{
	local line

	line=$(grep "^$(number "$2") " "$CGROUPS/guests/$1/io.stat")
	[[ $line =~ $3=([0-9]+) ]] && echo "${BASH_REMATCH[1]}" || echo 0
}

# cgroup_of VDEV [PATH]: shown, or set by the file
cgroup_of()
{
	vbd_tunable 0 "$1" cgroup "${@:2}"
}

dying()
{
	awk '/^nr_dying_descendants/ { print $2 }' $CGROUPS/cgroup.stat
}

none_is_dying() { [ "$(dying)" = 0 ]; }

# ---- load --------------------------------------------------------------------

# busy_vbds VDEV:DEPTH...: reads at random, until the case ends
busy_vbds()
{
	local word

	at_end idle
	for word; do
		fio --name=busy --filename="/dev/${word%:*}" --direct=1 --ioengine=libaio --thread \
			--rw=randread --bs=4k --iodepth="${word#*:}" --time_based --runtime=900 \
			--randrepeat=0 --minimal >/dev/null 2>&1 &
		BUSY+=($!)
	done
	for word; do
		wait_for 60 has_reads "${word%:*}"
	done
}

# Some more than the partition table is read with
has_reads() { [ "$(answered "$1")" -gt 20 ]; }

# Until the disk has answered all
idle()
{
	kill "${BUSY[@]}" 2>/dev/null
	wait "${BUSY[@]}" 2>/dev/null
	BUSY=()
}

# per_second VDEV: reads that the disk has answered to it, of 3 seconds
per_second()
{
	per_second_of "$1" >"$LAB_TMP/$1.rate"
}

per_second_of()
{
	local begin reads

	begin=${EPOCHREALTIME/./}
	reads=$(answered "$1")
	nap 3
	echo $((($(answered "$1") - reads) * 1000 / $(ms_since "$begin")))
}

answered()
{
	echo $(($(vbd_stat 0 "$1" rd_req) - $(cat "$(vbd_sysfs 0 "$1")/in_flight")))
}

# rates TEXT: of both vbds at the same time, in NOISY and QUIET
rates()
{
	nap 1
	per_second xvda &
	per_second xvdb
	wait $!
	NOISY=$(<"$LAB_TMP/xvda.rate")
	QUIET=$(<"$LAB_TMP/xvdb.rate")
	diag "$1: xvda $NOISY, xvdb $QUIET reads per second"
}

# at_about VALUE LIMIT NAME: no more than a tenth above, and half of it at least
at_about()
{
	le "$1" $(($2 * 11 / 10 + 2)) "$3"
	le $(($2 / 2)) "$1" "$3: all of it"
}

# ---- cases -------------------------------------------------------------------

# The guest with 64 requests has the whole queue of the disk
noisy_and_quiet()
{
	local before

	cgroup noisy
	ok "attach the noisy one" disk_attach /dev/nullb0 xvda
	ok "attach the quiet one" disk_attach /dev/nullb0 xvdb
	busy_vbds xvda:64 xvdb:1
	rates "no limit"
	before=$QUIET
	limit noisy /dev/nullb0 riops=50
	ok "limited by the file, while it runs" cgroup_of xvda /guests/noisy
	is "$(cgroup_of xvda)" /guests/noisy "the file shows it"
	is "$(vbd_key 0 xvda cgroup)" /guests/noisy "and the key"
	nap 2
	rates "riops=50 for xvda"
	at_about "$NOISY" 50 "the noisy one has its 50"
	le $((before * 3)) "$QUIET" "the quiet one has three times as much, or more"
	limit noisy /dev/nullb0 riops=max rbps=409600
	rates "rbps=400K for xvda"
	at_about "$NOISY" 100 "100 times 4 KiB"
	ok "taken out" cgroup_of xvda ""
	is "$(cgroup_of xvda)" "" "the file shows it"
	nap 2
	rates "no limit any more"
	le 110 "$NOISY" "no limit any more"
	idle
	is "$(vbd_stat 0 xvda err_req) $(vbd_stat 0 xvdb err_req)" "0 0" "no request has failed"
}

# A disk of 200 requests in a second by its model, which io.cost shares out
weighed()
{
	cgroup light
	cgroup heavy
	echo 100 >$CGROUPS/guests/light/io.weight
	echo 300 >$CGROUPS/guests/heavy/io.weight
	ok "io.cost has a model" cost_model rrandiops=200 rseqiops=200 rbps=100000000 \
		wrandiops=200 wseqiops=200 wbps=100000000
	ok "attach the light one" disk_attach /dev/nullb0 xvda cgroup=/guests/light
	ok "attach the heavy one" disk_attach /dev/nullb0 xvdb cgroup=/guests/heavy
	busy_vbds xvda:32 xvdb:32
	nap 4
	rates "io.weight 100 and 300"
	le $((NOISY * 2)) "$QUIET" "the heavy one has more than twice as much"
	le "$QUIET" $((NOISY * 4)) "and not all"
	idle
}

# cost_model WORD...
cost_model()
{
	local disk

	disk=$(number /dev/nullb0)
	echo "$disk ctrl=user model=linear $*" >$CGROUPS/io.cost.model &&
		echo "$disk enable=1 ctrl=user min=100 max=100" >$CGROUPS/io.cost.qos &&
		at_end cost_model_ends "$disk"
}

cost_model_ends()
{
	echo "$1 enable=0" >$CGROUPS/io.cost.qos
}

by_key()
{
	cgroup first
	cgroup second
	ok "attach, with a key" disk_attach /dev/nullb0 xvda cgroup=/guests/first
	is "$(cgroup_of xvda)" /guests/first "the file shows it"
	isnt "$(charged first /dev/nullb0 rios)" 0 "the first reads of the guest are charged"
	hand_set xvda cgroup guests/second
	ok "another key, while it runs" wait_for 5 shown_is xvda /guests/second
	ok "reads" dd if=/dev/xvda of=/dev/null bs=4k count=16 iflag=direct
	is "$(charged second /dev/nullb0 rbytes)" 65536 "all of them are charged there"
	hand_set xvda cgroup /guests/third
	ok "a wrong one is told" wait_for 5 vbd_error_like 0 xvda 'cgroup: "/guests/third" is no cgroup'
	is "$(cgroup_of xvda)" /guests/second "and changes nothing"
	mkdir $CGROUPS/guests/second/poor
	not_ok "one without the controller is refused" cgroup_of xvda /guests/second/poor
	rmdir $CGROUPS/guests/second/poor
	hand_set xvda cgroup /guests/first
	ok "a right one" wait_for 5 shown_is xvda /guests/first
	ok "ends the error" wait_for 5 not vbd_error 0 xvda
	xenstore-rm "$(backend_path 0 xvda)/cgroup"
	ok "no key, no cgroup" wait_for 5 shown_is xvda ""
	ok "detach" hand_detach xvda
	wrong_key cgroup /guests/third 'cgroup: "/guests/third" is no cgroup'
}

shown_is() { [ "$(cgroup_of "$1")" = "$2" ]; }

# A vbd is no process: rmdir does not fail
removed()
{
	mkdir $CGROUPS/guests/short
	limit short /dev/nullb0 riops=10
	ok "attach" disk_attach /dev/nullb0 xvda cgroup=/guests/short
	ok "no other is dying" wait_for 60 none_is_dying
	ok "its cgroup is removed" rmdir $CGROUPS/guests/short
	is "$(cgroup_of xvda)" "/guests/short (dead)" "the file says so"
	is "$(dying)" 1 "the vbd holds what is left"
	ok "it goes on" dd if=/dev/xvda of=/dev/null bs=4k count=64 iflag=direct
	like "$("$TAKEOVER" -f -n 2>&1)" "its cgroup /guests/short is gone" "a takeover would be refused"
	ok "detach" hand_detach xvda
	ok "and then nobody holds it" wait_for 30 none_is_dying
}

# A guest that closes and comes again, with new rings and threads
reconnects()
{
	cgroup again
	ok "a guest" blkfe_guest 52000 /dev/nullb0 "read sector=0 n=8"
	ok "is put into a cgroup" cgroup_of 52000 /guests/again
	ok "it comes again" /job/blkfe --keep - <<-END
		attach devid=52000
		state 5
		wait-backend 5
		state 6
		wait-backend 6
		reopen
		connect
		repeat 10 read sector=0 n=8
	END
	is "$(cgroup_of 52000)" /guests/again "it is in there"
	is "$(charged again /dev/nullb0 rios)" 10 "and what it reads is charged"
	blkfe_closing 52000
	ok "it goes" wait_for 10 vbd_state_is 0 52000 6
}

# The module is loaded anew, and the limit holds
taken_over()
{
	cgroup kept
	limit kept /dev/nullb0 riops=50
	ok "attach" disk_attach /dev/nullb0 xvda
	ok "attach another" disk_attach /dev/nullb0 xvdb
	ok "limited by the file" cgroup_of xvda /guests/kept
	not_ok "not by the stock module" "$TAKEOVER" -n -m stock
	busy_vbds xvda:16 xvdb:16
	rates "before"
	ok "another module takes over" "$TAKEOVER" -f
	is "$(cgroup_of xvda)" /guests/kept "in there"
	is "$(cgroup_of xvdb)" "" "and not the other"
	rates "after"
	at_about "$NOISY" 50 "it has its 50"
	idle
	is "$(vbd_stat 0 xvda err_req) $(vbd_stat 0 xvdb err_req)" "0 0" "no request has failed"
}

# A file on a file system on the disk
loop()
{
	cgroup looped
	ok "a file system" mkfs.ext4 -q /dev/nullb0 100M
	mkdir -p "$LAB_TMP/mnt"
	ok "is mounted" mount -t ext4 /dev/nullb0 "$LAB_TMP/mnt"
	at_end umount "$LAB_TMP/mnt"
	dd if=/dev/zero of="$LAB_TMP/mnt/disk.img" bs=1M count=32 status=none
	sync
	ok "a loop device" losetup --direct-io=on /dev/loop9 "$LAB_TMP/mnt/disk.img"
	at_end losetup -d /dev/loop9
	ok "attach" disk_attach /dev/loop9 xvda cgroup=/guests/looped
	ok "attach another" disk_attach /dev/loop9 xvdb
	ok "reads" dd if=/dev/xvda of=/dev/null bs=64k count=16 iflag=direct
	isnt "$(charged looped /dev/loop9 rbytes)" 0 "the loop device is charged"
	le 1048576 "$(charged looped /dev/nullb0 rbytes)" "and so is the disk below"
	busy_vbds xvda:16 xvdb:16
	limit looped /dev/loop9 riops=40
	rates "riops=40 of the loop device for xvda"
	at_about "$NOISY" 40 "a limit of the loop device"
	limit looped /dev/loop9 riops=max
	limit looped /dev/nullb0 riops=30
	nap 2
	rates "riops=30 of the disk below for xvda"
	at_about "$NOISY" 30 "a limit of the disk below"
	limit looped /dev/nullb0 riops=max
	idle
}

flush_and_discard()
{
	local f_req

	cgroup charged
	ok "attach" disk_attach /dev/nullb0 xvda cgroup=/guests/charged
	f_req=$(vbd_stat 0 xvda f_req)
	dd if=/dev/zero of=/dev/xvda bs=4k count=8 oflag=direct,dsync conv=nocreat,notrunc status=none
	f_req=$(($(vbd_stat 0 xvda f_req) - f_req))
	le 8 "$f_req" "each of eight writes is flushed"
	is "$(charged charged /dev/nullb0 wbytes)" 32768 "bytes of writes"
	is "$(charged charged /dev/nullb0 wios)" $((8 + f_req)) "writes and flushes"
	ok "a discard" blkdiscard -o 1M -l 1M /dev/xvda
	is "$(charged charged /dev/nullb0 dbytes)" 1048576 "bytes of discards"
	isnt "$(charged charged /dev/nullb0 dios)" 0 "discards"
	limit charged /dev/nullb0 wiops=4
	le 1000 "$(milliseconds dd if=/dev/zero of=/dev/xvda bs=4k count=4 oflag=direct,dsync \
		conv=nocreat,notrunc status=none)" "flushes wait for the limit, too"
	le 2000 "$(milliseconds discards 12)" "and so do discards"
	limit charged /dev/nullb0 wiops=max
	ok "detach" hand_detach xvda
}

# discards NUMBER: none of which can be merged with the next
discards()
{
	local n

	for ((n = 0; n < $1; n++)); do
		blkdiscard -o "$((n * 2))M" -l 64k /dev/xvda || return
	done
}

# The tool, as an administrator has it
by_tool()
{
	local tool=/job/xen-vbd own=$CGROUPS/xen-vbd/0-51712

	ok "attach" disk_attach /dev/nullb0 xvda
	ok "limit" "$tool" limit 0/xvda rbps=1M riops=25
	is "$(cgroup_of xvda)" /xen-vbd/0-51712 "it is in a cgroup of its own"
	like "$(cat $own/io.max)" "rbps=1048576 wbps=max riops=25 wiops=max" "with limits"
	ok "reads" dd if=/dev/xvda of=/dev/null bs=4k count=16 iflag=direct
	like "$("$tool" limit 0/xvda)" "riops=25 wiops=max.*rbytes=65536 " "which it shows"
	ok "another weight" "$tool" limit 0/xvda weight=200
	is "$(cat $own/io.weight)" "default 200" "is set"
	not_ok "a cgroup that is none" "$tool" limit 0/xvda --cgroup /nosuch
	ok "none" "$tool" limit 0/xvda --none
	is "$(cgroup_of xvda)" "" "it is out"
	not_ok "and its cgroup is gone" [ -e $own ]
	ok "the folder goes" rmdir $CGROUPS/xen-vbd
	ok "detach" hand_detach xvda
}

# slow_null: 256 times 4 KiB in a second, in the order that they come
slow_null()
{
	null_disk mbps=1 submit_queues=1 hw_queue_depth=64
}

# limited NAME FUNCTION: a case, after which nobody holds a cgroup that it has removed.
# Linux's loop driver itself holds that of a worker for up to two minutes.
limited()
{
	subtest "$1" "$2"
	ok "$1: no cgroup is left behind" wait_for 150 none_is_dying
}

ok "the backend loads" module_load
ok "the frontend loads" frontend_load
ok "cgroups" cgroups_up
at_end umount $CGROUPS
at_end rmdir $CGROUPS/guests
ok "a slow disk" slow_null
limited "noisy and quiet" noisy_and_quiet
limited "weighed" weighed
limited "taken over" taken_over
limited "removed" removed
ok "a disk with a cache that discards" null_disk discard=1 cache_size=16
limited "key" by_key
limited "reconnects" reconnects
limited "flush and discard" flush_and_discard
limited "tool" by_tool
limited "loop" loop
ok "the frontend unloads" frontend_unload
ok "the backend unloads" module_unload
done_testing
