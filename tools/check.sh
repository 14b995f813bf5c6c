#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Static checks. Each function check_NAME prints what it finds and fails if
# that is anything.
#   check.sh [--list | NAME...]      all checks if none is named
#   SRC=dir     check the driver and the repository in this directory
#   O=dir       build there
#   KDIR_6_12=, KDIR_6_1=   kernel headers, instead of the lab's
#
# The checks are called by name only.
# shellcheck disable=SC2317

TOOLS=$(cd "$(dirname "$0")" && pwd)
SRC=$(cd "${SRC:-$TOOLS/..}" && pwd) || exit
O=${O:-$SRC/build/static}
LAB=$TOOLS/../tests/lab
CC=gcc-12
CLANG=clang-14
# shellcheck source-path=SCRIPTDIR source=checkpatch.sh
. "$TOOLS/checkpatch.sh"

# What codespell takes for a mistake: a shared ring, a function of the lab's tests,
# modinfo's word, the end of "to and fro", a file of sysfs, an old disk, and what tests
# misspell on purpose
SPELLED=sring,isnt,parm,fro,inflight,eror,lits,hda

# ---- helpers ----------------------------------------------------------------

# need COMMAND...: nothing can be skipped
need()
{
	local c missing=0

	for c; do
		command -v "$c" >/dev/null || { echo "needs $c: run tests/lab/lab setup"; missing=1; }
	done
	return "$missing"
}

# kdir VERSION: the kernel's headers
kdir()
{
	local var=KDIR_${1//./_} dir=

	dir=${!var:-$(. "$LAB/common.sh" && kernel_headers "$1" 2>/dev/null)}
	if [ ! -e "$dir/Makefile" ]; then
		echo "needs the headers of Linux $1: run tests/lab/lab setup" >&2
		return 1
	fi
	echo "$dir"
}

# none: fails if anything comes in, and prints it
none()
{
	! grep .
}

# driver_files: its C
driver_files()
{
	"$TOOLS/driver-files" "$SRC" | grep '\.[ch]$'
}

# repo_files: all that is or will be in the repository, relative to it
repo_files()
{
	if git -C "$SRC" rev-parse --git-dir >/dev/null 2>&1; then
		git -C "$SRC" ls-files --cached --others --exclude-standard
	else
		(cd "$SRC" && find . -type f -printf '%P\n')
	fi | grep -v -e '^build/' -e '^\.checkpatch' | while IFS= read -r f; do
		[ -f "$SRC/$f" ] && echo "$f"
	done
}

shell_scripts()
{
	local f

	repo_files | while IFS= read -r f; do
		case $f in
		*.sh) echo "$f" ;;
		*.c | *.h | *.md | *.rst | *.pl | *.py) ;;
		*)	head -n 5 "$SRC/$f" | grep -qE '^#!.*[/ ](ba|da)?sh|^# shellcheck shell=' &&
				echo "$f" ;;
		esac
	done
}

# build NAME VERSION MAKE-ARGUMENT...: a fresh copy of the driver, built as a module,
# with the flags in $cflags; prints what is not progress
build()
{
	local name=$1 kernel dir=$O/$1

	kernel=$(kdir "$2" 2>&1) || { echo "$kernel"; return; }
	shift 2
	rm -rf "$dir"
	mkdir -p "$dir"
	(cd "$SRC" && "$TOOLS/driver-files" . | cpio -p -d -m --quiet "$dir")
	# Nobody debugs it: less to compile
	make -C "$kernel" M="$dir" CONFIG_XEN_BLKDEV_BACKEND=m CONFIG_DEBUG_INFO_BTF_MODULES= \
		KCFLAGS="-g0 ${cflags-}" "$@" modules >"$O/$name.log" 2>&1
	[ -e "$dir/xen-blkback.ko" ] || echo "no xen-blkback.ko, see $O/$name.log"
	grep -vE -e '^make(\[[0-9]+\])?: (Entering|Leaving) directory' \
		-e '^  (CC|LD|AR|AS|BTF|CHECK|MODPOST|GEN)[ []' \
		-e '^Skipping BTF generation' "$O/$name.log"
}

# c_functions: "FILE LINE NAME LENGTH STATIC DOCUMENTED" for each function body
c_functions()
{
	local f

	driver_files | grep '\.[ch]$' | while IFS= read -r f; do
		awk -v file="$f" '
			/^\/\*\*/ { doc = ""; in_doc = 1 }
			in_doc && doc == "" && /^ \* [a-z_0-9]+ -/ { doc = $2 }
			/\*\// { in_doc = 0; comment_end = FNR }
			/^[A-Za-z_].*\(/ && !/;[[:space:]]*$/ {
				head = $0; at = FNR; plain = comment_end == FNR - 1
				name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name)
			}
			/^\{/ && name != "" { start = FNR }
			/^\}/ && start {
				print file, at, name, FNR - start - 1, head ~ /^static/,
					doc == name || plain
				start = 0; name = ""
			}' "$SRC/$f"
	done
}

