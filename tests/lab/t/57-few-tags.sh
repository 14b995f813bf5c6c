#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A disk that takes few requests at a time, and time for each: what it has done is
# answered while the rest of the ring is still handed over to it.

. /lab/lib.sh

ok "the backend loads" module_load
ok "a disk of 8 requests at a time, 100 ms each" \
	null_disk irqmode=2 completion_nsec=100000000 hw_queue_depth=8 submit_queues=1
leak_snapshot
# Handed over without an answer in between, 256 requests take 3.2 s
frontend "few tags" few-tags.fe DISK="$(devt_hex /dev/nullb0)" FIRST_MS=250
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
