#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# xen-vbd on machines that are directories: what it prints, how it ends. For prove,
# from any directory; needs no Xen.

HERE=$(cd "$(dirname "$0")" && pwd)
TOOL=$(cd "$HERE/../../tools" && pwd)/xen-vbd
# shellcheck source-path=SCRIPTDIR/.. source=tap.sh
. "$HERE/../tap.sh"
# shellcheck source-path=SCRIPTDIR source=trees.sh
. "$HERE/trees.sh"
TREES=$(mktemp -d) || exit
trap 'rm -rf "$TREES"' EXIT
tap_log "$TREES/tap.log"
export LC_ALL=C.UTF-8 TZ=UTC
# The one that it runs with itself
PYTHON=/usr/bin/python3
unset XEN_VBD_ROOT

# vbd STATUS ARGUMENT...: runs it on $TREE; OUT and ERR have what it says. One result:
# it ends with that status, and says nothing that only its developers understand.
vbd()
{
	local want=$1 status=0 what

	shift
	XEN_VBD_ROOT=$TREE "${AS[@]}" timeout 60 "$TOOL" "$@" >"$TREES/out" 2>"$TREES/err" ||
		status=$?
	OUT=$(<"$TREES/out")
	ERR=$(<"$TREES/err")
	what=$(grep -oE 'Traceback|fault of xen-vbd itself.*' <<<"$ERR")
	is "$status $what" "$want " "${TREE##*/}: xen-vbd $*" || diag "$ERR"
}
AS=()

# says REGEX NAME; complains REGEX NAME: it did, when it ran last
says() { like "$OUT" "$1" "$2"; }
complains() { like "$ERR" "$1" "$2"; }

# explains REGEX NAME: whatever its lines are broken at
explains() { like "$(tr -s ' \n' '  ' <<<"$OUT")" "$1" "$2"; }

# silent REGEX NAME: it did not
silent()
{
	[[ ! $OUT =~ $1 ]]
	report $? "$2" || diag "$OUT"
}

# json EXPRESSION VALUE NAME: of what it printed last, d
json()
{
	is "$("$PYTHON" -c "import json, sys; d = json.load(sys.stdin); print($1)" <<<"$OUT" 2>&1)" \
		"$2" "$3"
}

# unprivileged: as root without root's right to read all
unprivileged()
{
	[ "$(id -u)" != 0 ] || AS=(setpriv "--bounding-set=-dac_override,-dac_read_search")
}

# ---- tables -----------------------------------------------------------------

lists()
{
	tree_new healthy
	healthy
	vbd 0
	is "$OUT" "GUEST  VDEV  DISK             STATE      INFL  OLDEST  ERR  NOTE
web01  xvda  vg0/web01        Connected     3     2ms    0
db02   xvdb  vg0/db02         Connected     0       -    2  read-only
mail   xvda  loop12:mail.img  Connected     0       -    0
mail   xvdb  /srv/mail.qcow2  Connected     -       -    -  served by QEMU" \
		"the table of all vbds"
	vbd 0 list -H -o name,reads,read,written,oldest,note 12 14
	is "$OUT" "vbd-12-51712	1200	4915200	41943040	2	-
vbd-14-51728	1200	4915200	41943040	-	read-only" "raw: tabs and exact numbers"
	vbd 0 list -p -o vbd,written web01
	is "$OUT" "VBD          WRITTEN
web01/xvda  41943040" "exact numbers in a table"
	vbd 0 list -o reads,written web01
	is "$OUT" "READS  WRITTEN
 1.2k    40.0M" "numbers for people"
	vbd 0 list --json
	json 'len(d["vbds"]), d["format"], d["driver"]["kind"]' "4 1 xen-blkback" "JSON has all"
	json 'd["vbds"][0]["statistics"]["latency_read"]' "[0, 0, 12, 40, 3]" \
		"and files that nobody has told it of"
	json 'd["vbds"][0]["disk"]["label"], d["vbds"][3]["backend"]' "vg0/web01 QEMU" \
		"and disks, and who serves them"
	vbd 1 list -o guest,nosuch
	complains "no column is called nosuch: there are vbd, guest," "a wrong column is named"
}

# called NAME WANTED: it is a name of these
called()
{
	vbd 0 list -H -o name "$1"
	is "$OUT" "$2" "$1 is ${2//$'\n'/ and }"
}

name_of_a_vbd()
{
	local name

	tree_new healthy
	healthy
	for name in web01/xvda web01/51712 12/xvda 12/51712 vbd-12-51712 web01 12 vg0/web01 \
		/dev/vg0/web01 /dev/mapper/vg0-web01 vg0-web01 dm-9 /dev/dm-9 253:9 fd:9; do
		called $name vbd-12-51712
	done
	called /srv/mail.img vbd-15-51712
	called loop12 vbd-15-51712
	called mail vbd-15-51712$'\n'qdisk-15-51728
	vbd 1 list web01/xvdz
	complains "no vbd is called web01/xvdz: there are web01/xvda, db02/xvdb," "none is told"
	vbd 1 lits
	complains "called lits.*--help lists the commands" "so is a command that is none"
}

name_of_two()
{
	tree_new twins
	guest 3 web
	guest 4 web
	our_vbd 3 51712 xvda fd:9
	our_vbd 4 51712 xvda fd:9
	our_vbd 4 268439808 xvdq 8:10
	volume 253:9 dm-9 vg0 web
	called web/xvda vbd-3-51712$'\n'vbd-4-51712
	called vg0/web vbd-3-51712$'\n'vbd-4-51712
	# As without udev
	rm -r "$TREE/dev/vg0"
	called /dev/vg0/web vbd-3-51712$'\n'vbd-4-51712
	called 4/xvdq vbd-4-268439808
	vbd 1 set web/xvda grant_policy=copy
	complains "2 vbds, name one of them: web/xvda \(vbd-3-51712\), web/xvda \(vbd-4" \
		"what it is to change must be one"
}

# Xen's numbers of devices
device_numbers()
{
	is "$("$PYTHON" -B -c 'import sys; sys.path.insert(0, sys.argv[1])
from xen_vbd.names import vdev_name
print(*(vdev_name(int(n)) for n in sys.argv[2:]))' "${TOOL%/*}" 51712 51713 51728 51952 \
		268439552 268442113 768 833 5632 2048 2068 66)" \
		"xvda xvda1 xvdb xvdp xvdq xvdaa1 hda hdb1 hdc sda sdb4 66" "are names"
}

nothing_there()
{
	tree_new none
	vbd 0 list
	is "$OUT" "no vbd is attached" "no vbd"
	vbd 0 list -H
	is "$OUT" "" "nor for scripts"
	vbd 1 list web01
	complains "there is none at all" "and none by name"
	rm -r "$TREE/sys/module"
	vbd 0 list
	is "$OUT" "no vbd is attached, and xen-blkback is not loaded" "nor a driver"
	TREE=$TREES/empty
	mkdir "$TREE"
	vbd 3 list
	complains "no /sys/bus/xen-backend/devices: .*dom0" "no Xen"
	TREE=$TREES/nosuch
	vbd 1 list
	complains "nosuch: no such directory" "no such root"
}

# in_ascii ARGUMENT...: with an output that takes nothing else
in_ascii()
{
	XEN_VBD_ROOT=$TREE "$PYTHON" -B -c 'import sys; sys.path.insert(0, sys.argv[1])
from xen_vbd.cli import main
sys.stdout.reconfigure(encoding="ascii")
sys.exit(main(sys.argv[2:]))' "${TOOL%/*}" "$@" 2>&1
}

