# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of the control plane. Each has the source of its room in itself; the rest of the
# driver, the kernel and xenstore come from an archive, so that what a test brings
# takes precedence.

.DEFAULT_GOAL := all

CONTROL_TESTS := keys publish error stall tunables disk vbd teardown sysfs xenbus life walk
CONTROL_FAKES := xenstore bus work disks control
TESTS += $(CONTROL_TESTS)

# These are of the Makefile, and known later.
CONTROL_CC = $(CC) -D_GNU_SOURCE $(KERNEL) -MMD -MP
CONTROL_KERNEL_OBJS = $(filter-out %/rig.o,$(FAKE_OBJS))
CONTROL_CORE_OBJS = $(CORE:%=$(O)/%.o)
CONTROL_FAKE_OBJS := $(CONTROL_FAKES:%=$(O)/%.o)
CONTROL_TEST_OBJS := $(CONTROL_TESTS:%=$(O)/test_%.o)

.SECONDEXPANSION:

$(CONTROL_FAKE_OBJS) $(CONTROL_TEST_OBJS): $(O)/%.o: $(HERE)%.c $(HERE)Makefile $(HERE)control.mk | $(O)
	$(CONTROL_CC) -c -o $@ $<

# Without the rig, which has a vbd and a queue of its own.
$(O)/control.a: $$(DRIVER_OBJS) $(CONTROL_FAKE_OBJS) $$(CONTROL_KERNEL_OBJS) $$(CONTROL_CORE_OBJS)
	rm -f $@
	ar rcs $@ $^

$(CONTROL_TESTS:%=$(O)/test_%): $(O)/test_%: $(O)/test_%.o $(O)/control.a
	$(CC) $(CFLAGS) $(SANITIZE) -o $@ $^ -lcmocka -lpthread

-include $(CONTROL_FAKE_OBJS:.o=.d) $(CONTROL_TEST_OBJS:.o=.d)
