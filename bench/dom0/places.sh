# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Where the disk is measured: in dom0 itself, and through a vbd of dom0; guest.sh
# and neighbour.sh have the other places.

# negotiated WHERE DOMID BACKEND: are persistence and queues what WHERE says?
negotiated()
{
	local fe queues persistent kind=${1##*/}

	fe=$(frontend_path "$2" xvda)
	queues=$(xs_read "$fe/multi-queue-num-queues" || echo 1)
	persistent=$(($(xs_read "$fe/feature-persistent" || echo 0) &
		$(xs_read "$3/feature-persistent" || echo 0)))
	[ "$1" = "${1%%/*}/p$persistent/q$queues/$kind" ] ||
		die "$1: the two ends negotiated p$persistent/q$queues"
}

place_native()
{
	local kind

	for kind in $(plan_kinds native); do
		disk "$kind"
		measure_disk "native/p0/q1/$kind" ''
	done
}

place_loopback()
{
	local kind persistent

	for kind in $(plan_kinds loopback); do
		disk "$kind"
		for persistent in ${OPTION[persistent]}; do
			loopback_disk "loopback/p$persistent/q1/$kind" "$persistent"
		done
	done
	modprobe -r xen-blkfront
}

# loopback_disk WHERE PERSISTENT
loopback_disk()
{
	frontend_reload "feature_persistent=$2" || die "$1: xen-blkfront does not load"
	attach_loopback "$DISK" xvda || die "$1: cannot attach"
	negotiated "$1" 0 "$(backend_path 0 xvda)"
	measure_disk "$1" "$(vbd_sysfs 0 xvda)"
	detach xvda || die "$1: cannot detach"
}
