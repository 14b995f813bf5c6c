# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the lab's tests share. A test sources this file, calls ok, is and the
# like, and ends with done_testing. Runs as root in dom0.

set -u

LAB_TESTS=0
LAB_FAILURES=0
LAB_PLAN=
LAB_CLEANUPS=()
LAB_LOOPBACKS=()
LAB_GUESTS=()
LAB_TMP=$(mktemp -d /tmp/lab.XXXXXX)

# --- TAP ---------------------------------------------------------------

plan()
{
	LAB_PLAN=$1
	echo "1..$1"
}

diag()
{
	printf '%s\n' "$*" | sed 's/^/# /'
}

# report STATUS NAME: one TAP line; 0 is success
report()
{
	LAB_TESTS=$((LAB_TESTS + 1))
	# The log of the console shows which test a message belongs to
	echo "lab: test $LAB_TESTS: $2" >/dev/kmsg
	if [ "$1" = 0 ]; then
		echo "ok $LAB_TESTS - $2"
	else
		LAB_FAILURES=$((LAB_FAILURES + 1))
		echo "not ok $LAB_TESTS - $2"
		return 1
	fi
}

pass()
{
	report 0 "$1"
}

fail()
{
	report 1 "$1"
}

# ok NAME COMMAND...: passes when the command succeeds; shows its output if not
ok()
{
	local name=$1 status=0

	shift
	"$@" >"$LAB_TMP/ok" 2>&1 || status=$?
	report "$status" "$name" && return
	diag "exit status $status of: $*"
	tail -n 40 "$LAB_TMP/ok" | sed 's/^/#   /'
	return 1
}

# not_ok NAME COMMAND...: passes when the command fails
not_ok()
{
	local name=$1 status=0

	shift
	"$@" >"$LAB_TMP/ok" 2>&1 || status=$?
	if [ "$status" != 0 ]; then
		report 0 "$name"
	else
		report 1 "$name"
		diag "should have failed: $*"
		return 1
	fi
}

# is GOT WANT NAME
is()
{
	[ "$1" = "$2" ]
	report $? "$3" && return
	diag "     got: $1"
	diag "expected: $2"
	return 1
}

# isnt GOT UNWANTED NAME
isnt()
{
	[ "$1" != "$2" ]
	report $? "$3" && return
	diag "got what must not be: $1"
	return 1
}

# like GOT REGEX NAME: an extended regular expression
like()
{
	[[ $1 =~ $2 ]]
	report $? "$3" && return
	diag "         got: $1"
	diag "not matching: $2"
	return 1
}

# le GOT LIMIT NAME: integers
le()
{
	[ "$1" -le "$2" ]
	report $? "$3" && return
	diag "got $1, more than $2"
	return 1
}

# bail MESSAGE: no further test makes sense, in this script
bail()
{
	diag "cannot go on: $*"
	fail "can go on: $*"
	done_testing
}

# done_testing: cleans up, checks the kernel log, prints the plan, exits
done_testing()
{
	cleanup
	dmesg_clean_check
	[ -n "$LAB_PLAN" ] || echo "1..$LAB_TESTS"
	if [ -n "$LAB_PLAN" ] && [ "$LAB_PLAN" != "$LAB_TESTS" ]; then
		diag "planned $LAB_PLAN tests, ran $LAB_TESTS"
		exit 1
	fi
	[ "$LAB_FAILURES" = 0 ]
	exit
}

# at_end COMMAND...: run when the script ends, last first
at_end()
{
	LAB_CLEANUPS+=("$(printf '%q ' "$@")")
}

