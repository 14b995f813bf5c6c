# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The disk measured in a PV guest.

place_guest()
{
	local queues

	[ -z "${OPTION[profile]}" ] || figure profile/boot 1
	for queues in ${OPTION[queues]}; do
		guest_of_queues "$queues"
	done
}

# guest_of_queues QUEUES: a PV guest with a CPU for each queue
guest_of_queues()
{
	local domid persistent

	GUEST_VCPUS=$1 GUEST_TIMEOUT=400 guest_start bench pv ||
		die "the guest of $1 CPUs does not start"
	domid=$(guest_domid bench)
	[ "${OPTION[backend]}" != qdisk ] || qemu_start "$domid"
	for persistent in ${OPTION[persistent]}; do
		guest_disk "guest/p$persistent/q$1" "$domid" "$persistent"
	done
	guest_destroy bench || die "the guest of $1 CPUs does not go"
}

# guest_disk WHERE DOMID PERSISTENT
guest_disk()
{
	guest_run bench "echo $3 >/sys/module/xen_blkfront/parameters/feature_persistent" ||
		die "$1: cannot set feature_persistent"
	if [ "${OPTION[backend]}" = qdisk ]; then
		guest_qdisk "$1" "$2"
	else
		guest_vbd "$1" "$2"
	fi
}

# guest_vbd WHERE DOMID: served by the module
guest_vbd()
{
	local vbd

	vbd=$(vbd_sysfs "$2" xvda)
	xl block-attach "$2" "phy:$DISK" xvda w || die "$1: cannot attach"
	guest_measure "$1" "$2" "$(backend_path "$2" xvda)" "$vbd"
	wait_for 30 not test -e "$vbd" || die "$1: the vbd stays"
}

# guest_measure WHERE DOMID BACKEND VBD: and detaches it
guest_measure()
{
	guest_run bench 'until grep -qs "[1-9]" /sys/block/xvda/size; do sleep 0.1; done' 30 ||
		die "$1: no disk in the guest"
	negotiated "$1" "$2" "$3"
	measure_disk "$1" "$4"
	xl block-detach "$2" xvda || die "$1: cannot detach"
}
