# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The disk measured in a PV guest while another guest, the neighbour, writes to it as
# fast as it can.

place_neighbour()
{
	local kind persistent

	guest_up bench 1
	guest_up neighbour 1
	for kind in $(plan_kinds neighbour); do
		disk "$kind"
		for persistent in ${OPTION[persistent]}; do
			neighbour_disk "neighbour/p$persistent/q1/$kind"
		done
	done
	guest_down neighbour
	guest_down bench
}

# neighbour_disk WHERE
neighbour_disk()
{
	local name

	for name in bench neighbour; do
		guest_persistent $name "$(persistent_of "$1")"
		guest_vbd "$1" $name
	done
	guest_measure "$1" "$(guest_backend bench)" \
		"$(guest_sysfs bench) $(guest_sysfs neighbour)"
	for name in bench neighbour; do
		guest_vbd_gone "$1" $name
	done
}

# neighbour_write WHERE: starts once the reader's fio has, which would take long beside
# it, and lasts until that is measured
neighbour_write()
{
	nap 0.3
	guest_send neighbour "$(front_program "$(fio_global "$1") --time_based --runtime=2s \
		--name=bench $WRITER | of_fio")"
}

# neighbour_wait WHERE: prints its rate
neighbour_wait()
{
	guest_wait neighbour 1000 >"$LAB_TMP/neighbour" || die "$1: the neighbour's fio fails"
	sed -n 's/^iops=/beside_iops /p' "$LAB_TMP/neighbour"
}
