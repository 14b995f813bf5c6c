# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# QEMU's own backend, which `lab run --with qdisk` brings with its libraries.

EXTRA=/job/extra/usr
QEMU=$EXTRA/libexec/xen-qemu-system-i386

# qemu ARGUMENT...: takes this shell's place
qemu()
{
	LD_LIBRARY_PATH=$EXTRA/lib/x86_64-linux-gnu exec "$QEMU" "$@"
}

qemu_version()
{
	(qemu --version) | awk 'NR == 1 { print $4 }'
}

# qemu_start DOMID: serves that guest's qdisks, until the guest goes
qemu_start()
{
	local pid

	qemu -xen-domid "$1" -xen-attach -name bench -M xenpv -nographic -nodefaults \
		-no-user-config -monitor none -serial none -parallel none >&2 &
	pid=$!
	wait_for 60 xenstore-exists "/local/domain/0/device-model/$1/state" ||
		die "QEMU does not start"
	# xl attaches a qdisk only to a guest whose QEMU it knows
	xenstore-write "/local/domain/$1/image/device-model-pid" "$pid"
}

# guest_qdisk WHERE: measures the guest's disk, served by QEMU, which has no statistics
guest_qdisk()
{
	local be domid

	domid=$(guest_domid bench)
	be=/local/domain/0/backend/qdisk/$domid/$(vdev_number xvda)
	xl block-attach "$domid" "vdev=xvda,access=rw,format=raw,backendtype=qdisk,target=$DISK" ||
		die "$1: cannot attach"
	guest_has_disk "$1" bench
	guest_measure "$1" "$be" ''
	guest_detach "$1" bench
	wait_for 30 not xenstore-exists "$be" || die "$1: the vbd stays"
}
