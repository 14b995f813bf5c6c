#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The benchmark's part in dom0: measures the loaded backend and prints one line
# "PLACE/pPERSISTENT/qQUEUES/CELL/FIGURE=VALUE" per figure. Arguments are
# NAME=VALUE, see OPTION. bench and profile run it, and README.md explains it.

# shellcheck source-path=SCRIPTDIR source=../tests/lab/lib.sh
. /lab/lib.sh

# `lab run` takes this directory along
PARTS=${0%.sh}
for part in common cells hypercalls allocations profile places guest qdisk device memory; do
	# shellcheck source=/dev/null
	. "$PARTS/$part.sh" || exit
done

DISK=/dev/nullb0

declare -A OPTION=(
	[places]="native loopback guest"
	[cells]="4k-randread-d1 4k-randread-d32 4k-randwrite-d32 64k-read-d16 64k-write-d16 512k-read-d8 1m-read-d4"
	[persistent]="1 0"
	[queues]="1"
	[traced]="4k-randread-d32 512k-read-d8"
	[allocating]="4k-randread-d32 44k-read-d16"
	[device]=1
	[backend]=kernel
	[profile]=""
	[runtime]=500ms
	[ramp]=100ms
)

for argument; do
	name=${argument%%=*}
	[ -n "${OPTION[$name]+known}" ] || die "unknown argument $argument"
	OPTION[$name]=${argument#*=}
done

versions()
{
	figure version/xen "$(xl info | sed -n 's/^xen_version *: //p')"
	figure version/kernel "$(uname -r)"
	figure version/fio "$(fio --version)"
	if [ "${OPTION[backend]}" = qdisk ]; then
		figure version/module "$(qemu_version)"
	else
		figure version/module "$(sha1sum "$(modinfo -F filename xen-blkback)" | cut -c1-12)"
	fi
}

modprobe null_blk nr_devices=1 gb=4 || die "null_blk does not load"
wait_for 10 test -b "$DISK" || die "no $DISK"
module_load max_queues=4 || die "the $LAB_MODULE backend does not load"
versions
for place in ${OPTION[places]}; do
	"place_$place"
done
if [ "${OPTION[device]}" != 0 ]; then
	attach_times 5
	idle_wakeups
	modprobe -r xen-blkfront
	memory
fi
figure "done" 1
cleanup
exit 0
