#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The benchmark's part in dom0: measures the loaded backend and prints one line
# "PLACE/pPERSISTENT/qQUEUES/CELL/FIGURE=VALUE" per figure. Arguments are
# NAME=VALUE, see the defaults. bench/bench runs it and README.md explains it.

# shellcheck disable=SC2016,SC2317 # expanded by the shell that runs the text; called by name
# shellcheck source-path=SCRIPTDIR source=../tests/lab/lib.sh
. /lab/lib.sh

places="native loopback guest"
cells="4k-randread-d1 4k-randread-d32 4k-randwrite-d32 64k-read-d16 64k-write-d16 512k-read-d8 1m-read-d4"
persistent="1 0"
queues="1"
traced="4k-randread-d32 512k-read-d8"
allocating="4k-randread-d32 44k-read-d16"
device=1
backend=kernel
profile=
runtime=500ms
ramp=100ms

DISK=/dev/nullb0
EXTRA=/job/extra/usr
QEMU=$EXTRA/libexec/xen-qemu-system-i386

die()
{
	echo "bench: $*" >&2
	cleanup
	exit 1
}

figure()
{
	echo "$1=$2"
}

# fio_command DEVICE CELL QUEUES EXTRA...: the total depth is the cell's, split
# over as many jobs as there are queues, each on a CPU of its own
fio_command()
{
	local dev=$1 bs rw depth jobs=$3

	IFS=- read -r bs rw depth <<<"$2"
	depth=${depth#d}
	[ "$depth" -ge "$jobs" ] || jobs=1
	shift 3
	echo fio --name=bench --filename="$dev" --rw="$rw" --bs="$bs" \
		--iodepth=$((depth / jobs)) --numjobs="$jobs" --group_reporting --thread \
		--direct=1 --ioengine=libaio --norandommap --randrepeat=1 --gtod_reduce=1 \
		--minimal --terse-version=3 \
		"$([ "$jobs" = 1 ] || echo "--cpus_allowed=0-$((jobs - 1)) --cpus_allowed_policy=split")" \
		"$@"
}

timed()
{
	echo "--time_based --runtime=$runtime --ramp_time=$ramp"
}

# Runs where the frontend is, guest or dom0: fio's rate, and what was counted
# around it
FRONT='
irqs() { awk '\''$NF == "blkif" { for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i }
	END { print n + 0 }'\'' /proc/interrupts; }
ctxt() { sed -n "s/^ctxt //p" /proc/stat; }
measure() {
	local i=$(irqs) c=$(ctxt) out
	out=$("$@" 2>/tmp/fio.err) || { cat /tmp/fio.err; echo "$out"; return 1; }
	echo "$out" | awk -F";" "/^3;fio/ { print \"iops=\" (\$8 > \$49 ? \$8 : \$49) }"
	echo "front_irqs=$(($(irqs) - i))"
	echo "front_ctxt=$(($(ctxt) - c))"
}
'

# in_front COMMAND: in the guest when there is one, else here
in_front()
{
	if [ "$PLACE" = guest ]; then
		guest_run bench "$1" 1000
	else
		bash -c "$1"
	fi
}

# qemu COMMAND-LINE...: brings its own libraries
qemu()
{
	LD_LIBRARY_PATH=$EXTRA/lib/x86_64-linux-gnu exec "$QEMU" "$@"
}

# qemu_start DOMID: serves that guest's qdisks, until the guest goes
qemu_start()
{
	local state=/local/domain/0/device-model/$1/state

	qemu -xen-domid "$1" -xen-attach -name bench -M xenpv -nographic -nodefaults \
		-no-user-config -monitor none -serial none -parallel none >&2 &
	QEMU_PID=$!
	wait_for 60 xenstore-exists "$state" || die "QEMU does not start"
	# xl attaches a qdisk only to a guest whose QEMU it knows
	xenstore-write "/local/domain/$1/image/device-model-pid" "$QEMU_PID"
}

# attach_guest DOMID: as xvda; sets VBD, the backend's directory in sysfs, of QEMU's in
# xenstore
attach_guest()
{
	if [ "$backend" = qdisk ]; then
		VBD=/local/domain/0/backend/qdisk/$1/$(vdev_number xvda)
		xl block-attach "$1" "vdev=xvda,access=rw,format=raw,backendtype=qdisk,target=$DISK"
	else
		VBD=$(vbd_sysfs "$1" xvda)
		xl block-attach "$1" "phy:$DISK" xvda w
	fi
}

vbd_gone()
{
	if [ "$backend" = qdisk ]; then
		! xenstore-exists "$VBD"
	else
		! test -e "$VBD"
	fi
}

# back_values: what the backend counted, NAME VALUE per line; the native disk
# has only its sectors, and so has QEMU
back_values()
{
	local f

	echo "back_ctxt $(sed -n 's/^ctxt //p' /proc/stat)"
	if [ "$PLACE" = native ] || [ "$backend" = qdisk ]; then
		awk '{ print "sectors", $3 + $7 }' "/sys/block/${DISK#/dev/}/stat"
		return
	fi
	echo "back_events $(cat "$VBD/xenbus/events")"
	echo "sectors $(($(cat "$VBD/statistics/rd_sect") + $(cat "$VBD/statistics/wr_sect")))"
	[ "$LAB_MODULE" = ours ] || return 0
	for f in "$VBD"/statistics/*; do
		echo "stat_${f##*/} $(cat "$f")"
	done
}

