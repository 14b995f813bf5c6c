# SPDX-License-Identifier: GPL-2.0-only
obj-$(CONFIG_XEN_BLKDEV_BACKEND) := xen-blkback.o

xen-blkback-y := xenbus.o vbd.o wait.o features.o keys.o thread.o blkback.o gate.o io.o bdev.o
xen-blkback-y += grant.o ring.o proto.o validate.o state.o sysfs.o debugfs.o