# Files that cannot be read, or make no sense
strange_files()
{
	local dir

	tree_new strange
	healthy
	guest 16 'a\"b\tc\303'
	our_vbd 16 51712 xvda zz:top state= in_flight=many
	dir=$TREE/$DEVICES/vbd-14-51728
	head -c 300 /dev/urandom >"$dir/unknown"
	rm "$dir/nodename" "$dir/statistics/rd_req"
	chmod 0 "$dir"/{state,in_flight} "$TREE/$DEVICES/vbd-15-51712"
	# Its mode lets others read it, and not the owner
	chmod 044 "$dir/statistics/wr_req"
	mkdir "$TREE/$DEVICES/vbd-99-x" "$TREE/$DEVICES/vif-12-0"
	unprivileged
	vbd 0 list -H -o vbd,state,infl,reads
	says "db02/xvdb	Connected	-	-" "what is not there is not shown"
	says "web01/xvda	Connected	3	1200" "the rest is"
	vbd 2 why
	vbd 0 list -j
	json 'len(d["vbds"])' 5 "JSON has what can be read"
	vbd 0 export --prom
	AS=()
	is "$(in_ascii list -H -o vbd 16)" 'a"b c?/xvda' "a terminal that knows few letters"
	chmod 700 "$TREE/$DEVICES/vbd-15-51712"
}

on_stock()
{
	tree_stock stock
	guest 12 web01
	stock_vbd 12 51712 xvda fd:9
	volume 253:9 dm-9 vg0 web01
	vbd 0
	is "$OUT" "GUEST  VDEV  DISK       STATE
web01  xvda  vg0/web01  Connected" "fewer columns"
	vbd 0 list -H
	is "$OUT" "web01	xvda	vg0/web01	Connected	-	-	-	-" "for scripts as many"
	vbd 0 iostat 0.1 1
	like "$OUT" '^VBD +R/S +W/S +F/S +D/S +RB/S +WB/S'$'\n' "iostat, too"
	vbd 0 why
	says "the stock xen-blkback. It does not" "why tells that it guesses"
	vbd 3 set web01/xvda grant_policy=copy
	complains "no tunables: .*stock" "and set that there is nothing to set"
	put "$DEVICES/vbd-12-51712/state" Closing
	put sys/dev/block/253:9/inflight "3 5"
	vbd 2 why
	says "closing, and its disk has requests.*dm-9 \(253:9\): 8 requests in flight" \
		"a disk with requests is found"
}

# ---- why --------------------------------------------------------------------

# broken FILE=VALUE...: a machine whose vbd 12 is so
broken()
{
	tree_new broken
	guest 12 web01
	our_vbd 12 51712 xvda fd:9 "$@"
	volume 253:9 dm-9 vg0 web01
}

# noted TEXT: the table's note of it is this
noted()
{
	vbd 0 list -H -o note
	is "$OUT" "$1" "noted: $1"
}

# reason STATUS REGEX NAME: why says so of it
reason()
{
	vbd "$1" why web01/xvda
	explains "$2" "$3"
}

# frontend_state NUMBER: of its guest
frontend_state()
{
	sed -i "s|^\(/local/domain/12/device/vbd/51712/state\) = .*|\1 = \"$1\"|" "$TREE/xenstore"
}

why_a_detach_hangs()
{
	broken state=Closing in_flight=8 oldest_ms=9104 \
		waiting="closing, for 6 s: 8 requests to disk fd:9, the oldest for 9 s"
	reason 2 "web01/xvda \(vbd-12-51712\) is stuck: closing, for 6 s " "it waits for the disk"
	vbd 2 why
	explains "8 requests to disk vg0/web01, the oldest for 9 s" "for which requests"
	explains "dmsetup wipe_table --force --noflush vg0-web01" "what to do if it never answers"
	explains "fail the requests that it holds back,.*waits for requests that are at a disk below" \
		"and what that does not do"
	explains "1 stuck; 1 vbd\." "and how many are stuck"
	vbd 2 why -q
	is "$OUT" "" "or only the status"
	vbd 2 why --json
	json '[d["findings"][0][key] for key in ("vbd", "stuck", "text")]' "['web01/xvda', True, 'closing, for 6 s']" "as JSON"
	vbd 0 list
	says "Closing +8 +9.1s +0 +closing for 6 s" "the table has it, too"
	volume 253:9 dm-9 vg0 web01 dm/suspended=1
	vbd 2 why
	explains "SUSPENDED.*dmsetup resume vg0-web01" "its disk is suspended"
	broken state=Closing
	key backend/vbd/12/51712/online 0
	reason 2 "a detach waits for the guest.*unmount /dev/xvda" "it waits for the guest"
	explains "xl block-detach --force web01 51712" "what to do then"
	noted "guest has not closed it"
	key error/backend/vbd/12/51712/error '71 frontend has broken its ring'
	reason 2 "a detach waits for the guest" "that counts more than an error"
	broken
	key backend/vbd/12/51712/state 5
	key backend/vbd/12/51712/online 0
	reason 2 "a detach waits for the guest" "the driver has not said so yet"
	frontend_state 6
	reason 0 "Closing. Nothing waits" "the guest has closed it"
	broken state=Closing
	key error/backend/vbd/12/51712/error '71 frontend has broken its ring'
	reason 2 "frontend has broken its ring \(errno 71\).*may connect again" \
		"the driver has closed it itself"
}

why_other_things_hang()
{
	broken waiting="waiting for writes of a removed vbd, for 9 s"
	reason 2 "removed vbd, for 9 s .*The disk to mend is the remnant's" "for another's writes"
	silent "wipe_table" "which is no reason to make this disk fail"
	broken waiting="exchanging the disk, for 125 s"
	reason 2 "stuck: exchanging the disk, for 2 min.*old disk has to answer" "an exchange"
	broken state=InitWait physical_device= waiting="waiting for physical-device, for 6 s"
	reason 2 "stuck: waiting for physical-device, for 6 s.*xen-hotplug\.log" "the hotplug script"
	key backend/vbd/12/51712/hotplug-error "losetup failed"
	reason 2 "script says: losetup failed" "which has said why"
	broken waiting="waiting for memory or for room in xenstore, for 6 s"
	reason 2 "stuck: waiting for memory .*tries again each second" "want of memory"
	silent "wipe_table" "that is not the disk's fault"
	broken waiting="something new: with words" in_flight=1 oldest_ms=1000
	reason 2 "something new: with words.*1 request to disk" "for a reason that is not known yet"
	broken waiting="slow: 8 requests to disk fd:9, the oldest for 33 s" in_flight=8 oldest_ms=33000
	reason 2 "stuck: its disk does not answer .*8 requests" "it is slow"
	broken waiting="slow: 8 requests to disk fd:9, the oldest for 33 s, its share of pages in use" \
		in_flight=8 oldest_ms=33000
	reason 2 "disk does not answer .*8 requests .*33 s; some are not started yet, its share of pages in use\." \
		"it is slow, and some wait for the others"
	broken waiting="slow: 8 requests to disk fd:9, the oldest for 33 s, no memory" in_flight=8 oldest_ms=33000
	reason 2 "stuck: its requests wait, no memory .*no memory to start requests" "there is no memory"
	broken state=Closing in_flight=8 oldest_ms=9104 \
		waiting="closing, for 6 s: 8 requests to disk fd:9, the oldest for 9 s, no pages to map to"
	reason 2 "stuck: closing, for 6 s .*not started yet, no pages to map to" "a detach without pages"
	broken in_flight=2 oldest_ms=31000
	reason 2 "its disk does not answer.*2 requests to disk vg0/web01, the oldest for 31 s" "old requests"
	noted "disk does not answer"
	broken in_flight=2 oldest_ms=29000
	reason 0 "Connected. 2 requests to disk vg0/web01" "requests that are not old"
	broken
	remnant vbd-12-51728.1 fd:9 11 182000
	reason 0 "web01/xvda" "another one is well"
	vbd 2 why --json
	json '[finding["stuck"] for finding in d["findings"]]' "[True, False]" "the worst comes first"
	vbd 2 why vbd-12-51728
	explains "removed, but its disk still has requests.*11 requests.*3 min.*zombie" "a remnant"
	vbd 0 list
	says "web01 +xvdb +vg0/web01 +remnant +11 +3m +- +removed, disk has requests" "in the table"
}

