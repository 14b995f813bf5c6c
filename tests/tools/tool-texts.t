#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What surrounds xen-vbd agrees with it: completion, man pages, README, alerts,
# dashboard, units; and its sources keep to the rules. For prove, from any directory.

HERE=$(cd "$(dirname "$0")" && pwd)
REPO=$(cd "$HERE/../.." && pwd)
TOOL=$REPO/tools/xen-vbd
MAN=$REPO/Documentation/man/xen-vbd.8.rst
MONITORING=$REPO/tools/monitoring
PYTHON=/usr/bin/python3
# shellcheck source-path=SCRIPTDIR/.. source=tap.sh
. "$HERE/../tap.sh"
# shellcheck source-path=SCRIPTDIR source=trees.sh
. "$HERE/trees.sh"
TREES=$(mktemp -d) || exit
trap 'rm -rf "$TREES"' EXIT
tap_log "$TREES/tap.log"
export LC_ALL=C.UTF-8

need python3-yaml $PYTHON -c 'import yaml'

# commands: of the tool
commands()
{
	"$TOOL" --help | sed -n 's/^    \([a-z]\{1,\}\) .*/\1/p'
}

# long_options COMMAND: that its help has
long_options()
{
	"$TOOL" "$1" --help | grep -oE '(^|[ ,])--[a-z]+' | tr -d ' ,' | sort -u | xargs
}

# complete WORD...: what completion offers for the last one
complete_words()
{
	bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
		_xen_vbd "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
		echo "${COMPREPLY[*]}"' - "$REPO/tools/completion/xen-vbd" "$TOOL" "$@" | tr ' ' '\n' |
		sort | xargs
}

completion()
{
	local command

	tree_new healthy
	healthy
	export XEN_VBD_ROOT=$TREE
	is "$(complete_words '')" "$( (commands; printf '%s\n' --help --version) | sort | xargs)" "all commands"
	for command in $(commands | grep -v takeover); do
		is "$(complete_words "$command" --)" "$(long_options "$command")" "options of $command"
	done
	is "$(complete_words why w)" web01/xvda "vbds"
	is "$(complete_words set web01/xvda '')" "cgroup= grant_policy= polling_duration=" "tunables"
	is "$(complete_words limit web01/xvda '')" "rbps= riops= wbps= weight= wiops=" "limits"
	is "$(complete_words takeover -m '')" stock "modules"
	is "$(complete_words top '')" "" "nothing where nothing fits"
	is "$(bash -c '. "$1"; complete -p xen-vbd' - "$REPO/tools/completion/xen-vbd")" \
		"complete -F _xen_vbd xen-vbd" "bash knows it"
	takeover_completion
}

# takeover_words WORD...: what completion of xen-blkback-takeover offers for the last one,
# with a modinfo that knows two parameters
takeover_words()
{
	bash -c 'modinfo() { printf "%s:x (uint)\n" max_queues latency; }
		. "$1"; shift; COMP_WORDS=(takeover "$@"); COMP_CWORD=$#
		_xen_blkback_takeover takeover "${*: -1}"; echo "${COMPREPLY[*]}"' \
		- "$REPO/tools/completion/xen-blkback-takeover" "$@" 2>&1 | tr ' ' '\n' | sort | xargs
}

takeover_completion()
{
	is "$(takeover_words -)" "$( ("$REPO/tools/xen-blkback-takeover" --help |
		grep -oE '^  -[a-z]' | tr -d ' '; echo --help) | sort | xargs)" "options of xen-blkback-takeover"
	is "$(takeover_words '')" "latency= max_queues=" "parameters of the module"
	is "$(takeover_words -m st)" stock "the kernel's own module"
	is "$(takeover_words -m "$REPO/tools/xen-vb")" "$REPO/tools/xen-vbd" "or a file"
	is "$(takeover_words -t '')" "" "no number of seconds"
}

manual()
{
	local word names

	for word in $(commands); do
		ok "command $word" grep -q "^\*\*$word\*\*$" "$MAN"
		names+=" $(long_options "$word")"
	done
	names+=" $(long_options --help)"
	is "$(grep -oE '^(-.*, |)--[a-z]+' "$MAN" | grep -oE -- '--[a-z]+' | sort -u | xargs)" \
		"$(tr ' ' '\n' <<<"$names" | sort -u | xargs)" "options"
	is "$(sed -n '/^EXIT STATUS/,/^ENV/s/^\([0-9]\{1,\}\) .*/\1/p' "$MAN" | xargs)" \
		"0 1 2 3 130" "exit status"
	is "$(grep -oE '^-[a-z]( [A-Z]+)? ' "$REPO/Documentation/man/xen-blkback-takeover.8.rst" | xargs)" \
		"$("$REPO/tools/xen-blkback-takeover" --help | grep -oE '^  -[a-z]( [A-Z]+)? ' | xargs)" \
		"options of xen-blkback-takeover"
}

