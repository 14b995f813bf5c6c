#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: kernel=6.1 timeout=1800
#
# The main checks, shortened, on the older kernel.

. /lab/lib.sh

main_checks 6.1
done_testing
