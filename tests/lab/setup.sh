# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Downloads and builds everything a run needs into the cache. Packages are
# unpacked, never installed: the host's boot path and dpkg database stay as
# they are. Every product's name carries a hash of what it was made from, so
# a second set-up finds it and does nothing.

# shellcheck source-path=SCRIPTDIR
. "$LAB/suite.sh"

# The module subtrees dom0 can need; the rest would only cost boot time.
MODULE_TREES=(arch block crypto fs lib drivers/block drivers/cdrom drivers/char
	drivers/dax drivers/md drivers/nvdimm drivers/scsi drivers/virtio drivers/xen)

# What the initramfs loads to reach the root image.
DOM0_MODULES=(virtio_pci virtio_blk virtio_console squashfs overlay)
# With a question mark: if it is not built in.
GUEST_MODULES=(xen-blkfront squashfs overlay ext4 crc32c_generic?)

# setup_all [KERNEL...]: the usual kernels, and these
setup_all()
{
	local k

	mkdir -p "$CACHE/apt"
	exec 9>"$CACHE/lock"
	flock 9
	setup_host
	setup_xen
	setup_root
	for k in "${KERNELS[@]}" "$@"; do
		setup_kernel "$k"
		setup_initrd "$k"
	done
	exec 9>&-
}

# setup_ready [KERNEL...]: true when nothing is left to do, told without a lock
setup_ready()
{
	local k

	[ -d "$(xen_dir)" ] && [ -d "$(root_dir)" ] || return
	for k in "${KERNELS[@]}" "$@"; do
		[ -d "$(kernel_dir "$k")" ] && [ -f "$(initrd_file "$k")" ] || return
	done
	[ -z "$(missing_host_packages)" ]
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		command -v sudo >/dev/null ||
			die "not root and no sudo: cannot run: $*"
		sudo "$@"
	fi
}

missing_host_packages()
{
	local want

	want=$(packages host)
	# shellcheck disable=SC2086 # a list of words
	comm -13 <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $want 2>/dev/null |
		sed -n 's/^installed //p' | sort -u) <(sort -u <<<"$want")
}

setup_host()
{
	local missing

	command -v apt-get >/dev/null || die "the lab needs apt-get (Debian 12)"
	missing=$(missing_host_packages)
	[ -n "$missing" ] || return 0
	say "installing host packages: ${missing//$'\n'/ }"
	apt_update
	# shellcheck disable=SC2086 # a list of words
	retry as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
		-o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
		--no-install-recommends install $missing >&2 </dev/null ||
		die "cannot install:" $missing
}

# The host's package lists, refreshed once per set-up and only when needed.
apt_update()
{
	[ -z "${APT_UPDATED-}" ] && [ "${#APT_SUITE[@]}" = 0 ] || return 0
	say "refreshing the package lists"
	retry as_root apt-get -qq -o Acquire::Retries=3 update >&2 </dev/null ||
		die "apt-get update failed"
	APT_UPDATED=1
}

# apt_plan PACKAGE...: lines "NAME VERSION ARCH" for the packages and all they
# depend on, as if nothing were installed
apt_plan()
{
	: >"$CACHE/apt/status"
	apt-get "${APT_SUITE[@]}" -y --no-install-recommends --simulate \
		-o "Dir::State::Status=$CACHE/apt/status" \
		-o "Dir::State::Extended_States=$CACHE/apt/extended" \
		-o Debug::NoLocking=1 install "$@" </dev/null |
		sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*\[\(.*\)\]).*/\1 \2 \3/p'
}

