# SPDX-License-Identifier: GPL-2.0-only
#
# perl mark.pl FILE
#
# Makes a program for x86-64 without a compiler. For each byte that it reads it executes
# the instruction that count.c waits for, and writes the byte.

use strict;
use warnings;

my $code = join '', map { pack 'H*', s/[ ;].*//r =~ s/_//gr } split /\n/, <<'CODE';
488d7424f8 lea -8(%rsp),%rsi
ba01000000 mov $1,%edx
31ff next: xor %edi,%edi
31c0 xor %eax,%eax; read(0, buffer, 1)
0f05 syscall
85c0 test %eax,%eax
7e16 jle exit
0f1f84004d41524b nopl "MARK"(%rax,%rax,1)
bf01000000 mov $1,%edi
b801000000 mov $1,%eax; write(1, buffer, 1)
0f05 syscall
ebe0 jmp next
31ff exit: xor %edi,%edi
b83c000000 mov $60,%eax; exit(0)
0f05 syscall
CODE

my ($address, $header) = (0x400000, 64 + 56);
my $size = $header + length $code;
# The ELF header, and one segment that has all of the file
my $file = pack('a4 C4 x8 v2 V Q<3 V v6', "\x7fELF", 2, 1, 1, 0, 2, 62, 1,
		$address + $header, 64, 0, 0, 64, 56, 1, 0, 0, 0) .
	pack('V2 Q<6', 1, 5, 0, $address, $address, $size, $size, 0x1000) . $code;
open my $out, '>:raw', $ARGV[0] or die "$ARGV[0]: $!\n";
print $out $file or die "$ARGV[0]: $!\n";
close $out or die "$ARGV[0]: $!\n";
chmod 0755, $ARGV[0] or die "$ARGV[0]: $!\n";
