#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The benchmark's part in dom0: measures the loaded backend and prints one line
# "PLACE/pPERSISTENT/qQUEUES/KIND/CELL/FIGURE=VALUE" per figure. Arguments are
# NAME=VALUE, see OPTION. bench and profile run it, and README.md explains it.

# shellcheck source-path=SCRIPTDIR source=../tests/lab/lib.sh
. /lab/lib.sh

# `lab run` takes this directory along
PARTS=${0%.sh}
for part in common plan disk cells hypercalls allocations cost places guest neighbour \
	qdisk device memory crowd; do
	# shellcheck source=/dev/null
	. "$PARTS/$part.sh" || exit
done

declare -A OPTION=(
	[plan]="native/inline/4k-randread-d32 guest/inline/4k-randread-d32"
	[persistent]="1 0"
	[queues]="1"
	[traced]="4k-randread-d32 512k-read-d8"
	[allocating]="4k-randread-d32 44k-read-d16"
	[device]=1
	[crowd]=""
	[backend]=kernel
	[cost]=""
	[window]=""
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

module_load max_queues=4 || die "the $LAB_MODULE backend does not load"
versions
[ -z "${OPTION[cost]}" ] || marks_start
for place in $(plan_places); do
	"place_$place"
done
[ -z "${OPTION[cost]}" ] || symbols_of_dom0
if [ "${OPTION[device]}" != 0 ]; then
	disk inline
	attach_times 5
	idle_wakeups
	modprobe -r xen-blkfront
	memory
fi
if [ -n "${OPTION[crowd]}" ]; then
	disk inline
	# shellcheck disable=SC2086 # words
	crowd ${OPTION[crowd]}
fi
figure "done" 1
cleanup
exit 0
