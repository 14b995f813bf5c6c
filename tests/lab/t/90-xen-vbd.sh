#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# xen-vbd on real vbds: it finds them by name, counts what they do, says why one is
# stuck, and what it advises helps. The same with the stock module, as far as that tells.

. /lab/lib.sh

TOOL=$LAB_TMP/tools/xen-vbd

# vbd STATUS ARGUMENT...: the tool ends so; OUT and ERR have what it says
vbd()
{
	local want=$1 status=0

	shift
	OUT=$("$TOOL" "$@" 2>"$LAB_TMP/err") || status=$?
	ERR=$(<"$LAB_TMP/err")
	is "$status" "$want" "xen-vbd $*" || diag "$OUT" "$ERR"
}

# flat: what it said, in one line
flat()
{
	tr -s ' \n' '  ' <<<"$OUT"
}

# explains REGEX NAME: it did, whatever its lines are broken at
explains()
{
	like "$(flat)" "$1" "$2"
}

# advice COMMAND: the line of what it said that is this command
advice()
{
	sed -n "s/^ *\($1 .*\)/\1/p" <<<"$OUT" | head -n 1
}

# why_is STATUS REGEX: for wait_for
why_is()
{
	OUT=$("$TOOL" why 2>&1)
	[ $? = "$1" ] && [[ $(flat) =~ $2 ]]
}

# statistics_by_hand VDEV: as JSON has them
statistics_by_hand()
{
	(cd "$(vbd_sysfs 0 "$1")/statistics" && grep . -- *) | sed 's/:sum_us /_sum_us /; s/:/ /'
}

# statistics_by_tool NAME
statistics_by_tool()
{
	"$TOOL" list -j "$1" | python3 -c 'import json, sys
for name, value in sorted(json.load(sys.stdin)["vbds"][0]["statistics"].items()):
    print(name, *(value if isinstance(value, list) else [value]))'
}

in_service()
{
	ok "attach" disk_attach /dev/nullb0 xvda
	vbd 0 list -H -o vbd,disk,state,infl,note Domain-0/xvda
	is "$OUT" "Domain-0/xvda	nullb0	Connected	0	-" "it is found by name"
	vbd 0 list -H -o name /dev/nullb0
	is "$OUT" vbd-0-51712 "and by disk"
	ok "reads" dd if=/dev/xvda of=/dev/null bs=64k count=4 iflag=direct
	is "$(statistics_by_tool 0/xvda)" "$(statistics_by_hand xvda)" "JSON has all statistics"
	(while [ ! -e "$LAB_TMP/stop" ]; do
		dd if=/dev/xvda of=/dev/null bs=4k count=64 iflag=direct 2>/dev/null
	done) &
	vbd 0 iostat -H -o r/s,rb/s 1 2
	touch "$LAB_TMP/stop"
	wait
	like "$OUT" '^[1-9][0-9]*\.[0-9]+	[1-9]' "reads in a second"
	vbd 0 set 0/xvda polling_duration=50
	is "$(vbd_tunable 0 xvda polling_duration)" 50 "a tunable is set"
	vbd 1 set 0/xvda grant_policy=nosuch
	like "$ERR" 'grant_policy does not take "nosuch" \(Invalid argument\)' "or refused"
	vbd 0 export --prom
	like "$OUT" 'xen_vbd_info\{vbd="vbd-0-51712",guest="Domain-0",dev="xvda"' "exported"
	vbd 0 why 0/xvda
	explains "Connected. Nothing waits" "nothing is stuck"
}

a_guest()
{
	ok "a guest starts" guest_start web01 pv phy:/dev/nullb0,xvda,w || bail "no guest"
	vbd 0 list
	like "$OUT" "web01 +xvda +nullb0 +Connected" "it has its disk"
	like "$OUT" "web01 +xvdz +vd[a-z] +Connected .*read-only" "and its root"
	vbd 0 events
	like "$OUT" "web01/xvda log: connected: " "the log of it"
	ok "the guest stops" guest_stop web01
	# It, too, has cleaned up then
	ok "its xl ends" wait_for 60 not pgrep -x xl
}

# hang: guest 0's disk stops to answer its eight writes, and it is detached
hang()
{
	stuck_writes 0
	blkfe_closing 52000
	ok "its detach hangs" wait_for 10 why_is 2 "is stuck: closing, for"
	explains "8 requests to disk stuck0" "why tells which requests"
}

