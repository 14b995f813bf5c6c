#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The series of patches for a kernel tree: each applies by git am, builds without a
# warning, and has nothing that checkpatch would find; and the patches for other parts
# of the kernel and for Xen apply. For prove, from any directory.

HERE=$(cd "$(dirname "$0")" && pwd)
REPO=$(cd "$HERE/../.." && pwd)
TOOLS=$REPO/tools
IN=drivers/block/xen-vbd
# shellcheck source-path=SCRIPTDIR/../lab source=common.sh
. "$HERE/../lab/common.sh"
# shellcheck source-path=SCRIPTDIR/../../tools source=checkpatch.sh
. "$TOOLS/checkpatch.sh"
# shellcheck source-path=SCRIPTDIR/.. source=tap.sh
. "$HERE/../tap.sh"

export GIT_AUTHOR_NAME=Test GIT_AUTHOR_EMAIL=test@example.org
export GIT_COMMITTER_NAME=Test GIT_COMMITTER_EMAIL=test@example.org
export GIT_CONFIG_GLOBAL=/dev/null

# kernel_tree DIR: the few files of one. The driver that goes is a stand-in.
kernel_tree()
{
	cp -a "$KERNEL_FILES" "$1" &&
		mkdir "$1/drivers/block/xen-blkback" &&
		touch "$1"/drivers/block/xen-blkback/{Makefile,old.c} &&
		git -C "$1" init -q && git -C "$1" add -A && git -C "$1" commit -q -m base
}

# series ARGUMENT...: make series
series()
{
	make -s -C "$REPO" series O="$patches" "$@"
}

# refuses WHY ARGUMENT...: make series says so
refuses()
{
	local why=$1

	shift
	like "$(series "$@" 2>&1)" "$why" "make series says: $why"
}

# kernel_make DIR ARGUMENT...: builds there; prints warnings
kernel_make()
{
	local dir=$1

	shift
	make -s -C "$(kernel_headers 6.12)" M="$dir" CC=gcc-12 KCFLAGS=-g0 \
		CONFIG_DEBUG_INFO_BTF_MODULES= "$@" 2>&1
}

# build: what is there of the driver: without its last source there is no module
build()
{
	local what=xen-blkback.o

	[ ! -e "$tree/$IN/xenbus.c" ] || what=modules
	rm -f "$tree/$IN/xen-blkback.o"
	kernel_make "$tree/$IN" W=1 CONFIG_XEN_BLKDEV_BACKEND=m "$what" >"$TAP_LOG"
	[ -e "$tree/$IN/xen-blkback.o" ] && [ ! -s "$TAP_LOG" ]
}

# check PATCH: what checkpatch finds. MAINTAINERS has the directory since the first.
check()
{
	local f ignore=FILE_PATH_CHANGES

	while IFS= read -r f; do
		ignore+=,$(checkpatch_ignore "${f#"$IN/"}")
	done < <(sed -n 's|^+++ b/||p' "$1")
	(cd "$work" && checkpatch "$ignore" "$1")
}

# unmaintained: files of ours that no line of MAINTAINERS is about
unmaintained()
{
	git -C "$tree" diff --name-only --diff-filter=A base HEAD |
		grep -vFf <(sed -n '/^XEN BLOCK BACKEND$/,/^$/s/^F:\t//p' "$tree/MAINTAINERS")
}

# each FILE: one patch of the series
each()
{
	local name

	name=$(basename "$1" .patch)
	ok "$name applies" git -C "$tree" am -q "$1"
	if grep -q "^+++ b/$IN/" "$1"; then
		build
		report $? "$name builds, without a warning" || diag_file "$TAP_LOG"
	fi
	is "$(check "$1")" "" "$name: checkpatch finds nothing"
}

mkdir -p "$BUILD"
work=$(mktemp -d "$BUILD/series.XXXXXX") || exit
trap 'rm -rf "$work"' EXIT
patches=$work/patches
tree=$work/tree
tap_log "$BUILD/series.log"
kernel_files || bail "no files of a kernel"
kernel_tree "$tree" || bail "no kernel tree"
git -C "$tree" tag base

refuses "which kernel tree"
refuses "no directory" KSRC="$work/none"
refuses "is not a kernel's source tree" KSRC="$work"
ok "make series" series KSRC="$tree"
is "$(git -C "$tree" status --short)" "" "the kernel tree is as it was"
refuses "is not empty" KSRC="$tree"

for patch in "$patches"/0*.patch; do
	case $patch in
	*/0000-*) ;;
	*) each "$patch" ;;
	esac
done
ok "with the last one there is a module" test -s "$tree/$IN/xen-blkback.ko"
is "$(cd "$tree" && find drivers/block/xen-blkback)" "" "and the old driver is gone"
like "$(<"$tree/drivers/block/Makefile")" 'xen-vbd/' "the tree descends into ours"
is "$(unmaintained)" "" "MAINTAINERS has all files"
is "$(grep -c xen-blkback/ "$tree/MAINTAINERS")" 0 "and nothing that is gone"

# Patches for other parts of the kernel. Who sends them signs them.
ok "the patches for the kernel apply" git -C "$tree" am -q -s "$TOOLS"/upstream/linux/*.patch
for patch in "$TOOLS"/upstream/linux/*.patch; do
	git -C "$tree" format-patch -q -1 --stdout \
		":/$(sed -n 's/^Subject: \[PATCH\] //p' "$patch")" >"$work/one"
	is "$(checkpatch NO_AUTHOR_SIGN_OFF "$work/one")" "" "$(basename "$patch"): checkpatch finds nothing"
done
kernel_make "$tree/drivers/xen/xenbus" NOSTDINC_FLAGS="-nostdinc -I$tree/include" \
	xenbus_{client,xs,probe,probe_backend}.o >"$TAP_LOG"
is "$(<"$TAP_LOG")" "" "those for xenbus build"

# Patches for Xen: of its documents there is no package
mkdir -p "$work/xen/xen/include/public/io" && git -C "$work/xen" init -q &&
	cp /usr/include/xen/io/blkif.h "$work/xen/xen/include/public/io/"
ok "the patch for Xen's blkif.h applies" \
	git -C "$work/xen" apply --check "$TOOLS"/upstream/xen/0001-*
is "$(sed -n 's/^+ \* \([a-z0-9-]*\)$/\1/p' "$TOOLS"/upstream/xen/0001-* | while IFS= read -r key; do
	grep -q "^.*\`\`$key\`\`.*" "$REPO/Documentation/xenstore.rst" || echo "$key"
done)" "" "all keys of it are those of xenstore.rst"

letter=$(<"$patches/0000-cover-letter.patch")
for word in "What it is"$'\n' "What it is not" "The order" "Requirements:" "Speed:" \
	"base-commit: $(git -C "$tree" rev-parse base)"; do
	like "$letter" $'\n'"$word" "the cover letter has: ${word%%[:$'\n']*}"
done
is "$(grep -F '***' <<<"$letter")" "" "nothing of it is left blank"
done_testing
