#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: vcpus=16 icount timeout=1200
#
# Sixteen rings are not slower than four. Sixteen jobs, each on a CPU of dom0 of its
# own, are the load of both; instructions are counted instead of time.

. /lab/lib.sh

# iops RW: of all jobs together
iops()
{
	fio --name=many --filename=/dev/xvda --rw="$1" --bs=4k --iodepth=4 --numjobs=16 \
		--group_reporting --thread --direct=1 --ioengine=libaio --norandommap \
		--randrepeat=1 --gtod_reduce=1 --cpus_allowed=0-15 \
		--cpus_allowed_policy=split --time_based --runtime=500ms --ramp_time=100ms \
		--minimal --terse-version=3 |
		awk -F';' '/^3;fio/ { print ($8 > $49 ? $8 : $49) }'
}

# measure QUEUES: three times each, since jobs and threads share one physical CPU;
# the best is what the driver can do
declare -A BEST
measure()
{
	local rw n got

	parameter max_queues "$1"
	ok "$1 queues: attach" disk_attach /dev/nullb0 xvda || bail "no disk"
	is "$(find /sys/block/xvda/mq -mindepth 1 -maxdepth 1 -type d | wc -l)" "$1" \
		"$1 queues: the frontend has them"
	for rw in randread randwrite; do
		BEST[$rw,$1]=0
		for n in 1 2 3; do
			got=$(iops $rw)
			diag "$1 queues: $rw $n: $got IOPS"
			[ "$got" -le "${BEST[$rw,$1]}" ] || BEST[$rw,$1]=$got
		done
		isnt "${BEST[$rw,$1]}" 0 "$1 queues: $rw gives a figure"
	done
	ok "$1 queues: detach" hand_detach xvda
}

ok "the backend loads" module_load max_queues=4
ok "the frontend loads" frontend_load max_queues=16
ok "a disk" null_disk memory_backed=0 submit_queues=16
measure 4
measure 16
for rw in randread randwrite; do
	diag "$rw: 4 queues ${BEST[$rw,4]} IOPS, 16 queues ${BEST[$rw,16]}"
	le $((BEST[$rw,4] * 95 / 100)) "${BEST[$rw,16]}" "$rw: 16 queues are not slower than 4"
done
done_testing
