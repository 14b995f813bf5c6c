#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: kernel=6.1 timeout=1800
#
# The main checks, shortened, on the older kernel.

. /lab/lib.sh

export LAB_SHORT=1

like "$(uname -r)" '^6\.1\.' "the kernel is Linux 6.1"
for name in 10-data 30-properties 31-statistics 40-detach 41-no-frontend; do
	relay "$name" bash "/lab/t/$name.sh"
done
done_testing