# bytes SIZE: 4k -> 4096
bytes()
{
	numfmt --from=iec "${1^^}"
}

# run_fio COMMAND: fills the array GOT with everything measured
declare -A GOT BASE
run_fio()
{
	local name value
	local -A before

	GOT=()
	while read -r name value; do
		before[$name]=$value
	done < <(back_values)
	in_front "$FRONT measure $1" >"$LAB_TMP/front" ||
		{ sed 's/^/bench: /' "$LAB_TMP/front" >&2; die "fails in $WHERE: $1"; }
	while read -r name value; do
		GOT[$name]=$((value - before[$name]))
	done < <(back_values)
	while IFS='=' read -r name value; do
		GOT[$name]=$value
	done < <(grep -E '^[a-z_]+=[0-9.]+$' "$LAB_TMP/front")
}

# base: what starting fio costs, to be taken off each cell
base()
{
	local name

	BASE=()
	# Twice: the first one brings its files into memory
	run_fio "$(fio_command "$DEV" 4k-randread-d1 1 --number_ios=1)"
	run_fio "$(fio_command "$DEV" 4k-randread-d1 1 --number_ios=1)"
	for name in "${!GOT[@]}"; do
		BASE[$name]=${GOT[$name]}
	done
}

# ios CELL: how many I/Os of the cell's size were done
ios()
{
	echo $(((GOT[sectors] - ${BASE[sectors]:-0}) * 512 / $(bytes "${1%%-*}")))
}

cell()
{
	local name n

	run_fio "$(fio_command "$DEV" "$1" "$QUEUES" "$(timed)")"
	n=$(ios "$1")
	if [ -z "${GOT[iops]-}" ] || [ "$n" -le 0 ]; then
		die "no figure for $WHERE/$1"
	fi
	figure "$WHERE/$1/iops" "${GOT[iops]}"
	for name in "${!GOT[@]}"; do
		[[ $name = iops || $name = sectors ]] ||
			figure "$WHERE/$1/$name" "$(awk -v a="${GOT[$name]}" \
				-v b="${BASE[$name]:-0}" -v n="$n" \
				'BEGIN { printf "%.4f", (a > b ? a - b : 0) / n }')"
	done
}

