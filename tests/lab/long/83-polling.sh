#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=600 vcpus=2 icount
#
# Busy waiting: requests are found without an event, it adapts to what comes, and
# an idle ring sleeps all the same.

. /lab/lib.sh

polling()
{
	vbd_tunable 0 xvda polling_duration
}

set_polling()
{
	vbd_tunable 0 xvda polling_duration "$1"
}

# hits: requests come one by one, so each but the first can be waited for
hits()
{
	local before

	before=$(vbd_stat 0 xvda polls_hit)
	fio --name=poll --filename=/dev/xvda --rw=randread --bs=4k --direct=1 \
		--number_ios=500 --size=4m >/dev/null || return
	echo $(($(vbd_stat 0 xvda polls_hit) - before))
}

off()
{
	is "$(polling)" 0 "off by default"
	is "$(hits)" 0 "and nothing is waited for"
}

on()
{
	local bad n

	for bad in -1 1001 x 99999999999 ''; do
		not_ok "\"$bad\" is refused" set_polling "$bad"
	done
	is "$(polling)" 0 "and changes nothing"
	ok "set at run time" set_polling 1000
	is "$(polling)" 1000 "and shown"
	n=$(hits)
	diag "$n of 500 requests came while the thread waited"
	le 50 "$n" "requests come while the thread waits"
}

idle()
{
	local before missed

	nap 1
	before=$(thread_switches xvda)
	missed=$(vbd_stat 0 xvda polls_missed)
	nap 3
	is "$(thread_switches xvda)" "$before" "an idle ring's thread sleeps"
	is "$(vbd_stat 0 xvda polls_missed)" "$missed" "and polls nothing"
}

run_time()
{
	ok "attach" attach_loopback /dev/nullb0 xvda
	off
	on
	idle
	ok "fio verifies" fio_verify /dev/xvda --rw=randrw --bs=4k --iodepth=8 --size=4m
	ok "off again" set_polling 0
	is "$(hits)" 0 "and nothing is waited for"
	ok "detach" detach xvda
}

by_key()
{
	ok "that of a vbd" hand_attach xvdb polling-duration=50 \
		physical-device="$(devt_hex /dev/nullb0)"
	is "$(vbd_tunable 0 xvdb polling_duration)" 50 "it counts"
	ok "detach" hand_detach xvdb
	wrong_key polling-duration 1001 \
		'polling-duration: "1001" is not a number of microseconds up to 1000'
}

ok "the backend loads" module_load
ok "a disk" null_disk
ok "the frontend loads" frontend_load
subtest "run time" run_time
subtest "key" by_key
ok "the backend unloads" module_unload
done_testing