# dashboard_rules: its queries as rules; JSON is YAML, too
dashboard_rules()
{
	# shellcheck disable=SC2016 # Grafana's variable
	python3 -c 'import json, sys
queries = [target["expr"] for panel in json.load(sys.stdin)["panels"] for target in panel["targets"]]
rules = [{"record": f"query_{n}", "expr": query.replace("$__rate_interval", "5m")}
         for n, query in enumerate(queries)]
json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, sys.stdout)' \
		<"$SRC/tools/monitoring/grafana.json"
}

# ---- checks -----------------------------------------------------------------

# sparse looks at what is compiled
check_w1_sparse_6_12()
{
	need make "$CC" sparse && build w1-sparse-6.12 6.12 CC="$CC" W=1 C=1 | none
}

check_w1_6_1()
{
	need make "$CC" && build w1-6.1 6.1 CC="$CC" W=1 | none
}

# The headers' makefile sets CC, so LLVM=1 would quietly build with gcc; and
# their .config is gcc's, so what clang does not know is taken out of it.
check_clang()
{
	need make "$CLANG" readelf || return
	{
		cflags="-Wno-unknown-warning-option -include $TOOLS/../tests/static/clang-config.h" \
			build clang 6.12 CC="$CLANG" CONFIG_CC_IS_GCC= CONFIG_CC_IS_CLANG=y \
			CONFIG_MITIGATION_RETHUNK= CONFIG_MITIGATION_SLS= \
			CONFIG_INIT_STACK_ALL_ZERO= CONFIG_FTRACE_MCOUNT_USE_CC= \
			CONFIG_CC_IMPLICIT_FALLTHROUGH=-Wimplicit-fallthrough W=1
		readelf -p .comment "$O/clang/core/sring.o" 2>&1 | grep -q clang || echo "not built by clang"
	} | none
}

check_checkpatch()
{
	local f

	need perl && kernel_files || return
	# It leaves a file behind where it runs.
	mkdir -p "$O/checkpatch"
	cd "$O/checkpatch" || return
	while IFS= read -r f; do
		checkpatch "$(checkpatch_ignore "$f")" -f "$SRC/$f" | sed "s|^$SRC/||"
	done < <(driver_files; echo Kconfig; echo Makefile) | none
}

check_kernel_doc()
{
	local f

	need perl && kernel_files || return
	cd "$SRC" || return
	while IFS= read -r f; do
		perl "$KERNEL_FILES/scripts/kernel-doc" -none -Werror "$f" 2>&1 | grep -v 'warnings as Errors'
	done < <(driver_files) | none
}

# Every function that other files can call is explained where it is defined: by
# kernel-doc where there is a contract, by a plain comment where there is none.
check_documented()
{
	c_functions | awk '$1 ~ /\.c$/ && !$5 && !$6 { print $1 ":" $2 ": " $3 "() has no comment" }' |
		none
}

check_layers()
{
	need perl && "$TOOLS/check-layers.pl" "$SRC"
}

# Names, keys, messages and tables: both sides say the same
check_texts()
{
	need perl && "$TOOLS/check-texts.pl" "$SRC"
}

# Alerts that fire when they should, and a dashboard whose queries Prometheus takes
check_alerts()
{
	local promtool

	need python3 || return
	promtool=$("$TOOLS/promtool.sh") || { echo "needs promtool"; return 1; }
	{
		dashboard_rules >"$O/dashboard.yml" &&
			"$promtool" check rules "$SRC/tools/monitoring/prometheus-rules.yml" "$O/dashboard.yml" &&
			"$promtool" test rules "$SRC/tests/tools/alerts.yml" || echo "promtool has failed"
	} 2>&1 | grep -vE -e '^$' -e '^Checking ' -e '^Unit Testing: ' -e '^  SUCCESS' | none
}

