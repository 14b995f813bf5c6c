#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make install, by hand: the module goes to one root and the tools to another, or both to
# one; make uninstall leaves nothing. And what is installed works: the rule for udev. For
# prove, from any directory.

HERE=$(cd "$(dirname "$0")" && pwd)
REPO=$(cd "$HERE/../.." && pwd)
# shellcheck source-path=SCRIPTDIR/.. source=tap.sh
. "$HERE/../tap.sh"
WORK=$(mktemp -d) || exit
trap 'rm -rf "$WORK"' EXIT
tap_log "$WORK/tap.log"
export LC_ALL=C.UTF-8
unset DESTDIR INSTALL_MOD_PATH XEN_VBD_ROOT
RELEASE=6.12.5-x
VERSION=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$REPO/dkms.conf")

need python3-docutils rst2man --version

# shellcheck disable=SC2016 # for make
# headers: with which a module is quickly installed. They build nothing.
headers()
{
	mkdir "$WORK/headers" "$WORK/bin"
	printf '%s\n\t%s\n' modules: @: modules_install: \
		'install -D /dev/null $(INSTALL_MOD_PATH)/lib/modules/'$RELEASE'/$(INSTALL_MOD_DIR)/xen-blkback.ko' \
		>"$WORK/headers/Makefile"
	printf '#!/bin/sh\necho "$*" >%s\n' "$WORK/depmod" >"$WORK/bin/depmod"
	chmod +x "$WORK/bin/depmod"
}

# by_hand ARGUMENT...: make, for that kernel
by_hand()
{
	PATH=$WORK/bin:$PATH make -s -C "$REPO" KDIR="$WORK/headers" KVER=$RELEASE "$@"
}

# files DIR: below it, but for the text files
files()
{
	(cd "$1" && find . -type f ! -path './usr/share/doc/*' | sort | sed 's|^\./||')
}

# What is installed, in its order
MODULE=lib/modules/$RELEASE/updates/xen-blkback.ko
TOOLS=(lib/systemd/system/xen-blkback-check.service
	lib/systemd/system/xen-vbd-export.{service,timer}
	lib/udev/rules.d/90-xen-vbd.rules lib/udev/xen-vbd-event
	usr/sbin/xen-{blkback-check,blkback-takeover,vbd}
	usr/share/bash-completion/completions/xen-{blkback-takeover,vbd}
	usr/share/man/man4/xen-blkback.4 usr/share/man/man7/xen-blkback-xenstore.7
	usr/share/man/man8/xen-{blkback-check,blkback-takeover,vbd}.8)

