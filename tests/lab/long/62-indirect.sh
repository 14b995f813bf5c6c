#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900
#
# INDIRECT requests: the Linux frontend with few and many segments, the size of
# the batches, and a frontend whose descriptors are wrong or change.

. /lab/lib.sh

# statistics_script: for scenarios; see indirect.fe
statistics_script()
{
	cat <<-'EOF'
	#!/bin/bash
	cd /sys/bus/xen-backend/devices/vbd-0-51712/statistics || exit
	if [ "$1" = save ]; then
		grep . * >/tmp/statistics
		exit
	fi
	for want; do
		name=${want%=*}
		before=$(sed -n "s/^$name://p" /tmp/statistics)
		got=$(($(<"$name") - before))
		[ "$got" = "${want#*=}" ] || { echo "# $name: $got, not $want"; exit 1; }
	done
	EOF
}

# counted FILE...: statistics of xvda, in one line
counted()
{
	local f

	for f; do
		vbd_stat 0 xvda "$f"
	done | paste -sd' '
}

# check_frontend SEGMENTS REQUESTS: 4 MiB in REQUESTS requests, both ways
check_frontend()
{
	local what="$1 segments" rd0 wr0 rd1 wr1

	ok "the frontend loads, for $what" frontend_reload max_indirect_segments="$1"
	ok "$what: attach" disk_attach /dev/nullb0 xvda
	is "$(cat /sys/block/xvda/queue/max_segments)" $(($1 > 11 ? $1 : 11)) \
		"$what: the frontend uses them"
	read -r rd0 wr0 <<<"$(counted rd_req wr_req)"
	ok "$what: the frontend writes" random_through /dev/xvda 4
	ok "$what: and reads the same" holds_random /dev/xvda direct
	read -r rd1 wr1 <<<"$(counted rd_req wr_req)"
	is "$((wr1 - wr0)) $((rd1 - rd0))" "$2 $2" "$what: in $2 requests each"
	ok "$what: dom0 finds the same bytes on the disk" holds_random /dev/nullb0 direct
	ok "$what: fio verifies" fio_verify /dev/xvda --rw=randrw --bsrange=4k-1m \
		--iodepth=8 --size=12m
	is "$(vbd_stat 0 xvda err_req)" 0 "$what: no request was refused or failed"
	ok "$what: detach" hand_detach xvda
}

ok "the backend loads" module_load feature_persistent=0 grant_policy=map
ok "the frontend loads" frontend_load
ok "a disk in memory" null_disk
leak_snapshot
check_frontend 0 96
check_frontend 32 32
check_frontend 256 4
statistics_script >/tmp/stats.sh
frontend "x86_64" indirect.fe ABI=x86_64-abi ROUNDS=40 STATS="bash /tmp/stats.sh" \
	DISK="$(devt_hex /dev/nullb0)"
frontend "x86_32" indirect.fe ABI=x86_32-abi ROUNDS=10 STATS="bash /tmp/stats.sh" \
	DISK="$(devt_hex /dev/nullb0)"
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