# The faults of tests/unit/mutants name lines of the code, which move
check_mutants()
{
	local file expression reason

	cd "$SRC" || return
	while IFS=$'\t' read -r file expression reason; do
		[[ $file && $file != \#* ]] || continue
		! sed -E "$expression" "$file" | cmp -s - "$file" ||
			echo "cannot be put in: $file: $reason"
	done <tests/unit/mutants.tsv 2>&1 | none
}

check_spelling()
{
	need codespell || return
	cd "$SRC" || return
	repo_files | grep -v -e '^COPYING$' -e '\.svg$' -e '\.json$' | tr '\n' '\0' |
		xargs -0 codespell --quiet-level=3 --ignore-words-list="$SPELLED" 2>&1 | none
}

# too_wide FILE REGEX: the lines of more than 80 columns
too_wide()
{
	LC_ALL=C.UTF-8 grep -nE "$2" "$1" | sed "s|^|$1:|; s|\$|: more than 80 columns|"
}

# As forges and terminals show them. Only what is indented, as output and commands
# are, may be wider, but in the texts that are read first.
check_rst()
{
	local f

	need rst2html || return
	cd "$SRC" || return
	{
		while IFS= read -r f; do
			# What only Sphinx knows is left to Sphinx.
			grep -qE '^\.\. (toctree|literalinclude)::' "$f" ||
				rst2html --report=2 --halt=5 "$f" 2>&1 >/dev/null
			too_wide "$f" '^[^ ].{80,}$'
		done < <(repo_files | grep '\.rst$')
		for f in *.md NEWS; do
			too_wide "$f" '.{81,}'
		done
	} | none
}

# All texts as one book, in which each text has its place
check_sphinx()
{
	need sphinx-build || return
	rm -rf "$O/doc"
	# A document that is in no toctree is a warning, too.
	LC_ALL=C.UTF-8 sphinx-build -q -W --keep-going -n -b html -d "$O/doc/doctrees" \
		"$SRC/Documentation" "$O/doc/html" 2>&1 | sed "s|^$SRC/||" | none
}

# As man will show them
check_man()
{
	local f

	need rst2man || return
	cd "$SRC" || return
	while IFS= read -r f; do
		rst2man --halt=warning "$f" 2>&1 >/dev/null
	done < <(repo_files | grep '^Documentation/man/') | none
}

check_file_length()
{
	local f n max

	while IFS= read -r f; do
		n=$(wc -l <"$SRC/$f")
		max=600
		[[ $f == *.h ]] && max=200
		[ "$n" -le "$max" ] || echo "$f: $n lines, of at most $max"
	done < <(driver_files) | none
}

check_function_length()
{
	c_functions | awk '$4 > 80 { print $1 ":" $2 ": " $3 "() has " $4 " lines, of at most 80" }' |
		none
}

# In the first line, or in the second after a #!
check_spdx()
{
	local f

	repo_files | while IFS= read -r f; do
		case $f in
		*.c | *.h | *.S | *.sh | *.t | *.pl | *.py | *.rst | *Makefile | *Kconfig) ;;
		*)	head -c 2 "$SRC/$f" | grep -q '#!' || continue ;;
		esac
		head -n 2 "$SRC/$f" | awk '
			NR == 1 && /^#!/ { next }
			/SPDX-License-Identifier: GPL-2\.0-only/ { ok = 1 }
			{ exit }
			END { exit !ok }' || echo "$f: no SPDX-License-Identifier: GPL-2.0-only"
	done | none
}

# A guest must never be able to stop the host, with panic_on_warn neither.
check_no_bug()
{
	cd "$SRC" || return
	driver_files | xargs grep -nE '\b(VM_|LOCKDEP_)?(BUG|BUG_ON|WARN|WARN_ON|WARN_ONCE|WARN_ON_ONCE|panic|WARN_TAINT)[[:space:]]*\(' | none
}

check_shellcheck()
{
	local f libs

	need shellcheck || return
	cd "$SRC" || return
	# What is sourced is checked by itself, and may be there in the lab only;
	# busybox's shell is as good as dash. A library's variables are used elsewhere.
	shell_scripts | while IFS= read -r f; do
		libs=
		head -n 1 "$f" | grep -q '^#!' || libs=,SC2034
		shellcheck --exclude="SC1091,SC2187$libs" --format=gcc "$f"
	done | none
}

# Paths of the machine it was written on, and hosts it downloaded from
check_portable()
{
	local hosts pattern

	hosts=$({
		cat /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/apt/apt.conf \
			/etc/apt/apt.conf.d/* 2>/dev/null
		printenv http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
	} | grep -v '^ *#' | grep -oE 'https?://[^/ ";]+' | sed 's|.*//||; s|.*@||; s|:[0-9]*$||' |
		grep -vE '(^|\.)debian\.org$|^localhost$' | sort -u | sed 's|\.|\\.|g')
	pattern='(^|[^[:alnum:]_.$}/-])/(wor''k|home/[a-z]|User''s|tm''p/kh)(/|$)'
	[ -z "$hosts" ] || pattern="$pattern|${hosts//$'\n'/|}"
	cd "$SRC" || return
	repo_files | tr '\n' '\0' | xargs -0 grep -nIE -- "$pattern" | none
}

# ---- main -------------------------------------------------------------------

all=$(declare -F | sed -n 's/^declare -f check_//p')
status=0

mkdir -p "$O"
if [ "${1-}" = --list ]; then
	echo "$all"
	exit
fi
for name in "${@:-all}"; do
	[ "$name" = all ] && list=$all || list=$name
	for check in $list; do
		if ! declare -F "check_$check" >/dev/null; then
			echo "check.sh: no check is called $check"
			status=1
		elif found=$("check_$check" 2>&1); then
			[ $# = 1 ] || echo "ok: $check"
		else
			printf '%s\n' "${found:-failed without a word}"
			[ $# = 1 ] || echo "FAILED: $check"
			status=1
		fi
	done
done
exit "$status"
