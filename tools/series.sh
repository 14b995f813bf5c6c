#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Writes the series of patches that takes the driver into a kernel tree, with a cover
# letter. The tree is only read. series/list has the patches.
#   series.sh TREE     of a kernel's source, or the tar.xz of Debian's linux-source
#   O=dir              where the patches go; it must be new or empty

set -o pipefail
TOOLS=$(cd "$(dirname "$0")" && pwd)
SRC=$(cd "$TOOLS/.." && pwd)
O=${O:-$SRC/build/series}
IN=drivers/block/xen-vbd
DOC=Documentation/block/xen-vbd
# The files of the tree that the series changes, and what intree.sh wants to see
TOUCHED=(Makefile Kconfig MAINTAINERS drivers/block/{Kconfig,Makefile,xen-blkback}
	include/xen/interface/io/blkif.h Documentation/block/index.rst
	Documentation/ABI/{stable/sysfs-bus-xen-backend,testing/sysfs-driver-xen-blkback})

die()
{
	printf 'series: %s\n' "$*" >&2
	exit 1
}

# git in the scratch repository
gitw()
{
	git -C "$work/tree" "$@"
}

# take_base: what the series changes, as it is in the kernel tree
take_base()
{
	mkdir "$work/tree"
	if [ -d "$KSRC" ]; then
		tar -c -C "$KSRC" "${TOUCHED[@]}"
	else
		# The package's top directory has any name
		xz -dc "$KSRC" | tar -x -C "$work" --wildcards --no-wildcards-match-slash \
			"${TOUCHED[@]/#/*/}" &&
			tar -c -C "$work"/linux-* "${TOUCHED[@]}"
	fi | tar -x -C "$work/tree" || die "$KSRC is not a kernel's source tree"
	{ gitw init -q && gitw add -A && gitw commit -q -m base && gitw tag base; } ||
		die "git cannot commit"
}

# texts: the set for the kernel
texts()
{
	sed -n '/toctree/,$s/^   \([a-z]*\)$/\1/p' "$TOOLS/series/index.rst"
}

