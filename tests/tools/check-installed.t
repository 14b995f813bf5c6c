#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel that loads its own xen-blkback is never silent: xen-blkback-check, and those that
# run it, on machines that are directories. For prove, from any directory.

HERE=$(cd "$(dirname "$0")" && pwd)
REPO=$(cd "$HERE/../.." && pwd)
PACKAGE=$REPO/tools/package
# shellcheck source-path=SCRIPTDIR/.. source=tap.sh
. "$HERE/../tap.sh"
# shellcheck source-path=SCRIPTDIR source=trees.sh
. "$HERE/trees.sh"
TREES=$(mktemp -d) || exit
trap 'rm -rf "$TREES"' EXIT
tap_log "$TREES/tap.log"
export LC_ALL=C.UTF-8 PATH=$TREES/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin

need kmod modinfo --version
need binutils objcopy --version
need gcc gcc --version

# ko FILE [VERSION]: a module of which modinfo can read what it needs
ko()
{
	local file=$TREE/$1

	mkdir -p "${file%/*}"
	printf 'name=xen_blkback\0%s' "${2:+version=$2}" >"$TREES/modinfo"
	gcc -x c -c -o "$TREES/empty.o" - </dev/null
	objcopy --add-section .modinfo="$TREES/modinfo" "$TREES/empty.o" "$file"
}

# stock RELEASE: a kernel with its own module, and headers
stock()
{
	ko "lib/modules/$1/kernel/drivers/block/xen-blkback/xen-blkback.ko"
	mkdir -p "$TREE/lib/modules/$1/build"
	: >"$TREE/lib/modules/$1/modules.order"
	: >"$TREE/lib/modules/$1/modules.builtin"
	: >"$TREE/lib/modules/$1/modules.builtin.modinfo"
	indexed "$1"
}

# ours RELEASE [VERSION [DIRECTORY]]: the same, with that of the package
ours()
{
	stock "$1"
	ko "lib/modules/$1/${3:-updates/dkms}/xen-blkback.ko" "${2:-1.5+git2.abc}"
	indexed "$1"
}

# indexed RELEASE: modprobe knows what is there; with the package's depmod.d
indexed()
{
	mkdir -p "$TREE/etc/depmod.d"
	depmod -b "$TREE" -C "$TREE/etc/depmod.d" "$1"
}

# said [ARGUMENT...]: by the check; its status is that of the check
said()
{
	xen-blkback-check "$@" 2>&1
}

