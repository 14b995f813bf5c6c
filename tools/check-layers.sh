#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The one rule of the driver's architecture: a file includes and calls only
# its own layer and those below. Prints what breaks it; status 1 if any does.
#   check-layers.sh [DIRECTORY OF THE DRIVER]

cd "${1:-$(dirname "$0")/..}" || exit

# Layer of a file; compat.h lies between the pure core and all else, and
# observers (5) look on everywhere but are known to the top alone.
layer()
{
	case ${1%.[ch]} in
	proto | validate | ring | stats | state)	echo 0 ;;
	compat)						echo 0.5 ;;
	common | req | grant | pool | copy | bdev | io)	echo 1 ;;
	blkback | thread | linger | gate | discard)	echo 2 ;;
	features | keys | tunables | vbd | wait)	echo 3 ;;
	xenbus | remnant)				echo 4 ;;
	sysfs | debugfs | trace)			echo 5 ;;
	*)						return 1 ;;
	esac
}

files=()
for f in *.c *.h; do
	[ -e "$f" ] && [[ $f != *.mod.c ]] && files+=("$f")
done
[ ${#files[@]} -gt 0 ] || { echo "no sources in $PWD"; exit 1; }

{
	for f in "${files[@]}"; do
		if l=$(layer "$f"); then
			echo "layer $f $l"
		else
			echo "unknown $f"
		fi
	done
} | perl -e '
use strict;
use warnings;

my (%layer, %text, $bad);

sub complain { print "@_\n"; $bad = 1 }

while (<STDIN>) {
	if (/^layer (\S+) (\S+)/) {
		$layer{$1} = $2;
	} elsif (/^unknown (\S+)/) {
		complain("$1: not in the layer table of tools/check-layers.sh");
	}
}

# May a file of layer $from use what is in a file of layer $to?
sub may
{
	my ($from, $to) = @_;

	# Observers see all but the top; only the top and they themselves see them.
	return $to < 4 || $to == 5 if $from == 5;
	return $from == 4 if $to == 5;
	return $to <= $from;
}

# Comments and strings blanked, lines kept
sub code
{
	my ($t) = @_;

	$t =~ s{(/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*")}{ my $x = $1; $x =~ s/[^\n]/ /g; $x }gse;
	return $t;
}

for my $f (sort keys %layer) {
	open(my $fh, "<", $f) or die "$f: $!\n";
	$text{$f} = do { local $/; <$fh> };
}

# Includes
for my $f (sort keys %layer) {
	my ($n, $l) = (0, $layer{$f});

	for my $line (split /\n/, $text{$f}) {
		$n++;
		if ($line =~ /^\s*#\s*include\s+"([^"]+)"/) {
			my $inc = $1;

			if ($inc =~ m{/} || !exists $layer{$inc}) {
				complain("$f:$n: includes \"$inc\", which is not in the table");
			} elsif ($inc eq "trace.h" && $l >= 1) {
				# Tracepoints are for all but the pure core.
			} elsif (!may($l, $layer{$inc})) {
				complain("$f:$n: layer $l includes \"$inc\" of layer $layer{$inc}");
			}
		} elsif ($line =~ /^\s*#\s*include\s+<([^>]+)>/) {
			my $inc = $1;

			complain("$f:$n: layer 0 includes <$inc>")
				if $l == 0 && ($inc =~ m{^xen/(?!interface/)} ||
					       $inc =~ m{^linux/(bio|bvec|blkdev|printk|kernel|device|sched|slab)\.h$});
			# common.h has watches inside struct xenvbd.
			complain("$f:$n: layer $l includes <$inc>")
				if $inc eq "xen/xenbus.h" && $l < 3 && $f ne "common.h";
		}
	}
}

# The pure core says nothing.
for my $f (sort keys %layer) {
	my $n = 0;

	next if $layer{$f} != 0;
	for my $line (split /\n/, code($text{$f})) {
		$n++;
		complain("$f:$n: layer 0 logs: $1")
			if $line =~ /\b(printk\w*|pr_[a-z]+(?:_\w+)?|dev_(?:err|warn|notice|info|dbg|emerg|alert|crit)\w*)\s*\(/;
	}
}

# Calls: where each function is defined, then who names it
my %home;
for my $f (grep { /\.c$/ } sort keys %layer) {
	my $t = code($text{$f});

	while ($t =~ /^(?!static\b)[A-Za-z_][^;{}()#]*?\b(xenvbd_\w+)\s*\([^;{}]*\)\s*\n\{/mg) {
		$home{$1} = $f;
	}
}
for my $f (grep { /\.h$/ && $_ ne "compat.h" } sort keys %layer) {
	my $t = code($text{$f});

	while ($t =~ /^static inline [^;{}()#]*?\b(xenvbd_\w+)\s*\([^;{}]*\)\s*\n\{/mg) {
		$home{$1} = $f;
	}
}
for my $f (grep { /\.c$/ } sort keys %layer) {
	my $n = 0;

	for my $line (split /\n/, code($text{$f})) {
		$n++;
		while ($line =~ /\b(xenvbd_\w+)\b/g) {
			my $h = $home{$1} or next;

			# The one sanctioned edge upward
			next if $1 eq "xenvbd_req_complete" && $f eq "io.c";
			complain("$f:$n: layer $layer{$f} uses $1() of $h, layer $layer{$h}")
				unless may($layer{$f}, $layer{$h});
		}
	}
}
exit($bad ? 1 : 0);
'