# all_files: of the tools; those of Python as the tree has them
all_files()
{
	{
		printf '%s\n' "${TOOLS[@]}"
		(cd "$REPO/tools" && printf 'usr/share/xen-vbd/%s\n' xen_vbd/*.py)
	} | sort
}

to_one_root()
{
	local root=$WORK/one

	ok "make install" by_hand install DESTDIR="$root"
	is "$(files "$root")" "$( (echo "$MODULE"; all_files) | sort)" "the module and the tools"
	is "$(<"$WORK/depmod")" "-b $root $RELEASE" "depmod looks there"
	ok "and texts" test -s "$root/usr/share/doc/xen-blkback-tools/README.md"
	is "$(sed -n "s/^version='\(.*\)'/\1/p" "$root/usr/sbin/xen-blkback-check")" "$VERSION" \
		"xen-blkback-check knows the version"
	is "$(/usr/bin/python3 -B -c 'import sys; sys.path.insert(0, sys.argv[1])
from xen_vbd.cli import main
sys.exit(main(["--version"]))' "$root/usr/share/xen-vbd" 2>&1)" "xen-vbd $VERSION" "so does xen-vbd"
	ok "make uninstall" by_hand uninstall DESTDIR="$root"
	is "$(find "$root" ! -type d)" "" "leaves no file"
	is "$(find "$root" -type d -name 'xen*')" "" "and no directory of its own"
}

to_two_roots()
{
	ok "make install" by_hand install INSTALL_MOD_PATH="$WORK/module" DESTDIR="$WORK/tools"
	is "$(files "$WORK/module")" "$MODULE" "the module alone"
	is "$(files "$WORK/tools")" "$(all_files)" "the tools alone"
	ok "the module alone" by_hand modules_install INSTALL_MOD_PATH="$WORK/alone"
	is "$(files "$WORK/alone")" "$MODULE" "without tools"
	is "$(by_hand -n install INSTALL_MOD_PATH="$WORK/module" | grep -oE 'DESTDIR=[^ ]*' | sort -u)" \
		"DESTDIR=$WORK/module" "a root for the module is one for all that has no other"
}

without_docutils()
{
	mkdir "$WORK/few"
	ln -s "$(command -v make)" "$WORK/few/make"
	like "$(cd "$REPO" && PATH=$WORK/few make -s KDIR="$WORK/headers" KVER=$RELEASE \
		install DESTDIR="$WORK/nothing" 2>&1)" "need rst2man.*modules_install" "it says what is missing"
	not_ok "nothing is installed" test -e "$WORK/nothing"
}

in_the_tree()
{
	ok "xen-blkback-check" env XEN_VBD_ROOT="$WORK" "$REPO/tools/package/xen-blkback-check" -a
	mkdir -p "$WORK/sys/module/xen_blkback"
	echo 9.9 >"$WORK/sys/module/xen_blkback/version"
	like "$(XEN_VBD_ROOT=$WORK "$REPO/tools/package/xen-blkback-check" -a 2>&1)" \
		"version 9.9 is loaded, not version $VERSION" "it knows the tree's version"
}

# ---- udev -------------------------------------------------------------------

# event NAME=VALUE...: as udev runs the program of the rule, with a log in a file
event()
{
	printf '#!/bin/sh\nprintf "<%%s>" "$@" >%s\n' "$WORK/logged" >"$WORK/bin/logger"
	printf '#!/bin/sh\nprintf "<%%s>" "$@" >%s\n' "$WORK/hooked" >"$WORK/hook"
	chmod +x "$WORK/bin/logger" "$WORK/hook"
	rm -f "$WORK/logged" "$WORK/hooked"
	env -i PATH="$WORK/bin:$PATH" XEN_VBD_SCRIPT="$WORK/hook" DEVPATH=/devices/vbd-12-51712 \
		"$@" "$REPO/tools/udev/xen-vbd-event"
}

# rule: of udev, without comments
rule()
{
	grep -v '^#' "$REPO/tools/udev/90-xen-vbd.rules"
}

udev()
{
	# shellcheck disable=SC2016 # it is not to expand
	local hostile='-f /etc/shadow $(touch /tmp/x) '\''"; a'

	is "$(rule | grep -oE '[A-Z]+(\{[A-Z_]+\})?(==|\+=)' | xargs)" \
		"ACTION== SUBSYSTEM== ENV{XENVBD_EVENT}== RUN+=" "the rule matches events of vbds"
	is "$(rule | sed 's/.*RUN+="\(.*\)".*/\1/')" xen-vbd-event "it runs what is installed beside it"
	is "$( (rule | sed 's/.*EVENT}=="\([^"]*\)".*/\1/' | tr '|' '\n'; printf 'connected\nclosed\n') | sort | xargs)" \
		"$(grep -hoE 'xenvbd_uevent\(vbd, "[a-z]+"' "$REPO"/{control/*.c,xenbus.c} | cut -d'"' -f2 | sort -u | xargs)" \
		"all that the driver announces, but for what a guest does at will"
	ok "a slow disk" event XENVBD_EVENT=slow XENVBD_TEXT="$hostile"
	is "$(<"$WORK/logged")" "<-t><xen-vbd><-p><daemon.warning><--><vbd-12-51712 slow: $hostile. See: xen-vbd why vbd-12-51712>" \
		"is logged, whatever the text is"
	is "$(<"$WORK/hooked")" "<vbd-12-51712><slow><$hostile>" "and told to the administrator's script"
	ok "an event without a text" event XENVBD_EVENT=resized
	is "$(<"$WORK/logged")" "<-t><xen-vbd><-p><daemon.notice><--><vbd-12-51712 resized>" "is no warning"
	ok "without a script" event XENVBD_EVENT=error XEN_VBD_SCRIPT="$WORK/no"
	not_ok "nothing else is run" test -e "$WORK/hooked"
}

headers
for TAP_PREFIX in "to_one_root: " "to_two_roots: " "without_docutils: " "in_the_tree: " "udev: "; do
	"${TAP_PREFIX%: }"
done
TAP_PREFIX=
done_testing
