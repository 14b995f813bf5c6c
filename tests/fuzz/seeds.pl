#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only
#
# Writes the inputs a fuzzer starts from: seeds.pl request|state DIRECTORY
# The formats are those that the harnesses take their bytes in.

use strict;
use warnings;

my ($name, $dir) = @ARGV;
die "usage: seeds.pl request|state DIRECTORY\n" unless defined $dir;

# One request: operation, number of segments, low byte of the handle (1: the
# sector is negative, 2: a discard's length is the opposite of it), sector in
# units of 8, and first | last << 4 for eleven segments
sub request
{
	my ($op, $nr, $sector, $flags) = @_;

	return pack('C C C C n C11', 2, $op, $nr, $flags // 0, $sector, (0x70) x 11);
}

my $pass = pack('C', 4);
my $push = pack('C', 6);
my $rearm = pack('C', 7);
# Which of those that are owed, and with what status
sub answer { return pack('C C C', 5, @_) }
# Offset into the ring, and the bytes
sub scribble { my ($at, @bytes) = @_; return pack('C n C C*', 0, $at, scalar @bytes, @bytes) }
# ABI and size, limits, first index, req_prod ahead, [max. indirect], capacity
sub ring { my ($abi, $start) = @_; return pack('C C N C n', $abi, 0x06, $start, 0, 0x4000) }
sub ring_indirect { return pack('C C N C n n', 1, 0x26, 0, 0, 256, 0x4000) }

my %seeds = (
	request => [
		ring(1, 0) . request(0, 1, 0) . $pass . answer(0, 0) . $push . $rearm,
		ring(0, 0xfffffff0) . join('', map { request($_, 2, $_) } 0 .. 7) . $pass .
			join('', map { answer($_, $_) } 0 .. 7) . $push,
		ring(1, 0xffffffe0) . join('', map { request(1, 11, 11 * $_) } 0 .. 31) . $pass .
			join('', map { answer(3, 0) } 0 .. 31) . $push . $rearm,
		ring(1, 0) . request(0, 1, 1, 1) . request(5, 0, 1, 3) . $pass . $push,
		ring_indirect() . request(6, 0, 0, 8) . $pass . answer(0, 10) . $push,
		ring(1, 0) . request(0, 1, 0) . pack('C C', 1, 100) . $pass,
		ring(1, 0) . request(0, 1, 0) . $pass . pack('C C', 1, 255) . $pass,
		ring(0, 5) . scribble(0, 6, 0, 0, 0) . scribble(64 + 108 * 5, 1, 12) . $pass,
		ring(3, 0) . scribble(12, 2, 0, 0, 0) . request(3, 0, 0) . request(5, 0, 8) .
			$pass . answer(1, 1) . $push . answer(0, 0) . $push,
	],
	state => [
		# disk; frontend Initialised, Connected, Closing, Closed, Initialising
		pack('C*', 3, 0, 3, 0, 4, 0, 5, 0, 6, 0, 1, 0, 3),
		# ring first, then no disk, then a disk; the guest breaks its ring
		pack('C*', 0, 3, 4, 3, 0, 4, 5, 0, 6),
		# going offline, with and without a driver in the guest
		pack('C*', 3, 0, 3, 6, 4, 0, 5, 0, 6),
		pack('C*', 3, 6, 12, 0, 1),
		# states that no frontend has
		pack('C*', 3, 0, 2, 0, 7, 0, 9, 0, 255, 0, 0, 0, 36),
	],
);

my $list = $seeds{$name} or die "seeds.pl: no fuzzer is called $name\n";
my $n = 0;

for my $seed (@$list) {
	my $file = sprintf('%s/seed-%02d', $dir, $n++);

	open(my $fh, '>:raw', $file) or die "$file: $!\n";
	print $fh $seed;
	close($fh) or die "$file: $!\n";
}
