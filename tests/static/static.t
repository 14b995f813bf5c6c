#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each static check of tools/check.sh as one test. For prove, from any directory.

HERE=$(cd "$(dirname "$0")" && pwd)
CHECK=$HERE/../../tools/check.sh
# shellcheck source-path=SCRIPTDIR/.. source=tap.sh
. "$HERE/../tap.sh"

OUT=$(mktemp -d) || exit
trap 'rm -rf "$OUT"' EXIT

mapfile -t names < <("$CHECK" --list)
plan "${#names[@]}"
# As many at a time as there are cores; the builds among them take the longest
# shellcheck disable=SC2016 # expanded by sh
printf '%s\n' "${names[@]}" |
	CHECK=$CHECK OUT=$OUT xargs -P "$(nproc)" -I{} \
		sh -c '"$CHECK" {} >"$OUT/{}" 2>&1; echo $? >"$OUT/{}.status"'
for name in "${names[@]}"; do
	report "$(cat "$OUT/$name.status" || echo 1)" "$name" || diag "$(cat "$OUT/$name")"
done
done_testing