cleanup()
{
	local n guest

	for guest in "${LAB_GUESTS[@]}"; do
		guest_destroy "$guest"
	done
	for n in "${LAB_LOOPBACKS[@]}"; do
		detach "$n" >/dev/null 2>&1
	done
	for ((n = ${#LAB_CLEANUPS[@]} - 1; n >= 0; n--)); do
		eval "${LAB_CLEANUPS[n]}" >/dev/null 2>&1
	done
	LAB_GUESTS=() LAB_LOOPBACKS=() LAB_CLEANUPS=()
}

# The script left without done_testing: prove sees a missing plan, say why
lab_exit()
{
	local status=$?

	rm -rf "$LAB_TMP"
	[ "$status" = 0 ] && [ "$LAB_FAILURES" = 0 ] && return
	[ ${#LAB_CLEANUPS[@]} = 0 ] && [ ${#LAB_LOOPBACKS[@]} = 0 ] &&
		[ ${#LAB_GUESTS[@]} = 0 ] && return
	diag "ended early with status $status"
}
trap lab_exit EXIT

# --- Waiting -----------------------------------------------------------

# nap SECONDS: without a process, which emulation makes dear
nap()
{
	read -r -t "$1" -u "$LAB_NEVER" || :
}
exec {LAB_NEVER}<> <(:)

# wait_for SECONDS COMMAND...: polls until the command succeeds
wait_for()
{
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		nap "${LAB_POLL:-0.1}"
	done
	return 0
}

# milliseconds COMMAND...: how long it takes; its output goes to stderr
milliseconds()
{
	local begin=${EPOCHREALTIME/./}

	"$@" >&2 || return
	echo $(((${EPOCHREALTIME/./} - begin) / 1000))
}

# not COMMAND...: for wait_for
not()
{
	! "$@"
}

# --- Kernel log --------------------------------------------------------

LAB_SPLAT='BUG:|BUG at|WARNING:|Oops|general protection fault|Call Trace|blocked for more than|soft lockup|hard LOCKUP|rcu.*stall|refcount_t:|list_(add|del) corruption|unable to handle|UBSAN|KASAN|KFENCE|possible recursive locking|circular locking|suspicious RCU|unreferenced object|Kernel panic|double fault'

# DMESG_ALLOW: a regular expression of lines that this test provokes
DMESG_ALLOW=${DMESG_ALLOW-}

# dmesg_since_start: the kernel log since the test started
dmesg_since_start()
{
	dmesg | sed -n "/lab: start $LAB_NAME/,\$p"
}

dmesg_clean_check()
{
	local splats

	splats=$(dmesg_since_start | grep -E "$LAB_SPLAT" |
		grep -v -e 'lab: test' -e clocksource |
		if [ -n "$DMESG_ALLOW" ]; then grep -vE "$DMESG_ALLOW"; else cat; fi)
	is "$splats" "" "no splat in the kernel log"
}

# --- Modules -----------------------------------------------------------

# module_load [PARAMETER...]: the backend under test, and is it the right one?
module_load()
{
	modprobe xen-blkback "$@" || return
	case $LAB_MODULE in
	ours) modinfo -F filename xen-blkback | grep -q /updates/ ;;
	stock) ! modinfo -F filename xen-blkback | grep -q /updates/ ;;
	esac
}

# module_unload: the backend; fails while it is in use
module_unload()
{
	modprobe -r xen-blkback
}

# frontend_load [PARAMETER...]: xen-blkfront in dom0, for loopback disks
# shellcheck disable=SC2120 # tests may pass parameters
frontend_load()
{
	modprobe xen-blkfront "$@"
}

# frontend_reload [PARAMETER...]: parameters are read at load time
frontend_reload()
{
	modprobe -r xen-blkfront
	modprobe xen-blkfront "$@"
}

# --- Disks to serve ----------------------------------------------------

# null_disk [PARAMETER...]: /dev/nullb0, memory-backed unless told otherwise
null_disk()
{
	modprobe -r null_blk
	modprobe null_blk nr_devices=1 memory_backed=1 gb=1 "$@" || return
	at_end modprobe -r null_blk
	wait_for 10 test -b /dev/nullb0
}

# delayed_disk MS [WRITE_MS]: /dev/mapper/slow, which is /dev/nullb0 but takes so
# long to answer, or to answer what is not a read
delayed_disk()
{
	modprobe -a dm-mod dm-delay
	dmsetup create slow --table "0 $(blockdev --getsz /dev/nullb0) delay \
		/dev/nullb0 0 $1 ${2:+/dev/nullb0 0 $2}" || return
	dmsetup mknodes
	at_end dmsetup remove slow
}

# scsi_disk [PARAMETER...]: a scsi_debug disk; sets SCSI_DISK to its node
scsi_disk()
{
	modprobe -r scsi_debug
	# Nothing loads it by itself: there is no udev here
	modprobe sd_mod || return
	modprobe scsi_debug dev_size_mb=64 delay=0 "$@" || return
	at_end modprobe -r scsi_debug
	wait_for 10 scsi_debug_node || return
	# shellcheck disable=SC2034 # for the test
	SCSI_DISK=$(scsi_debug_node)
}

scsi_debug_node()
{
	local d

	for d in /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*; do
		[ -d "$d" ] && echo "/dev/${d##*/}" && return
	done
	return 1
}

# --- Xenstore and sysfs ------------------------------------------------

xs_read()
{
	xenstore-read "$@" 2>/dev/null
}

# vdev_number VDEV: xvda -> 51712, as the toolstack counts
vdev_number()
{
	local letters=${1#xvd} part=0 n=0 i

	[[ $1 =~ ^[0-9]+$ ]] && echo "$1" && return
	if [[ $letters =~ ^([a-z]+)([0-9]+)$ ]]; then
		letters=${BASH_REMATCH[1]} part=${BASH_REMATCH[2]}
	fi
	for ((i = 0; i < ${#letters}; i++)); do
		n=$((n * 26 + $(printf %d "'${letters:i:1}") - 96))
	done
	n=$((n - 1))
	if [ $n -lt 16 ] && [ "$part" -lt 16 ]; then
		echo $((202 << 8 | n << 4 | part))
	else
		echo $((1 << 28 | n << 8 | part))
	fi
}

# backend_path DOMID VDEV
backend_path()
{
	echo "/local/domain/0/backend/vbd/$1/$(vdev_number "$2")"
}

# frontend_path DOMID VDEV
frontend_path()
{
	echo "/local/domain/$1/device/vbd/$(vdev_number "$2")"
}

# vbd_state DOMID VDEV: the backend's state; 4 is Connected
vbd_state()
{
	xs_read "$(backend_path "$1" "$2")/state"
}

# vbd_state_is DOMID VDEV STATE: for wait_for
vbd_state_is()
{
	[ "$(vbd_state "$1" "$2")" = "$3" ]
}

# vbd_error DOMID VDEV: the message the backend left for the administrator
vbd_error()
{
	xs_read "/local/domain/0/error/backend/vbd/$1/$(vdev_number "$2")/error"
}

# vbd_sysfs DOMID VDEV: the device's directory in sysfs
vbd_sysfs()
{
	echo "/sys/bus/xen-backend/devices/vbd-$1-$(vdev_number "$2")"
}

# vbd_stat DOMID VDEV FILE
vbd_stat()
{
	cat "$(vbd_sysfs "$1" "$2")/statistics/$3"
}

# --- Loopback: dom0 is both ends ---------------------------------------

# attach_loopback DEVICE VDEV [MODE]: served to dom0 itself; waits for the disk
attach_loopback()
{
	# shellcheck disable=SC2119
	frontend_load || return
	xl block-attach 0 "phy:$1" "$2" "${3:-w}" || return
	LAB_LOOPBACKS+=("$2")
	wait_for 30 test -b "/dev/$2" || return
	wait_for 30 disk_has_size "$2"
}

# The node exists before blkfront knows the size
disk_has_size()
{
	[ "$(cat "/sys/block/$1/size")" -gt 0 ]
}

# detach VDEV: and waits until both ends are gone
detach()
{
	local n kept=()

	xl block-detach 0 "$1" || return
	wait_for 30 not test -b "/dev/$1" || return
	wait_for 30 not xenstore-exists "$(backend_path 0 "$1")" || return
	wait_for 30 not test -e "$(vbd_sysfs 0 "$1")" || return
	for n in "${LAB_LOOPBACKS[@]}"; do
		[ "$n" = "$1" ] || kept+=("$n")
	done
	LAB_LOOPBACKS=("${kept[@]}")
}

# --- A vbd made by hand, for what a toolstack would never write ---------

# devt_hex DEVICE: its number as physical-device has it
devt_hex()
{
	printf '%x:%x' $(($(stat -L -c '0x%t' "$1"))) $(($(stat -L -c '0x%T' "$1")))
}

# hand_pairs VDEV [KEY=VALUE...]: the arguments of xenstore-write that make it,
# one a line. KEY is in the backend's directory; KEY= leaves a usual one out.
hand_pairs()
{
	local be fe word k
	local -A keys

	be=$(backend_path 0 "$1") fe=$(frontend_path 0 "$1")
	keys=([frontend]=$fe [frontend-id]=0 [online]=1 [dev]=$1 [mode]=w [state]=1)
	for word in "${@:2}"; do
		keys[${word%%=*}]=${word#*=}
	done
	printf '%s\n' "$fe/backend" "$be" "$fe/backend-id" 0 "$fe/device-type" disk \
		"$fe/virtual-device" "$(vdev_number "$1")" \
		"$fe/protocol" x86_64-abi "$fe/state" 1
	for k in "${!keys[@]}"; do
		[ -z "${keys[$k]}" ] || printf '%s\n' "$be/$k" "${keys[$k]}"
	done
}

# hand_attach VDEV [KEY=VALUE...]: dom0 is the guest; waits for the backend
hand_attach()
{
	local pairs

	mapfile -t pairs < <(hand_pairs "$@")
	# All in one transaction
	xenstore-write -- "${pairs[@]}" || return
	at_end hand_detach "$1"
	wait_for 30 test -e "$(vbd_sysfs 0 "$1")" &&
		wait_for 30 not vbd_state_is 0 "$1" 1
}

# disk_attach DEVICE VDEV [KEY=VALUE...]: as attach_loopback, but without xl and its
# script, which take seconds; hand_detach takes it away
disk_attach()
{
	# shellcheck disable=SC2119
	frontend_load || return
	hand_attach "$2" "physical-device=$(devt_hex "$1")" "${@:3}" || return
	wait_for 30 test -b "/dev/$2" || return
	wait_for 30 disk_has_size "$2"
}

# hand_set VDEV KEY VALUE: writes a key of the backend
hand_set()
{
	xenstore-write -- "$(backend_path 0 "$1")/$2" "$3"
}

# hand_close VDEV: asks for the end as libxl does; waits for Closed
hand_close()
{
	local be

	be=$(backend_path 0 "$1")
	xenstore-write "$be/online" 0 "$be/state" 5 || return
	wait_for 30 vbd_state_is 0 "$1" 6
}

# hand_detach VDEV: and removes what is left in xenstore
hand_detach()
{
	xenstore-exists "$(backend_path 0 "$1")" || return 0
	vbd_state_is 0 "$1" 6 || hand_close "$1" || return
	wait_for 30 not test -e "$(vbd_sysfs 0 "$1")" || return
	xenstore-rm "$(backend_path 0 "$1")" "$(frontend_path 0 "$1")" || return
	# blkfront lets go of the disk when its directory is gone
	wait_for 30 not test -b "/dev/$1"
}

# --- Leaks -------------------------------------------------------------

# driver_threads: the names of the backend's kernel threads, "DOMID.DEVICE..."
driver_threads()
{
	# shellcheck disable=SC2009 # pgrep cannot print names only
	ps --ppid 2 -o comm= |
		grep -E '^([0-9]+\.(xvd|sd|hd)|xen-blkback|blkback)' | sort
}

# thread_switches VDEV: how often the thread of dom0's first ring has slept or been
# preempted
thread_switches()
{
	awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$(pgrep -x "0\.$1-0")/status"
}

# slab_objects: in use in the driver's cache, ours or stock's
slab_objects()
{
	local f

	# Otherwise free objects of a CPU's own slab count as used
	for f in /sys/kernel/slab/{xenvbd,xen_blk*,blkif*}/shrink; do
		[ ! -w "$f" ] || echo 1 >"$f"
	done
	awk '/^(xenvbd|xen_?blk|blkif)/ { n += $2 } END { print n + 0 }' /proc/slabinfo
}

# grant_entries: active entries in all domains' grant tables, as Xen lists them
grant_entries()
{
	xl debug-keys g
	wait_for 10 grant_dump_ended
	xl dmesg | tac | sed '/gnttab_usage_print_all \[ key/q' |
		grep -cE '\[0x[0-9a-f]+\]'
}

grant_dump_ended()
{
	xl dmesg | tail -n 3 | grep -q 'gnttab_usage_print_all.*done'
}

# leak_values: one line per thing that must come back to what it was
leak_values()
{
	echo "threads: $(driver_threads | wc -l)"
	echo "slab objects: $(slab_objects)"
	echo "backend nodes: $(xenstore-ls -f /local/domain/0/backend 2>/dev/null | grep -c '/vbd/.*/')"
	echo "frontend nodes: $(xenstore-ls -f /local/domain/0/device 2>/dev/null | grep -c /vbd/)"
	echo "module references: $(cat /sys/module/xen_blkback/refcnt 2>/dev/null)"
	echo "grant entries: $(grant_entries)"
}

# leak_snapshot: taken when no disk is attached
leak_snapshot()
{
	leak_values >"$LAB_TMP/leaks"
}

# leak_check NAME: everything is as at the snapshot; lets late work finish
leak_check()
{
	wait_for 10 leak_none
	is "$(leak_values)" "$(cat "$LAB_TMP/leaks")" "$1"
}

leak_none()
{
	[ "$(leak_values)" = "$(cat "$LAB_TMP/leaks")" ]
}

# --- Guests ------------------------------------------------------------
#
# A guest boots the same kernel as dom0; its root is dom0's root image, attached
# read-only as xvdz. Variables, when set before guest_start:
#   GUEST_MEMORY (MiB), GUEST_VCPUS, GUEST_ARGUMENTS (for its kernel),
#   GUEST_CONFIG (more lines of the xl configuration)

declare -A LAB_DOMID

# guest_log NAME: the file with what its console said since its last start
guest_log()
{
	echo "/var/log/xen/console/guest-$1.log"
}

# guest_output NAME
guest_output()
{
	tr -d '\r' <"$(guest_log "$1")" 2>/dev/null
}

root_disk()
{
	local d

	for d in /sys/block/vd*; do
		[ "$(cat "$d/serial")" = root ] && echo "/dev/${d##*/}" && return
	done
	return 1
}

# guest_config NAME TYPE DISK...: the xl configuration, on stdout
#
# The emulated TSC does not look invariant: unless told not to, Xen would trap each
# look at the clock, which on today's machines it does not.
guest_config()
{
	local name=$1 type=$2 disk

	shift 2
	cat <<-EOF
	name = "$name"
	type = "$type"
	kernel = "/job/boot/vmlinuz"
	ramdisk = "/job/boot/initrd"
	memory = ${GUEST_MEMORY:-384}
	vcpus = ${GUEST_VCPUS:-1}
	cmdline = "console=hvc0 lab.role=guest ${GUEST_ARGUMENTS-}"
	on_crash = "destroy"
	tsc_mode = "native"
	disk = [
	  "phy:$(root_disk),xvdz,r",
	EOF
	for disk; do
		printf '  "%s",\n' "$disk"
	done
	printf ']\n%s\n' "${GUEST_CONFIG-}"
}

# guest_start NAME pv|pvh [DISK...]: boots it and waits for its command loop; a
# DISK is xl's, as in phy:/dev/nullb0,xvda,w. The emulator loses a PVH guest now
# and then before it is up: a boot that dies is repeated, and told.
guest_start()
{
	local name=$1 try

	guest_config "$@" >"$LAB_TMP/$name.cfg"
	LAB_GUESTS+=("$name")
	for try in 1 2; do
		rm -f "/var/log/xen/console/guest-$name.log"
		xl create -q "$LAB_TMP/$name.cfg" || return
		LAB_DOMID[$name]=$(xl domid "$name")
		LAB_POLL=0.5 wait_for "${GUEST_TIMEOUT:-120}" guest_ready_or_dead "$name"
		guest_ready "$name" && return
		diag "guest $name: boot $try did not come up"
		guest_output "$name" | tail -n 15 | sed 's/^/#   /'
		guest_destroy "$name"
	done
	return 1
}

guest_ready()
{
	grep -q '^@lab ready' "/var/log/xen/console/guest-$1.log"
}

guest_ready_or_dead()
{
	guest_ready "$1" || ! guest_alive "$1"
}

guest_alive()
{
	xenstore-exists "/local/domain/${LAB_DOMID[$1]:-none}"
}

# guest_domid NAME: of its last start
guest_domid()
{
	echo "${LAB_DOMID[$1]}"
}

# guest_send NAME COMMAND: hands it over without waiting; guest_wait collects
guest_send()
{
	local name=$1 tty seq

	# In a file, since callers like $(guest_run ...) are subshells
	seq=$(($(cat "$LAB_TMP/seq-$name" 2>/dev/null) + 1))
	echo $seq >"$LAB_TMP/seq-$name"
	tty=$(xs_read "/local/domain/$(guest_domid "$name")/console/tty") ||
		return
	{
		base64 -w 160 <<<"$2" | sed 's/^/data /'
		echo
		echo "run $seq"
	} >"$tty"
}

# guest_wait NAME [SECONDS]: the output and exit status of the last command; 124
# when it took too long, 125 when the guest died
guest_wait()
{
	local name=$1 seq status

	seq=$(<"$LAB_TMP/seq-$name")
	LAB_POLL=0.3 wait_for "${2:-120}" guest_answered_or_dead "$name" "$seq"
	guest_output "$name" | sed -n "s/^@$seq|//p"
	status=$(guest_output "$name" | sed -n "s/^@$seq end //p" | tail -n 1)
	[ -z "$status" ] || return "$status"
	guest_alive "$name" && return 124
	return 125
}

guest_answered_or_dead()
{
	grep -q "^@$2 end " "/var/log/xen/console/guest-$1.log" || ! guest_alive "$1"
}

# guest_run NAME COMMAND [SECONDS]: runs a bash script in the guest; prints its
# output, returns its status
guest_run()
{
	guest_send "$1" "$2" && guest_wait "$1" "${3:-120}"
}

# guest_reboot NAME COMMAND...: COMMAND makes it reboot, and must not wait for the
# guest's answer; waits for the new domain's command loop
guest_reboot()
{
	local name=$1

	shift
	rm -f "/var/log/xen/console/guest-$name.log"
	"$@" || return
	LAB_POLL=0.5 wait_for 120 guest_has_new_domid "$name" || return
	LAB_DOMID[$name]=$(xl domid "$name")
	LAB_POLL=0.5 wait_for "${GUEST_TIMEOUT:-120}" guest_ready "$name"
}

guest_has_new_domid()
{
	local domid

	domid=$(xl domid "$1" 2>/dev/null) && [ "$domid" != "${LAB_DOMID[$1]}" ]
}

# guest_stop NAME: it powers off by itself, and its vbds are gone after. A PVH
# guest has no power switch: once it says that it is down, it is destroyed.
guest_stop()
{
	guest_send "$1" "sync; echo o >/proc/sysrq-trigger; sleep 60" || return
	LAB_POLL=0.5 wait_for 60 guest_is_down "$1" || return
	guest_destroy "$1"
}

guest_is_down()
{
	grep -q 'reboot: Power down' "/var/log/xen/console/guest-$1.log" ||
		! guest_alive "$1"
}

# guest_destroy NAME: at once
guest_destroy()
{
	# It may go by itself in this moment, so only the result counts
	! guest_alive "$1" || xl destroy "${LAB_DOMID[$1]}"
	LAB_POLL=0.5 wait_for 60 not guest_alive "$1" || return
	guest_gone "$1"
}

guest_gone()
{
	local name kept=()

	wait_for 60 not xenstore-exists "/local/domain/0/backend/vbd/${LAB_DOMID[$1]}" ||
		return
	for name in "${LAB_GUESTS[@]}"; do
		[ "$name" = "$1" ] || kept+=("$name")
	done
	LAB_GUESTS=("${kept[@]}")
}

echo "lab: start $LAB_NAME" >/dev/kmsg
