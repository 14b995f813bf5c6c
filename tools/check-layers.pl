#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only
#
# The one rule of the driver's architecture: a file includes and calls only what
# lies in its own layer or below, and no files call each other in a circle. The layer
# of a file is its folder. Prints what breaks the rule; status 1 if anything does.
#   check-layers.pl [DIRECTORY OF THE DRIVER]

use strict;
use FindBin;
use warnings;

# From below to above. The two entries at the root are layers of their own.
my %LAYER = ("core" => 0, "data" => 1, "blkback" => 2, "control" => 3, "xenbus" => 4);
# For all but the core: the central structs, other kernels, tracepoints. common.h
# includes the headers of all rooms, for it embeds their structs; so calls, and the
# members of the central structs, are what counts for those that include it.
my %COMMON = map { $_ => 1 } "common.h", "compat.h", "trace.h", "trace.c";
# Calls that go up: a room is handed what it shall call by one above it, and knows it
# by these names only.
my %HANDED_IN = (
	"answer" => "the owner of a ring answers; data/wake.c knows who the owner is",
	"serve" => "what a ring's thread does; data/thread.c starts it",
	"hide" => "a remnant has an entry in debugfs until it ends",
	"parse" => "what a key may say; control/keys.c reads it",
);
my ($bad, %text) = (0);

sub complain { print "@_\n"; $bad = 1 }

# layer FILE: a number; "observe" is none, it looks on from aside
sub layer
{
	my ($f) = @_;
	my $name = $f =~ m{^(\w+)/} ? $1 : $f =~ s/\.[ch]$//r;

	return $name eq "observe" ? "observe" : $LAYER{$name};
}

# may FROM TO: may a file use what is in another one?
sub may
{
	my ($from, $to) = @_;

	return 1 if $COMMON{$from};
	return layer($from) ne "0" if $COMMON{$to};
	# Observers see all but the top; the top and they themselves see them.
	return layer($to) eq "observe" || layer($to) < $LAYER{xenbus} if layer($from) eq "observe";
	return layer($from) == $LAYER{xenbus} if layer($to) eq "observe";
	return layer($to) <= layer($from);
}

