#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The Debian packages: built, installed with DKMS for the kernels of the lab and one that
# it is not made for, upgraded and removed, in a Debian root of its own without a network.
# For prove, from any directory; needs root, or sudo.

HERE=$(cd "$(dirname "$0")" && pwd)
REPO=$(cd "$HERE/../.." && pwd)
# shellcheck source-path=SCRIPTDIR/../lab source=common.sh
. "$HERE/../lab/common.sh"
[ "$(id -u)" = 0 ] || exec sudo XENVBD_CACHE="$CACHE" "$0"

# shellcheck source-path=SCRIPTDIR/.. source=tap.sh
. "$HERE/../tap.sh"
mkdir -p "$BUILD"
tap_log "$BUILD/package.log"

# inside COMMAND...
inside()
{
	"$HERE/in-root" "$root" "$@"
}

# add_kernel KERNEL: its headers and modules, as far as the lab has them
add_kernel()
{
	local dir release

	dir=$(kernel_dir "$1")
	release=$(<"$dir/release")
	releases+=("$release")
	cp -a "$dir/headers/usr" "$root/"
	mkdir -p "$root/lib/modules"
	cp -a "$dir/modules/lib/modules/$release" "$root/lib/modules/"
	ln -s "/usr/src/linux-headers-$release" "$root/lib/modules/$release/build"
}

# sources: the files of the repository, but not as one
sources()
{
	mkdir "$root/src"
	(cd "$REPO" && find . \( -path ./build -o -path ./.git \) -prune -o -type f -print |
		cpio -p -d -m -R 0:0 --quiet "$root/src")
}

# commit: a repository of the root's own
commit()
{
	inside git -C /src init -q &&
		inside git -C /src add . &&
		inside git -C /src -c user.name=x -c user.email=x commit -q -m x
}

# add_foreign_kernel: one that the module is not made for, with headers of another
add_foreign_kernel()
{
	local dir=$root/lib/modules/$foreign

	mkdir -p "$dir"
	ln -s "/usr/src/linux-headers-${releases[0]}" "$dir/build"
	cp -r "$root/lib/modules/${releases[0]}"/{kernel,modules.order,modules.builtin{,.modinfo}} "$dir/"
	inside depmod "$foreign"
}

# packages VERSION: both
packages()
{
	printf "/src/build/xen-blkback-%s_$1_all.deb " dkms tools
}

# modules: which xen-blkback each kernel would load
modules()
{
	local release

	for release in "${releases[@]}"; do
		inside modinfo -k "$release" -F filename xen-blkback |
			sed "s|^/lib/modules/$release/||"
	done
}

# twice LINE: for two kernels
twice()
{
	printf '%s\n' "$1" "$1"
}

# dkms_status: of each kernel, or of none
dkms_status()
{
	inside dkms status -m xen-blkback 2>/dev/null | sed 's/, x86_64//' | sort
}

# installed VERSION: what dkms_status says then
installed()
{
	printf "xen-blkback/$1, %s: installed\n" "${releases[@]}" | sort
}

# parameters RELEASE: of its module
parameters()
{
	inside modinfo -k "$1" -F parm xen-blkback | cut -d: -f1 | sort
}

check_module()
{
	is "$(inside modinfo -k "$1" -F vermagic xen-blkback | cut -d' ' -f1)" "$1" \
		"$1: the module is built for it"
	is "$(parameters "$1")" "$(cat "$REPO"/{.,core,data,control,observe}/*.c |
		sed -nE 's/^module_param(_cb|_named)?\((\w+),.*/\2/p' | sort)" \
		"$1: it has all parameters"
	is "$(inside modinfo -k "$1" -F alias xen-blkback)" xen-backend:vbd "$1: its alias"
	is "$(inside modinfo -k "$1" -F version xen-blkback)" "$version" "$1: and its version"
}

base=$("$HERE/root.sh") || bail "no root to test it in"
work=$(mktemp -d "$BUILD/package.XXXXXX") || exit
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root
cp -a "$base" "$root"
releases=()
foreign=6.18.1-x
for kernel in "${KERNELS[@]}"; do
	add_kernel "$kernel"
done
sources
stock=kernel/drivers/block/xen-blkback/xen-blkback.ko
ours=updates/dkms/xen-blkback.ko
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$REPO/dkms.conf")
is "$(modules)" "$(twice $stock)" "both kernels have the stock module"

ok "make deb" inside make -C /src deb
read -r -a debs < <(packages "$version")
ok "lintian finds no error and no warning" \
	inside lintian --allow-root --fail-on error,warning "${debs[@]}"
is "$(inside dpkg-deb -f "${debs[0]}" Recommends)" xen-blkback-tools \
	"that with the module recommends that with the tools"
add_foreign_kernel
ok "the packages install" inside dpkg -i "${debs[@]}"
like "$(<"$TAP_LOG")" "WARNING: kernel $foreign loads the kernel's own module, not version $version" \
	"it warns of a kernel that loads its own module"
