#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each static check of tools/check.sh as one test. For prove, from any directory.

CHECK=$(cd "$(dirname "$0")/../.." && pwd)/tools/check.sh
failed=0
n=0

mapfile -t names < <("$CHECK" --list)
echo "1..${#names[@]}"
[ "${#names[@]}" -gt 0 ] || exit 1

for name in "${names[@]}"; do
	n=$((n + 1))
	if found=$("$CHECK" "$name" 2>&1); then
		echo "ok $n - $name"
	else
		echo "# ${found//$'\n'/$'\n'# }"
		echo "not ok $n - $name"
		failed=1
	fi
done
exit "$failed"
