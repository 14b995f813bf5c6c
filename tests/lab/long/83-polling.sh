#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=600 vcpus=2 icount
#
# Busy waiting: requests are found without an event, it adapts to what comes, and
# an idle ring sleeps all the same.

. /lab/lib.sh

polling()
{
	cat "$(vbd_sysfs 0 xvda)/tunables/polling_duration"
}

set_polling()
{
	echo "$1" >"$(vbd_sysfs 0 xvda)/tunables/polling_duration"
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

ok "the backend loads" module_load
ok "a disk" null_disk
leak_snapshot
ok "the frontend loads" frontend_load
ok "attach" attach_loopback /dev/nullb0 xvda
is "$(polling)" 0 "off by default"
is "$(hits)" 0 "and nothing is waited for"
for bad in -1 1001 x 99999999999 ''; do
	not_ok "\"$bad\" is refused" set_polling "$bad"
done
is "$(polling)" 0 "and changes nothing"
ok "set at run time" set_polling 1000
is "$(polling)" 1000 "and shown"
n=$(hits)
diag "$n of 500 requests came while the thread waited"
le 50 "$n" "requests come while the thread waits"
nap 1
before=$(thread_switches xvda)
missed=$(vbd_stat 0 xvda polls_missed)
nap 3
is "$(thread_switches xvda)" "$before" "an idle ring's thread sleeps"
is "$(vbd_stat 0 xvda polls_missed)" "$missed" "and polls nothing"
ok "fio verifies" fio_verify /dev/xvda --rw=randrw --bs=4k --iodepth=8 --size=4m
ok "off again" set_polling 0
is "$(hits)" 0 "and nothing is waited for"
ok "detach" detach xvda

ok "a vbd with the key" hand_attach xvdb polling-duration=50 \
	physical-device="$(devt_hex /dev/nullb0)"
is "$(cat "$(vbd_sysfs 0 xvdb)/tunables/polling_duration")" 50 "it counts"
ok "detach" hand_detach xvdb
wrong_key polling-duration 1001 \
	'polling-duration: "1001" is not a number of microseconds up to 1000'
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