for release in "${releases[@]}"; do
	is "$(grep "WARNING: kernel $release " "$TAP_LOG")" "" "not of $release"
done
is "$(inside run-parts --arg="$foreign" /etc/kernel/postinst.d 2>&1 | grep -c "kernel $foreign loads")" \
	1 "so does the installation of that kernel"
is "$(inside run-parts --arg="$foreign" /etc/kernel/header_postinst.d 2>&1 | grep -c "kernel $foreign loads")" \
	1 "and of its headers"
is "$(readlink "$root/etc/systemd/system/multi-user.target.wants/xen-blkback-check.service")" \
	/lib/systemd/system/xen-blkback-check.service "each boot will be checked"
rm -r "$root/lib/modules/$foreign"
is "$(dkms_status)" "$(installed "$version")" "DKMS has built the module for both kernels"
is "$(modules)" "$(twice $ours)" "they load it instead of the stock module"
for release in "${releases[@]}"; do
	check_module "$release"
done
ok "xen-blkback-takeover is there" inside sh -c 'xen-blkback-takeover --help &&
	test -s /usr/share/man/man8/xen-blkback-takeover.8.gz'
ok "so is xen-vbd, which finds its parts" inside sh -c 'xen-vbd --help &&
	test -s /usr/share/man/man8/xen-vbd.8.gz -a -s /usr/share/man/man4/xen-blkback.4.gz \
		-a -s /usr/share/man/man7/xen-blkback-xenstore.7.gz &&
	test -s /usr/share/bash-completion/completions/xen-vbd'
ok "so is xen-blkback-check, and all is well" inside sh -c 'xen-blkback-check "$@" &&
	test -s /usr/share/man/man8/xen-blkback-check.8.gz' - "${releases[@]}"
ok "units of the tools are there, and not enabled" inside sh -c 'test -s \
	/lib/systemd/system/xen-vbd-export.service -a -s /lib/systemd/system/xen-vbd-export.timer &&
	! find /etc/systemd -name "xen-vbd*" | grep .'
ok "so is the rule for udev" inside sh -c 'test -s /lib/udev/rules.d/90-xen-vbd.rules \
	-a -x /lib/udev/xen-vbd-event'
ok "alerts, dashboard and scripts, too" inside sh -c 'cd /usr/share/doc/xen-blkback-tools/examples &&
	test -s grafana.json -a -s prometheus-rules.yml -a -s slowest.bt'
# shellcheck disable=SC2016 # for the root's shell
ok "so is the documentation" inside sh -c 'cd /usr/share/doc/xen-blkback-tools &&
	for f in README.md CONTRIBUTING.md SECURITY.md NEWS guide.rst troubleshooting.rst \
		messages.rst sequences.rst glossary.rst comparison.rst index.rst design.rst; do
		[ -s $f ] || [ -s $f.gz ] || { echo "no $f"; exit 1; }
	done'
inside dkms build -m xen-blkback -v "$version" -k 6.6.1-x \
	--kernelsourcedir "/usr/src/linux-headers-${releases[0]}" >"$TAP_LOG" 2>&1
is "$?" 77 "a kernel for which it is not made is left out"

commit || diag "no commit"
upgrade=$version+git$(TZ=UTC inside git -C /src log -1 --date=format-local:%Y%m%d%H%M%S \
	--format=%cd).$(inside git -C /src describe --always)
ok "make deb, of a commit" inside make -C /src deb
read -r -a debs < <(packages "$upgrade")
ok "it is an upgrade" inside dpkg -i "${debs[@]}"
# shellcheck disable=SC2016 # for the root's shell
ok "DKMS builds it for all kernels" inside sh -c 'for k; do dkms install -m xen-blkback \
	-v "$0" -k "$k" || exit; done' "$upgrade" "${releases[@]}"
is "$(dkms_status)" "$(installed "$upgrade")" "the new version has replaced the old one"
is "$(inside ls /usr/src | grep ^xen)" "xen-blkback-$upgrade" "its source, too"

ok "the tools do without it" inside dpkg -r xen-blkback-dkms
is "$(dkms_status)" "" "DKMS knows it no more"
is "$(modules)" "$(twice $stock)" "the stock modules are loaded again"
ok "they are removed, and what was configured" inside dpkg -P xen-blkback-dkms xen-blkback-tools
is "$(cd "$root" && find etc usr/src usr/sbin usr/share lib/modules var/lib/dkms \
	lib/systemd lib/udev -name '*blkback*' -o -name 'xen[-_]vbd*' | grep -v "^lib/modules/[^/]*/kernel/")" "" "nothing is left behind"

ok "without what it needs" inside dpkg -P dh-dkms python3-docutils
inside make -C /src deb >"$TAP_LOG" 2>&1
is "$(grep -o 'needs .*' "$TAP_LOG")" "needs Debian packages: dh-dkms python3-docutils" \
	"make deb names the packages that it misses"
done_testing
