# SPDX-License-Identifier: GPL-2.0-only
#
# perl hypercalls.pl TRACE
#
# Counts PV hypercalls in the binary records of xentrace, with those inside of
# multicalls: a line "hypercall_NUMBER COUNT" for each number. Fails if records are lost.

use strict;
use warnings;

# Of Xen's public/trace.h
use constant {
	TRC_LOST_RECORDS         => 0x1f001,
	TRC_PV_HYPERCALL_V2      => 0x20100d,
	TRC_PV_HYPERCALL_SUBCALL => 0x20200e,
	HYPERCALL_NUMBER         => 0xfffff,
};

open my $file, '<:raw', $ARGV[0] or die "$ARGV[0]: $!\n";
my $data = do { local $/; <$file> };
my ($at, $lost, %calls) = (0, 0);
while ($at + 4 <= length $data) {
	my $head = unpack 'V', substr $data, $at, 4;
	my ($event, $extra) = ($head & 0xfffffff, $head >> 28 & 7);
	# The top bit says that a time stamp follows
	my $body = $at + 4 + ($head >> 31 ? 8 : 0);
	my $word = $extra ? unpack('V', substr $data, $body, 4) : 0;
	$calls{$word & HYPERCALL_NUMBER}++
		if $event == TRC_PV_HYPERCALL_V2 || $event == TRC_PV_HYPERCALL_SUBCALL;
	$lost++ if $event == TRC_LOST_RECORDS;
	$at = $body + 4 * $extra;
}
die "xentrace lost records $lost times\n" if $lost;
print "hypercall_$_ $calls{$_}\n" for keys %calls;