# Counts PV hypercalls in the binary records of xentrace, with those inside of
# multicalls
COUNT_HYPERCALLS='
	local $/;
	open my $f, "<:raw", $ARGV[0] or die "$ARGV[0]: $!";
	my ($data, $at, %n) = (<$f>, 0);
	while ($at + 4 <= length $data) {
		my $head = unpack "V", substr $data, $at, 4;
		my ($event, $extra) = ($head & 0xfffffff, $head >> 28 & 7);
		my $body = $at + 4 + ($head >> 31 ? 8 : 0);
		my $word = $extra ? unpack "V", substr $data, $body, 4 : 0;
		$n{$word & 0xfffff}++ if $event == 0x20100d || $event == 0x20200e;
		$lost++ if $event == 0x1f001;
		$at = $body + 4 * $extra;
	}
	print "lost $lost\n" if $lost;
	print "$_ $n{$_}\n" for keys %n;
'

# traced_cell CELL: hypercalls of all domains, by number
traced_cell()
{
	local trace=$LAB_TMP/trace number count n pid

	xentrace -D -S 256 -e 0x20f000 "$trace" 2>/dev/null &
	pid=$!
	nap 0.1
	run_fio "$(fio_command "$DEV" "$1" "$QUEUES" --time_based --runtime=200ms)"
	kill -INT "$pid" || die "$WHERE/$1: xentrace does not run"
	wait "$pid"
	n=$(ios "$1")
	while read -r number count; do
		[ "$number" != lost ] || die "xentrace lost records in $WHERE/$1"
		figure "$WHERE/$1/hypercall_$number" \
			"$(awk -v c="$count" -v n="$n" 'BEGIN { printf "%.4f", c / n }')"
	done < <(perl -e "$COUNT_HYPERCALLS" "$trace")
	rm -f "$trace"
}

TRIGGERS=(/sys/kernel/tracing/events/kmem/{kmalloc,kmem_cache_alloc,mm_page_alloc})

# Adds up the histograms of allocations by stack, below which is the backend. What the
# block layer allocates is told by the function that allocates; all else is the driver's.
# An interrupt that came while the driver ran is not.
COUNT_ALLOCATIONS='
	BEGIN { n["block"] = n["own"] = 0 }
	/^\{/ { caller = ""; end = under = 0; next }
	/^\}/ && under { n[caller ~ /^(__)?(bio|bvec|blk|submit_bio|null)_/ ? "block" : "own"] += $NF
		print FILENAME, caller, $NF >"/dev/stderr" }
	/^ *Hits:/ { hits += $2 }
	/^ *Dropped:/ && $2 { print "dropped", $2 }
	!/^ +[^ ]+\+0x/ || end { next }
	/asm_|_upcall|_interrupt/ { end = 1; next }
	!caller && !/^ *(__)?(mempool|kmalloc|kmem_cache|alloc_pages|get_free_pages)/ { caller = $1 }
	/\[xen_blkback\]/ { under = end = 1 }
	END {
		if (!hits)
			print "dropped all"
		for (k in n)
			print k, n[k]
	}
'

# trigger PREFIX: of the histograms; "!" takes them away
trigger()
{
	local t

	for t in "${TRIGGERS[@]}"; do
		echo "$1hist:keys=stacktrace" >"$t/trigger" || die "no histogram of ${t##*/}"
	done
}

# allocating_cell CELL: memory allocated by the backend, and by the block layer for it,
# per I/O. What fio needs to start has no backend in its stack.
allocating_cell()
{
	local name count n

	trigger ''
	run_fio "$(fio_command "$DEV" "$1" "$QUEUES" --time_based --runtime=100ms)"
	while read -r name count; do
		[ "$name" != dropped ] || die "$WHERE/$1: $count allocations are not counted"
		figure "$WHERE/$1/alloc_$name" "$(awk -v c="$count" -v n="$(ios "$1")" \
			'BEGIN { printf "%.4f", c / n }')"
	done < <(awk "$COUNT_ALLOCATIONS" "${TRIGGERS[@]/%//hist}")
	trigger '!'
}

