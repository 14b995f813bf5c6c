#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: bare timeout=360
#
# On a machine without Xen the module does not load, says why, leaves nothing.

. /lab/lib.sh

ok "there is no Xen" test ! -e /proc/xen
not_ok "the module does not load" modprobe xen-blkback
like "$(modprobe xen-blkback 2>&1)" "No such device" "for want of a device"
ok "it is not there" test ! -e /sys/module/xen_blkback
is "$(slab_objects)" 0 "nor any object of it"
is "$(grep -c -E '^(xenvbd|xen_?blk)' /proc/slabinfo)" 0 "nor its cache"
ok "no thread is left" not pgrep -x 'xen-blkback|kworker/R-xen-blkback'
done_testing
