# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Data through a disk: written, read back, and compared from both sides.

# fio_verify DEVICE OPTION...: writes, reads back, compares checksums
fio_verify()
{
	local dev=$1

	shift
	fio --name=verify --filename="$dev" --direct=1 --ioengine=libaio --thread \
		--verify=crc32c --verify_fatal=1 --minimal "$@"
}

# fio_each_size DEVICE STEP DEPTH: every multiple of STEP up to 44 KiB, each in
# a place of its own. Buffers begin anywhere in a page, a sector's multiple.
fio_each_size()
{
	local bs

	{
		printf '[global]\nfilename=%s\ndirect=1\nioengine=libaio\nthread\n' "$1"
		printf 'verify=crc32c\nverify_fatal=1\nrw=randwrite\niodepth=%d\n' "$3"
		printf 'iomem_align=%d\n' "$2"
		for ((bs = $2; bs <= 45056; bs += $2)); do
			printf '[bs%d]\nstonewall\nbs=%d\nsize=%d\noffset=%d\n' \
				$bs $bs $((bs * 6)) $((bs * 1024))
		done
	} >"$LAB_TMP/sizes.fio"
	fio --minimal "$LAB_TMP/sizes.fio"
}

# random_through DEVICE MIB: random bytes, kept for comparing; dd reaches the
# backend with its largest requests
random_through()
{
	head -c "${2}M" /dev/urandom >"$LAB_TMP/random"
	dd if="$LAB_TMP/random" of="$1" bs=1M oflag=direct conv=nocreat,notrunc status=none
}

# holds_random DEVICE [dd's iflag]: does it begin with these bytes?
holds_random()
{
	dd if="$1" bs=1M count="$(stat -c %s "$LAB_TMP/random")" \
		iflag="count_bytes${2:+,$2}" status=none | cmp - "$LAB_TMP/random"
}

# flushed DEVICE COMMAND...: after what dom0 has cached of the disk is dropped
flushed()
{
	blockdev --flushbufs "$1" 2>/dev/null
	shift
	"$@"
}

# check_data DEVICE STEP MIB: the main check of a disk, from both sides
check_data()
{
	ok "attach" attach_loopback "$1" xvda || return
	ok "every size up to 44 KiB verifies" fio_each_size /dev/xvda "$2" 16
	ok "sequential, one at a time" fio_verify /dev/xvda --rw=write \
		--bsrange="$2-44k" --iodepth=1 --size="$3m" --io_size=2m
	ok "random, 32 at a time" fio_verify /dev/xvda --rw=randrw \
		--bsrange="$2-44k" --iodepth=32 --size="$3m"
	ok "dd through the frontend" random_through /dev/xvda "$3"
	ok "dom0 finds the same bytes on the disk" flushed "$1" holds_random "$1"
	ok "and the frontend reads them" holds_random /dev/xvda direct
	is "$(vbd_stat 0 xvda err_req)" 0 "no request was refused or failed"
	ok "detach" detach xvda
}

# ways_start: none of the data of a vbd has come yet
ways_start()
{
	LAB_MAPPED=0 LAB_COPIED=0
}

# ways_count DOMID VDEV: from here on
ways_count()
{
	read -r LAB_MAPPED LAB_COPIED <<<"$(vbd_stats "$1" "$2" map_ops copy_ops)"
}

# ways_are DOMID VDEV MAPPED COPIED NAME: "some" or "none", since ways_start, ways_count
# or the last time
ways_are()
{
	local mapped=$LAB_MAPPED copied=$LAB_COPIED got=(none none)

	ways_count "$1" "$2"
	[ "$LAB_MAPPED" -le "$mapped" ] || got[0]=some
	[ "$LAB_COPIED" -le "$copied" ] || got[1]=some
	is "${got[*]}" "$3 $4" "$5: mapped and copied"
}
