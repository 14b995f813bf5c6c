#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=900 vcpus=2 icount
#
# What the driver tells by itself: how long requests take, all counters on one line,
# the PIDs of its threads, one line for a connection, and a disk that does not answer
# though nobody wants to detach it. With uevents, as the kernel sends them.

. /lab/lib.sh

MODULE=/sys/module/xen_blkback
EVENTS=$LAB_TMP/uevents

# sysfs FILE: of dom0's xvda
sysfs()
{
	cat "$(vbd_sysfs 0 xvda)/$1"
}

# total FILE: what a histogram has counted
total()
{
	sysfs "statistics/$1" | awk 'NR == 1 { for (i = 1; i <= NF; i++) n += $i } END { print n + 0 }'
}

# log_has REGEX: for wait_for
log_has()
{
	klog | grep -qE "vbd vbd-0-51712: $1"
}

# uevents_begin: the kernel's, as lines, in the background
uevents_begin()
{
	perl -e '
		use Socket;
		$| = 1;
		socket(S, 16, SOCK_DGRAM, 15) or die;
		bind(S, pack("SSLL", 16, 0, 0, 1)) or die;
		print "ready\n";
		while (defined recv(S, my $data, 8192, 0)) {
			my %keys = map { split(/=/, $_, 2) } grep { /=/ } split(/\0/, $data);
			print "$keys{XENVBD_EVENT} $keys{XENVBD_TEXT}\n" if $keys{XENVBD_EVENT};
		}' >>"$EVENTS" 2>&1 &
	at_end kill $!
	wait_for 10 grep -q ready "$EVENTS"
}

# hears REGEX
hears()
{
	ok "udev hears of $1" wait_for 10 grep -qE "^$1" "$EVENTS" || diag_file "$EVENTS"
}

fio_on_disk()
{
	fio --name=told --filename=/dev/xvda --direct=1 --ioengine=psync --thread --minimal "$@"
}

identity()
{
	ok "the version is told" grep -qE '^[0-9.]+$' $MODULE/version
	ok "attach" disk_attach /dev/nullb0 xvda
	ok "one line for the connection" wait_for 10 log_has \
		"connected: disk [0-9a-f]+:0, [0-9]+ ring\(s\) of [0-9]+ page\(s\), x86_64-abi, persistent grants, policy auto"
	hears connected
	is "$(klog | grep -c 'vbd vbd-0-51712: ')" 1 "and no other one"
	ok "detach" hand_detach xvda
}

# thread_of PID RING: of dom0's xvda
thread_of()
{
	is "$(cat "/proc/$1/comm")" "0.xvda-$2" "ring $2 has the thread that is told"
}

threads_are_told()
{
	sysfs threads | grep -q .
}

threads()
{
	local ring pid key=kthread-pid

	echo "$1" >$MODULE/parameters/max_queues
	ok "attach" disk_attach /dev/nullb0 xvda
	is "$(sysfs threads | wc -l)" "$1" "$1 threads are told"
	while read -r ring pid; do
		thread_of "$pid" "$ring"
		[ "$1" = 1 ] || key=queue-$ring/kthread-pid
		is "$(vbd_key 0 xvda "$key")" "$pid" "the key $key has it"
	done < <(sysfs threads)
	ok "the frontend is asked to close" hand_set xvda state 5
	ok "the threads end" wait_for 10 not threads_are_told
	ok "and so do the keys" wait_for 10 not vbd_key 0 xvda "$key"
	hears closed
	ok "nobody will come again" hand_set xvda online 0
	ok "detach" hand_detach xvda
	echo 0 >$MODULE/parameters/max_queues
}

