# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Trees that xen-vbd takes for a machine: /sys, /proc and xenstore in a directory.
# Each function adds something to $TREE, which is a directory in $TREES.
# shellcheck disable=SC2153 # two names

DEVICES=sys/bus/xen-backend/devices

# put FILE TEXT: a file of the tree. A reader sees the old text or the new one, as in
# sysfs.
put()
{
	mkdir -p "$TREE/$(dirname "$1")"
	printf '%s\n' "$2" >"$TREE/.new"
	mv "$TREE/.new" "$TREE/$1"
}

# key PATH VALUE: of xenstore, as xenstore-ls prints it
key()
{
	printf '%s = "%s"\n' "$1" "$2" >>"$TREE/xenstore"
}

# tree_new NAME: an empty machine, with the driver that is not stock
tree_new()
{
	TREE=$TREES/$1
	rm -rf "$TREE"
	mkdir -p "$TREE/$DEVICES" "$TREE/dev"
	: >"$TREE/xenstore"
	put sys/module/xen_blkback/parameters/grant_policy auto
	put sys/module/xen_blkback/version 0.1
	put proc/self/mountinfo "21 1 8:1 / / rw - ext4 /dev/sda1 rw"
}

# tree_stock NAME: the same with the stock module
tree_stock()
{
	tree_new "$1"
	rm -r "$TREE/sys/module/xen_blkback"
	put sys/module/xen_blkback/parameters/log_stats N
}

# guest DOMID NAME
guest()
{
	key "/local/domain/$1/name" "$2"
}

# statistics DIRECTORY READS SECTORS WRITES SECTORS [FILE VALUE]...
statistics()
{
	local dir=$1/statistics

	put "$dir/rd_req" "$2"
	put "$dir/rd_sect" "$3"
	put "$dir/wr_req" "$4"
	put "$dir/wr_sect" "$5"
	put "$dir/f_req" 7
	put "$dir/ds_req" 0
	put "$dir/oo_req" 0
	shift 5
	while [ $# -gt 0 ]; do
		put "$dir/$1" "$2"
		shift 2
	done
}

# stock_vbd DOMID VDEV DEV DISK [FILE=VALUE]...: connected; DISK is MAJOR:MINOR in hex
stock_vbd()
{
	local be=backend/vbd/$1/$2 fe=/local/domain/$1/device/vbd/$2 dir word

	dir=$DEVICES/vbd-$1-$2
	put "$dir/nodename" "$be"
	put "$dir/devtype" vbd
	put "$dir/state" Connected
	put "$dir/mode" w
	put "$dir/physical_device" "$4"
	ln -sfn ../../drivers/vbd "$TREE/$dir/driver"
	statistics "$dir" 1200 9600 340 81920
	key "$be/frontend" "$fe"
	key "$be/frontend-id" "$1"
	key "$be/dev" "$3"
	key "$be/online" 1
	key "$be/state" 4
	key "$be/physical-device" "$4"
	key "$fe/state" 4
	for word in "${@:5}"; do
		put "$dir/${word%%=*}" "${word#*=}"
	done
}

# our_vbd DOMID VDEV DEV DISK [FILE=VALUE]...: as this driver shows it
our_vbd()
{
	stock_vbd "$1" "$2" "$3" "$4" in_flight=0 oldest_ms=0 waiting= diskseq=9 \
		tunables/grant_policy=auto tunables/polling_duration=0 tunables/cgroup= \
		statistics/err_req=0 statistics/map_calls=12 "${@:5}"
}

# remnant NAME DISK IN-FLIGHT OLDEST-MS: a file in debugfs
remnant()
{
	put "sys/kernel/debug/xen-blkback/remnants/$1" "disk $2
waiting for nothing
ring 0: 32 slots, req_cons 9, rsp_prod 1
ring 0: $3 in flight, oldest $4 ms
ring 0: 0 pages, 0 of them free, 0 persistent grants"
}

# disk MAJOR:MINOR NAME [FILE=VALUE]...: decimal, as in /sys/dev/block
disk()
{
	local dir=sys/dev/block/$1 word

	put "$dir/uevent" "DEVNAME=$2"
	put "$dir/inflight" "       0        0"
	put "sys/class/block/$2/dev" "$1"
	: >"$TREE/dev/$2"
	for word in "${@:3}"; do
		put "$dir/${word%%=*}" "${word#*=}"
	done
}

# volume MAJOR:MINOR NAME GROUP VOLUME [FILE=VALUE]...: of LVM
volume()
{
	disk "$1" "$2" "dm/name=$3-$4" dm/uuid=LVM-abc dm/suspended=0 "${@:5}"
	mkdir -p "$TREE/dev/$3"
	ln -sfn "../$2" "$TREE/dev/$3/$4"
}

# cgroup PATH [FILE=TEXT]...: with an io controller. What it has not got, but a new one
# would, is made when it is written.
cgroup()
{
	local dir=sys/fs/cgroup$1 word

	put "$dir/cgroup.controllers" "cpuset cpu io memory"
	for word in "${@:2}"; do
		put "$dir/${word%%=*}" "${word#*=}"
	done
}

# with_cgroups: cgroup2 is mounted
with_cgroups()
{
	put proc/self/mountinfo "21 1 8:1 / / rw - ext4 /dev/sda1 rw
30 21 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw"
	cgroup "" cgroup.subtree_control="cpu memory"
}

# healthy: three guests on all kinds of disks, and one of QEMU's
healthy()
{
	guest 12 web01
	guest 14 db02
	guest 15 mail
	our_vbd 12 51712 xvda fd:9 statistics/latency_read="0 0 12 40 3
sum_us 400" in_flight=3 oldest_ms=2
	our_vbd 14 51728 xvdb fd:a mode=r statistics/err_req=2
	our_vbd 15 51712 xvda 7:c
	volume 253:9 dm-9 vg0 web01
	volume 253:10 dm-10 vg0 db02
	disk 7:12 loop12 loop/backing_file=/srv/mail.img
	put "$DEVICES/qdisk-15-51728/state" Connected
	put "$DEVICES/qdisk-15-51728/nodename" backend/qdisk/15/51728
	key backend/qdisk/15/51728/dev xvdb
	key backend/qdisk/15/51728/params /srv/mail.qcow2
}