# profile_cell CELL: tells bench/profile when the cell runs steadily; the naps are
# of virtual time
profile_cell()
{
	local command pid=''

	command="$(fio_command "$DEV" "$1" "$QUEUES" --time_based --runtime=3s) >/dev/null 2>&1"
	if [ "$PLACE" = guest ]; then
		guest_send bench "$command"
	else
		bash -c "$command" &
		pid=$!
	fi
	nap 1.5
	figure profile/begin 1
	nap 1
	figure profile/end 1
	if [ -z "$pid" ]; then
		guest_wait bench 1000 || die "$WHERE/$1: fio failed"
	else
		wait "$pid" || die "$WHERE/$1: fio failed"
	fi
	symbols dom0 <(grep -i ' [tw] ' /proc/kallsyms)
	symbols xen /proc/xen/xensyms
	[ "$PLACE" != guest ] || guest_run bench \
		'grep -i " [tw] .*\[" /proc/kallsyms | gzip -9 | base64 -w 150' | sed 's/^/symbols guest /'
}

# symbols WHOSE FILE
symbols()
{
	gzip -c <"$2" | base64 -w 1000 | sed "s/^/symbols $1 /"
}

all_cells()
{
	local c

	if [ -n "$profile" ]; then
		profile_cell "$profile"
		return
	fi
	base
	for c in $cells; do
		cell "$c"
	done
	[ "$PLACE" != native ] || return 0
	for c in $traced; do
		[[ " $cells " != *" $c "* ]] || traced_cell "$c"
	done
	[ "$backend" = kernel ] || return 0
	for c in $allocating; do
		allocating_cell "$c"
	done
}

# negotiated DOMID: are persistence and queues what the cell's name says?
negotiated()
{
	local fe be got

	fe=$(frontend_path "$1" xvda) be=$(backend_path "$1" xvda)
	[ "$backend" = kernel ] || be=$VBD
	got=$(xs_read "$fe/multi-queue-num-queues" || echo 1)
	[ "$got" = "$QUEUES" ] || die "$WHERE: $got queues instead of $QUEUES"
	got=$(($(xs_read "$fe/feature-persistent" || echo 0) &
		$(xs_read "$be/feature-persistent" || echo 0)))
	[ "$got" = "${PERSISTENT}" ] || die "$WHERE: persistent is $got"
}

place_native()
{
	PLACE=native WHERE=native/p0/q1 DEV=$DISK QUEUES=1
	all_cells
}

place_loopback()
{
	PLACE=loopback QUEUES=1 DEV=/dev/xvda
	for PERSISTENT in $persistent; do
		WHERE=loopback/p$PERSISTENT/q1
		frontend_reload "feature_persistent=$PERSISTENT" ||
			die "$WHERE: xen-blkfront does not load"
		attach_loopback "$DISK" xvda || die "$WHERE: cannot attach"
		VBD=$(vbd_sysfs 0 xvda)
		negotiated 0
		all_cells
		detach xvda || die "$WHERE: cannot detach"
	done
	modprobe -r xen-blkfront
}

# place_guest: a PV guest with a CPU for each queue
place_guest()
{
	local domid

	PLACE=guest DEV=/dev/xvda
	[ -z "$profile" ] || figure profile/boot 1
	for QUEUES in $queues; do
		GUEST_VCPUS=$QUEUES GUEST_TIMEOUT=400 guest_start bench pv ||
			die "the guest of $QUEUES CPUs does not start"
		domid=$(guest_domid bench)
		[ "$backend" != qdisk ] || qemu_start "$domid"
		for PERSISTENT in $persistent; do
			WHERE=guest/p$PERSISTENT/q$QUEUES
			guest_run bench "echo $PERSISTENT >/sys/module/xen_blkfront/parameters/feature_persistent" ||
				die "$WHERE: cannot set feature_persistent"
			attach_guest "$domid" || die "$WHERE: cannot attach"
			guest_run bench 'for ((n = 0; n < 300; n++)); do
				[ "$(cat /sys/block/xvda/size 2>/dev/null || echo 0)" = 0 ] || exit 0
				sleep 0.1
			done; exit 1' || die "$WHERE: no disk in the guest"
			negotiated "$domid"
			all_cells
			xl block-detach "$domid" xvda || die "$WHERE: cannot detach"
			wait_for 30 vbd_gone || die "$WHERE: the vbd stays"
		done
		guest_destroy bench || die "the guest of $QUEUES CPUs does not go"
	done
}