why_nobody_serves_it()
{
	broken
	rm "$TREE/$DEVICES/vbd-12-51712/driver"
	reason 2 "no driver serves it.*modprobe xen-blkback" "no driver has taken it"
	rm -r "$TREE/sys/module/xen_blkback"
	vbd 2 why
	explains "xen-blkback is not loaded.*1 stuck" "there is no driver: said once"
	vbd 0 list
	explains "no driver" "the table says it, too"
	broken state=InitWait
	key error/backend/vbd/12/51712/error '116 disk fd:9 has diskseq 4, 9 is wanted'
	reason 2 "disk fd:9 has diskseq 4, 9 is wanted \(errno 116\).*attach it again" "it has failed"
	noted "error: 116 disk fd:9 has diskseq 4, 9 is wanted"
	put "$DEVICES/vbd-12-51712/state" Connected
	reason 0 "Connected" "it has failed before"
	broken state=Initialising physical_device=
	key backend/vbd/12/51712/hotplug-error "losetup failed"
	reason 2 "hotplug script has failed.*losetup failed" "the hotplug script has"
	broken state=InitWait
	frontend_state 1
	reason 0 "waits for the guest's driver, whose state is Initialising" "the guest is not there yet"
	broken
	sed -i '/^.local/d' "$TREE/xenstore"
	reason_gone
}

reason_gone()
{
	vbd 0 why 12/xvda
	explains "its guest has gone" "the guest has gone"
	vbd 0 list
	explains "^GUEST .*\(12\) .*guest has gone" "in the table, too"
	tree_new other
	healthy
	vbd 0 why mail/xvdb
	explains "QEMU serves it, not xen-blkback" "it is QEMU's"
}

why_its_disk_hangs()
{
	broken waiting="closing, for 6 s" state=Closing
	put sys/dev/block/253:9/slaves/sda ''
	disk 8:0 sda device/state=offline
	vbd 2 why
	explains "on sda \(8:0\): state offline.*sda is offline: look at" "the disk below"
	volume 253:9 dm-9 vg0 web01 dm/uuid=mpath-3600 dm/name=mpatha
	vbd 2 why
	explains "multipathd disablequeueing map mpatha" "a multipath"
	broken waiting="closing, for 6 s" state=Closing physical_device=7:c
	disk 7:12 loop12 "loop/backing_file=/srv/my images/web.img"
	put proc/self/mountinfo '21 1 8:1 / / rw - ext4 /dev/sda1 rw
30 21 0:44 / /srv rw - ext4 /dev/sdb1 rw
31 30 0:45 / /srv/my\040images rw,hard shared:5 - nfs4 nas1:/vol/images rw'
	vbd 2 why
	explains "on nfs4 nas1:/vol/images, mounted.*Does nas1 answer.*umount -f /srv/my images" \
		"a file on a server"
	put proc/self/mountinfo "21 1 8:1 / / rw - ext4 /dev/sda1 rw"
	disk 8:1 sda1 inflight="0 4"
	vbd 2 why
	explains "on sda1 \(8:1\): 4 requests in flight" "a file on a disk"
	broken waiting="closing, for 6 s" state=Closing physical_device=8:20
	vbd 2 why
	explains "8:32 is gone" "a disk that is gone"
	put "$DEVICES/vbd-12-51712/waiting" ""
	put "$DEVICES/vbd-12-51712/state" Connected
	noted "disk has gone"
	vbd 0 list
	says " 8:32 " "in the table it has its number"
}

# What can be made to fail, where the requests are first
why_a_disk_is_given_up()
{
	local dir=sys/devices/platform/host3/session7/target3:0:0/3:0:0:1/block/sdb

	broken waiting="closing, for 6 s" state=Closing
	put sys/dev/block/253:9/slaves/sda1 ''
	disk 8:1 sda1
	vbd 2 why
	explains "wipe_table .*vg0-web01 Take sda from.*lsblk /dev/sda echo 1 >/sys/block/sda/device/delete" \
		"a SCSI disk below, if that has none of them"
	disk 8:1 sda1 inflight="0 4"
	vbd 2 why
	explains "or else Take sda from .*device/delete Make vg0/web01 fail.*wipe_table" "or first, if it has"
	broken waiting="closing, for 6 s" state=Closing physical_device=8:10
	put "$dir/uevent" DEVNAME=sdb
	ln -s "../../${dir#sys/}" "$TREE/sys/dev/block/8:16"
	vbd 2 why
	explains "does the target answer\? iscsiadm -m session -r 7 -P 3" "a session of iSCSI"
	explains "or else End the iSCSI session of sdb.*lsblk /dev/sdb iscsiadm -m session -r 7 -u" "is ended"
	broken waiting="closing, for 6 s" state=Closing physical_device=7:c
	disk 7:12 loop12 loop/backing_file=/srv/web.img
	disk 8:1 sda1 inflight="0 4"
	vbd 2 why
	explains "fails only if the file's disk does.*losetup -d /dev/loop12" "a loop device"
	silent "delete" "the disk of a whole file system is not thrown away"
}

why_nothing_can_be_attached()
{
	tree_new blocked
	healthy
	put proc/42/comm xenwatch
	put proc/42/status $'Name:\txenwatch\nState:\tD (disk sleep)'
	put proc/42/wchan bdev_release
	vbd 2 why
	explains "xenwatch \(PID 42\) is blocked.*bdev_release\(\)" "xenwatch hangs"
	put proc/42/status $'Name:\txenwatch\nState:\tS (sleeping)'
	vbd 0 why
	is "$OUT" "Nothing is stuck; 4 vbds." "it does not"
}

# ---- what changes -----------------------------------------------------------

# printed: wait until the tool has printed a line
printed()
{
	local n

	for ((n = 0; n < 300; n++)); do
		[ ! -s "$TREES/out" ] || return 0
		sleep 0.1
	done
	return 1
}

# later COMMAND...: in the background, once the tool has printed a line
later()
{
	: >"$TREES/out"
	{ printed && "$@"; } &
}

# second_line: of what it printed, without fractions
second_line()
{
	sed -n '2s/\..*//p' <<<"$OUT"
}

rates()
{
	local r

	tree_new rates
	healthy
	later put "$DEVICES/vbd-12-51712/statistics/rd_req" 3200
	vbd 0 iostat -H -o r/s web01/xvda 2 2
	wait
	like "$(second_line)" '^[1-9][0-9]*$' "requests in a second"
	later put "$DEVICES/vbd-12-51712/statistics/rd_req" 100
	vbd 0 iostat -H -o r/s 12/51712 2 2
	wait
	like "$(second_line)" '^[1-9][0-9]*$' "a counter that begins anew is no negative rate"
	later rm -r "$TREE/$DEVICES/vbd-12-51712"
	vbd 0 iostat -j web01 db02 1 3
	wait
	like "$(grep -c '"vbd": "web01/xvda"' <<<"$OUT") $(wc -l <<<"$OUT")" "^[12] 3$" \
		"one that goes is left out"
	later our_vbd 16 51712 xvdb fd:9
	vbd 0 iostat -H -o vbd,r/s 2 3
	wait
	like "$OUT" $'\n16/xvdb\t-(\n|$)' "a new one has no rate yet"
	vbd 0 iostat 0.1 2
	is "$(grep -c '^VBD' <<<"$OUT")" 2 "a head for each interval"
	for r in "0 1" "-1" "nan" "1 0" "1 1.5" "99999999"; do
		# shellcheck disable=SC2086 # two words
		vbd 1 iostat $r
	done
	complains "99999999 is no number of seconds above 0" "an interval that is none"
}

