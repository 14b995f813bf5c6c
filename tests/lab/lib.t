#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The lab's own library, tap.sh and the names of the lab's tests. Runs on the host,
# without Xen: what a small script prints is compared with what it should.
# For prove, from any directory.

LAB=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR/.. source=tap.sh
. "$LAB/../tap.sh"
WORK=$(mktemp -d) || exit
trap 'rm -rf "$WORK"' EXIT

# of SCRIPT: what it prints, with the library, and its exit status. What only a dom0
# has is in the file "up": one line for each thing that somebody has put up.
of()
{
	: >"$WORK/up"
	cat >"$WORK/script" <<-END
	. "$LAB/lib.sh"
	leak_values() { echo up: \$(cat "$WORK/up"); }
	dmesg() { cat "$WORK/klog"; }
	wait_for() { shift; "\$@"; }
	up() { echo "\$1" >>"$WORK/up"; at_end down "\$1"; }
	down() { sed -i "/^\$1\$/d" "$WORK/up"; echo "\$1 goes" >&3; }
	$1
	END
	{
		LAB_NAME=x LAB_MODULE=ours LAB_KMSG=/dev/null bash "$WORK/script" 3>&1 2>&1
		echo "status $?"
	} | sed -E 's/^.*: line [0-9]+: //; /Killed/d'
}

# prints NAME WANT SCRIPT
prints()
{
	is "$(of "$3")" "$2" "$1"
}

echo >"$WORK/klog" "nothing of interest"
prints "passes and failures are counted" \
'ok 1 - a
not ok 2 - b
# exit status 1 of: eval echo why; false
#   why
ok 3 - c
not ok 4 - d
#      got: 1
# expected: 2
# 3
ok 5 - no splat in the kernel log
1..5
status 1' '
ok a true
ok b eval "echo why; false"
not_ok c false
is 1 $'\''2\n3'\'' d
done_testing'

prints "each comparison can fail" \
'not ok 1 - not_ok
# should have failed: true
not ok 2 - isnt
# got what must not be: 1
not ok 3 - like
#          got: abc
# not matching: ^b
not ok 4 - le
# got 3, more than 2
not ok 5 - fail
ok 6 - no splat in the kernel log
1..6
status 1' '
not_ok not_ok true
isnt 1 1 isnt
like abc ^b like
le 3 2 le
fail fail
done_testing'

prints "all can pass" \
'ok 1 - isnt
ok 2 - like
ok 3 - le
ok 4 - pass
ok 5 - no splat in the kernel log
1..5
status 0' '
isnt 1 2 isnt
like abc ^a.c$ like
le 2 2 le
pass pass
done_testing'

prints "a plan is kept to" \
'1..3
ok 1 - a
ok 2 - no splat in the kernel log
# planned 3 tests, ran 2
status 1' '
plan 3
pass a
done_testing'

prints "clean-ups run last first, also when it cannot go on" \
'# cannot go on: no b
not ok 1 - can go on: no b
b goes
a goes
ok 2 - no splat in the kernel log
1..2
status 1' '
up a
up b
bail "no b"
pass "not reached"'

prints "a case is named, cleaned up after, and ends in its leak check" \
'ok 1 - outside
ok 2 - first: inside
mine goes
ok 3 - first: nothing is left behind
ok 4 - outside again
script goes
ok 5 - no splat in the kernel log
1..5
status 0' '
one() { up mine; pass inside; }
up script
pass outside
subtest first one
pass "outside again"
done_testing'

prints "a leak is the fault of its case, and of no other" \
'ok 1 - leaks: a
not ok 2 - leaks: nothing is left behind
#      got: up: lost
# expected: up:
ok 3 - does not: a
ok 4 - does not: nothing is left behind
ok 5 - no splat in the kernel log
1..5
status 1' '
leaks() { pass a; echo lost >>"'"$WORK/up"'"; }
subtest leaks leaks
subtest "does not" pass a
done_testing'

# shellcheck disable=SC2016 # for that script
prints "a case that fails, ends early or dies does not stop the next" \
'not ok 1 - fails: a
ok 2 - fails: b
ok 3 - fails: nothing is left behind
# cannot go on: no disk
not ok 4 - bails: can go on: no disk
x goes
ok 5 - bails: nothing is left behind
unset: unbound variable
not ok 6 - breaks: came to its end, and not to exit status 1
x goes
ok 7 - breaks: nothing is left behind
not ok 8 - dies: its process was killed
ok 9 - goes on: a
ok 10 - goes on: nothing is left behind
ok 11 - no splat in the kernel log
1..11
status 1' '
fails() { fail a; pass b; }
bails() { up x; bail "no disk"; pass "not reached"; }
breaks() { up x; echo "$unset"; pass "not reached"; }
dies() { kill -9 $BASHPID; }
for name in fails bails breaks dies; do
	subtest $name $name
