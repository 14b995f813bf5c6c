# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The kernel's checkpatch.pl, and what it may say. $TOOLS is this directory.

# What checkpatch may say of a file: each exception with its reason
checkpatch_ignore()
{
	case $1 in
	# The place for other kernel versions; an in-tree export deletes it
	compat.h)	echo LINUX_VERSION_CODE,CONSTANT_COMPARISON,MACRO_ARG_UNUSED ;;
	# Nobody waits by it; it tells why it is the right call
	data/poll.c)	echo YIELD ;;
	# Names of xenbus.h: the row of a table has no room for their prefix
	core/state.c)	echo CAMELCASE ;;
	# A native frontend's layout does depend on the architecture
	core/proto.h)	echo ARCH_DEFINES ;;
	# Generated attributes: parentheses would not compile
	observe/sysfs.c)
		echo COMPLEX_MACRO,MACRO_ARG_REUSE,TRAILING_SEMICOLON,MULTISTATEMENT_MACRO_USE_DO_WHILE ;;
	# How all tracepoints are written
	trace.h)	echo OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT,LONG_LINE ;;
	# The list that members, files and sums are generated from
	core/stats.h | core/latency.h)
		printf '%s,' COMPLEX_MACRO MULTISTATEMENT_MACRO_USE_DO_WHILE \
			MACRO_ARG_REUSE MACRO_ARG_PRECEDENCE TRAILING_SEMICOLON ;;
	# Tables of cases, which unit tests in user space share
	tests/kunit/*_rows.h)	echo COMPLEX_MACRO,MACRO_ARG_REUSE,BIT_MACRO,LONG_LINE ;;
	esac
}

# kernel_files: sets $KERNEL_FILES, or says what is missing
kernel_files()
{
	KERNEL_FILES=$("$TOOLS/kernel-files.sh") || { echo "needs the kernel's scripts"; return 1; }
}

# checkpatch IGNORED ARGUMENT...: prints what it finds
checkpatch()
{
	local ignore=$1

	shift
	perl "$KERNEL_FILES/scripts/checkpatch.pl" --strict --no-tree --no-summary --terse \
		--quiet --show-types ${ignore:+--ignore "$ignore"} "$@" 2>&1 |
		# The names of the public header are not ours to change.
		grep -v -e 'CamelCase: <XenbusState' -e '^Use of uninitialized value .root' \
			-e '^find: ./include'
}