# in_readme COMMAND...: it stands there with what it prints, whatever lines are broken at
in_readme()
{
	ok "$*" "$PYTHON" -c 'import sys
readme, shown = (" ".join(text.split()) for text in (open(sys.argv[1]).read(), sys.argv[2]))
sys.exit(shown not in readme and sys.argv[2])' \
		"$REPO/README.md" "# $*"$'\n'"$("$TOOL" "${@:2}" | sed '/^$/,$d')"
}

# A disk hangs on the machine that README shows.
readme()
{
	tree_new readme
	healthy
	our_vbd 15 51712 xvda 7:c state=Closing in_flight=8 oldest_ms=9104 \
		waiting="closing, for 6 s: 8 requests to disk 7:c, the oldest for 9 s"
	our_vbd 14 51728 xvdb fd:a mode=r
	disk 7:12 loop12 loop/backing_file=/srv/mail.img inflight="8 0"
	put proc/self/mountinfo "30 21 0:44 / /srv rw,hard shared:5 - nfs4 nas1:/srv rw"
	rm -r "${TREE:?}/$DEVICES/qdisk-15-51728"
	export XEN_VBD_ROOT=$TREE
	in_readme xen-vbd
	in_readme xen-vbd why
}

# exported: the samples of an export that has each metric there may be
exported()
{
	tree_new metrics
	healthy
	our_vbd 20 51712 xvda fd:9 waiting="closing, for 6 s: 8 requests to disk fd:9, the oldest for 9 s"
	"$TOOL" export --prom | grep -v '^#'
}

# unknown_labels EXPORT FILE...: "METRIC LABEL" for what the files ask for and no sample
# of the export has
unknown_labels()
{
	$PYTHON - "$@" <<-'END'
		import re, sys
		def labels_of(file):
		    text = open(file).read().replace('\\"', '"')
		    for metric, labels in re.findall(r"(xen_vbd_\w+)\{(.*?)\}", text):
		        for label in re.findall(r'(\w+)(?:=~|!~|!=|=)"', labels):
		            yield metric, label
		known = set(labels_of(sys.argv[1]))
		for file in sys.argv[2:]:
		    for metric, label in labels_of(file):
		        # Prometheus adds this one.
		        if label != "instance" and (metric, label) not in known:
		            print(metric, label)
	END
}

# named_in FILE...: the metrics that they ask for
named_in()
{
	grep -hoE '\bxen_vbd_[a-z_]+' "$@" | sort -u
}

# expressions: of the alerts, each with its name
expressions()
{
	$PYTHON - "$MONITORING/prometheus-rules.yml" <<-'END'
		import sys, yaml
		for group in yaml.safe_load(open(sys.argv[1]))["groups"]:
		    for rule in group["rules"]:
		        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule
		        assert rule["labels"]["severity"] in ("warning", "critical"), rule
		        assert rule["annotations"]["summary"], rule
		        assert rule["expr"].count("(") == rule["expr"].count(")"), rule
		        print(rule["alert"], rule["expr"])
	END
}

# panels: of the dashboard
panels()
{
	$PYTHON - "$MONITORING/grafana.json" <<-'END'
		import json, sys
		board = json.load(open(sys.argv[1]))
		assert board["uid"] and board["title"] and board["schemaVersion"]
		ids = [panel["id"] for panel in board["panels"]]
		assert len(set(ids)) == len(ids), ids
		names = {"datasource"} | {v["name"] for v in board["templating"]["list"]}
		used = set()
		for panel in board["panels"]:
		    grid = panel["gridPos"]
		    assert grid["x"] + grid["w"] <= 24, panel["title"]
		    for target in panel["targets"]:
		        expr = target["expr"]
		        assert all(expr.count(a) == expr.count(b) for a, b in ("()", "{}", "[]")), expr
		print(len(ids), "panels")
	END
}