# counters TEXT: so many counters, and 0 in all the others of 28
counters()
{
	local -a all

	read -ra all <<<"$1"
	while [ ${#all[@]} -lt 28 ]; do
		all+=(0)
	done
	echo "${all[*]}"
}

latencies()
{
	local dir=$DEVICES/vbd-12-51712/statistics

	tree_new latencies
	healthy
	put sys/module/xen_blkback/parameters/latency N
	put "$dir/latency_read" "$(counters "0 0 0 0 0 0 0 0 0 50 49 0 0 0 1")
sum_us 62725"
	put "$dir/latency_disk_read" "$(counters "0 0 0 0 0 0 0 0 99 0 1")
sum_us 150000"
	put "$dir/latency_write" "$(counters "")"
	put "$dir/latency_disk_write" "$(counters "")"
	put "$dir/latency_flush" "$(counters "")"
	put "$dir/latency_disk_flush" "$(counters "")"
	put "$dir/latency_discard" "$(counters "" | cut -d' ' -f2-) 3
sum_us 300000000"
	put "$dir/latency_disk_discard" "$(counters "")"
	vbd 0 lat web01
	complains "nothing is measured now: echo Y" "how to measure"
	is "$OUT" "VBD         OP       COUNT   MEAN    P50   P99  P99.9   DISK    D50    D99  D99.9
web01/xvda  read       100  627us  512us   1ms   16ms  1.5ms  256us  256us    1ms
web01/xvda  discard      3   100s   >67s  >67s   >67s      -      -      -      -" \
		"means, and percentiles, which are the ends of their counters"
	vbd 0 lat -H web01
	like "${OUT//$'\t'/ }" '^web01/xvda read 100 627.2 512 1024 16384 1500.0 256 256 1024'$'\n' \
		"for scripts, in microseconds"
	vbd 0 lat -j web01
	json 'd["latency"][0]["p50_us"], d["latency"][0]["disk_p99_9_us"]' "512 1024" "JSON"
	json 'd["latency"][0]["mean_us"], d["latency"][0]["disk_sum_us"]' "627.25 150000" "and sums"
	json 'd["latency"][1]["p50_us"]' None "no end of the last counter"
	json 'd["latency"][1]["disk_mean_us"]' None "no mean of nothing"
	vbd 0 export --json web01
	json 'd["vbds"][0]["statistics"]["latency_read_sum_us"]' 62725 "and everything has them"
	json 'd["vbds"][0]["statistics"]["latency_read"][9]' 50 "beside their counters"
	later put "$dir/latency_read" "$(counters "0 0 0 0 0 0 0 0 0 50 49 0 0 0 5")
sum_us 102725"
	vbd 0 lat -j web01 2 2
	wait
	OUT=$(sed -n 2p <<<"$OUT")
	json '[d["latency"][0][key] for key in ("count", "p50_us", "mean_us")]' "[4, 16384, 10000.0]" \
		"what has come since"
	later put "$dir/latency_read" "$(counters "0 0 7")
sum_us 21"
	vbd 0 iostat -H -o vbd,r99,w99 web01 2 2
	wait
	is "$(sed -n 2p <<<"$OUT")" $'web01/xvda\t4\t-' "in iostat, and of a driver that begins anew"
	vbd 0 export --prom
	says 'xen_vbd_latency_seconds_bucket.vbd="vbd-12-51712",.*op="read",where="disk",le="0.000256". 99' \
		"Prometheus has them"
	says 'xen_vbd_latency_seconds_count.vbd="vbd-12-51712",.*op="read",where="ring". 7' "how many"
	says 'xen_vbd_latency_seconds_sum.vbd="vbd-12-51712",.*op="read",where="ring". 0.000021' "their sum"
	says 'xen_vbd_latency_seconds_sum.vbd="vbd-12-51712",.*op="read",where="disk". 0.150000' "of each stage"
	silent 'sum_us' "which is no counter besides"
	is "$(prometheus_faults <<<"$OUT")" "" "the format is Prometheus's"
	is "$(histogram_faults "$TREES/out" 2>&1)" "" "so are the histograms"
	silent 'op="write",where=' "but none in which is nothing"
	rm "$TREE/$dir"/latency_disk_*
	vbd 0 lat web01
	says 'read +7 +3.0us +4us +4us +4us +- +- +- +-' "files that are not there are no fault of the tool"
	sums_of_an_older_driver "$dir"
	vbd 3 lat db02
	complains "no histograms: neither the stock module nor an older" "of an older driver"
	tree_stock older
	stock_vbd 12 51712 xvda fd:9
	vbd 3 lat
}

# sums_of_an_older_driver DIRECTORY: it has counters, and no sums
sums_of_an_older_driver()
{
	put "$1/latency_read" "$(counters "0 0 7")"
	vbd 0 lat -H web01
	like "${OUT//$'\t'/ }" '^web01/xvda read 7 - 4 4 4 ' "an older driver has no means"
	vbd 0 export --prom
	says 'latency_seconds_count.*op="read",where="ring". 7' "its histogram is exported"
	silent 'seconds_sum.*op="read",where="ring"' "without a sum"
	put "$1/latency_read" "$(counters "0 0 7")
word"
	vbd 0 list -j web01
	json 'd["vbds"][0]["statistics"]["latency_read"][-4:]' word "a line that is something else"
}

# What the driver says since it reports requests without a detach
slow_disks()
{
	tree_new slow
	guest 12 web01
	our_vbd 12 51712 xvda fd:9 in_flight=8 oldest_ms=33000 threads="0 4711
1 4712" waiting="slow: 8 requests to disk fd:9, the oldest for 33 s"
	volume 253:9 dm-9 vg0 web01
	vbd 2 why
	explains "web01/xvda .* is stuck: its disk does not answer waits 8 requests to disk vg0/web01, the oldest for 33 s" \
		"it is the guest that waits"
	vbd 0 export --json
	json 'd["vbds"][0]["threads"]' "[4711, 4712]" "PIDs"
	put "$DEVICES/vbd-12-51712/waiting" ""
	put "$DEVICES/vbd-12-51712/tunables/slow_request_seconds" 60
	vbd 0 why -q
	put "$DEVICES/vbd-12-51712/tunables/slow_request_seconds" 0
	vbd 2 why -q
	put "$DEVICES/vbd-12-51712/tunables/slow_request_seconds" 5
	put "$DEVICES/vbd-12-51712/oldest_ms" 5000
	vbd 2 why -q
}

# calculated OLD NEW: of counters, in 4 seconds, as dictionaries
calculated()
{
	"$PYTHON" -B -c 'import sys; sys.path.insert(0, sys.argv[1])
from xen_vbd.rates import Rates
class Vbd:
    def __init__(self, numbers): self.counter = numbers.get
r = Rates(Vbd(eval(sys.argv[2])), Vbd(eval(sys.argv[3])), 4)
print(r.per_second("rd_req"), r.bytes("rd_sect"), r.requests())' "${TOOL%/*}" "$@"
}

calculates()
{
	is "$(calculated '{"rd_req": 100, "rd_sect": 8}' '{"rd_req": 500, "rd_sect": 16}')" \
		"100.0 1024.0 100.0" "requests and bytes"
	is "$(calculated '{"rd_req": 100}' '{"rd_req": 40}')" "10.0 None 10.0" "after a new start"
	is "$(calculated '{}' '{"wr_req": 40}')" "None None 0" "of what was not there"
}

sets()
{
	tree_new sets
	healthy
	vbd 0 set web01/xvda
	is "$OUT" "cgroup=
grant_policy=auto
polling_duration=0" "the tunables"
	vbd 0 set web01/xvda -j
	json d "{'cgroup': '', 'grant_policy': 'auto', 'polling_duration': 0}" "as JSON"
	vbd 0 set web01/xvda grant_policy=copy polling_duration=50
	is "$(cat "$TREE/$DEVICES"/vbd-12-51712/tunables/[gp]*)" "copy
50" "two are set"
	key backend/vbd/12/51712/cgroup /a
	vbd 0 set web01/xvda cgroup=/b
	is "$ERR" "" "the key follows the file"
	key backend/vbd/12/51712/grant-policy map
	vbd 0 set web01/xvda grant_policy=copy
	complains 'key backend/vbd/12/51712/grant-policy = "map" counts again' "a key that counts again"
	vbd 1 set web01/xvda colour=red
	complains "colour=red is not TUNABLE=VALUE: web01/xvda has cgroup, grant_policy, polling_duration" \
		"one that is none"
	vbd 1 set web01/xvda grant_policy
	vbd 1 set
	complains "required: VBD" "without a vbd"
	vbd 3 set mail/xvdb grant_policy=map
	complains "QEMU serves it" "one of QEMU's"
}

sets_refused()
{
	tree_new refused
	healthy
	# No file that is written may be longer, so the pipe has what it says
	ERR=$(ulimit -f 0; XEN_VBD_ROOT=$TREE "$TOOL" set web01/xvda polling_duration=9 2>&1)
	is $? 1 "a value that is refused"
	complains 'polling_duration does not take "9" \(File too large\)' "is told"
	chmod 444 "$TREE/$DEVICES/vbd-12-51712/tunables/polling_duration"
	unprivileged
	vbd 1 set web01/xvda polling_duration=9
	complains "only root can set polling_duration" "as is somebody who may not"
	AS=()
}

# ---- limits -----------------------------------------------------------------

OWN=sys/fs/cgroup/xen-vbd/12-51712

# in_cgroup: the one that the driver was told
in_cgroup()
{
	cat "$TREE/$DEVICES/vbd-12-51712/tunables/cgroup"
}

limits()
{
	tree_new limits
	healthy
	vbd 1 limit web01/xvda rbps=1M
	complains "no cgroup2 is mounted here" "without cgroup2"
	with_cgroups
	vbd 0 limit web01/xvda
	is "$OUT" "web01/xvda: no cgroup, no limit" "there is none"
	vbd 0 limit web01/xvda rbps=50M wbps=1000 riops=500 wiops=max
	is "$(in_cgroup)" /xen-vbd/12-51712 "it is put into a cgroup of its own"
	is "$(cat "$TREE/$OWN/io.max")" "253:9 rbps=52428800 wbps=1000 riops=500 wiops=max" "with limits"
	is "$(cat "$TREE"/sys/fs/cgroup/{.,xen-vbd}/cgroup.subtree_control)" $'+io\n+io' \
		"and the controller on the way"
	put $OWN/io.max "253:10 rbps=1 wbps=1 riops=1 wiops=1
253:9 rbps=52428800 wbps=1000 riops=500 wiops=max"
	put $OWN/io.stat "253:9 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0"
	vbd 0 limit web01/xvda
	is "$OUT" "web01/xvda: cgroup /xen-vbd/12-51712, disk 253:9
  rbps=52428800 wbps=1000 riops=500 wiops=max
  rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0" "it is shown"
	put $OWN/io.weight "default 100
253:9 300"
	vbd 0 limit -j web01/xvda
	json 'd["max"]["wbps"], d["weight"], d["stat"]["rios"], d["dead"]' "1000 300 1 False" "as JSON"
	vbd 0 limit web01/xvda --none
	is "$(in_cgroup)" "" "it is taken out"
	is "$(cat "$TREE/$OWN/io.max")" "253:9 rbps=max wbps=max riops=max wiops=max" \
		"and what waits is let go"
}

weights()
{
	tree_new weights
	healthy
	with_cgroups
	vbd 1 limit web01/xvda weight=200
	complains "has no io.weight and no io.bfq.weight" "a kernel without weights"
	put $OWN/io.weight "default 100"
	vbd 0 limit web01/xvda weight=200
	is "$(cat "$TREE/$OWN/io.weight")" "default 200" "it is set"
	complains "no effect yet: disk 253:9 has neither io.cost.qos" "and what is missing is told"
	put sys/fs/cgroup/io.cost.qos "253:9 enable=1 ctrl=auto"
	vbd 0 limit web01/xvda weight=300
	is "$ERR" "" "nothing is missing"
	rm "$TREE/sys/fs/cgroup/io.cost.qos"
	put sys/dev/block/253:9/slaves/sda ""
	disk 8:0 sda queue/scheduler="none mq-deadline [bfq]"
	vbd 0 limit web01/xvda weight=300
	is "$ERR" "" "nor with a disk below that weighs"
	vbd 0 limit web01/xvda
	says "weight=300" "it is shown"
}

other_cgroups()
{
	tree_new other
	healthy
	with_cgroups
	vbd 1 limit web01/xvda --cgroup /guests
	complains "there is no cgroup /sys/fs/cgroup/guests" "one that is not there"
	cgroup /guests
	vbd 0 limit web01/xvda --cgroup guests
	is "$(in_cgroup)" /guests "one that is"
	vbd 0 limit web01/xvda --cgroup /sys/fs/cgroup/guests riops=10
	is "$(in_cgroup) $(cat "$TREE/sys/fs/cgroup/guests/io.max")" "/guests 253:9 riops=10" \
		"with limits, by its path in the file system"
	vbd 0 limit web01/xvda riops=20
	is "$(in_cgroup) $(cat "$TREE/sys/fs/cgroup/guests/io.max")" "/guests 253:9 riops=20" \
		"limits of the one it is in"
	vbd 0 limit web01/xvda --none
	is "$(in_cgroup) $(cat "$TREE/sys/fs/cgroup/guests/io.max")" " 253:9 riops=20" \
		"which belong to others, too"
	put sys/fs/cgroup/poor/cgroup.controllers "cpu memory"
	vbd 1 limit web01/xvda --cgroup /poor
	complains "echo [+]io >/sys/fs/cgroup/cgroup.subtree_control" "one without the controller"
	put "$DEVICES/vbd-12-51712/tunables/cgroup" "/gone (dead)"
	vbd 0 limit web01/xvda
	says "this cgroup was removed" "one that is gone"
	vbd 0 limit web01/xvda riops=30
	is "$(in_cgroup)" /xen-vbd/12-51712 "is replaced"
}

limits_of_parts()
{
	tree_new parts
	healthy
	with_cgroups
	our_vbd 20 51712 xvda 8:1
	put sys/devices/sda/dev 8:0
	put sys/devices/sda/sda1/partition 1
	put sys/devices/sda/sda1/uevent DEVNAME=sda1
	ln -s ../../devices/sda/sda1 "$TREE/sys/dev/block/8:1"
	vbd 0 limit 20/xvda riops=10
	is "$(cat "$TREE/sys/fs/cgroup/xen-vbd/20-51712/io.max")" "8:0 riops=10" \
		"of a partition's disk"
	mkdir "$TREE"/sys/fs/cgroup/xen-vbd/{99-51712,notes}
	vbd 0 limit 20/xvda riops=20
	is "$(cd "$TREE/sys/fs/cgroup/xen-vbd" && echo ./*)" "./20-51712 ./cgroup.subtree_control ./notes" \
		"what was made for those that are gone goes"
}

limits_refused()
{
	tree_new refused
	healthy
	with_cgroups
	for word in colour=red rbps=0 rbps=-1 rbps=10x rbps= riops=max1 weight=0 weight=10001 weight=max; do
		vbd 1 limit web01/xvda $word
		is "$(in_cgroup)" "" "nothing has changed"
	done
	vbd 1 limit web01/xvda colour=red
	complains "colour=red is no limit: there are rbps=, wbps=, riops=, wiops=, weight=" "one that is none"
	vbd 1 limit web01/xvda rbps=x
	complains "rbps=x: neither a number above 0, as 500 or 50M, nor max" "no number"
	vbd 1 limit web01/xvda weight=20000
	complains "weight=20000: not 1 to 10000" "no weight"
	vbd 1 limit web01/xvda --none riops=1
	complains "none goes with no other setting" "two at once"
	vbd 3 limit mail/xvdb
	complains "cannot be limited here: .* QEMU serves it" "one of QEMU's"
	put sys/fs/cgroup/cgroup.controllers "cpu memory"
	vbd 1 limit web01/xvda riops=1
	complains "sys/fs/cgroup has no io controller: the kernel has none" "a kernel without it"
	cgroup ""
	: >"$TREE/sys/fs/cgroup/xen-vbd"
	vbd 1 limit web01/xvda riops=1
	complains "xen-vbd" "a folder that is none"
	rm "$TREE/sys/fs/cgroup/xen-vbd"
	chmod 444 "$TREE/$DEVICES/vbd-12-51712/tunables/cgroup"
	unprivileged
	vbd 1 limit web01/xvda riops=1
	complains "only root can" "somebody who may not"
	AS=()
}

limits_explained()
{
	broken state=Closing waiting="closing, for 6 s: 8 requests to disk fd:9, the oldest for 9 s" \
		tunables/cgroup=/xen-vbd/12-51712
	with_cgroups
	vbd 2 why
	silent limits "without a limit none is named"
	cgroup /xen-vbd/12-51712 io.max="253:9 rbps=max wbps=1000 riops=max wiops=50"
	vbd 2 why
	explains "Cgroup /xen-vbd/12-51712 limits it to wbps=1000 wiops=50. Requests wait for that, too" \
		"one that is slow because it is limited"
	explains "do Take the limit away, which.* xen-vbd limit web01/xvda --none .* xen-vbd why web01/xvda" \
		"what to do is to take the limit away"
	silent "wipe_table" "its disk is not destroyed for that"
	silent "or else" "nothing else is"
	vbd 0 report -o "$TREES/limit.tar.gz"
	is "$(tar -xzOf "$TREES/limit.tar.gz" "limit/$OWN/io.max")" \
		"253:9 rbps=max wbps=1000 riops=max wiops=50" "a report has it"
	broken
	key error/backend/vbd/12/51712/error '2 backend/vbd/12/51712/cgroup: \"/a\" is no cgroup'
	put "$DEVICES/vbd-12-51712/state" Closing
	vbd 2 why
	explains "should be limited, and cannot be" "one that is not served without"
}

# limited ANSWER: why names the limit, says so of what to do, and destroys nothing
limited()
{
	vbd 2 why
	explains "$1" "$1"
	silent "wipe_table|or else|does not answer" "its disk is not to blame"
}

# Limits of others, and a vbd that nobody detaches
limits_of_others_explained()
{
	local max="rbps=max wbps=max riops=max wiops=max"

	broken in_flight=480 oldest_ms=31000 tunables/cgroup=/guests/web
	with_cgroups
	cgroup /guests/web io.max="253:9 $max"
	cgroup /guests io.max="253:9 rbps=max wbps=max riops=max wiops=50"
	limited "do .* echo \"253:9 $max\" >/sys/fs/cgroup/guests/io.max"
	explains "is stuck: its requests wait, for a limit or the disk" "nobody knows which"
	noted "waits for a limit or the disk"
	put "$DEVICES/vbd-12-51712/tunables/cgroup" "/guests/web (dead)"
	limited "Cgroup /guests limits it to wiops=50"
	put sys/fs/cgroup/guests/io.max "8:0 wiops=50"
	put sys/dev/block/253:9/slaves/sda1 ''
	disk 8:1 sda1
	vbd 2 why
	explains "wipe_table" "a limit of another disk does not count"
	put sys/devices/sda/dev 8:0
	put sys/devices/sda/sda1/partition 1
	rm -r "$TREE/sys/dev/block/8:1"
	ln -s ../../devices/sda/sda1 "$TREE/sys/dev/block/8:1"
	limited "Cgroup /guests limits disk 8:0 to wiops=50"
	put "$DEVICES/vbd-12-51712/waiting" "opening the disk, for 6 s"
	vbd 2 why
	silent "limit" "a disk that cannot be opened has no requests that wait for a limit"
	explains "or else .*wipe_table" "and may have to be given up"
}

# A remnant does not tell its cgroup.
limits_of_remnants_explained()
{
	broken
	with_cgroups
	remnant vbd-12-51712.1 fd:9 11 182000
	vbd 2 why vbd-12-51712.1
	explains "limit A remnant does not say which cgroup.*or else .*wipe_table" "it may have one"
	cgroup /xen-vbd/12-51712 io.max="253:9 wiops=50"
	limited "do .* echo \"253:9 rbps=max .*>/sys/fs/cgroup/xen-vbd/12-51712/io.max .* why vbd-12-51712.1"
}

log_of_the_kernel()
{
	tree_new kernel-log
	healthy
	put dev/kmsg '6,700,1000000,-;random: crng init done
4,701,2500000,-;vbd vbd-12-51712: closing, for 1 s: 8 requests to disk fd:9, the oldest for 4 s
 SUBSYSTEM=xen-backend
 DEVICE=+xen-backend:vbd-12-51712
6,702,3000000,-;xen-blkback: backend/vbd/14/51728: using 1 queues
6,703,3000001,-;vif vif-12-0: no disk
 DEVICE=+xen-backend:vif-12-0
not a record'
	vbd 0 events
	is "$(cut -d' ' -f3- <<<"$OUT")" \
		"web01/xvda log: closing, for 1 s: 8 requests to disk fd:9, the oldest for 4 s
db02/xvdb log: xen-blkback: backend/vbd/14/51728: using 1 queues" "lines of vbds, also stock's"
	like "$OUT" '^20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8} web01' "with their time"
	vbd 0 events -n 1 -j
	json 'd["name"], d["event"], d["vbd"]' "vbd-12-51712 log web01/xvda" "as JSON"
	vbd 0 events -H -n 1
	is "$(cut -f2-4 <<<"$OUT")" "web01/xvda	vbd-12-51712	log" "for scripts"
	rm "$TREE/dev/kmsg"
	vbd 1 events
	complains "cannot read /dev/kmsg: are you root" "without a log"
}

# begun: it follows, since it has told of a change
begun()
{
	local n

	for ((n = 0; n < 200; n++)); do
		[ ! -s "$TREES/out" ] || return 0
		key error/backend/vbd/15/51712/error "5 change $n"
		sleep 0.3
	done
	return 1
}

# life: what happens to the vbds
life()
{
	local dir=$DEVICES/vbd-12-51712

	put "$dir/waiting" "closing, for 1 s: 8 requests to disk fd:9, the oldest for 4 s"
	told "stuck"
	echo '4,9,2500000,-;vbd vbd-12-51712: closing' >>"$TREE/dev/kmsg"
	told "log"
	put "$dir/state" Closing
	told "state"
	put "$dir/waiting" "closing, for 2 s: 8 requests to disk fd:9, the oldest for 5 s"
	sleep 1
	put "$dir/waiting" ""
	told "resumed"
	put "$dir/oldest_ms" 40000
	told "slow"
	put "$dir/oldest_ms" 0
	told "answered"
	key error/backend/vbd/14/51728/error "6 disk fd:a has vanished"
	told "error"
	rm -r "${TREE:?}/$dir"
	told "gone"
	guest 18 new
	our_vbd 18 51712 xvda fd:9
	told "new"
}

# told KIND: wait until it has told of one; after all that came of begun
told()
{
	local n

	for ((n = 0; n < 100; n++)); do
		! grep -v mail/xvda "$TREES/out" | grep -q " $1: " || return 0
		sleep 0.1
	done
	diag "not told: $1"
}

follows()
{
	local pid

	tree_new follow
	healthy
	put dev/kmsg '4,8,2400000,-;vbd vbd-12-51712: from before'
	: >"$TREES/out"
	"$TOOL" events -f --root "$TREE" >"$TREES/out" 2>&1 &
	pid=$!
	ok "it begins" begun
	life
	kill $pid
	wait $pid 2>/dev/null
	# A new vbd may be seen before all of it is there
	is "$(cut -d' ' -f3- "$TREES/out" | grep -v -e mail/xvda -e '18\|new/xvda [^n]')" \
		"web01/xvda stuck: closing, for 1 s: 8 requests to disk fd:9, the oldest for 4 s
web01/xvda log: closing
web01/xvda state: Connected -> Closing
web01/xvda resumed: closing
web01/xvda slow: 3 requests, no answer
web01/xvda answered: the old requests
db02/xvdb error: 6 disk fd:a has vanished
web01/xvda gone: web01/xvda" "all that happens, each once"
	like "$(tail -n 3 "$TREES/out")" "(18|new)/xvda new: " "a new one"
}

# ---- for others -------------------------------------------------------------

exports()
{
	tree_new exports
	healthy
	guest 20 'the \"best\" guest'
	our_vbd 20 51712 xvda fd:9 waiting="closing, for 6 s: 8 requests to disk fd:9, the oldest for 9 s"
	guest 21 'back\\slash'
	our_vbd 21 51712 xvda fd:9
	remnant vbd-17-51712.1 fd:9 11 182000
	vbd 0 export --prom
	says 'xen_vbd_requests_total\{vbd="vbd-12-51712",guest="web01",dev="xvda",op="read"\} 1200' \
		"a counter"
	says 'bytes_total\{[^}]*op="write"\} 41943040' "bytes, not sectors"
	says 'xen_vbd_waiting_seconds\{[^}]*guest="the \\"best\\" guest"[^}]*what="closing"\} 6' \
		"what waits, with quoted labels"
	says 'in_flight\{vbd="vbd-21-51712",guest="back\\\\slash",' "and backslashes"
	says 'xen_vbd_oldest_seconds\{vbd="vbd-17-51712.1"[^}]*\} 182.0' "remnants"
	says $'\nxen_vbd_remnants 1\n' "and their number"
	says $'\nxen_vbd_driver_is_stock 0\n' "which driver it is"
	silent latency_read "no list among them"
	is "$(prometheus_faults <<<"$OUT")" "" "the format is Prometheus's"
	says 'xen_vbd_slow\{vbd="vbd-12-51712"[^}]*\} 0' "a disk that answers"
	says 'xen_vbd_slow\{vbd="vbd-17-51712.1"[^}]*\} 1' "and one that does not"
	vbd 0 export --json 12
	json '[v["name"] for v in d["vbds"]]' "['vbd-12-51712']" "JSON of one"
	vbd 0 export --prom -o "$TREES/prom"
	is "$OUT$(grep -c . "$TREES/prom") $(stat -c %a "$TREES/prom")" "$(prom_lines) 644" "into a file"
	vbd 1 export --prom -o "$TREES/no/such/file"
	complains "no/such/file: No such file" "where there is no directory"
	vbd 1 export
	complains "arguments --prom -j/--json is required" "without a format"
	vbd 1 export --prom --json
}

prom_lines()
{
	XEN_VBD_ROOT=$TREE "$TOOL" export --prom | grep -c .
}

# prometheus_faults: what the format does not allow, on stdin
prometheus_faults()
{
	awk '/^# (HELP|TYPE) / {
			if ($2 == "TYPE" && seen[$3]++) print "twice: " $3
			if ($2 == "TYPE") name = $3
			next
		}
		!/^[a-z_]+(\{([a-z]+="([^"\\]|\\.)*",?)+\})? [0-9.]+$/ { print "no sample: " $0; next }
		{ sub(/[{ ].*/, ""); sub(/_(bucket|sum|count)$/, ""); if ($0 != name) print "not with the others: " $0 }'
}

# histogram_faults FILE: of the samples there: counters that fall, bounds that do not
# rise, a last counter that is not the count's, or no sum
histogram_faults()
{
	"$PYTHON" - "$1" <<-'END'
		import itertools, re, sys
		SAMPLE = r'^(\w+_seconds)_(bucket|sum|count)\{(.*?)(?:,le="(.*)")?\} (\S+)$'
		samples = re.findall(SAMPLE, open(sys.argv[1]).read(), re.M)
		if not samples:
		    print("no histogram")
		for key, found in itertools.groupby(samples, lambda s: (s[0], s[2])):
		    *buckets, total, count = found
		    bounds = [float(bound) for _, _, _, bound, _ in buckets]
		    counts = [int(number) for _, _, _, _, number in buckets]
		    if bounds != sorted(set(bounds)) or bounds[-1] != float("inf"):
		        print(key, "bounds", bounds)
		    if counts != sorted(counts) or counts[-1] != int(count[4]):
		        print(key, "counters", counts, count)
		    if (total[1], count[1]) != ("sum", "count"):
		        print(key, "no sum")
	END
}

reports()
{
	local file=$TREES/r.tar.gz

	broken state=Closing waiting="closing, for 6 s: 8 requests to disk fd:9, the oldest for 9 s"
	remnant vbd-17-51712.1 fd:9 11 182000
	key /local/domain/12/vnc/password secret
	key backend/vbd/12/51712/params 'a \"quoted\" one\nand \\more'
	put dev/kmsg '4,701,2500000,-;vbd vbd-12-51712: closing'
	put sys/dev/block/253:9/slaves/sda ''
	disk 8:0 sda device/state=offline
	put proc/7/comm 12.xvda-0
	put proc/7/stack "[<0>] sleeps"
	vbd 0 report -o "$file"
	is "$OUT" "$file" "its name is printed"
	complains "look at it before you send it" "with a warning"
	is "$(stat -c %a "$file")" 600 "nobody else can read it"
	mkdir "$TREES/unpacked"
	ok "it is a tar" tar -xf "$file" -C "$TREES/unpacked"
	is "$(grep -r secret "$TREES/unpacked")" "" "no passwords of other devices are in it"
	is "$(grep params "$TREES/unpacked/r/xenstore")" "$(grep params "$TREE/xenstore")" \
		"keys are what they were"
	is "$(cat "$TREES/unpacked/r/proc/7/stack")" "[<0>] sleeps" "the threads are"
	same_as_before why
	same_as_before list -H
	same_as_before export --json
	same_as_before events -n 1 -j
	vbd 1 report -o "$file"
	complains "r.tar.gz: File exists" "no file is overwritten"
}

# same_as_before COMMAND...: of the unpacked report and of the machine
same_as_before()
{
	is "$(XEN_VBD_ROOT=$TREES/unpacked/r "$TOOL" "$@" | stable)" \
		"$(XEN_VBD_ROOT=$TREE "$TOOL" "$@" | stable)" "the report serves as a root: $*"
}

# The time of a line of the log is told from the time since boot
stable()
{
	sed 's/"time": "[^"]*"//'
}

takes_over()
{
	tree_new takeover
	vbd 0 takeover --help
	says "usage: xen-blkback-takeover" "its help"
	vbd 1 takeover -x
	complains "illegal option" "its exit status and words"
}

# ---- arguments --------------------------------------------------------------

wrong_arguments()
{
	tree_new arguments
	healthy
	vbd 0 --help
	says "exit status: 0 done" "the help has the exit status"
	vbd 0 --version
	is "$OUT" "xen-vbd $(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "${TOOL%/*}/../dkms.conf")" \
		"its version, that of the tree"
	vbd 0 help why
	says "usage: xen-vbd why" "help of one command"
	vbd 1 list --nosuch
	complains "^xen-vbd: unrecognized arguments: --nosuch. See xen-vbd --help$" "an option that is none"
	vbd 1 top -d x
	complains "argument -d/--delay: invalid seconds value: 'x'" "a number that is none"
	vbd 1 why -q nosuch/xvda
	OUT=$("$TOOL" --root "$TREE" list -H -o name 12)
	is "$OUT" vbd-12-51712 "--root before the command"
	OUT=$("$TOOL" list -H -o name 12 "--root=$TREE")
	is "$OUT" vbd-12-51712 "and behind it"
	XEN_VBD_ROOT=$TREE "$TOOL" export --json 2>"$TREES/err" | true
	is "${PIPESTATUS[0]} $(cat "$TREES/err")" "0 " "a reader that has seen enough"
	interrupted
}

# interrupted: as by a person who has seen a line. What runs in the background ignores
# SIGINT, unless somebody changes that.
interrupted()
{
	local pid status=0

	: >"$TREES/out"
	"$PYTHON" -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$TOOL" --root "$TREE" iostat 0.5 >"$TREES/out" 2>"$TREES/err" &
	pid=$!
	ok "it begins" printed
	kill -INT $pid
	wait $pid || status=$?
	is "$status $(cat "$TREES/err")" "130 " "it is interrupted without a word"
}

# in_terminal COLUMNS COMMAND...: what it writes to a terminal
in_terminal()
{
	local columns=$1

	shift
	script -qec "stty cols $columns rows 24; $*" /dev/null </dev/null | tr -d '\r'
}

in_a_terminal()
{
	tree_new terminal
	healthy
	guest 30 a-guest-with-a-very-long-name-indeed
	our_vbd 30 51712 xvda fd:9 state=Closing in_flight=8 oldest_ms=9100 \
		waiting="writing back the disk's cache, for 6 s"
	export XEN_VBD_ROOT=$TREE TERM=xterm
	OUT=$(in_terminal 70 "$TOOL" list)
	is "$(grep -E '^.{71}' <<<"$OUT")" "" "no line is wider than the terminal"
	says 'a-g…deed +xvda .*writing back …' "names lose their middle, notes their end"
	says '1 stuck: see xen-vbd why' "the way on is told"
	OUT=$(in_terminal 200 "$TOOL" list)
	says "a-guest-with-a-very-long-name-indeed .*writing back the disk's cache for 6 s" \
		"with room nothing is cut"
	OUT=$(in_terminal 80 "$TOOL" top -d 0.1 -n 2)
	says "1 STUCK: see xen-vbd why" "top has a head"
	says "writing back" "and the table"
	OUT=$(in_terminal 12 "$TOOL" top -d 0.1 -n 1)
	silent "Traceback|fault" "a terminal that is too small"
	OUT=$(TERM=nosuch in_terminal 80 "$TOOL" top)
	says "terminal nosuch is of no use for top: use iostat" "a terminal that it does not know"
	unset XEN_VBD_ROOT
	vbd 1 top
	complains "top needs a terminal: use iostat" "no terminal at all"
	vbd 1 top -s nosuch
	complains "cannot sort by nosuch: there are load," "no such column"
}

# ---- xenstore ---------------------------------------------------------------

# store EXPRESSION: of a Store that runs the programs in $TREES/bin
store()
{
	PATH=${STORE_PATH:-$TREES/bin:$PATH} "$PYTHON" -B -c "import sys; sys.path.insert(0, sys.argv[1])
from xen_vbd import store, tree
store.PATIENCE = 1
s = store.Store(tree.Tree())
print($1)" "${TOOL%/*}" 2>&1
}

# program NAME: of xenstore, from stdin
program()
{
	mkdir -p "$TREES/bin"
	{ echo '#!/bin/bash'; cat; } >"$TREES/bin/$1"
	chmod +x "$TREES/bin/$1"
}

asks_xenstore()
{
	program xenstore-ls <<-'EOF'
		echo 'backend/vbd/1/2/dev = "xv\"d\\a\nb\tc\001"'
		echo 'backend/vbd/1/2 = ""'
		echo 'no line'
	EOF
	program xenstore-read <<-'EOF'
		echo "$@" >>"${0%/*}/calls"
		for k; do case $k in gone*) exit 1 ;; *) echo "value of $k" ;; esac; done
	EOF
	is "$(store 's.ls("backend")["backend/vbd/1/2/dev"].encode()')" \
		"b'xv\"d\\\\a\\nb\\tc\\x01'" "values are what they were"
	is "$(store 's.read(["a", "b"])')" "{'a': 'value of a', 'b': 'value of b'}" "keys"
	is "$(cat "$TREES/bin/calls")" "a b" "by one process"
	is "$(store 'sorted(s.read(["a", "gone1", "b", "c", "gone2"]))')" "['a', 'b', 'c']" \
		"those that are there, if some are not"
}

xenstore_fails()
{
	program xenstore-ls <<-'EOF'
		echo "xenstore-ls: xs_open: Permission denied" >&2
		exit 1
	EOF
	is "$(store '(s.ls("backend"), s.trouble)')" \
		"({}, 'xenstore-ls: xs_open: Permission denied: are you root, and does xenstored run?')" \
		"it may not be asked"
	program xenstore-ls <<-'EOF'
		exec sleep 20
	EOF
	is "$(store '(s.ls("backend"), s.trouble)')" \
		"({}, 'xenstore-ls had no answer in 1 s: does xenstored run?')" "it does not answer"
	rm "$TREES/bin/xenstore-ls"
	like "$(STORE_PATH=$TREES/bin store '(s.ls("backend"), s.trouble)')" \
		"^\(\{\}, 'xenstore-ls is not installed .*apt-get install xenstore-utils" "it is not there"
}

# PARTS="lists rates" in the environment: only these
part()
{
	[[ " ${PARTS:-$1} " = *" $1 "* ]] || return
	# shellcheck disable=SC2034 # for report
	TAP_PREFIX="${1//_/ }: "
	"$1"
}

part lists
part name_of_a_vbd
part name_of_two
part device_numbers
part nothing_there
part strange_files
part on_stock
part why_a_detach_hangs
part why_other_things_hang
part why_nobody_serves_it
part why_its_disk_hangs
part why_a_disk_is_given_up
part why_nothing_can_be_attached
part rates
part latencies
part slow_disks
part calculates
part sets
part sets_refused
part limits
part weights
part other_cgroups
part limits_of_parts
part limits_refused
part limits_explained
part limits_of_others_explained
part limits_of_remnants_explained
part log_of_the_kernel
part follows
part exports
part reports
part takes_over
part wrong_arguments
part in_a_terminal
part asks_xenstore
part xenstore_fails
done_testing
