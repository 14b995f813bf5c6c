#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only
#
# fsyncs.pl DEVICE NUMBER: so many writes of 4 KiB, each with its fsync.

use IO::Handle;

my ($device, $number) = @ARGV;
open my $f, "+<", $device or die "open: $!";
for my $n (1 .. $number) {
	sysseek $f, 4096 * $n, 0;
	syswrite $f, "x" x 4096;
	$f->sync or die "fsync: $!";
}
