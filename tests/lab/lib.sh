# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The one file that a script for dom0 sources. Each part in lib/ has one subject and
# says which; tap.sh has ok, is and the like.

set -u

LAB_LIB=${BASH_SOURCE[0]%/*}
LAB_TMP=$(mktemp -d /tmp/lab.XXXXXX)
# A test of these files runs on the host, whose kernel log it leaves alone
LAB_KMSG=${LAB_KMSG:-/dev/kmsg}

. "$LAB_LIB/../tap.sh"
for LAB_PART in wait klog case leak module disk vbd attach blkfe stuck many data guest; do
	# shellcheck source=/dev/null
	. "$LAB_LIB/lib/$LAB_PART.sh"
done

tap_log "$LAB_TMP/ok"
klog_mark "start $LAB_NAME"
