#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# xen-blkback-takeover without a kernel: its functions, on a tree that stands for sysfs,
# with stubs for modules and xenstore. What a real exchange does is the lab's,
# tests/lab/long/42-takeover.sh. For prove, from any directory.

# Many functions and variables are the tool's.
# shellcheck disable=SC2034,SC2317,SC2153,SC2154
HERE=$(cd "$(dirname "$0")" && pwd)
REPO=$(cd "$HERE/../.." && pwd)
# shellcheck source-path=SCRIPTDIR/.. source=tap.sh
. "$HERE/../tap.sh"
ROOT=$(mktemp -d) || exit
trap 'rm -rf "$ROOT"' EXIT
tap_log "$ROOT/tap.log"
# All but what it does at once
sed '/^dry_run=0/,$d' "$REPO/tools/xen-blkback-takeover" >"$ROOT/functions"
# shellcheck source=/dev/null
. "$ROOT/functions"
set +u
declare -A began ended
exec {never}<> <(:)

# new_tree: an empty machine with a loaded module
new_tree()
{
	rm -rf "$ROOT/sys"
	BUS=$ROOT/sys/bus DRIVER=$ROOT/sys/bus/drivers/vbd MODULE=$ROOT/sys/module
	REMNANTS=$ROOT/sys/remnants SIG_ENFORCE=$ROOT/sys/sig_enforce LOCKDOWN=$ROOT/sys/lockdown
	mkdir -p "$BUS/devices" "$DRIVER" "$MODULE"
	: >"$ROOT/errors"
	: >"$ROOT/calls"
	names=() forgiven=() all_names=() vbds=() connected=() ended=() began=() problems=0 limit=2 stuck='' to_stock=0 signer=''
	be=() fe=()
}

# device VBD STATE: bound to the driver
device()
{
	mkdir -p "$BUS/devices/$1"
	echo "$2" >"$BUS/devices/$1/state"
	echo "backend/vbd/${1#vbd-}" | tr - / >"$BUS/devices/$1/nodename"
	ln -sfn "$BUS/devices/$1" "$DRIVER/$1"
}

# ---- stubs ----------------------------------------------------------------

xenstore-read()
{
	[ "$1" = /local/domain/3/name ] && echo web01
}

xenstore-exists()
{
	grep -qx "$1" "$ROOT/errors"
}

modinfo()
{
	echo "$signer"
}

# The kernel's part of a write to the file unbind
unbind_as_told()
{
	local v

	while read -r v; do
		rm -f "$DRIVER/$v"
	done <"$DRIVER/unbind"
	: >"$DRIVER/unbind"
}

# Fails as long as a vbd is bound, and does what the test says
rmmod()
{
	local v

	echo rmmod >>"$ROOT/calls"
	[ ! -e "$DRIVER/unbind" ] || unbind_as_told
	for v in "$DRIVER"/vbd-*; do
		[ ! -e "$v" ] || return 1
	done
	rmdir "$MODULE"
}

insmod()
{
	echo "insmod $*" >>"$ROOT/calls"
	if [ -d "$MODULE" ]; then
		echo "insmod: ERROR: could not insert module: File exists"
		return 1
	fi
	mkdir "$MODULE"
}

# ---- the tests --------------------------------------------------------------

nobody_waits_for_what_is_gone()
{
	new_tree
	connected=(vbd-1-51712 vbd-2-51712 vbd-3-51712)
	device vbd-1-51712 Connected
	device vbd-3-51712 Closing
	ok "all are connected or gone" all_connected
	is "${ended[vbd-2-51712]} ${ended[vbd-3-51712]}" "gone gone" "two are gone"
	like "${ended[vbd-1-51712]}" '^[0-9]+$' "one is served"
	began[vbd-1-51712]=0
	like "$(summary)" "vbd-2-51712: was detached or closed meanwhile" "it is told"
}

who_was_closed_for_an_error_is_not_gone()
{
	new_tree
	connected=(vbd-1-51712 vbd-3-51712)
	device vbd-1-51712 Connected
	device vbd-3-51712 Closing
	echo error/backend/vbd/3/51712/error >"$ROOT/errors"
	ok "one is not served" not all_connected
	is "$stuck" vbd-3-51712 "which one"
	echo Connected >"$BUS/devices/vbd-3-51712/state"
	ok "now it is" all_connected
}

not()
{
	! "$@"
}

a_new_vbd_does_not_hold_the_module()
{
	new_tree
	vbds=(vbd-1-51712)
	device vbd-9-51712 Connected
	ok "the module is unloaded" unload
	is "${vbds[*]}" "vbd-1-51712 vbd-9-51712" "the new one is taken, too"
	ok "it is not loaded any more" test ! -e "$MODULE"
}

a_module_that_udev_has_loaded_is_replaced()
{
	new_tree
	ok "the right one is loaded" load /run/new/xen-blkback.ko max_queues=2
	is "$(sort -u "$ROOT/calls" | xargs)" "insmod /run/new/xen-blkback.ko max_queues=2 rmmod" \
		"with its parameters"
	is "$(grep -c insmod "$ROOT/calls")" 2 "at the second attempt"
	new_tree
	rmdir "$MODULE"
	ok "without udev" load /run/new/xen-blkback.ko
	is "$(wc -l <"$ROOT/calls")" 1 "at once"
}

