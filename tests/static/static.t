#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each static check of tools/check.sh as one test. For prove, from any directory.

HERE=$(cd "$(dirname "$0")" && pwd)
CHECK=$HERE/../../tools/check.sh
# shellcheck source-path=SCRIPTDIR/.. source=tap.sh
. "$HERE/../tap.sh"

mapfile -t names < <("$CHECK" --list)
plan "${#names[@]}"
for name in "${names[@]}"; do
	found=$("$CHECK" "$name" 2>&1)
	report $? "$name" || diag "$found"
done
done_testing
