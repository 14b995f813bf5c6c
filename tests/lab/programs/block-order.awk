# SPDX-License-Identifier: GPL-2.0-only
#
# From a trace of block_bio_queue and block_rq_complete: "queue SECTOR" and
# "complete SECTOR" of the disk in the order they happened. An empty flush is "flush";
# those that the block layer makes of others come earlier.
#   -v dev=MAJOR,MINOR

{
	for (i = 1; i < NF && $i !~ /^block_(bio_queue|rq_complete):$/; i++)
		;
	if (i == NF || $(i + 1) != dev)
		next
	# Only requests have a command, in parentheses
	complete = $i ~ /rq_complete/
	sector = $(i + 3 + complete)
	if ($(i + 5 + complete) != 0) {
		print complete ? "complete" : "queue", sector
	} else if (complete ? flushing : !flushing) {
		print complete ? "complete" : "queue", "flush"
		flushing = !complete
	}
}
