#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The packages for others than Debian: what `make rpm` and `make alpine` leave is built
# here as far as that goes without their distributions. For prove, from any directory.

HERE=$(cd "$(dirname "$0")" && pwd)
REPO=$(cd "$HERE/../.." && pwd)
# shellcheck source-path=SCRIPTDIR/.. source=tap.sh
. "$HERE/../tap.sh"
WORK=$(mktemp -d) || exit
trap 'rm -rf "$WORK"' EXIT
tap_log "$WORK/tap.log"
# rpmbuild leaves directories there
export LC_ALL=C.UTF-8 HOME=$WORK
# Those of `make -s check` are no business of what is built here.
unset MAKEFLAGS MAKELEVEL
RELEASE=6.12.5-x

need rpm rpmbuild --version
need python3-docutils rst2man --version

# repository: a copy, so that it is nobody else's build/
repository()
{
	mkdir "$WORK/repo"
	(cd "$REPO" && find . \( -path ./build -o -path ./.git \) -prune -o -type f -print |
		cpio -p -d -m --quiet "$WORK/repo")
}

# shellcheck disable=SC2016 # for make
# kernel: headers with which a module is quickly built; they note how
kernel()
{
	mkdir "$WORK/headers"
	printf 'modules:\n\techo "$(KCFLAGS) $(CONFIG_XEN_BLKDEV_BACKEND)" >$(M)/xen-blkback.ko\n' \
		>"$WORK/headers/Makefile"
}

# files DIR: below it
files()
{
	(cd "$1" && find . -type f | sort | sed 's|^\./||')
}

# has DIR FILE...: they are there
has()
{
	local dir=$1 f

	shift
	for f; do
		[ -s "$dir/$f" ] || { echo "no $f; there are:"; files "$dir"; return 1; }
	done
}

# What each package of tools has to have
TOOLS=(usr/sbin/xen-vbd usr/sbin/xen-blkback-takeover usr/sbin/xen-blkback-check
	usr/share/xen-vbd/xen_vbd/cli.py usr/share/bash-completion/completions/xen-vbd
	usr/share/man/man8/xen-vbd.8 usr/share/man/man8/xen-blkback-check.8
	usr/share/man/man4/xen-blkback.4 usr/share/man/man7/xen-blkback-xenstore.7)
# The rule of udev, in its directory
RULE=(udev/rules.d/90-xen-vbd.rules udev/xen-vbd-event)

# kmodtool: prints of what RPM Fusion's does what the spec uses
kmodtool()
{
	mkdir "$WORK/bin"
	cat >"$WORK/bin/kmodtool" <<-'END'
		#!/bin/bash
		arguments=$*
		case $arguments in
		*"--kmodname xen-blkback-kmod"*--for-kernels*)
			kernel=${arguments##*--for-kernels }
			cat <<-SPEC
			%global kernel_versions ${kernel}___$HEADERS
			%global kmodinstdir_prefix /usr/lib/modules/
			%global kmodinstdir_postfix /extra/xen-blkback/
			%package -n kmod-xen-blkback-$kernel
			Summary: x
			Requires: xen-blkback-kmod-common >= %{version}
			%description -n kmod-xen-blkback-$kernel
			x
			%files -n kmod-xen-blkback-$kernel
			/usr/lib/modules/$kernel/extra/xen-blkback/
			SPEC
			;;
		*"--kmodname xen-blkback-kmod"*--akmod*)
			cat <<-'SPEC'
			%global akmod_install mkdir -p %{buildroot}/usr/src/akmods && rpmbuild --define "_sourcedir %{_sourcedir}" --define "_srcrpmdir %{buildroot}/usr/src/akmods" -bs --nodeps %{_specdir}/%{name}.spec
			%package -n akmod-xen-blkback
			Summary: x
			Requires: xen-blkback-kmod-common >= %{version}
			%description -n akmod-xen-blkback
			x
			%files -n akmod-xen-blkback
			/usr/src/akmods/*
			SPEC
			;;
		esac
	END
	chmod +x "$WORK/bin/kmodtool"
	export PATH=$WORK/bin:$PATH HEADERS=$WORK/headers
}

# rebuild TOP SRC.RPM [OPTION...]: by rpmbuild below TOP, with the macros that Debian's
# rpm has not
rebuild()
{
	rpmbuild --rebuild --nodeps --define "_topdir $WORK/$1" --define "_unitdir /usr/lib/systemd/system" \
		--define "_docdir /usr/share/doc" --define "systemd_preun :" "${@:3}" "$2"
}

# built TOP: the names of the packages
built()
{
	find "$WORK/$1/RPMS" -name '*.rpm' -printf '%f\n' | sed "s/-${version//+/\\+}.*//" | sort | xargs
}

