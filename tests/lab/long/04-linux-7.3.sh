#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: kernel=7.3 timeout=1800
#
# The main checks, shortened, on a kernel of the next Debian, built by its compiler.

. /lab/lib.sh

main_checks 7.3
done_testing
