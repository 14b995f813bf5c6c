# SPDX-License-Identifier: GPL-2.0-only
obj-$(CONFIG_XEN_BLKDEV_BACKEND) := xen-blkback.o

xen-blkback-y := xenbus.o remnant.o vbd.o wait.o features.o keys.o tunables.o
xen-blkback-y += thread.o blkback.o linger.o gate.o discard.o io.o bdev.o grant.o pool.o copy.o
xen-blkback-y += ring.o proto.o validate.o state.o sysfs.o debugfs.o trace.o

# trace/define_trace.h includes trace.h once more, by its name
CFLAGS_trace.o := -I$(src)

xen-blkback-$(CONFIG_XEN_BLKDEV_BACKEND_KUNIT_TEST) += tests/proto_kunit.o tests/ring_kunit.o
xen-blkback-$(CONFIG_XEN_BLKDEV_BACKEND_KUNIT_TEST) += tests/state_kunit.o tests/validate_kunit.o
