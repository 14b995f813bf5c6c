#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Proves what the functions of the files here say, for all values, and that each
# proof fails if the code is wrong: with each of the faults of faults.tsv. For prove,
# from any directory.
#   O=dir  work there

HERE=$(cd "$(dirname "$0")" && pwd)
SRC=$(cd "$HERE/../.." && pwd)
O=${O:-$SRC/build/proof}
# shellcheck source-path=SCRIPTDIR/.. source=tap.sh
. "$HERE/../tap.sh"
rm -rf "$O" && mkdir -p "$O"
tap_log "$O/proof.log"

need gcc command -v gcc
need libxen-dev test -e /usr/include/xen/io/blkif.h
need cbmc "$HERE/cbmc.sh" --version

# proofs FILE: the names of its proofs, and so of abi_x86_32.c those of abi.c
proofs()
{
	sed -n 's/^void \([a-z0-9_]*\)(void)$/\1/p' "$HERE/${1/_x86_32/}.c"
}

# verify FILE PROOF [SRC]: fails if CBMC finds an error, and prints what CBMC says
verify()
{
	local src=${3-$SRC} options

	read -r -a options < <(sed -n 's,^/\* cbmc: \(.*\) \*/$,\1,p' "$HERE/$1.c")
	"$HERE/cbmc.sh" --function "$2" --conversion-check --stop-on-fail --trace --compact-trace \
		"${options[@]}" -I "$SRC/tests/unit/include" -I "$src" -I "$SRC/tests/unit" "$HERE/$1.c"
}

# finds FILE PROOF CODE EXPRESSION: succeeds if that proof, and CBMC with it, ends in
# an error for that fault in the code
finds()
{
	local src=$O/fault

	rm -rf "$src" && mkdir "$src" && cp -r "$SRC/core" "$src/" || return
	sed -E -i "$4" "$src/$3"
	if cmp -s "$src/$3" "$SRC/$3"; then
		echo "this is no fault: $4"
		return 1
	fi
	verify "$1" "$2" "$src" | tee "$O/fault.log"
	grep -q '^VERIFICATION FAILED' "$O/fault.log"
}

for file in "$HERE"/*.c; do
	file=$(basename "$file" .c)
	for proof in $(proofs "$file"); do
		echo "$proof" >>"$O/proofs"
		ok "$file: ${proof//_/ }" verify "$file" "$proof"
	done
done
is "$(comm -23 <(sort -u "$O/proofs") <(cut -f 2 "$HERE/faults.tsv" | sort))" "" \
	"each proof has a fault to find"
while IFS=$'\t' read -r file proof code expression what; do
	ok "$file: ${proof//_/ }: not if $what" finds "$file" "$proof" "$code" "$expression"
done < <(grep -v '^#' "$HERE/faults.tsv")
done_testing
