#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Puts the driver into a kernel tree, in place of the one that is there, and
# builds its directory built in and as a module.
#   intree.sh [--export [DIR]] TREE
#     --export    does not build; DIR is where the driver goes in the tree
#   O=dir         build there

set -o pipefail
SRC=$(cd "$(dirname "$0")/.." && pwd)
O=${O:-$SRC/build/intree}
IN=drivers/block/xen-blkback

die()
{
	printf 'intree: %s\n' "$*" >&2
	exit 1
}

# check_tree: is it one, of a kernel that this driver can be taken into?
check_tree()
{
	[ -n "$TREE" ] || die "which kernel tree? make intree KSRC=directory"
	[ -d "$TREE" ] || die "no directory $TREE"
	TREE=$(cd "$TREE" && pwd)
	for f in Makefile Kconfig drivers/block/Kconfig drivers/block/Makefile \
		include/xen/interface/io/blkif.h; do
		[ -e "$TREE/$f" ] || die "$TREE is not a kernel's source tree: it has no $f"
	done
	[ -w "$TREE/drivers/block" ] || die "$TREE/drivers/block cannot be written to"
	VERSION=$(awk '/^(VERSION|PATCHLEVEL|SUBLEVEL) =/ { v = v s $3; s = "." } END { print v }' \
		"$TREE/Makefile")
	[[ $VERSION =~ ^[0-9]+\.[0-9]+ ]] || die "$TREE does not know its version"
	compat_rest >/dev/null ||
		die "Linux $VERSION needs functions of compat.h: build the driver out of tree"
}

# compat_rest: the names that compat.h gives to what this kernel calls otherwise,
# as cpp's #define lines; fails if it has more than names
compat_rest()
{
	local v p s

	IFS=.- read -r v p s _ <<<"$VERSION"
	sed '/^#include/d' "$SRC/compat.h" |
		cpp -undef -P -dD -DKERNEL_VERSION\(a,b,c\)="((a << 16) + (b << 8) + (c))" \
			-DLINUX_VERSION_CODE=$(((v << 16) + (p << 8) + ${s:-0})) |
		perl -ne 'next if /^#define (_|LINUX_VERSION_CODE|KERNEL_VERSION|XENVBD_COMPAT_H)/;
			/^#define/ ? print : /\S/ ? exit 1 : next'
}