# make_final: the tree as it is after the last patch
make_final()
{
	local text

	cp -a "$work/tree" "$work/final"
	rm -rf "$work/final/.git"
	"$TOOLS/intree.sh" --export "$IN" "$work/final" || exit
	rm -r "$work/final/drivers/block/xen-blkback"
	cp "$SRC"/Documentation/ABI/stable/* "$work/final/Documentation/ABI/stable/"
	cp "$SRC"/Documentation/ABI/testing/* "$work/final/Documentation/ABI/testing/"
	mkdir -p "$work/final/$DOC"
	cp "$TOOLS/series/index.rst" "$work/final/$DOC/"
	for text in $(texts); do
		cp "$SRC/Documentation/$text.rst" "$work/final/$DOC/" || exit
	done
	sed -i '/^   ublk$/a\   xen-vbd/index' "$work/final/Documentation/block/index.rst"
	grep -q xen-vbd/index "$work/final/Documentation/block/index.rst" ||
		die "Documentation/block/index.rst has no line to put ours after"
	find "$work/final/$IN" -type f -exec \
		sed -i "s|Documentation/\([a-z]*\.rst\)|$DOC/\1|" {} +
	check_names
}

# check_names: what the driver's comments name is in the kernel
check_names()
{
	local name

	grep -rhoE 'Documentation/[a-zA-Z0-9_/.-]*[a-z]' "$work/final/$IN" | sort -u |
		while IFS= read -r name; do
			[ -e "$work/final/$name" ] || echo "$name"
		done >"$work/missing"
	[ ! -s "$work/missing" ] || die "a comment names what is not in the kernel:" \
		"$(<"$work/missing")"
}

# grow_makefile: the driver's, with the objects whose sources are there already
grow_makefile()
{
	(cd "$work/tree/$IN" && perl -0777 -ne '
		# A statement, with the lines that it goes on in
		while (/((?:.*\\\n)*.*\n)/g) {
			my ($text, $dir, $missing, $there) = ($1, "", 0, 0);
			$dir = $1 if $text =~ m{addprefix ([\w/]+),};
			my $less = $text =~ s{\s+(?:\\\n\s*)?(\w+)\.o\b}{
				my ($all, $c) = ($&, "$dir$1.c");
				$1 eq "xen-blkback" || -e $c ? ++$there && $all : ++$missing && "" }ger;
			print $missing ? $there ? $less : "" : $text;
		}' "$work/final/$IN/Makefile" | cat -s >Makefile)
}

# grow_maintainers: our entry, with the files that are there already
grow_maintainers()
{
	local key rest path

	while IFS=$'\t' read -r key rest; do
		[ "$key" != F: ] || [ -e "$work/tree/$rest" ] || continue
		printf '%s\n' "$key${rest:+$'\t'$rest}"
	done <"$TOOLS/series/MAINTAINERS" |
		sed "s|@COMMITTER@|$committer|" >"$work/entry"
	path=$work/tree/drivers/block/xen-blkback
	gitw show base:MAINTAINERS | ENTRY=$(<"$work/entry") OLD=$([ -e "$path" ] && echo 1) perl -0pe '
		s/^(?=XEN BLOCK SUBSYSTEM$)/$ENV{ENTRY}\n\n/m or die "MAINTAINERS has no XEN BLOCK SUBSYSTEM\n";
		s|^F:\tdrivers/block/xen-blkback/\*\n||m unless $ENV{OLD}' >"$work/tree/MAINTAINERS" || exit
}

# take_files PATTERN...: from the final tree, and away with what it does not have
take_files()
{
	local pattern f

	for pattern; do
		case $pattern in
		/*) pattern=${pattern#/} ;;
		*) pattern=$IN/$pattern ;;
		esac
		# shellcheck disable=SC2086 # a pattern
		for f in $(cd "$work/final" && printf '%s\n' $pattern); do
			if [ -e "$work/final/$f" ]; then
				mkdir -p "$(dirname "$work/tree/$f")"
				cp -rT "$work/final/$f" "$work/tree/$f"
			elif [ -e "$work/tree/$f" ]; then
				rm -r "${work:?}/tree/$f"
			else
				die "series/list: there is no $f"
			fi
		done
	done
}

# commit_one N: the patch on stdin
commit_one()
{
	local subject files

	IFS= read -r subject
	read -ra files
	[ -n "${files[*]}" ] || die "series/list: patch $1 has no files"
	take_files "${files[@]}" || exit
	grow_makefile || exit
	grow_maintainers || exit
	gitw add -A
	{ echo "$subject"; cat; } | gitw commit -q -s -F - || die "cannot commit: $subject"
}

# commit_all: the patches of the list
commit_all()
{
	local n=0 text

	while IFS= read -r -d '' text; do
		n=$((n + 1))
		commit_one $n <<<"$text" || exit
	done < <(perl -0777 -ne 's/^#.*\n+//gm; print "$_\0" for split /^---\n/m' \
		"$TOOLS/series/list")
}

# cover: the letter. A line "@FILE FROM TO", with tabs between, stands for a part of a
# text: from the first line that matches FROM to before the next that matches TO.
cover()
{
	(cd "$SRC" && perl -ne '
		if (!/^@/) { print; next }
		chomp;
		my ($file, $from, $to) = split /\t/, substr $_, 1;
		open my $in, "<", $file or die "$file: $!\n";
		my $part = join("", <$in>) =~ /^($from.*?)^(?:$to)/ms ? $1 :
			die "letter: $file has no part $from\n";
		# It is Markdown
		$part =~ s/^```\n//gm;
		$part =~ s/\*\*//g;
		$part =~ s/\[([^]]*)\]\([^)]*\)/$1/g;
		print $part' tools/series/letter)
}

# write_patches: with the letter in place of what git leaves blank
write_patches()
{
	local base

	gitw format-patch -q --cover-letter -o "$O" base.. ||
		die "cannot write to $O"
	cover >"$work/cover" || exit
	base=$(git -C "$KSRC" rev-parse HEAD 2>/dev/null) || base=
	COVER=$(<"$work/cover") BASE=${base:+base-commit: $base} perl -0pi -e '
		s/\*\*\* SUBJECT HERE \*\*\*/xen-blkback: A new Xen block backend/;
		s/\*\*\* BLURB HERE \*\*\*/$ENV{COVER}/;
		s/^-- \n/$ENV{BASE}\n-- \n/m if $ENV{BASE}' "$O"/0000-*.patch
}

KSRC=${1-}
[ -n "$KSRC" ] || die "which kernel tree? make series KSRC=directory"
[ -e "$KSRC" ] || die "no directory $KSRC"
command -v git >/dev/null || die "needs git"
KSRC=$(realpath "$KSRC")
committer=$(git var GIT_COMMITTER_IDENT 2>/dev/null | sed 's/ [0-9]* [-+][0-9]*$//') ||
	die "git does not know who you are: set user.name and user.email"
mkdir -p "$O" || exit
[ -z "$(ls -A "$O")" ] || die "$O is not empty"
O=$(cd "$O" && pwd)
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
take_base
make_final
commit_all
diff -r --exclude=.git --exclude=MAINTAINERS "$work/final" "$work/tree" >"$work/diff" ||
	die "series/list forgets files: $(<"$work/diff")"
write_patches
echo "$O: $(find "$O" -name '*.patch' ! -name '0000-*' | wc -l) patches and a cover letter"
