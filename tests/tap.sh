# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The one place where tests in bash print TAP, on the host and in dom0. A test
# sources this file, names a file by tap_log if it calls ok or not_ok, and ends
# with done_testing.

TAP_RUN=0
TAP_FAILED=0
TAP_PLAN=
# Before the name of each result
TAP_PREFIX=
TAP_LOG=

# For a test to define anew: called after each result, and before the plan
tap_after_result() { :; }
tap_before_end() { :; }

# plan N: a test that knows how many results it will have says so first
plan()
{
	TAP_PLAN=$1
	echo "1..$1"
}

# tap_log FILE: for the output of the last command of ok and not_ok
tap_log()
{
	TAP_LOG=$1
}

# diag TEXT...: a remark, of as many lines as it has
diag()
{
	local text="$*"

	echo "# ${text//$'\n'/$'\n# '}"
}

# diag_file FILE: the end of it, as a remark
diag_file()
{
	tail -n 40 "$1" | sed 's/^/#   /'
}

# report STATUS NAME: one result; 0 is success. Returns STATUS.
report()
{
	local name=$TAP_PREFIX$2

	TAP_RUN=$((TAP_RUN + 1))
	if [ "$1" = 0 ]; then
		echo "ok $TAP_RUN - $name"
	else
		TAP_FAILED=$((TAP_FAILED + 1))
		echo "not ok $TAP_RUN - $name"
	fi
	tap_after_result "$name"
	return "$1"
}

pass()
{
	report 0 "$1"
}

fail()
{
	report 1 "$1"
}

# ok NAME COMMAND...: passes if the command succeeds; else shows its output
ok()
{
	local name=$1 status=0

	shift
	"$@" >"$TAP_LOG" 2>&1 || status=$?
	report "$status" "$name" && return
	diag "exit status $status of: $*"
	diag_file "$TAP_LOG"
	return 1
}

# not_ok NAME COMMAND...: passes if the command fails
not_ok()
{
	local name=$1

	shift
	! "$@" >"$TAP_LOG" 2>&1
	report $? "$name" && return
	diag "should have failed: $*"
	return 1
}

# is GOT WANT NAME
is()
{
	[ "$1" = "$2" ]
	report $? "$3" && return
	diag "     got: $1"
	diag "expected: $2"
	return 1
}

# isnt GOT UNWANTED NAME
isnt()
{
	[ "$1" != "$2" ]
	report $? "$3" && return
	diag "got what must not be: $1"
	return 1
}

# like GOT REGEX NAME: an extended regular expression
like()
{
	[[ $1 =~ $2 ]]
	report $? "$3" && return
	diag "         got: $1"
	diag "not matching: $2"
	return 1
}

# le GOT LIMIT NAME: integers
le()
{
	[ "$1" -le "$2" ]
	report $? "$3" && return
	diag "got $1, more than $2"
	return 1
}

# relay NAME COMMAND...: runs another program whose output is TAP. Its results
# become results of this test; one more says whether it kept to its plan and
# whether its exit status agrees with its results.
relay()
{
	local name=$1 line plan=none seen=0 failed=$TAP_FAILED status end

	shift
	while IFS= read -r line; do
		case $line in
		"ok "*) seen=$((seen + 1)); pass "$name: ${line#*ok * - }" ;;
		"not ok "*) seen=$((seen + 1)); fail "$name: ${line#*ok * - }" ;;
		1..*) plan=${line#1..} ;;
		"#"*) echo "$line" ;;
		*) diag "$line" ;;
		esac
	done < <("$@" 2>&1)
	wait $!
	status=$?
	failed=$((TAP_FAILED > failed))
	end="$seen of $plan tests, status $((status != 0))"
	is "$end" "$((seen ? seen : 1)) of $seen tests, status $failed" "$name: ran to its end"
}

# need WHAT COMMAND...: nothing is skipped: without it this is no test
need()
{
	local what=$1

	shift
	"$@" >/dev/null 2>&1 || bail "needs $what"
}

# bail MESSAGE: no further test makes sense. Not "Bail out!", after which prove
# runs none of the other files.
bail()
{
	diag "cannot go on: $*"
	fail "can go on: $*"
	done_testing
}

# done_testing: prints the plan and exits
done_testing()
{
	tap_before_end
	[ -n "$TAP_PLAN" ] || echo "1..$TAP_RUN"
	if [ "${TAP_PLAN:-$TAP_RUN}" != "$TAP_RUN" ]; then
		diag "planned $TAP_PLAN tests, ran $TAP_RUN"
		exit 1
	fi
	[ "$TAP_FAILED" = 0 ] && [ "$TAP_RUN" -gt 0 ]
	exit
}