done
subtest "goes on" pass a
done_testing'

prints "what fails in a case fails the script" \
'not ok 1 - fails: a
ok 2 - fails: nothing is left behind
ok 3 - no splat in the kernel log
1..3
status 1' '
subtest fails fail a
done_testing'

# shellcheck disable=SC2016 # for that script
prints "variables of a case are its own" \
'ok 1 - sets: 2
ok 2 - sets: nothing is left behind
ok 3 - outside: 1
ok 4 - no splat in the kernel log
1..4
status 0' '
V=1
sets() { V=2; pass $V; }
subtest sets sets
pass "outside: $V"
done_testing'

prints "cases can be inside one another" \
'ok 1 - outer: inner: a
i goes
ok 2 - outer: inner: nothing is left behind
ok 3 - outer: b
o goes
ok 4 - outer: nothing is left behind
ok 5 - no splat in the kernel log
1..5
status 0' '
inner() { up i; pass a; }
outer() { up o; subtest inner inner; pass b; }
subtest outer outer
done_testing'

prints "results of other programs become ours" \
'ok 1 - prog: a
# remark
not ok 2 - prog: b
# noise
not ok 3 - prog: ran to its end
#      got: 2 of 3 tests, status 1
# expected: 2 of 2 tests, status 1
ok 4 - no splat in the kernel log
1..4
status 1' '
prog() { printf "%s\n" "ok 1 - a" "# remark" "not ok 2 - b" noise 1..3; return 2; }
relay prog prog
done_testing'

prints "one that dies without a word, or lies about its results, is noticed" \
'not ok 1 - silent: ran to its end
#      got: 0 of none tests, status 0
# expected: 1 of 0 tests, status 0
ok 2 - liar: a
not ok 3 - liar: ran to its end
#      got: 1 of 1 tests, status 1
# expected: 1 of 1 tests, status 0
ok 4 - true: a
ok 5 - true: ran to its end
ok 6 - no splat in the kernel log
1..6
status 1' '
liar() { printf "%s\n" "ok 1 - a" 1..1; return 1; }
relay silent true
relay liar liar
relay true printf "%s\n" "ok 1 - a" 1..1
done_testing'

prints "no result is no success" \
'1..0
status 1' '
tap_before_end() { :; }
done_testing'

SPLAT='not ok 1 - no splat in the kernel log
#      got: [    1.0] Call Trace:
# expected: 
1..1
status 1'
echo >>"$WORK/klog" "[    1.0] Call Trace:"
prints "a splat is found, if the log has lost its start" "$SPLAT" done_testing
sed -i '1i lab: start x' "$WORK/klog"
prints "a splat is found" "$SPLAT" done_testing
echo >>"$WORK/klog" "lab: start x"
prints "and found if the test has started others" "$SPLAT" done_testing
sed -i 1d "$WORK/klog"
prints "a splat from before is not" \
'ok 1 - no splat in the kernel log
1..1
status 0' done_testing

# functions FILE...: that they define
functions()
{
	cat "$@" | grep -oE '^[a-z_0-9]+\(\)' | sort
}

# The library would call the script's function in place of its own
is "$(comm -12 <(functions "$LAB"/lib/*.sh "$LAB"/../tap.sh) <(for script in "$LAB"/*/[0-9]*.sh \
	"$LAB"/compare.sh "$LAB"/demo-dom0 "$LAB"/../../bench/*.sh; do
	functions "$script" | uniq
done | sort -u))" "" "no script defines what the library does"
is "$(functions "$LAB"/lib/*.sh | uniq -d)" "" "nor does the library twice"

# Names: prove, make check T= and people tell tests apart by them
names=$(cd "$LAB" && printf '%s\n' t/*.sh long/*.sh | sed 's,.*/,,')
is "$(grep -vE '^[0-9]{2}-[a-z0-9.-]+\.sh$' <<<"$names")" "" "each test has a number and a name"
is "$(cut -d- -f1 <<<"$names" | sort | uniq -d)" "" "each number is one test's"
done_testing
