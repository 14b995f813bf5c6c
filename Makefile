# SPDX-License-Identifier: GPL-2.0-only
obj-$(CONFIG_XEN_BLKDEV_BACKEND) := xen-blkback.o

# Files are included by their path from here
ccflags-y := -I$(src)

xen-blkback-y := xenbus.o blkback.o trace.o
xen-blkback-y += $(addprefix control/, actions.o vbd.o disk.o keys.o publish.o states.o store.o error.o \
	tunables.o limit.o stall.o remnant.o teardown.o uevent.o queue.o)
xen-blkback-y += $(addprefix data/, wake.o thread.o req.o rmw.o pages.o persistent.o batch.o copy.o share.o reserve.o io.o \
	barrier.o turn.o discard.o answer.o poll.o cgroup.o latency.o param.o)
xen-blkback-y += $(addprefix core/, proto.o sring.o validate.o state.o order.o)
xen-blkback-y += $(addprefix observe/, sysfs.o debugfs.o)

xen-blkback-$(CONFIG_XEN_BLKDEV_BACKEND_KUNIT_TEST) += \
	$(addprefix tests/kunit/, proto_kunit.o sring_kunit.o state_kunit.o validate_kunit.o)
