#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Checks the model of who owns a ring, all of its interleavings, and that it finds
# each fault that is put into it. For prove, from any directory.
#   O=dir  build there

HERE=$(cd "$(dirname "$0")" && pwd)
O=${O:-$(cd "$HERE/../.." && pwd)/build/model}
# shellcheck source-path=SCRIPTDIR/.. source=tap.sh
. "$HERE/../tap.sh"
mkdir -p "$O"
tap_log "$O/model.log"

need gcc command -v gcc
need spin command -v spin

# verify FAULT: fails if SPIN finds an error, and prints what SPIN says
verify()
{
	local dir=$O/$1

	rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" &&
		spin -a -D"FAULT=$1" "$HERE/wake.pml" &&
		gcc -O2 -DSAFETY -o pan pan.c && ./pan -m100000 >pan.log &&
		cat pan.log && grep -q '^State-vector.*errors: 0$' pan.log
}

# finds FAULT: succeeds if SPIN finds an error
finds()
{
	verify "$1"
	grep -q '^State-vector.*errors: 1$' "$O/$1/pan.log"
}

ok "the model holds" verify 0
not_ok "no statement is out of reach" grep -P '^\t\([1-9]\d* of' "$O/0/pan.log"
while read -r number name; do
	ok "the model finds $name" finds "$number"
done < <(sed -n 's/^#define \(FAULT_[A-Z_]*\)\t*\([1-9]\)\t.*/\2 \1/p' "$HERE/wake.pml")
done_testing