latency()
{
	ok "attach" disk_attach /dev/nullb0 xvda
	is "$(<$MODULE/parameters/latency)" N "nothing is measured at first"
	ok "64 reads" fio_on_disk --rw=randread --bs=4k --size=256k
	is "$(total latency_read)" 0 "they are not counted"
	echo Y >$MODULE/parameters/latency
	ok "256 reads" fio_on_disk --rw=randread --bs=4k --size=1m
	ok "128 writes" fio_on_disk --rw=randwrite --bs=4k --size=512k
	ok "25 writes, 25 fsyncs" perl /lab/programs/fsyncs.pl /dev/xvda 25
	is "$(total latency_read) $(total latency_disk_read)" "256 256" "reads are counted, both ways"
	is "$(total latency_write) $(total latency_disk_write)" "153 153" "and writes"
	is "$(total latency_flush) $(total latency_disk_flush)" "25 25" "and flushes"
	is "$(sysfs statistics/latency_read | head -n 1 | wc -w)" 28 "a histogram has 28 counters"
	like "$(sysfs statistics/latency_read | tail -n 1)" '^sum_us [1-9][0-9]+$' "and a sum"
	echo N >$MODULE/parameters/latency
	is "$(sysfs stat | cut -d' ' -f2-7)" \
		"$(vbd_stats 0 xvda rd_req wr_req f_req ds_req rd_sect wr_sect)" "stat has the counters"
	ok "detach" hand_detach xvda
}

# The disk hangs for longer than the guest's patience, and nobody detaches it
slow()
{
	ok "a disk" stuck_disk 0
	ok "attach" disk_attach /dev/mapper/stuck0 xvda slow-request-seconds=3
	is "$(vbd_tunable 0 xvda slow_request_seconds)" 3 "the key is heard"
	: >"$EVENTS"
	ok "the disk stops to answer" stuck_stop 0
	fio_on_disk --rw=read --bs=4k --size=4k >/dev/null 2>&1 &
	ok "the log tells" wait_for 20 log_has 'slow: 1 requests to disk [0-9a-f:]+, the oldest for [0-9]+ s'
	hears "slow slow: 1 requests to disk"
	like "$(sysfs waiting)" '^slow: 1 requests to disk' "so does sysfs"
	like "$(vbd_key 0 xvda waiting)" '^slow: 1 requests to disk' "and xenstore"
	nap 12
	is "$(klog | grep -c 'vbd-0-51712: slow: 1 requests')" 1 "once a minute is enough"
	ok "the disk answers" stuck_mend 0
	wait $!
	ok "the log tells that, too" wait_for 20 log_has 'slow: done after [0-9]+ s'
	hears "recovered slow"
	is "$(sysfs waiting)" "" "nothing waits any more"
	ok "in xenstore neither" wait_for 10 vbd_key_is 0 xvda waiting ""
	ok "detach" hand_detach xvda
}

# An idle vbd has no timer: whoever looks after requests ends when there are none
idle()
{
	local calls=/sys/kernel/tracing/events/workqueue/workqueue_execute_start n

	ok "attach" disk_attach /dev/nullb0 xvda slow-request-seconds=2
	ok "a read" fio_on_disk --rw=read --bs=4k --size=4k
	nap 5
	: >/sys/kernel/tracing/trace
	echo 1 >$calls/enable
	nap 10
	n=$(grep -c 'function.*slow_work' /sys/kernel/tracing/trace)
	is "$n" 0 "nothing looks after an idle vbd"
	ok "another read" fio_on_disk --rw=read --bs=4k --size=4k
	nap 5
	n=$(grep -c 'function.*slow_work' /sys/kernel/tracing/trace)
	echo 0 >$calls/enable
	diag "$n looks"
	le 1 "$n" "there is somebody after a request"
	le "$n" 4 "and soon no more"
	ok "detach" hand_detach xvda
}

ok "the backend loads" module_load
ok "uevents are heard" uevents_begin
ok "a disk with a cache" null_disk cache_size=8
subtest "What it is" identity
subtest "Threads of one ring" threads 1
subtest "Threads of two rings" threads 2
subtest "Latency" latency
subtest "A slow disk" slow
subtest "An idle vbd" idle
ok "the backend unloads" module_unload
done_testing
