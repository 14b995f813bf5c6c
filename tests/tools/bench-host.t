#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# bench/host on a machine that only looks like one with Xen: what it refuses, in words,
# and what the file has that people send back. For prove, from any directory.

HERE=$(cd "$(dirname "$0")" && pwd)
REPO=$(cd "$HERE/../.." && pwd)
HOST=$REPO/bench/host
# shellcheck source-path=SCRIPTDIR/.. source=tap.sh
. "$HERE/../tap.sh"
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
tap_log "$work/tap.log"
bin=$work/bin
vbd=$work/sys/bus/xen-backend/devices/vbd-3-51728
export HOST_SYSFS=$work/sys

# program NAME: from stdin
program()
{
	{ echo "#!/bin/bash"; cat; } >"$bin/$1"
	chmod +x "$bin/$1"
}

# host ARGUMENT...: in a directory of its own, on the machine
host()
{
	(cd "$work" && PATH=$bin:$PATH "$HOST" "$@" 2>&1)
}

# guest FILE [MODULE]: measures in the guest
guest()
{
	host -g web -s root@web -d xvdb -r 1 -t 1 -o "$1" ${2:+-m "$2"} 4k-randread-d1
}

# refuses WHY ARGUMENT...
refuses()
{
	local why=$1

	shift
	like "$(host "$@")" "$why" "host $*: $why"
}

# machine: the programs of one with Xen, a guest, and a vbd
machine()
{
	mkdir -p "$vbd"/{xenbus,statistics} "$work/sys/module/xen_blkback/notes"
	echo 1 | tee "$vbd"/xenbus/events "$vbd"/statistics/{rd,wr}_sect >/dev/null
	echo id >"$work/sys/module/xen_blkback/notes/.note.gnu.build-id"
	program xl <<-'END'
		case $1 in
		info) printf 'xen_version            : 4.17.7\nnr_cpus                : 2\n' ;;
		domid) [ "$2" = web ] && echo 3 ;;
		esac
	END
	program xenstore-read <<-'END'
		case $1 in
		*/backend) echo /local/domain/0/backend/vbd/3/51728 ;;
		*) echo 1 ;;
		esac
	END
	program ssh <<<'exec bash'
	# 1000 I/Os, or the one of a run that it is only started for; and its terse line
	program fio <<-END
		[[ \$* = *number_ios=1* ]] && n=8 || n=8000
		echo \$((\$(<$vbd/statistics/rd_sect) + n)) >$vbd/statistics/rd_sect
		printf '3;fio-3;bench;0;0;0;0;250;0;0;0;0;0;0;0;0;0'
		printf ';50.000000%%=90;99.000000%%=100;99.900000%%=110%s\n' "\$(printf ';0%.0s' {1..40})"
	END
}

mkdir "$bin"
like "$(host -h)" "^usage: host" "host -h tells how it is used"
host -h >/dev/null
is $? 0 "and is no error"
for bad in "" "-a x -g web" "-g web" "-a x -r none" "-a x -t 0"; do
	# shellcheck disable=SC2086 # words
	refuses "^usage: host" $bad
done
refuses "no xl: is this dom0" -a /dev/null
program xl <<<'exit 1'
program xenstore-read </dev/null
refuses "xl finds no Xen" -a /dev/null
program xl </dev/null
program fio </dev/null
refuses "/dev/null is no disk" -a /dev/null
program ssh <<<'exit 255'
refuses "no fio in web, or no way to it: root@web" -g web -s root@web

machine
refuses "no guest mail" -g mail -s root@web
refuses "no .*vbd-3-51712: is the backend a process" -g web -s root@web
ok "it measures in a guest" guest stock.json
like "$(<"$work/stock.json")" '"guest/p1/q1/disk/4k-randread-d1/iops": 250' "the file has IOPS"
like "$(<"$work/stock.json")" '"version/cpus": "2, dom0 [0-9]+"' "and what the machine is"
like "$(guest stock.json)" "stock.json has figures of stock already" "a second run does not overwrite it"
ok "the other module is measured" guest stock.json ours
like "$("$REPO/bench/bench" "$work/stock.json")" '4k-randread-d1 .*250.*250' \
	"one file with both makes a table"
rm "$work/stock.json"
program fio <<<'echo no such device; exit 1'
like "$(guest stock.json)" "no such device.*fails in guest/p1/q1/disk" "a fio that fails is shown"
[ ! -e "$work/stock.json" ]
report $? "and leaves no file"
done_testing