# loaded [VERSION]: there is a module, of that version
loaded()
{
	put sys/module/xen_blkback/initstate live
	rm -f "$TREE/sys/module/xen_blkback/version"
	[ $# = 0 ] || put sys/module/xen_blkback/version "$1"
}

# machine NAME: with no kernel and no module
machine()
{
	TREE=$TREES/$1
	export XEN_VBD_ROOT=$TREE
	mkdir -p "$TREE"
}

kernels()
{
	machine kernels
	stock 6.1.0-own
	ours 6.1.0-good
	ours 6.1.0-old 1.4
	stock 6.1.0-bare
	rmdir "$TREE/lib/modules/6.1.0-bare/build"
	mkdir -p "$TREE/lib/modules/6.1.0-none/kernel" "$TREE/lib/modules/6.0.0-removed"

	is "$(said 6.1.0-good; echo $?)" 0 "it says nothing of a kernel with the package's module"
	is "$(said 6.1.0-own; echo $?)" \
		"xen-blkback: WARNING: kernel 6.1.0-own loads the kernel's own module, not version 1.5+git2.abc
xen-blkback: It is not made for this kernel, or was not built: see xen-blkback-check(8).
1" "a kernel with its own module"
	like "$(said 6.1.0-bare)" "kernel 6.1.0-bare .*headers of this kernel are not installed" \
		"one without headers"
	like "$(said 6.1.0-old)" "6.1.0-old loads version 1.4, not version 1.5\+git2.abc" \
		"one with another version"
	like "$(said 6.1.0-none)" "6.1.0-none loads no xen-blkback at all" "one with none"
	is "$(said -a | sed -n 's/.*WARNING: kernel \([^ ]*\) .*/\1/p' | sort | xargs)" \
		"6.1.0-bare 6.1.0-none 6.1.0-old 6.1.0-own" "all kernels that are there"
	is "$(said 6.1.0-good 6.1.0-own | grep -c WARNING)" 1 "several by name"
	is "$(xen-blkback-check 6.1.0-own 2>/dev/null)" "" "warnings go to stderr"
	like "$(said --help; echo $?)" "RELEASE.*0$" "--help"
	like "$(said -x; echo $?)" "RELEASE.*2$" "a wrong option"
}

boot()
{
	machine boot
	ours "$(uname -r)"
	is "$(said; echo $?)" 0 "all is well if no module is loaded"
	loaded 1.5+git2.abc
	is "$(said; echo $?)" 0 "and if it is the package's"
	loaded
	like "$(said; echo $?)" "^xen-blkback: WARNING: the kernel's own module is loaded, .*takeover.*1$" \
		"the kernel's own module is loaded"
	loaded 1.4
	like "$(said; echo $?)" "version 1.4 is loaded, not version 1.5\+git2.abc.*1$" \
		"another version is"
	like "$(said -a; echo $?)" "version 1.4 is loaded.*1$" "-a looks at it, too"
	is "$(said "$(uname -r)"; echo $?)" 0 "a kernel by name is looked at alone"
	machine boot-own
	stock "$(uname -r)"
	like "$(said; echo $?)" "kernel $(uname -r) loads the kernel's own module.*1$" \
		"the running kernel would load its own"
}

# hook RELEASE: as the kernel's package runs it
hook()
{
	sed "s|/usr/sbin/|$TREES&|" "$PACKAGE/kernel-hook" >"$TREES/hook"
	sh "$TREES/hook" "$1" 2>&1
}

# postinst ARGUMENT: of the package with the module, without what debhelper adds
postinst()
{
	sed "s|/usr/sbin/|$TREES&|" "$REPO/tools/debian/xen-blkback-dkms.postinst" >"$TREES/postinst"
	sh "$TREES/postinst" "$1" 2>&1
}

hooks()
{
	machine hooks
	stock 6.18.0-new
	ours 6.12.0-good
	like "$(hook 6.18.0-new; echo $?)" "WARNING: kernel 6.18.0-new loads the kernel's own.*0$" \
		"a new kernel is installed with a warning"
	is "$(hook 6.12.0-good; echo $?)" 0 "without one if the module is built"
	like "$(postinst configure; echo $?)" "WARNING: kernel 6.18.0-new loads the kernel's own.*0$" \
		"the package is, too"
	is "$(postinst abort-upgrade; echo $?)" 0 "it says nothing if it is not"
	mv "$TREES/usr" "$TREES/removed"
	is "$(hook 6.18.0-new; echo $?)" 0 "the hook outlives the package"
	mv "$TREES/removed" "$TREES/usr"
}

# AKMS puts modules where depmod does not prefer them: the order of the directory counts,
# so there are many of the kernel's own.
alpine()
{
	local place

	machine alpine
	ours 6.12.0-lts 1.5+git2.abc kernel/extra/akms
	for place in {a..p}; do
		ko "lib/modules/6.12.0-lts/kernel/$place/xen-blkback.ko"
	done
	cp "$REPO/tools/alpine/depmod.conf" "$TREE/etc/depmod.d/xen-blkback.conf"
	indexed 6.12.0-lts
	is "$(said 6.12.0-lts; echo $?)" 0 "the module of AKMS is loaded, not the kernel's own"
}

made_for()
{
	ok "6.12 it is made for" "$PACKAGE/made-for" 6.12.0-1-amd64
	ok "6.1, too" "$PACKAGE/made-for" 6.1.0-30-amd64
	not_ok "6.18 not" "$PACKAGE/made-for" 6.18.1
	not_ok "nor 6.10" "$PACKAGE/made-for" 6.10.0
}

make -s -C "$REPO/tools" install-check DESTDIR="$TREES" VERSION=1.5+git2.abc ||
	bail "install-check"
like "$(<"$TREES/lib/systemd/system/xen-blkback-check.service")" \
	"ExecStart=/usr/sbin/xen-blkback-check" "the unit runs what is installed"
for TAP_PREFIX in "kernels: " "boot: " "hooks: " "alpine: " "made_for: "; do
	"${TAP_PREFIX%: }"
done
TAP_PREFIX=
done_testing
