#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only
#
# Documentation/advisories.tsv as the table of Documentation/security.rst, on the
# standard output; with -w in the text itself. Complains of functions and tests
# that are not there, and of a row that says neither what tests it nor what none does.
#   advisories.pl [-w]

use strict;
use warnings;
use File::Basename qw(dirname);
use Text::Wrap qw(wrap);

my ($DATA, $TEXT) = ("Documentation/advisories.tsv", "Documentation/security.rst");
my ($BEGIN, $END) = (".. The table of advisories.tsv\n", ".. End of the table\n");
my @COLUMNS = qw(topic ids fault rule defence functions tests gap);

# Last names, and those with a directory, of the tests => where they are
my (%tests, $bad);

sub complain { print STDERR "@_\n"; $bad = 1 }

sub slurp
{
	my ($f) = @_;

	open(my $fh, "<", $f) or die "$f: $!\n";
	local $/;
	return <$fh>;
}

# rows: each by the names of its columns, with the line it is in
sub rows
{
	my @rows;
	my $n = 0;

	for my $line (split(/\n/, slurp($DATA))) {
		my (@cells, %row);

		$n++;
		next if $line =~ /^#/;
		@cells = split(/\t/, $line, -1);
		complain("$DATA:$n: " . @cells . " columns, not " . @COLUMNS) if @cells != @COLUMNS;
		@row{@COLUMNS} = map { $_ // "" } @cells[0 .. $#COLUMNS];
		push(@rows, { %row, line => "$DATA:$n" });
	}
	return @rows;
}

# field NAME TEXT: of a description
sub field
{
	my ($name, $text) = @_;

	return $text eq "" ? "" : wrap(":$name: ", "  ", $text) . "\n";
}

# entry ROW: as the text has it
sub entry
{
	my ($row) = @_;
	my $head = $$row{ids} eq "-" ? "No advisory" : $$row{ids};
	my $functions = join(", ", map { "``$_()``" } split(/ /, $$row{functions}));
	my $defence = $$row{defence} . ($functions eq "" ? "" : " In $functions.");

	return wrap("", "", "**$head**") . "\n\n" . field("Fault", "$$row{fault}.") .
		field("Rule", $$row{rule}) . field("Defence", $defence) .
		field("Tests", join(", ", map { $tests{$_} // $_ } split(/ /, $$row{tests})) || "none") .
		field("Not tested", $$row{gap}) . "\n";
}

sub table
{
	my ($text, $topic) = ("", "");

	for my $row (@_) {
		if ($$row{topic} ne $topic) {
			$topic = $$row{topic};
			$text .= "$topic\n" . "-" x length($topic) . "\n\n";
		}
		$text .= entry($row);
	}
	return $text;
}

# check ROWS: do they name what there is
sub check
{
	my $code = join("", map { slurp($_) } glob("*.[ch] {core,data,control,observe}/*.[ch]"));
	for my $row (@_) {
		for my $name (split(/ /, $$row{functions})) {
			complain("$$row{line}: no function is called $name()")
				unless $code =~ /^[A-Za-z].*\b\Q$name\E\(/m;
		}
		for my $name (split(/ /, $$row{tests})) {
			complain("$$row{line}: there is no test $name") unless $tests{$name};
		}
		complain("$$row{line}: neither a test nor what is not tested")
			if $$row{tests} eq "" && $$row{gap} eq "";
	}
}

chdir(dirname($0) . "/..") or die "$!\n";
# One more than the columns that a line may have
$Text::Wrap::columns = 81;
$Text::Wrap::huge = "overflow";
for my $f (glob("tests/{unit,kunit,proof,frontend/scenarios,lab/t,lab/long,lab/lib}/*")) {
	$tests{$_} = $f for $f =~ s{^.*/}{}r, $f =~ s{^.*/(?=.*/)}{}r;
}
my @rows = rows();
my $table = table(@rows);

check(@rows);
exit 1 if $bad;
if (!@ARGV) {
	print $table;
} else {
	my $text = slurp($TEXT);

	$text =~ s/\Q$BEGIN\E\n.*(?=\Q$END\E)/$BEGIN\n$table/s or die "$TEXT: no place for the table\n";
	open(my $fh, ">", $TEXT) or die "$TEXT: $!\n";
	print $fh $text;
	close($fh) or die "$TEXT: $!\n";
}
