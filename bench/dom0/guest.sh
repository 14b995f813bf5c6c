# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The disk measured in a PV guest, which is called bench.

place_guest()
{
	guest_place guest
}

# place_apart: the same where the guest has a CPU of its own, and both are counted
place_apart()
{
	guest_place apart
}

# place_smp: the same where the guest and dom0 run at the same time, in real time
place_smp()
{
	guest_place smp
}

# guest_place PLACE
guest_place()
{
	local queues

	for queues in ${OPTION[queues]}; do
		guest_up bench "$queues"
		guest_kinds "$1" "$queues"
		[ -z "${OPTION[cost]}" ] || symbols_of_guest
		guest_down bench
	done
}

# guest_up NAME QUEUES: a PV guest with a CPU for each queue
guest_up()
{
	GUEST_VCPUS=$2 GUEST_TIMEOUT=400 guest_start "$1" pv ||
		die "the guest $1 of $2 CPUs does not start"
	[ "${OPTION[backend]}" != qdisk ] || qemu_start "$(guest_domid "$1")"
}

guest_down()
{
	guest_destroy "$1" || die "the guest $1 does not go"
}

# guest_kinds PLACE QUEUES: all disks
guest_kinds()
{
	local kind persistent

	for kind in $(plan_kinds "$1"); do
		disk "$kind"
		for persistent in ${OPTION[persistent]}; do
			guest_disk "$1/p$persistent/q$2/$kind"
		done
	done
}

# guest_persistent NAME PERSISTENT: of the vbds that it will get
guest_persistent()
{
	guest_run "$1" "echo $2 >/sys/module/xen_blkfront/parameters/feature_persistent" ||
		die "$1: cannot set feature_persistent to $2"
}

# persistent_of WHERE
persistent_of()
{
	local persistent=${1#*/p}

	echo "${persistent%%/*}"
}

# guest_disk WHERE
guest_disk()
{
	guest_persistent bench "$(persistent_of "$1")"
	if [ "${OPTION[backend]}" = qdisk ]; then
		guest_qdisk "$1"
	else
		guest_vbd "$1" bench
		guest_measure "$1" "$(guest_backend bench)" "$(guest_sysfs bench)"
		guest_vbd_gone "$1" bench
	fi
}

# guest_backend NAME: in xenstore
guest_backend()
{
	backend_path "$(guest_domid "$1")" xvda
}

guest_sysfs()
{
	vbd_sysfs "$(guest_domid "$1")" xvda
}

# guest_vbd WHERE NAME: the disk, served by the module
guest_vbd()
{
	xl block-attach "$(guest_domid "$2")" "phy:$DISK" xvda w || die "$1: cannot attach"
	guest_has_disk "$1" "$2"
}

# guest_has_disk WHERE NAME
guest_has_disk()
{
	guest_run "$2" 'until grep -qs "[1-9]" /sys/block/xvda/size; do sleep 0.1; done' 30 ||
		die "$1: no disk in the guest $2"
}

# guest_vbd_gone WHERE NAME
guest_vbd_gone()
{
	guest_detach "$1" "$2"
	wait_for 30 not test -e "$(guest_sysfs "$2")" || die "$1: the vbd of $2 stays"
}

# guest_detach WHERE NAME
guest_detach()
{
	xl block-detach "$(guest_domid "$2")" xvda || die "$1: cannot detach"
}

# guest_measure WHERE BACKEND VBD
guest_measure()
{
	negotiated "$1" "$(guest_domid bench)" "$2"
	measure_disk "$1" "$3"
}
