#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only
#
# Do the texts say what the code says? Each part compares one kind of name in
# both directions, and prints FILE:LINE and what is wrong. Status 1 if anything is.
#   check-texts.pl [DIRECTORY OF THE REPOSITORY]

use strict;
use warnings;
use Encode qw(encode_utf8);
use File::Basename qw(dirname);
use JSON::PP qw(decode_json);

my ($DESIGN, $STATES, $LOCKING, $XENSTORE, $SPEED, $MESSAGES, $COMPARISON, $SECURITY) =
	map { "Documentation/$_.rst" }
	"design", "states", "locking", "xenstore", "performance", "messages", "comparison", "security";
my ($README, $GUIDE_OF_TREE, $NEWS) = ("README.md", "CONTRIBUTING.md", "NEWS");
my $MAN = "Documentation/man/xen-blkback.4.rst";
my $REFERENCE = "bench/results/reference.json";
my $BACKEND = "/sys/bus/xen-backend/devices/vbd-*/";
my $MODULE = "/sys/module/xen_blkback/parameters/";

# One C string, or several side by side
my $STRING = qr/"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*/s;
# The parentheses of a call, and what stands between them
my $ARGUMENTS = qr/(?<arguments>\((?:[^()"]|"(?:[^"\\]|\\.)*"|(?&arguments))*\))/s;
# A conversion of printf
my $CONVERSION = qr/%(?:\*p[A-Z]|[-0-9.*]*(?:hh?|ll?|z)?[a-zA-Z])/;

# Words in quotes that look like a key of xenstore
my %NO_KEY = map { $_ => 1 }
	# values of keys
	"auto", "persistent", "map", "copy", "cdrom", "unknown", "x86_32-abi", "x86_64-abi",
	# the error node, which has a section of its own
	"error", "error/%s",
	# words of messages, and names that are not xenstore's
	"closing", "reading", "writing", "tunables", "vbd", "xen-blkback", "single",
	# events for udev
	"connected", "closed", "slow", "recovered", "resized", "exchanged", "vanished";

# Files that other projects have, and those that a text has people make
my %FOREIGN_FILE = map { $_ => 1 } "blkif.h", "ring.h", "checkpatch.pl",
	"result.json", "guest.json";
# Functions that the texts name and the driver does not call
my %FOREIGN_FUNCTION = map { $_ => 1 } "fsync", "BUG", "WARN";

# Keys of blkif.h, which NEWS promises in one row
my %BLKIF_KEY = map { $_ => 1 } "physical-device", "mode", "device-type", "discard-enable",
	"multi-queue-max-queues", "max-ring-page-order", "max-ring-pages",
	"feature-max-indirect-segments", "feature-persistent", "feature-flush-cache",
	"feature-barrier", "feature-discard", "feature-large-sector-size",
	"discard-granularity", "discard-alignment", "discard-secure", "sectors", "info",
	"sector-size", "physical-sector-size", "protocol", "multi-queue-num-queues",
	"queue-<n>", "ring-page-order", "num-ring-pages", "ring-ref", "ring-ref0", "ring-ref15",
	"event-channel";

my ($bad, %cache) = (0);

sub complain { print "@_\n"; $bad = 1 }

sub text
{
	my ($f) = @_;

	return $cache{$f} //= do {
		open(my $fh, "<", $f) or die "$f: $!\n";
		local $/;
		<$fh>;
	};
}

# at FILE OFFSET: where that is, for people
sub at
{
	my ($f, $offset) = @_;

	return "$f:" . (1 + (substr(text($f), 0, $offset) =~ tr/\n//));
}

# find FILE REGEX: what its first group matches => where
sub find
{
	my ($f, $regex) = @_;
	my %found;

	my $t = text($f);

	while ($t =~ /$regex/g) {
		$found{$1} //= at($f, $-[1]);
	}
	complain("$f: nothing looks like $regex") unless %found;
	return %found;
}

# same KIND CODE TEXT WHERE: complains of names that only one side has
sub same
{
	my ($kind, $code, $text, $where) = @_;

	complain("$$code{$_}: $kind $_ is not in $where")
		for grep { !exists $$text{$_} } sort keys %$code;
	complain("$$text{$_}: $kind $_ is not in the code")
		for grep { !exists $$code{$_} } sort keys %$text;
}

sub blank { my ($x) = @_; $x =~ s/[^\n]/ /g; return $x }

# Comments blanked, strings and lines kept
sub code
{
	my ($t) = text($_[0]);

	$t =~ s{($STRING)|(/\*.*?\*/|//[^\n]*)}{ $1 // blank($2) }gse;
	return $t;
}

# All but comments blanked, lines kept
sub comments
{
	my ($t) = text($_[0]);

	$t =~ s{(/\*.*?\*/|//[^\n]*)|([^/]+|/)}{ $1 // blank($2) }gse;
	return $t;
}

# The value of a C string
sub unquote
{
	my ($s) = @_;
	my $value = join("", $s =~ /"((?:[^"\\]|\\.)*)"/gs);

	$value =~ s/\\(.)/$1 eq "n" ? "\n" : $1/ge;
	return $value;
}

# strings FILE...: value => where
sub strings
{
	my %found;

	for my $f (@_) {
		my $code = code($f);

		while ($code =~ /($STRING)/g) {
			my ($value, $where) = (unquote($1), at($f, $-[1]));

			$found{$value} //= $where;
		}
	}
	return %found;
}

# table FILE AFTER: rows of the simple table behind a line, each [where, cell...]
sub table
{
	my ($f, $after) = @_;
	my (@rows, @columns, $rules, $n);

	for my $line (split /\n/, text($f)) {
		$n++;
		if (!defined $rules) {
			$rules = 0 if $line eq $after;
		} elsif ($line =~ /^=+( +=+)+$/) {
			$rules++;
			@columns = ();
			push(@columns, $-[0]) while $line =~ /=+/g;
			last if $rules == 3 || ($rules == 2 && @rows && $rows[0][1] ne "Own state");
			@rows = ();
		} elsif ($rules) {
			my @cells = map {
				my $end = $columns[$_ + 1] // 1000;

				substr(sprintf("%-100s", $line), $columns[$_], $end - $columns[$_])
			} 0 .. $#columns;
			s/^\s+|\s+$//g for @cells;
			push(@rows, ["$f:$n", @cells]) if $cells[0] ne "";
		}
	}
	complain("$f: no table behind \"$after\"") unless @rows;
	return @rows;
}

# ---- parameters, files of sysfs, tracepoints --------------------------------

# The entries of the ABI files: name => [where, description]
sub abi
{
	my ($prefix) = @_;
	my %entries;

	for my $f (glob("Documentation/ABI/*/*")) {
		my $t = text($f);

		while ($t =~ /^What:\s+(\S+)\n(.*?)(?=^What:|\z)/msg) {
			my ($what, $rest, $where) = ($1, $2, at($f, $-[1]));

			next unless $what =~ /^\Q$prefix\E(.*[^\/])$/;
			complain("$where: $what stands there twice") if $entries{$1};
			$entries{$1} = [$where, $rest];
		}
	}
	return %entries;
}

sub check_parameters
{
	my @files = @_;
	my (%code, %default, %readme);
	my %abi = abi($MODULE);

	for my $f (@files) {
		my $code = code($f);

		while ($code =~ /^module_param(?:_cb)?\((\w+)/mg) {
			$code{$1} = at($f, $-[1]);
		}
		while ($code =~ /^MODULE_PARM_DESC\((\w+),\s*($STRING)/mg) {
			my ($name, $text, $where) = ($1, unquote($2), at($f, $-[1]));

			complain("$where: no default in the description of $name")
				unless $text =~ /Default (\w+)$/;
			$default{$name} = $1;
		}
	}
	my ($head, $rows) = text($README) =~ /^(    name +range +default .*)\n((?:    .*\n)+)/m
		or complain("$README: no table of parameters");
	my $at = index($head, "default");
	my $start = index(text($README), $rows);

	while ($rows =~ /^    (\w+)(.*)$/mg) {
		my ($name, $where) = ($1, at($README, $start + $-[1]));
		my ($value) = substr($&, $at) =~ /^(\S+)/;

		$readme{$name} = $where;
		complain("$where: the default of $name is $value; in the code it is $default{$name}")
			if exists $default{$name} && $value ne $default{$name};
	}
	same("parameter", \%code, \%readme, $README);
	same("parameter", \%code, { map { $_ => $abi{$_}[0] } keys %abi }, "Documentation/ABI");
	check_parameters_in_man(\%code, \%default);
	for my $name (grep { exists $default{$_} } sort keys %abi) {
		my $value = $default{$name};

		complain("$abi{$name}[0]: the default of $name is not $value, as the code has it")
			unless $abi{$name}[1] =~ /\bDefault $value\b|\b$value,\s+the\s+default\b/;
	}
}

# check_parameters_in_man CODE DEFAULTS
sub check_parameters_in_man
{
	my ($code, $default) = @_;
	my ($section) = text($MAN) =~ /^PARAMETERS\n=+\n(.*?)^FILES\n/ms
		or return complain("$MAN: no PARAMETERS before FILES");
	my %man = map { $_ => $MAN } $section =~ /^``(\w+)``$/mg;

	same("parameter", $code, \%man, $MAN);
	while ($section =~ /^``(\w+)``\n(.*?)(?=^\S|\z)/msg) {
		my ($name, $says) = ($1, $2);
		my $value = $$default{$name} // next;

		complain("$MAN: the default of $name is not $value, as the code has it")
			unless $says =~ /\b(?:[Dd]efault $value|$value,\s+the\s+default)\b/;
	}
}

# The man page has entries for those files only that an administrator asks for
sub check_sysfs_in_man
{
	my ($code) = @_;
	my ($section) = text($MAN) =~ /^FILES\n=+\n(.*?)^LOG\n/ms
		or return complain("$MAN: no FILES before LOG");

	for my $entry ($section =~ /^(``[a-z].*)$/mg) {
		for my $name (grep { !/\/$/ && $_ ne "state" } $entry =~ /``([^`]+)``/g) {
			complain("$MAN: no file is called $name") unless $$code{$name};
		}
	}
}

sub check_sysfs
{
	my %dir = ("observe/sysfs.c" => "", "control/tunables.c" => "tunables/");
	my %abi = abi($BACKEND);
	my (%code, %access);

	for my $f (sort keys %dir) {
		my $t = text($f);

		while ($t =~ /(?<!\\)\nstatic DEVICE_ATTR_(RO|RW)\((\w+)\);$/mg) {
			$code{"$dir{$f}$2"} = at($f, $-[2]);
			$access{"$dir{$f}$2"} = $1;
		}
	}
	for my $f ("core/stats.h", "core/latency.h") {
		my %stats = find($f, qr/^\tx\((\w+)\)/m);

		$code{"statistics/$_"} = $stats{$_} for keys %stats;
	}
	# The kernel's own file, of which the entry tells the events.
	same("file", \%code, { map { $_ => $abi{$_}[0] } grep { $_ ne "uevent" } keys %abi },
		"Documentation/ABI");
	check_sysfs_in_man(\%code);
	for my $name (grep { exists $code{$_} } sort keys %abi) {
		my $is = $access{$name} // "RO";

		complain("$abi{$name}[0]: $name is ($is) in the code")
			if $abi{$name}[1] =~ /^\s+\((R[OW])\)/m && $1 ne $is;
	}
}

# Who reads the file knows the counters by their places
sub check_stat
{
	my ($list) = { abi($BACKEND) }->{stat}[1] =~ /two\s+of\s+them:(.*?)\./s
		or return complain("Documentation/ABI: no list of counters at stat");
	my @code = text("core/stats.h") =~ /^\tx\((\w+)\)/mg;

	complain("Documentation/ABI: stat does not have the counters of core/stats.h in their order")
		unless "@code" eq join(" ", split(" ", $list));
}

sub documented_events
{
	my ($events) = { abi($BACKEND) }->{uevent}[1] =~ /\bEvents:(.*?)A\s+device\s+has/s
		or complain("Documentation/ABI: no events at uevent");

	return map { $_ => "Documentation/ABI" } map { /\w+/g } ($events // "") =~ /((?:\w+(?:,\s+)?)+):\s/g;
}

# Events for udev: what the code announces is what the ABI file has
sub check_uevents
{
	my %text = documented_events();
	my %code;

	for my $f (@_) {
		my $code = code($f);

		$code{$1} //= at($f, $-[0]) while $code =~ /\bxenvbd_uevent\(vbd, "(\w+)"/g;
	}
	same("event", \%code, \%text, "Documentation/ABI");
}

# The module's version is that of the package
sub check_version
{
	my ($code) = text("xenbus.c") =~ /^#define XENVBD_VERSION\s+(\S+)/m;
	my ($package) = text("dkms.conf") =~ /^PACKAGE_VERSION="(.*)"/m;

	complain("xenbus.c: the version is $code; in dkms.conf it is $package")
		unless ($code // "none") eq ($package // "missing");
}

sub check_tracepoints
{
	my %code = find("trace.h", qr/^(?:TRACE_EVENT\(|DEFINE_EVENT\(\w+, )(\w+),$/m);
	my %text = find($SPEED, qr/^``(xenvbd_\w+)``/m);

	same("tracepoint", \%code, \%text, $SPEED);
}

# Fields of trace.h: event => { field => 1 }
sub fields_of_events
{
	my $t = code("trace.h");
	my %fields;

	while ($t =~ /^(?:DECLARE_EVENT_CLASS|TRACE_EVENT)\((\w+),(.*?)TP_fast_assign/msg) {
		my ($name, $body) = ($1, $2);

		$fields{$name} = { map { $_ => 1 } $body =~ /__field\([^,]+, (\w+)\)/g };
	}
	while ($t =~ /^DEFINE_EVENT\((\w+), (\w+),/mg) {
		$fields{$2} = $fields{$1};
	}
	return %fields;
}

# Scripts for bpftrace use tracepoints, and fields of them, that there are.
sub check_bpftrace
{
	my %fields = fields_of_events();

	for my $f (glob("tools/bpftrace/*.bt")) {
		my $t = text($f);

		while ($t =~ /^(\w+):(\S+)\n(.*?)^\}/msg) {
			my ($kind, $probe, $body, $where) = ($1, $2, $3, at($f, $-[0]));
			my $known = $fields{$probe =~ s/^xen_blkback://r};

			if ($kind ne "tracepoint" || !$known) {
				complain("$where: there is no $kind:$probe");
				next;
			}
			complain("$where: $probe has no $_")
				for grep { !$$known{$_} } $body =~ /\bargs->(\w+)/g;
		}
	}
}

# ---- xenstore ---------------------------------------------------------------

# Keys that xenstore.rst has an entry for => [where, what it says]
sub documented_keys
{
	my $t = text($XENSTORE);
	my $literal = qr/``[^`]+``/;
	my %keys;

	# The entries are between these two headings.
	$t =~ s/^(.*?\nWritten by the toolstack)(.*)(\nNot used\n===.*)$/blank($1) . $2 . blank($3)/se
		or die "$XENSTORE: has other sections\n";
	while ($t =~ /^(?:($literal(?:(?:, | to )$literal)*)\n(?=  )|($literal)  +\S)((?:.*\n|\n)(?:  .*\n|\n)*)/mg) {
		my ($terms, $says, $where) = ($1 // $2, $3, at($XENSTORE, $-[0]));

		$keys{$_ =~ s/^[BF]E\///r} = [$where, $says] for $terms =~ /``([^`]+)``/g;
	}
	return %keys;
}

sub check_keys
{
	my %strings = strings(@_);
	my %text = documented_keys();
	my %code;

	for my $s (sort keys %strings) {
		my $key = $s =~ s/^%s\/(?=[a-z-]+%u$)//r;

		next unless $key =~ m{^[a-z][a-z0-9_-]*(?:%u(?=/))?(?:/[a-z-]+)?(?:%[us])?$} || $key eq "error/%s";
		if ($NO_KEY{$key}) {
			$NO_KEY{$key} = 2;
			next;
		}
		# The last ring-ref stands for all that are numbered.
		$key = $key eq "ring-ref%u" ? "ring-ref15" : $key =~ s/%u/<n>/r;
		$code{$key} = $strings{$s};
		complain("$strings{$s}: key $key has no entry in $XENSTORE") unless $text{$key};
	}
	complain("tools/check-texts.pl: \"$_\" is not in the code any more; drop it from NO_KEY")
		for grep { $NO_KEY{$_} != 2 } sort keys %NO_KEY;
	for my $key (grep { !$code{$_} } sort keys %text) {
		complain("$text{$key}[0]: key $key is not in the code, nor said to be read by xenbus")
			unless $text{$key}[1] =~ /\bby\s+xenbus\b/;
	}
}

# Keys that other texts name by their directory
sub check_keys_named
{
	for my $f (grep { $_ ne $XENSTORE } glob("*.md Documentation/*.rst")) {
		my $t = text($f);

		while ($t =~ m{\b[BF]E/([a-z][a-z0-9/-]*)}g) {
			my ($key, $where) = ($1, at($f, $-[0]));

			complain("$where: key $key is not in $XENSTORE")
				unless text($XENSTORE) =~ m{``(?:[BF]E/)?\Q$key\E(?:/|``)}
					# A drawing has no room for it in one line.
					|| $key =~ /-$/;
		}
	}
}

# The inline literals of xenstore.rst that are messages: text => where
sub documented_messages
{
	my %found;

	my $t = text($XENSTORE);

	while ($t =~ /``([^`]+)``/g) {
		my ($message, $where) = ($1, at($XENSTORE, $-[1]));

		$message =~ s/\s+/ /g;
		$found{$message} //= $where if $message =~ s/<[^>]*>/X/gr =~ / /;
	}
	return %found;
}

# is_message TEXT FORMAT STRINGS: may the format have made that text? A %s may
# stand for a place or for any string of the code, a number for digits, and
# anything for <what it is>.
sub is_message
{
	my ($message, $format, $strings) = @_;
	my @kinds = $format =~ /($CONVERSION)/g;
	my $regex = join("(.*?)", map { quotemeta } split(/$CONVERSION/, $format, -1));
	my @parts = $message =~ /^$regex$/;

	return 0 unless @parts;
	return 1 unless @kinds;
	for my $i (0 .. $#kinds) {
		my $part = $parts[$i];

		next if $part =~ /^<[^<>]*>$/;
		return 0 unless $kinds[$i] =~ /s$/ ?
			$part =~ /^[BF]E$/ || exists $$strings{$part} : $part =~ /^[0-9a-f]+$/;
	}
	return 1;
}

sub check_messages
{
	my @files = @_;
	my %strings = strings(@files);
	my %text = documented_messages();
	my (@formats, %used, %error);

	for my $f (@files) {
		my @here = grep { /[a-z]{2}/ } keys %{{ strings($f) }};

		# One that begins with a colon goes on from another one.
		push(@formats, @here, map { my $more = $_; map { "$_$more" } @here } grep { /^: / } @here);
		my $t = code($f);

		while ($t =~ /\b(?:xenvbd_error|xenbus_dev_fatal)\([^;"]*?($STRING)/g) {
			my ($format, $where) = (unquote($1), at($f, $-[1]));

			$error{$format} //= $where if $format =~ /[a-z]{2}/;
		}
	}
	for my $message (sort keys %text) {
		my @made_by = grep { is_message($message, $_, \%strings) } @formats;

		$used{$_} = 1 for @made_by;
		complain("$text{$message}: no format in the code makes \"$message\"") unless @made_by;
	}
	complain("$error{$_}: the error \"$_\" is not in $XENSTORE")
		for grep { !$used{$_} } sort keys %error;
}

# Each error is compared with what a test expects, in these files
sub check_errors_tested
{
	my @files = @_;
	my $tests = join("\n", map { text($_) =~ s/"\s*\n\s*"//gr }
		glob("tests/unit/*.c tests/frontend/scenarios/*.fe tests/lab/*/*.sh"));

	for my $f (@files) {
		my $t = code($f);

		while ($t =~ /\bxenvbd_error\([^;"]*?($STRING)/g) {
			my ($format, $where) = (unquote($1), at($f, $-[1]));
			# A test may name the place by a word of its own, and escapes what is quoted.
			my @words = map { s/^\/[-\w]+//r =~ s/"/\\\\?"/gr }
				split(/$CONVERSION/, $format =~ s/([.()])/\\$1/gr);

			complain("$where: no test expects the error \"$format\"")
				unless $tests =~ join("[^\n]{0,80}?", @words);
		}
	}
}

sub check_stalls
{
	for my $f (@_) {
		my $code = code($f);

		while ($code =~ /\bxenvbd_stall_enter\(([^;]*)\);/g) {
			my ($arguments, $where) = ($1, at($f, $-[1]));

			for my $s (map { unquote($_) } $arguments =~ /($STRING)/g) {
				complain("$where: the stall \"$s\" is not in $XENSTORE")
					unless text($XENSTORE) =~ s/\s+/ /gr =~ /``\Q$s\E``/;
			}
		}
	}
}

# ---- the catalogue of messages ----------------------------------------------

# What is called to write a message => its level, as $MESSAGES has it
my %LEVEL = (
	(map { ($_ => "error") } "dev_err", "pr_err", "xenvbd_error", "publish_error",
		"xenbus_dev_error", "xenbus_dev_fatal"),
	(map { ("${_}_warn" => "warning", "${_}_notice" => "notice", "${_}_info" => "info",
		"${_}_debug" => "debug", "${_}_dbg" => "debug") } "dev", "pr"),
);

# messages FILE...: every format of a message => [level, where]. What a stall is called
# is a format, too.
sub messages
{
	my $writers = join("|", keys %LEVEL);
	my %found;

	for my $f (@_) {
		my $code = code($f);

		while ($code =~ /\b(?:xenvbd_stall_(?:enter|rest)|($writers)(?:_ratelimited|_once)?)$ARGUMENTS/g) {
			my ($writer, $arguments, $start) = ($1, $2, $-[2]);

			while ($arguments =~ /($STRING)/g) {
				my ($where, $string) = (at($f, $start + $-[1]), unquote($1));

				$string =~ s/\n$//;
				$found{$writer ? $string : "$string, for %u s"} //=
					[$LEVEL{$writer // "dev_warn"}, $where];
				# What follows is not a format, but what one of its conversions stands for.
				last if $writer && $writer ne "publish_error";
			}
		}
	}
	# What a stall and a slow disk are told with
	my ($requests) = grep { /requests to disk/ }
		map { unquote($_) } code("control/stall.c") =~ /scnprintf\([^;"]*($STRING)/g;

	$found{"$_$requests"} = ["warning", "control/stall.c"] for "%s, for %u s", "slow";
	return map { ($_ => $found{$_}) } grep { s/$CONVERSION//gr =~ /[a-z]{2}/ } keys %found;
}

# catalogue: the lines of $MESSAGES => [level, where, the entry]
sub catalogue
{
	my $t = text($MESSAGES);
	my %found;

	# What stands before is how to look, and samples.
	my $start = index($t, ".. contents::");

	while ($t =~ /\n::\n\n((?:  \S.*\n)+)\n((?::\w+: .*\n(?: +.*\n)*)*)/g) {
		my ($lines, $fields, $at) = ($1, $2, $-[1]);
		my ($level) = $fields =~ /^:Level: (\w+)/;

		next if $at < $start;
		complain(at($MESSAGES, $at) . ": no :Level:, :Means: and :Do: behind these lines")
			unless $level && $fields =~ /^:Means: /m && $fields =~ /^:Do: /m;
		while ($lines =~ /^  (.*)$/mg) {
			my ($line, $where) = ($1, at($MESSAGES, $at + $-[1]));

			complain("$where: stands there twice") if $found{$line};
			$found{$line} = [$level // "", $where];
		}
	}
	complain("$MESSAGES: no messages") unless %found;
	return %found;
}

# Each format has a line in the catalogue, with the right level, and each line a
# format. What a conversion stands for is <words in brackets>, or a string of the code.
sub check_catalogue
{
	my @files = @_;
	my %code = messages(@files);
	my %lines = catalogue();
	my $words = join("|", "<[^<>]*>", map { quotemeta } grep { !/%/ && / |ing$/ } keys %{{ strings(@files) }});
	my %used;

	for my $format (sort keys %code) {
		my ($level, $where) = @{ $code{$format} };
		my $regex = join("(?:$words)", map { quotemeta } split(/$CONVERSION/, $format, -1));
		my @fits = grep { /^$regex$/ } keys %lines;

		$used{$_} = 1 for @fits;
		complain("$where: the message \"$format\" is not in $MESSAGES") unless @fits;
		complain("$lines{$_}[1]: the level of this is $level, see $where")
			for grep { $lines{$_}[0] ne $level } @fits;
	}
	complain("$lines{$_}[1]: no message of the code is like \"$_\"")
		for grep { !$used{$_} } sort keys %lines;
	my %reasons = map { $_ => 1 } code("core/validate.c") =~ /\[XENVBD_REASON_\w+\] = "([^"]+)"/g;

	for my $reason (grep { $_ ne "no error" } sort keys %reasons) {
		complain("$MESSAGES: the reason \"$reason\" is not there")
			unless text($MESSAGES) =~ s/\s+/ /gr =~ /``\Q$reason\E``/;
	}
}

# ---- the state table, debugfs, the speed ------------------------------------

sub check_states
{
	my $f = "core/state.c";
	my ($rows) = code($f) =~ /\btable\[\] = \{(.*?)\n\};/s or die "$f: no table\n";
	my @text = table($STATES, ".. table-of-states");
	my $start = index(code($f), $rows);
	my $n = 0;

	while ($rows =~ /\{([^{}]*)\}/g) {
		my $where = at($f, $start + $-[1]);
		my @cells = map { s/^\s+|\s+$//gr } split(/,/, $1);

		s/ST\((\w+)\)/$1/g, s/^0$/none/, s/XENVBD_ACT_// for @cells;
		my $row = $text[$n++];
		my ($at, @want) = $row ? @$row : ($text[-1][0], "no more rows");

		complain("$at: the state table has \"@want\" where $where has \"@cells\"")
			if "@cells" ne "@want";
	}
	complain("$$_[0]: a row that $f does not have") for @text[$n .. $#text];

	for (["fact", qr/^#define XENVBD_FACT_(\w+)/m, "The facts:"],
	     ["action", qr/^\tXENVBD_ACT_(\w+),/m, "The actions:"]) {
		my ($kind, $regex, $after) = @$_;
		my %code = find("core/state.h", $regex);

		same($kind, \%code, { map { $$_[1] => $$_[0] } table($STATES, $after) }, $STATES);
	}
}

# The sample of a vbd's file against the formats that make it
sub check_debugfs
{
	my $f = "observe/debugfs.c";
	my %formats;
	my ($sample) = text($SPEED) =~ /^((?:  disk \d+:\d+\n)(?:  .*\n)+)/m;

	return complain("$SPEED: no sample of debugfs") unless $sample;
	my $t = code($f);

	while ($t =~ /\b(?:debugfs_create_\w+\(|snprintf\(name, sizeof\(name\),)\s*($STRING)/g) {
		my ($string, $where) = ($1, at($f, $-[1]));
		my $name = unquote($string) =~ s/$CONVERSION/X/gr;

		complain("$where: debugfs has $name, and $SPEED does not say so")
			unless text($SPEED) =~ s/<device>/X/gr =~ m{[`/]\Q$name\E[`/]} ||
				$name =~ /^X(?:\.X)?$/;
	}
	while ($t =~ /\bseq_printf\(m,\s*($STRING)/g) {
		my ($string, $where) = ($1, at($f, $-[1]));

		$formats{unquote($string) =~ s/\n$//r} = $where;
	}
	for my $line ($sample =~ /^  (.*)$/mg) {
		my @fits = grep {
			my $regex = join(".*", map { quotemeta } split(/$CONVERSION/, $_, -1));

			$line =~ /^$regex$/
		} keys %formats;

		complain(at($SPEED, index(text($SPEED), $line)) . ": $f prints no line like \"$line\"")
			unless @fits;
		delete $formats{$_} for map { $_ } @fits == 1 ? @fits : ();
	}
	complain("$formats{$_}: \"$_\" is not in the sample of $SPEED") for sort keys %formats;
}

# The sums of $REFERENCE, as its figures are printed
sub reference
{
	my $summary = decode_json(text($REFERENCE))->{summary};
	my @cells = grep { exists $$_{ratio} } @{ $$summary{cells} };
	my @ratios = sort { $a <=> $b } map { $$_{ratio} } @cells;
	my $log = 0;

	$log += log($_) for @ratios;
	return {
		cells => scalar(@cells),
		figures => [map { sprintf("%.2f", $_) } $ratios[0], exp($log / @ratios), $ratios[-1]],
		slower => scalar(grep { $$_{verdict} =~ /SLOWER/ } @cells),
		timed => scalar(grep { $$_{target} } @cells),
		missed => scalar(grep { $$_{target} && $$_{verdict} =~ /MISS/ } @cells),
		worst => (sort { $$a{ratio} <=> $$b{ratio} } @cells)[0]{cell},
	};
}

# says FILE REGEX WORD...: the part of the text that the first group matches has them
sub says
{
	my ($f, $regex, @words) = @_;
	my ($part) = text($f) =~ $regex or return complain("$f: nothing looks like $regex");

	$part =~ s/\s+/ /g;
	complain("$f: does not say \"$_\" where it should, as $REFERENCE has it")
		for grep { $part !~ /(?<![\w.])\Q$_\E(?![\w]|\.\d)/ } @words;
}

# The texts say what the reference has, the losses no less than the mean
sub check_speed
{
	my $have = reference();
	my @figures = @{ $$have{figures} };
	my $slower = "$$have{slower} of $$have{cells}";
	my @losses = ("$slower cells are slower than stock",
		"$$have{missed} of $$have{timed} cells on disks that take time miss", $$have{worst});

	says($README, qr/^(.*?)\n## /s, @figures, $slower);
	says($README, qr/^(## Speed\n.*?)\n## /ms, @figures, $$have{cells}, @losses);
	says($SPEED, qr/^(.*?)\n\.\. contents::/s, @figures, $$have{cells});
	says($SPEED, qr/^\.\. The sum of \S+\n(.*?)^\.\. End of the sum/ms,
		"all $$have{cells} @figures", @losses);
	says($COMPARISON, qr/^(IOPS, .*?)\nMemory/ms, @figures, $$have{cells});
}

# The rows of the two drivers' control planes in $SPEED: what => [stock, ours]
sub control_plane
{
	my ($rows) = text($SPEED) =~ /^What +stock +ours\n=+ =+ =+\n(.*?)^=/ms or return;

	return map { /^(\S.*?)  +(\S.*?)(?:  +|\*\* +)(\S.*)$/ ? ($1 => [map { tr/*//dr } $2, $3]) : () }
		split(/\n/, $rows);
}

# README's bars => the rows that they show
my %BARS = (
	"answers" => "Another, alone: attach, detach",
	"hangs, and was removed by force" => "\x{2026} a directory was deleted",
	"hangs, queue full, is detached" => "\x{2026} a queue is full, its vbd is closing",
	"hangs in a discard, is detached" => "\x{2026} inside a discard, its vbd is closing",
	"hangs while it is opened" => "\x{2026} inside an open",
);

# bar FIGURE: as README shows the first figure of a cell. A mark is half a second.
sub bar
{
	my ($cell) = @_;

	return "> $1 s " . "#" x 11 if $cell =~ /^> (\d+) s/;
	my ($ms) = $cell =~ /^(\d+) ms/ or return "no figure";
	my $marks = int($ms / 500 + 0.5) || 1;

	return sprintf("%.2f s ", int($ms / 10 + 0.5) / 100) . "#" x $marks;
}

sub check_bars
{
	my %rows = control_plane();
	my ($bars) = text($README) =~ /^    while one disk \.\.\.\n((?:      .*\n)+)/m
		or return complain("$README: no bars");
	my %left = %BARS;

	for my $line (split(/\n/, $bars)) {
		my ($what, @shown) = $line =~ /^ +(\S.*?)  +(\S.*?#)  +(\S.*)$/;
		my $row = delete $left{$what // ""};
		my $cells = $rows{encode_utf8($row // "")};

		next if $cells && "@shown" eq join(" ", map { bar($_) } @$cells);
		complain("$README: the bar \"" . ($what // $line) . "\" is not what $SPEED has");
	}
	complain("$README: no bar \"$_\"") for sort keys %left;
}

# ---- what NEWS promises -----------------------------------------------------

# promises: kind => { name => where } of the rows of NEWS
sub promises
{
	my ($rows) = text($NEWS) =~ /^  What +Since +Is\n  -+  -+  -+\n(.*?)\n\n/ms
		or complain("$NEWS: no table of what will not change");
	my $start = index(text($NEWS), $rows //= "");
	my %found;

	while ($rows =~ /^  (xenstore|sysfs|uevents|parameters): (.*?)(?:  .*)?\n((?:    .*(?:\n|$))*)/mg) {
		my ($kind, $names, $where) = ($1, "$2 $3", at($NEWS, $start + $-[0]));

		$names =~ s/\s+/ /g;
		for my $name (split(/, /, $names =~ s/: .*| $//r)) {
			next if $name eq "their values" || $name =~ m{^error/};
			for ($name eq "the keys of blkif.h" ? keys %BLKIF_KEY : $name) {
				complain("$where: $_ stands there twice") if $found{$kind}{$_};
				$found{$kind}{$_} = $where;
			}
		}
	}
	return %found;
}

# Whoever adds a key, a file, an event or a parameter decides what is promised of it
sub check_news
{
	my %promised = promises();
	my %keys = documented_keys();
	my %files = abi($BACKEND);
	my %module = abi("/sys/module/xen_blkback/");

	delete $files{uevent};
	$files{"/sys/module/xen_blkback/$_"} = $module{$_} for grep { !m{^parameters/} } keys %module;
	my %have = (xenstore => \%keys, sysfs => \%files, uevents => { documented_events() },
		parameters => { abi($MODULE) });

	for my $kind (sort keys %have) {
		my ($names, $rows) = ($have{$kind}, $promised{$kind} // {});
		# A name that ends in * stands for all others that begin so.
		my %begin = map { /^(.*)\*$/ ? ($_ => $1) : () } keys %$rows;

		for my $name (sort keys %$names) {
			complain("$NEWS: no row about $name ($kind)")
				unless $$rows{$name} || grep { index($name, $_) == 0 } values %begin;
		}
		for my $name (grep { !$$names{$_} && !$begin{$_} } sort keys %$rows) {
			complain("$$rows{$name}: there is no $name ($kind)");
		}
	}
}

# The table of the advisories is what their data make
sub check_advisories
{
	my $made = qx(./tools/advisories.pl 2>&1);
	my ($shown) = text($SECURITY) =~ /^\.\. The table of advisories\.tsv\n\n(.*?)^\.\. End of the table$/ms;

	return complain($made) if $?;
	complain("$SECURITY: is not what tools/advisories.pl -w writes") unless ($shown // "") eq $made;
}

# ---- names ------------------------------------------------------------------

# All files, by their last names
sub last_names
{
	return map { (s{^.*/}{}r => 1) } grep { -f }
		map { glob("$_/{,.}*") } ".", grep { -d } glob("{*,*/*,*/*/*,*/*/*/*}");
}

# check_files_named FILE TEXT NAMES: from the root, or as seen from the text or, if that is
# a page of the manual, from Documentation/; in Markdown it may be the last name alone
sub check_files_named
{
	my ($f, $t, $names) = @_;
	my $dir = $f =~ s{[^/]*$}{}r;
	my $above = $dir =~ s{man/$}{}r;

	while ($t =~ m{(?<![\w./<>*\$~-])((?:\.\./)*(?:[\w.-]+/)*[\w-]+\.(?:c|h|rst|pl|sh|py|md|fe|t|json|svg|txt))\b}g) {
		my ($name, $where) = ($1, at($f, $-[1]));

		next if $FOREIGN_FILE{$name} || $name =~ m{\b[A-Z]+\.|^my-|^(?:linux|xen)/};
		complain("$where: no file is called $name")
			unless -e $name || -e "$dir$name" || -e "$above$name" || ($f =~ /\.md$/ && $$names{$name});
	}
}

# check_functions_named FILE TEXT CODE STRICT: if not strict, only the driver's own
sub check_functions_named
{
	my ($f, $t, $code, $strict) = @_;

	while ($t =~ /\b(\w+)\(\)/g) {
		my ($name, $where) = ($1, at($f, $-[1]));

		next if $FOREIGN_FUNCTION{$name} || ($name !~ /^xenvbd_/ && !$strict);
		complain("$where: no function is called $name()") unless $$code =~ /\b$name\s*\(/;
	}
}

sub check_structs_named
{
	my ($f, $t, $code) = @_;

	while ($t =~ /\b(struct|enum)\s+(xenvbd\w*)/g) {
		my ($kind, $name, $where) = ($1, $2, at($f, $-[1]));

		complain("$where: there is no $kind $name") unless $$code =~ /\b$kind $name \{/;
	}
}

# ``ring->pages.pool`` and ``wake.kicked``: the code has the last two so, too
sub check_members_named
{
	my ($f, $t, $code) = @_;

	while ($t =~ /``(?:\w+(?:->|\.))*(\w+)(?:->|\.)(\w+)``/g) {
		my ($struct, $member, $where) = ($1, $2, at($f, $-[1]));

		next if $member =~ /^(?:c|h|rst|pl|sh)$/;
		complain("$where: nothing is called $struct->$member")
			unless $$code =~ /\b$struct(?:->|\.)$member\b/;
	}
}

# A forge's name of a heading
sub anchor { return lc($_[0]) =~ s/[^\w\s-]//gr =~ s/\s/-/gr }

# Links of Markdown lead to a file and a heading that are there.
sub check_links
{
	for my $f (glob("*.md */README.md tests/*/README.md")) {
		my $t = text($f);
		my $dir = $f =~ s{[^/]*$}{}r;

		while ($t =~ /\]\((?!\w+:)([^()#]*)(?:#([^()]+))?\)/g) {
			my ($name, $heading, $where) = ($1, $2, at($f, $-[0]));
			my $target = $name eq "" ? $f : "$dir$name";

			if (!-e $target) {
				complain("$where: the link leads to no file: $name");
			} elsif (defined $heading && !grep { anchor($_) eq $heading } text($target) =~ /^#+ (.*)$/mg) {
				complain("$where: $target has no heading #$heading");
			}
		}
	}
}

# Each file of the driver has its place in one of the patches
sub check_series
{
	my @files = @_;
	my @patterns = map { split / / } text("tools/series/list") =~ /^xen-blkback: .*\n(.*)\n/mg;
	my %listed = map { $_ => 1 } map { glob($_) } @patterns;

	for my $f (grep { $_ ne "compat.h" } @files) {
		complain("$f: is in no patch of tools/series/list") unless $listed{$f};
	}
}

sub check_names
{
	my @sources = @_;
	my $code = join("", map { code($_) } @sources);
	my %names = last_names();
	my @texts = ("Kconfig", "NEWS", glob("*.md Documentation/*.rst Documentation/man/*.rst " .
		"Documentation/ABI/*/* */README.md tests/*/README.md"));

	for my $f (@texts) {
		my $about_code = $f eq $DESIGN || $f eq $STATES || $f eq $LOCKING;

		check_files_named($f, text($f), \%names);
		check_functions_named($f, text($f), \$code, $about_code);
		check_structs_named($f, text($f), \$code);
		check_members_named($f, text($f), \$code) if $about_code;
	}
	# Those that go into the kernel with the driver, see tools/series.sh
	my %series = map { $_ => 1 } text("tools/series/index.rst") =~ /^   ([a-z]+)$/mg;

	for my $f (@sources) {
		my $comments = comments($f);

		while ($comments =~ m{Documentation/([a-z]+)\.rst}g) {
			complain(at($f, $-[1]) . ": $1.rst is not in the kernel, see tools/series/index.rst")
				unless $series{$1};
		}
		check_files_named($f, $comments, \%names);
		check_functions_named($f, comments($f), \$code, 1);
		check_structs_named($f, comments($f), \$code);
	}
	my $t = text($GUIDE_OF_TREE);

	while ($t =~ m{^    ((?:[\w.]+/)+) }mg) {
		complain(at($GUIDE_OF_TREE, $-[1]) . ": no folder is called $1")
			unless -d $1 || $1 eq "build/";
	}
}

# ---- main -------------------------------------------------------------------

chdir($ARGV[0] // dirname($0) . "/..") or die "$!\n";
my @sources = grep { !/\.mod\.c$/ } glob("*.[ch] {core,data,control,observe}/*.[ch]");
my @plane = grep { m{^control/.*\.c$|^xenbus\.c$} } @sources;

check_parameters(grep { /\.c$/ } @sources);
check_sysfs();
check_stat();
check_version();
check_tracepoints();
check_bpftrace();
check_keys(@plane);
check_keys_named();
check_messages(@plane);
check_errors_tested(@plane);
check_stalls(@plane);
check_catalogue(grep { /\.c$/ } @sources);
check_uevents(@plane);
check_states();
check_debugfs();
check_speed();
check_bars();
check_news();
check_advisories();
check_links();
check_series(@sources);
check_names(@sources);
exit $bad;