# problem_is REGEX NAME: found by the last check
problem_is()
{
	like "$problems $(<"$ROOT/said")" "^1 .*$1" "$2"
}

# no_problem NAME
no_problem()
{
	is "$problems$(<"$ROOT/said")" 0 "$1"
}

# check COMMAND...
check()
{
	problems=0
	"$@" >"$ROOT/said"
}

what_waits_is_refused()
{
	new_tree
	vbd='vbd-3-51712'
	device $vbd Connected
	check check_stall
	no_problem "the stock module says nothing"
	echo >"$BUS/devices/$vbd/waiting"
	echo 9000 >"$BUS/devices/$vbd/oldest_ms"
	check check_stall
	no_problem "a request of nine seconds"
	echo 10001 >"$BUS/devices/$vbd/oldest_ms"
	check check_stall
	problem_is "vbd-3-51712: has a request that its disk has not answered for 10 s" "an older one"
	echo "slow: 1 requests" >"$BUS/devices/$vbd/waiting"
	check check_stall
	problem_is "vbd-3-51712: waits: slow: 1 requests.*xen-vbd why vbd-3-51712" "the driver says so"
	check check_remnants
	no_problem "no remnant"
	mkdir "$REMNANTS"
	echo >"$REMNANTS/vbd-4-51712"
	check check_remnants
	problem_is "vbd-4-51712: was removed" "a remnant"
}

a_vbd_that_goes_is_refused()
{
	new_tree
	vbd='vbd-3-51712'
	be=([state]=6 [online]=1) fe=([state]=6)
	check check_states
	no_problem "closed, and may come again"
	be[online]=0
	check check_states
	problem_is "is being detached" "closed, and goes"
	be=([state]=2 [online]=0)
	check check_states
	no_problem "not connected yet"
}

who_is_named_is_forgiven()
{
	local name

	new_tree
	vbd='vbd-3-51712'
	be=([state]=6 [online]=0 [frontend-id]=3 [dev]=xvda) fe=([state]=6)
	name_vbd
	all_names=("${names[@]}")
	for name in vbd-3-51712 3/xvda web01/xvda; do
		forgiven=("$name")
		check check_states
		is "$problems" 0 "$name"
		like "$(<"$ROOT/said")" "being detached.*ignored" "$name: it is told"
		ok "$name: it is there" check_forgiven
	done
	forgiven=(web01/xvdb)
	check check_states
	problem_is "is being detached" "another one is not"
	like "$(check_forgiven 2>&1; echo $?)" "there is no vbd web01/xvdb" "nobody forgives who is not there"
}

# The real thing, as far as it goes without a module: what it makes of its words
words_behind_f()
{
	sed '/^shift .*OPTIND/,$d' "$REPO/tools/xen-blkback-takeover" >"$ROOT/options"
	is "$(set -- -n -f web01/xvda -f vbd-3-51712 -m stock max_queues=2; . "$ROOT/options"
		echo "$dry_run $force ${forgiven[*]} $wanted ${*:OPTIND}")" \
		"1 0 web01/xvda vbd-3-51712 stock max_queues=2" "vbds"
	is "$(set -- -f max_queues=2; . "$ROOT/options"; echo "$force ${forgiven[*]} ${*:OPTIND}")" \
		"1  max_queues=2" "a parameter is none"
	is "$(set -- -f -n; . "$ROOT/options"; echo "$force$dry_run${forgiven[*]}")" 11 "nor is an option"
	is "$(set -- -f; . "$ROOT/options"; echo "$force${forgiven[*]}")" 1 "alone"
}

a_module_without_a_signature_is_refused()
{
	new_tree
	check check_signature /m.ko
	no_problem "nobody asks for one"
	echo N >"$SIG_ENFORCE"
	echo "[none] integrity confidentiality" >"$LOCKDOWN"
	check check_signature /m.ko
	no_problem "or not here"
	echo "none [integrity] confidentiality" >"$LOCKDOWN"
	check check_signature /m.ko
	problem_is "/m.ko is not signed" "the kernel is locked down"
	signer="a key"
	check check_signature /m.ko
	no_problem "it is signed"
	signer=
	echo Y >"$SIG_ENFORCE"
	rm "$LOCKDOWN"
	check check_signature /m.ko
	problem_is "/m.ko is not signed" "sig_enforce"
}

# queues CPUS STOCK: what the new module would take
queues()
{
	local new_parameters=() max_queues

	to_stock=$2
	cpus=$1
	grep() { echo "$cpus"; }
	max_queues=$(number "$(parameter max_queues 0)" 0)
	cap_queues
	unset -f grep
	echo "$max_queues"
}

no_vbd_has_more_rings_than_64()
{
	is "$(queues 8 0)" 8 "one for each CPU"
	is "$(queues 96 0)" 64 "64 at most"
	is "$(queues 96 1)" 96 "the stock module knows no end"
}

nobody_waits_for_what_is_gone
who_was_closed_for_an_error_is_not_gone
a_new_vbd_does_not_hold_the_module
a_module_that_udev_has_loaded_is_replaced
what_waits_is_refused
a_vbd_that_goes_is_refused
who_is_named_is_forgiven
words_behind_f
a_module_without_a_signature_is_refused
no_vbd_has_more_rings_than_64
done_testing