# without_compat: a source file on stdin, as it has to be where there is no
# compat.h: without its #include, and with its names written out
without_compat()
{
	REST=$(compat_rest) perl -e '
use strict;
use warnings;

my $text = join "", <STDIN>;
my $parens = qr/(\((?:[^()]++|(?1))*\))/;

# args STRING: what stands between its outer commas
sub args
{
	my ($depth, @args) = (0, "");

	for my $c (split //, $_[0]) {
		$depth += ($c eq "(") - ($c eq ")");
		if ($c eq "," && !$depth) {
			push @args, "";
		} else {
			$args[-1] .= $c;
		}
	}
	return map { s/^\s+|\s+$//gr } @args;
}

$text =~ s/^#include "compat\.h"\n//mg;
for (split /\n/, $ENV{REST}) {
	my ($name, $params, $body) = /^#define (\w+)(?:\(([^)]*)\))? (.*)/ or die "$_?\n";
	if (!defined $params) {
		$text =~ s/\b$name\b/$body/g;
		next;
	}
	$text =~ s{\b$name$parens}{
		my %value;
		@value{split /,/, $params} = args(substr $1, 1, -1);
		$body =~ s/(\w+)/$value{$1} \/\/ $1/ger }gex;
}
print $text;
'
}

# put FILE: from stdin; what does not change is not built again
put()
{
	mkdir -p "$(dirname "$TREE/$1")"
	cat >"$TREE/$1.new" || die "cannot write $TREE/$1"
	if cmp -s "$TREE/$1.new" "$TREE/$1"; then
		rm "$TREE/$1.new"
	else
		mv "$TREE/$1.new" "$TREE/$1" || die "cannot write $TREE/$1"
	fi
}

# driver_files: what belongs into the tree, relative to the driver's directory
driver_files()
{
	(cd "$SRC" && tools/driver-files . && printf '%s\n' tests/kunit/*.[ch]) | grep -vx 'compat\.h'
}

# The driver that is there goes as a whole, unless it is this one
export_driver()
{
	local f

	[ ! -e "$TREE/$IN" ] || [ -e "$TREE/$IN/core/validate.c" ] || rm -r "${TREE:?}/$IN"
	mkdir -p "$TREE/$IN"
	(cd "$TREE/$IN" && find . -type f -printf '%P\n') |
		grep -vxFf <(driver_files) | while IFS= read -r f; do
		rm "${TREE:?}/$IN/$f"
	done
	driver_files | while IFS= read -r f; do
		case $f in
		*.[ch]) without_compat ;;
		*) cat ;;
		esac <"$SRC/$f" | put "$IN/$f" || exit
	done || die "cannot export the driver to $TREE"
}

# The tree's own entry gives way to ours, and the line to descend is there
export_entry()
{
	awk -v ours="source \"$IN/Kconfig\"" '
		$0 == "config XEN_BLKDEV_BACKEND" { print ours "\n"; skip = 1; next }
		/^(config|menuconfig|choice|comment|menu|endmenu|if|endif|endchoice|source)/ { skip = 0 }
		!skip' "$TREE/drivers/block/Kconfig" | put drivers/block/Kconfig
	grep -qF "source \"$IN/Kconfig\"" "$TREE/drivers/block/Kconfig" ||
		die "drivers/block/Kconfig of $TREE has no entry XEN_BLKDEV_BACKEND"
	sed "/^obj-\$(CONFIG_XEN_BLKDEV_BACKEND)/s|[^[:space:]]*/\$|$(basename "$IN")/|" \
		"$TREE/drivers/block/Makefile" | put drivers/block/Makefile
	grep -q "^obj-\$(CONFIG_XEN_BLKDEV_BACKEND).*$(basename "$IN")/" "$TREE/drivers/block/Makefile" ||
		die "drivers/block/Makefile of $TREE does not descend into $IN"
}

# build y|m TARGET PRODUCT: the directory, with the driver built in or as a module
build()
{
	local o=$O/$1

	mkdir -p "$o"
	printf 'CONFIG_%s\n' 64BIT=y SMP=y MODULES=y PCI=y ACPI=y BLOCK=y BLK_DEV=y DEBUG_FS=y \
		HYPERVISOR_GUEST=y PARAVIRT=y XEN=y XEN_PV=y XEN_DOM0=y XEN_BACKEND=y \
		XEN_BLKDEV_BACKEND="$1" KUNIT=y XEN_BLKDEV_BACKEND_KUNIT_TEST=y >"$o/wanted"
	make -s -C "$TREE" O="$o" KCONFIG_ALLCONFIG="$o/wanted" allnoconfig || return
	grep -qx "CONFIG_XEN_BLKDEV_BACKEND=$1" "$o/.config" ||
		die "the driver cannot be =$1 in $TREE"
	# Without the rest of the kernel modpost knows no symbol of it
	make -s -C "$TREE" O="$o" -j"$(nproc)" W=1 KBUILD_MODPOST_WARN=1 "$IN/$2" 2>&1 |
		sed '/^WARNING: modpost: /d; /^WARNING: vmlinux.o is missing/,/own risk/d' || return
	[ -e "$o/$IN/$3" ] || die "no $o/$IN/$3"
	echo "built =$1: $o/$IN/$3"
}

only=
if [ "${1-}" = --export ]; then
	only=1
	shift
	[ $# -lt 2 ] || { IN=$1; shift; }
fi
TREE=${1-}
check_tree
export_driver
export_entry
[ -z "$only" ] || exit 0
echo "exported to $TREE/$IN (Linux $VERSION)"
for tool in flex bison; do
	command -v "$tool" >/dev/null || die "a kernel tree is not configured without $tool"
done
build y "" built-in.a && build m xen-blkback.ko xen-blkback.ko