# unpacked TOP NAME: a package, in a directory of its own
unpacked()
{
	mkdir "$WORK/$2"
	(cd "$WORK/$2" && rpm2cpio "$WORK/$1/RPMS"/*/"$2"-*.rpm | cpio -i -d --quiet)
}

rpm_packages()
{
	local source

	source=$(make -s -C "$WORK/repo" rpm) || diag "$source"
	ok "make rpm leaves a source rpm" test -s "$WORK/repo/$source"
	source=$WORK/repo/$source
	version=$(rpm -qp --qf '%{VERSION}' "$source")
	is "$(rpm -qp --changelog "$source" | grep '^- ' | cut -c -30)" "$(items | cut -c -30)" \
		"its changelog is what NEWS has of the newest version"
	kmodtool
	ok "as it is: akmod and tools" rebuild akmod "$source"
	is "$(built akmod)" "akmod-xen-blkback xen-blkback-tools" "nothing else"
	unpacked akmod xen-blkback-tools
	ok "the tools are complete" has "$WORK/xen-blkback-tools" "${TOOLS[@]}" \
		usr/lib/systemd/system/xen-blkback-check.service "${RULE[@]/#/usr/lib/}"
	unpacked akmod akmod-xen-blkback
	source=$(echo "$WORK"/akmod-xen-blkback/usr/src/akmods/*.src.rpm)
	ok "as akmods does, for a kernel" rebuild kmod "$source" --define "kernels $RELEASE"
	is "$(built kmod)" "kmod-xen-blkback-$RELEASE" "it builds the module alone"
	unpacked kmod "kmod-xen-blkback-$RELEASE"
	is "$(cat "$WORK/kmod-xen-blkback-$RELEASE/usr/lib/modules/$RELEASE/extra/xen-blkback/xen-blkback.ko")" \
		"-DXENVBD_VERSION=$version m" "with the version of the package"
	not_ok "not for a kernel that it is not made for" \
		rebuild other "$source" --define "kernels 6.18.1-x"
	like "$(<"$TAP_LOG")" "not made for Linux 6.18.1-x" "it says so"
}

# items: first lines of those of the newest version in NEWS
items()
{
	sed -n '/^What will not change/q; /^- /p' "$REPO/NEWS"
}

# changelog: what make deb would write, which needs more than is here
changelog()
{
	bash -c 'cd "$1" && . tools/package/source.sh && news "  * "' - "$REPO"
}

debian()
{
	is "$(changelog | grep '^  \* ' | cut -c 5-34)" "$(items | cut -c 3-32)" "its changelog, too"
	is "$(changelog | grep -v '^  \* ' | grep -vE '^    [^ ]')" "" "in Debian's form"
	is "$(changelog | xargs -d '\n' | tr -d '* ')" "$(sed -n '/^- /,/^$/p' "$REPO/NEWS" | sed '/^$/q; s/^- //' |
		xargs -d '\n' | tr -d '* ')" "with all words"
}

# apk FUNCTION: of APKBUILD
apk()
{
	pkgdir=$WORK/apk subpkgdir=$WORK/apk-src srcdir=$WORK/alpine builddir=$WORK/alpine/xen-blkback-$version \
		sh -e -c '. "$1"; "$2"' - "$WORK/repo/build/alpine/APKBUILD" "$1"
}

# akm RELEASE: the build of AKMBUILD, as AKMS does it
akm()
{
	builddir=$WORK/apk-src/usr/src/xen-blkback-$version kernel_ver=$1 kernel_srcdir=$WORK/headers \
		sh -c '. "$builddir/AKMBUILD"; build && echo "$modname $modver $(cat "$builddir/$built_modules")"'
}

alpine()
{
	local apkbuild=$WORK/repo/build/alpine/APKBUILD

	is "$(make -s -C "$WORK/repo" alpine)" build/alpine/APKBUILD "make alpine"
	version=$(sh -c '. "$1"; echo "$pkgver"' - "$apkbuild")
	like "$version" '^[0-9.]+(_git[0-9]{8})?$' "a version that apk takes"
	is "$(sh -c '. "$1"; echo "$source"' - "$apkbuild" | xargs -n 1 | sort)" \
		"$(sh -c '. "$1"; echo "$sha512sums"' - "$apkbuild" | awk 'NF { print $2 }' | sort)" \
		"each source has its checksum"
	# shellcheck disable=SC2016 # for sh
	ok "and the right one" sh -c 'cd "${1%/*}" && . "$1" && echo "$sha512sums" | grep . |
		sha512sum --quiet -c' - "$apkbuild"
	mkdir "$WORK/alpine" "$WORK/apk" "$WORK/apk-src"
	cp "${apkbuild%/*}"/* "$WORK/alpine/"
	tar -xf "$WORK/alpine/xen-blkback-$version.tar.gz" -C "$WORK/alpine"
	ok "package()" apk package
	ok "the tools are complete" has "$WORK/apk" "${TOOLS[@]}" "${RULE[@]/#/lib/}"
	ok "module()" apk module
	ok "the source is complete" has "$WORK/apk-src" etc/depmod.d/xen-blkback.conf
	is "$(cd "$WORK/apk-src/usr/src/xen-blkback-$version" && "$REPO/tools/driver-files" .)" \
		"$("$REPO/tools/driver-files")" "with each file of the driver"
	like "$(akm $RELEASE 2>&1)" "xen-blkback $version -DXENVBD_VERSION=$version m$" "AKMS builds the module"
	like "$(akm 6.18.1 2>&1)" "not made for Linux 6.18.1$" "not for a kernel that it is not made for"
}

repository
kernel
for TAP_PREFIX in "rpm_packages: " "debian: " "alpine: "; do
	"${TAP_PREFIX%: }"
done
TAP_PREFIX=
done_testing