# apt_fetch PATTERN PACKAGE...: download those of the planned packages whose
# names match into the cache; print the files' names
apt_fetch()
{
	local pattern=$1 name version arch file files=() wanted=()

	shift
	while read -r name version arch; do
		[[ $name =~ $pattern ]] || continue
		file=$CACHE/apt/${name}_${version//:/%3a}_$arch.deb
		files+=("$file")
		[ -f "$file" ] || wanted+=("$name=$version")
	done < <(apt_plan "$@")
	[ "${#files[@]}" -gt 0 ] || return
	if [ "${#wanted[@]}" -gt 0 ]; then
		(cd "$CACHE/apt" && retry apt-get "${APT_SUITE[@]}" -qq -o APT::Sandbox::User= \
			-o Acquire::Retries=3 download "${wanted[@]}" >&2 </dev/null) ||
			return
	fi
	printf '%s\n' "${files[@]}"
}

# unpack DIR DEB...: the files of packages, without their scripts
unpack()
{
	local dir=$1 deb

	shift
	[ $# -gt 0 ] || die "nothing to unpack into $dir"
	for deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x --no-same-owner --keep-directory-symlink -C "$dir" ||
			die "cannot unpack $deb"
	done
}

# fetch_or_die PATTERN PACKAGE...: the same; lists that are missing or older
# than the mirror make the first try fail
fetch_or_die()
{
	apt_fetch "$@" && return
	apt_update
	apt_fetch "$@" || die "cannot download:" "$@"
}

setup_xen()
{
	local dir tmp

	dir=$(xen_dir)
	[ ! -d "$dir" ] || return 0
	say "fetching Xen"
	tmp=$dir.tmp
	rm -rf "$tmp"
	mkdir -p "$tmp/x"
	# shellcheck disable=SC2046 # file names without blanks
	unpack "$tmp/x" $(fetch_or_die '^xen-hypervisor-4' $(packages xen))
	gunzip -c "$tmp"/x/boot/xen-*.gz >"$tmp/xen"
	rm -r "$tmp/x"
	mv "$tmp" "$dir"
}

# make_usr ROOT: all that packages have in /bin and the like goes to /usr
make_usr()
{
	local d

	mkdir -p "$1"/usr/{bin,sbin,lib,lib32,lib64,libx32}
	for d in bin sbin lib lib32 lib64 libx32; do
		ln -sfn "usr/$d" "$1/$d"
	done
}

setup_root()
{
	local dir tmp root

	dir=$(root_dir)
	[ ! -d "$dir" ] || return 0
	say "fetching the root image's packages"
	tmp=$dir.tmp
	root=$tmp/root
	rm -rf "$tmp"
	make_usr "$root"
	mkdir "$root/var" "$root/run"
	ln -s /run "$root/var/run"
	ln -s /run/lock "$root/var/lock"
	# shellcheck disable=SC2046 # lists of words
	unpack "$root" $(fetch_or_die . $(packages root))
	say "building the root image"
	root_configure "$root"
	mksquashfs "$root" "$tmp/root.squashfs" -comp lz4 -all-root \
		-no-progress -quiet >&2 || die "mksquashfs failed"
	cp "$root/bin/busybox" "$tmp/"
	rm -rf "$root"
	mv "$tmp" "$dir"
}

# root_configure ROOT: the little that maintainer scripts would have done
root_configure()
{
	local root=$1

	rm -rf "$root"/usr/share/{man,locale,info,lintian,bug}
	cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
	cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
	ln -sf bash "$root/bin/sh"
	ln -sf gawk "$root/usr/bin/awk"
	ln -sf ../proc/self/mounts "$root/etc/mtab"
	echo lab >"$root/etc/hostname"
	mkdir -p "$root"/{job,lower,mnt,tmp,root,proc,sys,dev} "$root"/var/log/xen/console \
		"$root"/var/lib/{xen,xenstored} "$root"/run/{xen,xenstored,lock}
	mkdir -p "$root/usr/lib/modules"
	ln -sfn /job/lab "$root/lab"
}

# setup_kernel KERNEL: image, headers ready for out-of-tree builds, modules; if the host
# cannot build for it, a root that can
setup_kernel()
{
	local dir tmp release suite

	dir=$(kernel_dir "$1")
	[ ! -d "$dir" ] || return 0
	suite=$(suite_of "kernel-$1")
	say "fetching Linux $1"
	tmp=$dir.tmp
	rm -rf "$tmp"
	mkdir -p "$tmp/headers" "$tmp/modules/lib/modules"
	[ -z "$suite" ] || suite_begin "$suite"
	make_usr "$tmp/headers"
	# shellcheck disable=SC2046 # lists of words
	unpack "$tmp/headers" $(fetch_or_die \
		'^linux-(image|binary|modules|base|headers|kbuild)-[0-9]' $(packages "kernel-$1"))
	[ -z "$suite" ] || setup_compiler "$1" "$tmp/compiler"
	suite_end
	release=$(basename "$tmp"/headers/lib/modules/*)
	echo "$release" >"$tmp/release"
	take_boot_file vmlinuz "$tmp" "$release"
	take_boot_file config "$tmp" "$release"
	fix_headers "$tmp/headers" "$release"
	say "building the module image of Linux $1"
	pick_modules "$tmp" "$release"
	mksquashfs "$tmp/modules/lib/modules/$release" "$tmp/modules.squashfs" \
		-comp lz4 -all-root -no-progress -quiet >&2 || die "mksquashfs failed"
	rm -rf "$tmp"/headers/usr/lib/modules "$tmp/headers/boot"
	mv "$tmp" "$dir"
}

# take_boot_file NAME TMP RELEASE: newer kernels have theirs beside the modules
take_boot_file()
{
	local from=$2/headers/boot/$1-$3

	[ -f "$from" ] || from=$2/headers/lib/modules/$3/$1
	mv "$from" "$2/$1" || die "Linux $3 has no $1"
}

# setup_compiler KERNEL ROOT: all of its list that is no kernel
setup_compiler()
{
	make_usr "$2"
	# shellcheck disable=SC2046 # lists of words
	unpack "$2" $(fetch_or_die '^([^l]|l[^i]|li[^n]|lin[^u])' $(packages "kernel-$1"))
	ln -sf dash "$2/usr/bin/sh"
	ln -sf mawk "$2/usr/bin/awk"
}

# The headers' makefile names its common part, and itself, by absolute paths.
fix_headers()
{
	local src=$1/usr/src

	# shellcheck disable=SC2016 # expanded by make
	sed -i 's|^include /usr/src/|include $(dir $(lastword $(MAKEFILE_LIST)))../|
		s|^KBUILD_OUTPUT=/.*|KBUILD_OUTPUT:=$(dir $(abspath $(lastword $(MAKEFILE_LIST))))|' \
		"$src/linux-headers-$2/Makefile"
}

# pick_modules TMP RELEASE: decompressed here, once, rather than in every boot
pick_modules()
{
	local from=$1/headers/lib/modules/$2 to=$1/modules/lib/modules/$2 tree

	mkdir -p "$to"
	cp "$from"/modules.{order,builtin,builtin.modinfo} "$to/"
	for tree in "${MODULE_TREES[@]}"; do
		[ -d "$from/kernel/$tree" ] || continue
		mkdir -p "$to/kernel/$tree"
		cp -r "$from/kernel/$tree/." "$to/kernel/$tree/"
	done
	find "$to" -name '*.ko.xz' -print0 | xargs -0 -r -n 64 -P 2 xz -d
	depmod -b "$1/modules" "$2" || die "depmod failed"
}

# setup_initrd KERNEL: one initramfs for dom0 and guests; the role is an
# argument of the kernel
setup_initrd()
{
	local img kdir tmp

	img=$(initrd_file "$1")
	[ ! -f "$img" ] || return 0
	kdir=$(kernel_dir "$1")
	tmp=$img.tmp
	rm -rf "$tmp"
	mkdir -p "$tmp"/{bin,dev,proc,sys,mod,squash,rw,new}
	cp "$(root_dir)/busybox" "$tmp/bin/"
	install -m 755 "$LAB/initramfs-init" "$tmp/init"
	install -m 755 "$LAB/guest-init" "$tmp/guest-init"
	add_modules "$kdir" "$tmp" dom0 "${DOM0_MODULES[@]}"
	add_modules "$kdir" "$tmp" guest "${GUEST_MODULES[@]}"
	(cd "$tmp" && find . | cpio -o -H newc --quiet -R 0:0) >"$img.part" ||
		die "cannot build the initramfs"
	rm -rf "$tmp"
	mv "$img.part" "$img"
}

# add_modules KERNEL-DIR INITRD-DIR ROLE MODULE...: with dependencies, in order
add_modules()
{
	local kdir=$1 to=$2 role=$3 release m

	shift 3
	release=$(<"$kdir/release")
	for m; do
		modprobe -d "$kdir/modules" -S "$release" --show-depends "${m%\?}" 2>/dev/null ||
			[[ $m = *\? ]] || die "no module $m for $release"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$to/list"
	xargs -r cp -t "$to/mod" <"$to/list"
	sed 's|.*/||' "$to/list" >"$to/mod/$role"
	rm "$to/list"
}