# Comments and strings blanked, lines kept
sub code
{
	my ($t) = @_;

	$t =~ s{(/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*")}{ my $x = $1; $x =~ s/[^\n]/ /g; $x }gse;
	return $t;
}

sub read_sources
{
	for my $f (grep { !/\.mod\.c$/ } glob("*.[ch] {core,data,control,observe}/*.[ch]")) {
		complain("$f: belongs to no layer") if !$COMMON{$f} && !defined layer($f);
		open(my $fh, "<", $f) or die "$f: $!\n";
		$text{$f} = do { local $/; <$fh> };
	}
	die "no sources\n" unless %text;
}

sub check_system_include
{
	my ($where, $f, $inc) = @_;
	my $core = layer($f) // "";

	complain("$where: the core includes <$inc>")
		if $core eq "0" && ($inc =~ m{^xen/(?!interface/)} ||
			$inc =~ m{^linux/(bio|bvec|blkdev|printk|kernel|device|sched|slab)\.h$});
	# common.h has watches inside struct xenvbd.
	complain("$where: the data plane includes <$inc>")
		if $inc eq "xen/xenbus.h" && $f =~ m{^(core/|data/|blkback)};
}

sub check_includes
{
	my ($f) = @_;
	my $n = 0;

	for my $line (split /\n/, $text{$f}) {
		$n++;
		if ($line =~ /^\s*#\s*include\s+"([^"]+)"/) {
			if (!exists $text{$1}) {
				complain("$f:$n: includes \"$1\", which is not the path of a file of the driver");
			} elsif (!may($f, $1)) {
				complain("$f:$n: includes \"$1\" of a layer above");
			}
		} elsif ($line =~ /^\s*#\s*include\s+<([^>]+)>/) {
			check_system_include("$f:$n", $f, $1);
		}
	}
}

sub check_silence
{
	my ($f) = @_;
	my $n = 0;

	for my $line (split /\n/, code($text{$f})) {
		$n++;
		complain("$f:$n: the core logs: $1")
			if $line =~ /\b(printk\w*|pr_[a-z]+(?:_\w+)?|dev_(?:err|warn|notice|info|dbg|emerg|alert|crit)\w*)\s*\(/;
	}
}

# Which file declares the struct of each member of the central structs
sub rooms
{
	my (%declared, %room);

	for my $f (grep { /\.h$/ } sort keys %text) {
		$declared{$1} = $f while $text{$f} =~ /^struct (xenvbd_\w+) \{/mg;
	}
	while ($text{"common.h"} =~ /^\t+struct (xenvbd_\w+) (\w+(?:, \w+)*)[ ;]/mg) {
		$room{$_} = $declared{$1} for split /, /, $2;
	}
	return %room;
}

# A ring's code keeps its hands off what belongs to rooms above
sub check_members
{
	my (%room) = @_;

	for my $f (grep { defined layer($_) } sort keys %text) {
		my $n = 0;

		for my $line (split /\n/, code($text{$f})) {
			$n++;
			while ($line =~ /\b(?:vbd|ring)(?:->|\.)(?=(\w+))/g) {
				my $r = $room{$1} or next;

				complain("$f:$n: uses \"$1\" of $r, a layer above") unless may($f, $r);
			}
		}
	}
}

# Calls through pointers, which check_calls() does not see
sub check_pointers
{
	for my $f (grep { /\.h$/ && !$COMMON{$_} } sort keys %text) {
		my $t = code($text{$f});

		while ($t =~ /\(\*(\w+)\)\s*\(/g) {
			complain("$f: calls through \"$1\", which check-layers.pl does not know")
				unless $HANDED_IN{$1};
		}
	}
}

# Where each function of the driver is defined
sub homes
{
	my %home;

	for my $f (grep { $_ ne "compat.h" } sort keys %text) {
		my $t = code($text{$f});
		my $static = $f =~ /\.h$/ ? qr/static inline / : qr/(?!static\b)/;

		while ($t =~ /^$static[A-Za-z_][^;{}()#]*?\b(xenvbd_\w+)\s*\([^;{}]*\)\s*\n\{/mg) {
			$home{$1} = $f;
		}
	}
	return %home;
}

# check_calls HOMES: prints upward ones, returns who uses which room
sub check_calls
{
	my (%home) = @_;
	my %uses;

	for my $f (sort keys %text) {
		my $n = 0;

		for my $line (split /\n/, code($text{$f})) {
			$n++;
			# Of a header only the bodies of its functions
			next if $f =~ /\.h$/ && $line !~ /^\t/;
			while ($line =~ /\b(xenvbd_\w+)\b/g) {
				my $h = $home{$1} or next;

				complain("$f:$n: uses $1() of $h, a layer above") unless may($f, $h);
				my ($from, $to) = map { s/\.[ch]$//r } $f, $h;
				$uses{$from}{$to} = $n if $from ne $to;
			}
		}
	}
	return %uses;
}

# Rooms that use each other, directly or by way of others
sub check_circles
{
	my (%uses) = @_;
	my %seen;
	my $visit;

	$visit = sub {
		my ($room, @way) = @_;

		if (grep { $_ eq $room } @way) {
			shift @way while $way[0] ne $room;
			complain("a circle of calls: @way $room");
			return;
		}
		return if $seen{$room}++;
		$visit->($_, @way, $room) for sort keys %{$uses{$room} // {}};
	};
	$visit->($_) for sort keys %uses;
}

chdir($ARGV[0] // "$FindBin::Bin/..") or die "$!\n";
read_sources();
check_includes($_) for sort keys %text;
check_silence($_) for grep { m{^core/} } sort keys %text;
check_members(rooms());
check_pointers();
check_circles(check_calls(homes()));
exit $bad;