# --- The device itself -------------------------------------------------

# threads_switches: of the backend's ring threads, all added
threads_switches()
{
	local pid

	for pid in $(ps --ppid 2 -o pid=,comm= |
		awk '$2 ~ /^([0-9]+\.(xvd|sd|hd)|blkback\.)/ { print $1 }'); do
		sed -n 's/.*ctxt_switches:[ \t]*//p' "/proc/$pid/status"
	done | awk '{ n += $1 } END { print NR ? n : "none" }'
}

idle_wakeups()
{
	local before after

	frontend_reload || die "xen-blkfront does not load"
	attach_loopback "$DISK" xvda || die "idle: cannot attach"
	dd if=/dev/xvda of=/dev/null bs=1M count=8 iflag=direct status=none
	nap 2
	before=$(threads_switches)
	nap 10
	after=$(threads_switches)
	[ "$before" != none ] || die "idle: finds no thread of the backend"
	figure device/idle_wakeups "$(awk -v d=$((after - before)) 'BEGIN { printf "%.2f", d / 10 }')"
	detach xvda || die "idle: cannot detach"
}

# attach_times N: milliseconds from physical-device written to Connected; the
# frontend in dom0 waits for it
attach_times()
{
	local be fe n begin state

	be=$(backend_path 0 xvda) fe=$(frontend_path 0 xvda)
	frontend_load
	for ((n = 0; n < $1; n++)); do
		xenstore-write -- "$fe/backend" "$be" "$fe/backend-id" 0 \
			"$fe/device-type" disk "$fe/virtual-device" "$(vdev_number xvda)" \
			"$fe/protocol" x86_64-abi "$fe/state" 1 \
			"$be/frontend" "$fe" "$be/frontend-id" 0 "$be/online" 1 \
			"$be/dev" xvda "$be/mode" w "$be/state" 1
		wait_for 30 test -e "$(vbd_sysfs 0 xvda)" || die "attach: no device"
		nap 0.5
		coproc WATCH { exec xenstore-watch "$be/state"; }
		# The watch fires once when it is set
		read -r -t 10 -u "${WATCH[0]}" _
		begin=${EPOCHREALTIME/./}
		xenstore-write "$be/physical-device" "$(devt_hex "$DISK")"
		while state=; read -r -t 10 -u "${WATCH[0]}" _; do
			state=${EPOCHREALTIME/./}
			[ "$(xs_read "$be/state")" != 4 ] || break
		done
		[ -n "$state" ] || die "attach: not connected within 10 s"
		figure "device/attach_ms_$n" "$(((state - begin) / 1000)).$(((state - begin) / 100 % 10))"
		# shellcheck disable=SC2153 # set by coproc
		kill "$WATCH_PID"
		wait "$WATCH_PID" 2>/dev/null
		hand_detach xvda || die "attach: cannot detach"
	done
}