detach_hangs()
{
	"$TOOL" events -f -H >"$LAB_TMP/events" 2>&1 &
	at_end kill $!
	ok "events are followed" wait_for 20 pgrep xenstore-watch
	hang
	explains "stuck0 dm-[0-9]+ .*SUSPENDED" "and what is wrong with the disk"
	vbd 0 list
	like "$OUT" "Closing +8 +[0-9.]+s +0 +closing for" "the table has it"
	vbd 0 report -o "$LAB_TMP/report.tar.gz"
	is "$(tar -xzOf "$LAB_TMP/report.tar.gz" report/why | grep -c 'is stuck: closing')" 1 \
		"a report is written while it hangs"
	mkdir "$LAB_TMP/unpacked"
	tar -xf "$LAB_TMP/report.tar.gz" -C "$LAB_TMP/unpacked"
	vbd 2 why --root "$LAB_TMP/unpacked/report"
	explains "SUSPENDED" "which serves as a root"
	vbd 2 why 0/52000
	ok "what it advises: $(advice 'dmsetup resume')" eval "$(advice 'dmsetup resume')"
	ok "the detach ends" wait_for 10 vbd_state_is 0 52000 6
	ok "nothing is stuck" wait_for 10 why_is 0 "Nothing is stuck"
	ok "events had it" wait_for 10 grep -q "vbd-0-52000	gone" "$LAB_TMP/events"
	like "$(cut -f3- "$LAB_TMP/events")" "vbd-0-52000	stuck	closing, for" "and what it waited for"
}

never_answers()
{
	hang
	ok "what it advises: $(advice 'dmsetup wipe_table')" eval "$(advice 'dmsetup wipe_table')"
	ok "the detach ends" wait_for 20 vbd_state_is 0 52000 6
}

removed_by_force()
{
	hang
	blkfe_forget 52000
	ok "it is a remnant" wait_for 10 why_is 2 "removed, but its disk still has requests"
	vbd 0 list
	like "$OUT" "stuck0 +remnant +8 " "the table has it"
	ok "the disk answers again" stuck_mend 0
	ok "the remnant goes" wait_for 10 remnants_are 0
}

guest_does_not_close()
{
	ok "a guest" blkfe_guest 52000 /dev/nullb0 'write sector=0 n=8'
	vbd 0 why
	hand_set 52000 online 0
	hand_set 52000 state 5
	ok "it is to close" wait_for 10 why_is 2 "a detach waits for the guest"
	blkfe_closing 52000
	ok "it has closed" wait_for 10 vbd_state_is 0 52000 6
}

wrong_disk()
{
	hand_attach xvdb physical-device=zz:top
	ok "why tells what is wrong" wait_for 10 why_is 2 'physical-device: "zz:top" is not'
	hand_set xvdb online 0
}

# The driver that tells less: by the tool's own takeover
on_stock()
{
	ok "attach" disk_attach /dev/nullb0 xvda
	vbd 0 takeover -m stock
	vbd 0 list
	is "$OUT" "GUEST     VDEV  DISK    STATE
Domain-0  xvda  nullb0  Connected" "fewer columns"
	vbd 0 why
	explains "the stock xen-blkback" "why tells that it guesses"
	vbd 3 set 0/xvda grant_policy=copy
	vbd 0 export --prom
	like "$OUT" $'\nxen_vbd_driver_is_stock 1\n' "monitoring notices it"
	vbd 0 takeover
	vbd 0 list -H -o state,infl
	is "$OUT" "Connected	0" "and back"
}

# Compiled once, as the package has it: in the emulator that takes seconds
mkdir "$LAB_TMP/tools"
cp -r /job/xen-vbd /job/xen_vbd /job/xen-blkback-takeover "$LAB_TMP/tools/"
python3 -m compileall -q "$LAB_TMP/tools/xen_vbd"
vbd 0 list
is "$OUT" "no vbd is attached, and xen-blkback is not loaded" "there is no driver"
ok "the backend loads" module_load
ok "a disk in memory" null_disk
ok "the frontend loads" frontend_load
vbd 0 list
is "$OUT" "no vbd is attached" "there is none"
subtest "in service" in_service
subtest "a guest" a_guest
subtest "a detach hangs" detach_hangs
subtest "a disk never answers" never_answers
subtest "removed by force" removed_by_force
subtest "a guest does not close" guest_does_not_close
subtest "a wrong disk" wrong_disk
subtest "on stock" on_stock
ok "the frontend unloads" frontend_unload
ok "the backend unloads" module_unload
done_testing
