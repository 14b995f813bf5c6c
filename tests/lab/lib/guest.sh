# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Real guests, by xl.
#
# A guest boots the same kernel as dom0; its root is dom0's root image, attached
# read-only as xvdz, unless its kernel is told lab.root=NAME. Variables, when set before
# guest_start:
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

	wait_for 60 not xenstore-exists "/local/domain/0/backend/vbd/${LAB_DOMID[$1]-none}" ||
		return
	for name in "${LAB_GUESTS[@]}"; do
		[ "$name" = "$1" ] || kept+=("$name")
	done
	LAB_GUESTS=("${kept[@]}")
}