# kernel_kib: memory that dom0's kernel has for itself: neither free, on the lists of
# CPUs included, nor of files or programs, once all that was put off is done. The
# waiting costs virtual time only.
kernel_kib()
{
	local n f

	nap 3
	for n in 1 2 3; do
		echo 3 >/proc/sys/vm/drop_caches
		for f in /sys/kernel/slab/*/shrink; do
			echo 1 >"$f"
		done
		nap 1
	done
	# The counters are exact after this only
	cat /proc/sys/vm/stat_refresh
	cat /proc/meminfo /proc/zoneinfo | awk '
		$1 == "MemTotal:" { n += $2 }
		$1 ~ /^(MemFree|Buffers|Cached|AnonPages|PageTables):$/ { n -= $2 }
		$1 == "count:" { n -= $2 * 4 }
		END { print n }'
}

# vbd_driver bind|unbind VBDS
vbd_driver()
{
	local n

	for ((n = 0; n < $2; n++)); do
		timeout 30 sh -c 'echo "$1" >"/sys/bus/xen-backend/drivers/vbd/$2"' \
			- "vbd-0-$((51712 + n * 16))" "$1" || die "memory: cannot $1"
	done
}

# vbd_memory PAGES QUEUES VBDS: KiB that the driver has for one connected vbd, which
# is what comes free when it is unbound. Meanwhile the frontends, which wait in a
# shell for a line in a FIFO, keep theirs.
vbd_memory()
{
	local n before after go=$LAB_TMP/go

	{
		echo "vbd mode=w params=$(devt_hex "$DISK") devid=\$DEVID"
		echo "ring pages=$1 queues=$2"
		echo "wait-backend 2"
		echo "be-write physical-device $(devt_hex "$DISK")"
		echo "connect"
		echo "sh \"touch $go.\$DEVID.up; read line <$go.\$DEVID\""
		echo "close"
		echo "destroy"
	} >"$LAB_TMP/memory.fe"
	for ((n = 0; n < $3; n++)); do
		mkfifo "$go.$((51712 + n * 16))"
		/job/blkfe -D DEVID=$((51712 + n * 16)) "$LAB_TMP/memory.fe" \
			>"$LAB_TMP/blkfe.$n" 2>&1 &
	done
	wait_for 60 files "$go.*.up" "$3" || memory_failed "$1" "$2"
	before=$(kernel_kib)
	vbd_driver unbind "$3"
	after=$(kernel_kib)
	MEMORY=$(awk -v d=$((before - after)) -v n="$3" 'BEGIN { printf "%.1f", d / n }')
	vbd_driver bind "$3"
	go_on "$3" "$go"
	wait_for 60 not pgrep -x blkfe
	rm -f "$go".*
}

# go_on VBDS FIFO: each blkfe takes its next step
go_on()
{
	local n

	for ((n = 0; n < $1; n++)); do
		echo >"$2.$((51712 + n * 16))"
	done
}

files()
{
	[ "$(compgen -G "$1" | wc -l)" = "$2" ]
}

memory_failed()
{
	cat "$LAB_TMP"/blkfe.* >&2
	die "memory: blkfe does not connect with $1 pages and $2 queues"
}

place_device()
{
	local n

	PLACE=device
	attach_times 5
	idle_wakeups
	modprobe -r xen-blkfront
	# The first one pays for what all share
	vbd_memory 16 4 1
	for n in 0 1 2; do
		vbd_memory 1 1 8
		figure "device/memory_p1_q1_kib_$n" "$MEMORY"
	done
	for n in 0 1 2; do
		vbd_memory 16 4 1
		figure "device/memory_p16_q4_kib_$n" "$MEMORY"
	done
}

version_of_backend()
{
	if [ "$backend" = qdisk ]; then
		(qemu --version) | awk 'NR == 1 { print $4 }'
	else
		sha1sum "$(modinfo -F filename xen-blkback)" | cut -c1-12
	fi
}

for argument; do
	case $argument in
	places=*|cells=*|persistent=*|queues=*|traced=*|allocating=*|device=*|backend=*|profile=*|runtime=*|ramp=*)
		declare "$argument" ;;
	*) die "unknown argument $argument" ;;
	esac
done
modprobe null_blk nr_devices=1 gb=4 || die "null_blk does not load"
wait_for 10 test -b "$DISK" || die "no $DISK"
module_load max_queues=4 || die "the $LAB_MODULE backend does not load"
figure version/xen "$(xl info | sed -n 's/^xen_version *: //p')"
figure version/kernel "$(uname -r)"
figure version/fio "$(fio --version)"
figure version/module "$(version_of_backend)"
for place in $places; do
	"place_$place"
done
[ "$device" = 0 ] || place_device
figure "done" 1
cleanup
exit 0