monitoring()
{
	local word asking=("$MONITORING/prometheus-rules.yml" "$MONITORING/grafana.json")

	XEN_VBD_ROOT='' TREE=$TREES/metrics
	export XEN_VBD_ROOT=$TREE
	exported >"$TREES/exported"
	for word in $(named_in "${asking[@]}"); do
		ok "$word is exported" grep -q "^${word}[{ ]" "$TREES/exported"
	done
	is "$(unknown_labels "$TREES/exported" "${asking[@]}" 2>&1)" "" "with the labels that are asked for"
	like "$(expressions 2>&1)" "^XenVbdWaits .*XenVbdExportOld time" "the alerts are well formed"
	is "$(panels 2>&1)" "15 panels" "so is the dashboard"
	for word in service timer; do
		ok "the $word has its sections" grep -qE '^\[(Service|Timer)\]$' \
			"$MONITORING/xen-vbd-export.$word"
	done
	ok "systemd takes the units" units_verified
	word=$(sed -n 's|^ExecStart=/usr/sbin/xen-vbd ||p' "$MONITORING/xen-vbd-export.service")
	# shellcheck disable=SC2086 # words
	ok "the tool takes the service's arguments" \
		"$TOOL" ${word//\/var\/lib\/prometheus\/node-exporter/$TREES}
}

# Each key in a section that knows it
units_verified()
{
	$PYTHON - "$MONITORING"/*.service "$MONITORING"/*.timer \
		"$REPO"/tools/package/*.service <<-'END'
		import configparser, sys
		KNOWN = {"Unit": "Description Documentation ConditionPathExists After",
		         "Service": "Type ExecStart RemainAfterExit TimeoutStartSec NoNewPrivileges ProtectHome "
		                    "ProtectSystem ReadWritePaths",
		         "Timer": "OnBootSec OnUnitActiveSec AccuracySec",
		         "Install": "WantedBy"}
		for name in sys.argv[1:]:
		    unit = configparser.ConfigParser(interpolation=None)
		    unit.optionxform = str
		    unit.read(name)
		    for section in unit.sections():
		        unknown = set(unit[section]) - set(KNOWN[section].split())
		        assert not unknown, (name, unknown)
	END
}

# sources_faults: what the rules do not allow: long functions and lines, modules that
# use those above them, names that are imported and not used
sources_faults()
{
	$PYTHON -B - "$REPO/tools" <<-'END'
		import ast, os, re, sys
		folder = os.path.join(sys.argv[1], "xen_vbd")
		text = open(os.path.join(folder, "__init__.py")).read()
		order = re.findall(r"^    (\w+) ", text, re.M)
		modules = {name[:-3] for name in os.listdir(folder) if name.endswith(".py")}
		if set(order) != modules - {"__init__"}:
		    print("__init__.py does not list", set(order) ^ (modules - {"__init__"}))
		for name in order:
		    text = open(os.path.join(folder, name + ".py")).read()
		    tree = ast.parse(text)
		    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
		    for n, line in enumerate(text.split("\n"), 1):
		        if len(line) > 88:
		            print(f"{name}.py:{n}: {len(line)} columns")
		    for node in ast.walk(tree):
		        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
		            length = node.end_lineno - node.lineno
		            if isinstance(node, ast.FunctionDef) and length > 40:
		                print(f"{name}.py:{node.lineno}: {node.name}() has {length} lines")
		        if isinstance(node, (ast.Import, ast.ImportFrom)):
		            for alias in node.names:
		                if (alias.asname or alias.name).split(".")[0] not in used:
		                    print(f"{name}.py:{node.lineno}: {alias.name} is not used")
		                module = getattr(node, "module", None) or alias.name
		                if getattr(node, "level", 0):
		                    if order.index(module) >= order.index(name):
		                        print(f"{name}.py:{node.lineno}: uses {module}")
	END
}

sources()
{
	is "$(sources_faults 2>&1)" "" "short functions, one direction"
	is "$($PYTHON -B -W error -c 'import sys
for name in sys.argv[1:]:
    with open(name) as file:
        compile(file.read(), name, "exec")' \
		"$REPO"/tools/xen_vbd/*.py "$TOOL" 2>&1)" "" "Python has nothing to say"
	is "$(find "$REPO/tools" -name __pycache__)" "" "it leaves nothing behind"
}

for TAP_PREFIX in "completion: " "manual: " "readme: " "monitoring: " "sources: "; do
	"${TAP_PREFIX%: }"
done
TAP_PREFIX=
done_testing
