# SPDX-License-Identifier: GPL-2.0-only
"""What each command does; a function returns the exit status.

What one command alone needs is imported there, since that takes time.
"""
import json
import os
import sys
import time

from . import export, names, table, why
from .rates import pairs, rounds
from .store import Store
from .tree import Fault

# Exit status
DONE, WRONG, STUCK, NOT_THIS_DRIVER = 0, 1, 2, 3

WIDTH = 80
TAKEOVER = "xen-blkback-takeover"


def say(text):
    sys.stderr.write(f"xen-vbd: {text}\n")


def print_json(data, indent=None):
    print(json.dumps(data, indent=indent, ensure_ascii=False), flush=True)


def terminal_width():
    """Of the terminal, or None: then nothing is cut."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or WIDTH
    except OSError:
        return None


def look(machine):
    """A snapshot; what could not be read is told."""
    snapshot = machine.snapshot()
    for text in snapshot.trouble:
        say(text)
    return snapshot


def chosen(machine, snapshot, words):
    return names.find(machine.tree, snapshot.vbds, words)


def print_table(args, default, rows, keep):
    found = table.Table(table.parse_columns(args.columns, default), rows,
                        args.raw or args.exact, keep)
    for line in found.tabs() if args.raw else found.lines(terminal_width()):
        print(line)
    sys.stdout.flush()


def do_list(machine, args):
    snapshot = look(machine)
    vbds = chosen(machine, snapshot, args.vbd)
    if args.json:
        print_json(export.document(snapshot, vbds), 2)
        return DONE
    if not vbds and not args.raw:
        print("no vbd is attached" if snapshot.driver.kind else
              "no vbd is attached, and xen-blkback is not loaded")
        return DONE
    print_table(args, table.LIST, [(vbd, None) for vbd in vbds],
                ("guest", "vdev", "disk", "state"))
    stuck = sum(finding.stuck for finding in map(why.diagnose, vbds))
    if stuck and sys.stdout.isatty() and not args.raw:
        print(f"\n{stuck} stuck: see xen-vbd why")
    return DONE


def do_iostat(machine, args):
    chosen(machine, look(machine), args.vbd)
    number = args.count or (None if args.interval else 1)
    first = True
    for snapshot, rates_of in rounds(machine, args.interval or 1, number):
        # Those named may come and go.
        vbds = [vbd for vbd in names.called(
            machine.tree, snapshot.vbds, args.vbd) if vbd.statistics]
        if args.json:
            print_json(export.rates(snapshot, vbds, rates_of))
            continue
        rows = [(vbd, rates_of.get(vbd.name)) for vbd in vbds]
        if not (first or args.raw):
            print()
        first = False
        print_table(args, table.IOSTAT, rows, table.IOSTAT[:7])
    return DONE


def do_lat(machine, args):
    from . import latency
    snapshot = look(machine)
    vbds = chosen(machine, snapshot, args.vbd)
    if vbds and not any(map(latency.measured, vbds)):
        raise Fault("no histograms: neither the stock module nor an older "
                    "version of xen-blkback has them", NOT_THIS_DRIVER)
    if snapshot.driver.parameters.get("latency") == "N":
        say("nothing is measured now: "
            "echo Y >/sys/module/xen_blkback/parameters/latency")
    if not args.interval:
        print_latency(latency, latency.rows(vbds, {}), args)
        return DONE
    for old, new in pairs(machine, args.interval, args.count):
        before = {vbd.name: vbd for vbd in old.vbds}
        vbds = names.called(machine.tree, new.vbds, args.vbd)
        print_latency(latency, latency.rows(vbds, before), args)
    return DONE


def print_latency(latency, found, args):
    if args.json:
        print_json({"format": export.FORMAT,
                    "latency": [row.export() for row in found]})
        return
    for text in (["\t".join(row.cells(True)) for row in found] if args.raw
                 else latency.lines(found)):
        print(text)
    sys.stdout.flush()


def do_top(machine, args):
    from . import top
    top.run(machine, args.sort, args.delay, args.count)
    return DONE


def do_why(machine, args):
    snapshot = look(machine)
    vbds = chosen(machine, snapshot, args.vbd)
    findings = why.explain(machine, snapshot, vbds)
    stuck = [finding for finding in findings if finding.stuck]
    if args.json:
        print_json({"format": export.FORMAT, "findings": [
            finding.export() for finding in findings]}, 2)
    elif not args.quiet:
        # What is well is of interest only if it was asked for.
        shown = [finding for finding in findings
                 if args.vbd or finding.stuck or not finding.vbd]
        print_findings(shown)
        if not args.vbd:
            print(f"{len(stuck) or 'Nothing is'} stuck; "
                  f"{table.plural(len(vbds), 'vbd')}.")
    return STUCK if stuck else DONE


def print_findings(findings):
    width = min(terminal_width() or WIDTH, 100)
    for finding in findings:
        print("\n".join(finding.lines(width)) + "\n")


def do_set(machine, args):
    snapshot = look(machine)
    vbd = names.find_one(machine.tree, snapshot.vbds, args.vbd)
    if not vbd.tunables:
        raise Fault(f"{vbd.label} has no tunables: they are this driver's, and "
                    f"{vbd.server or snapshot.driver.kind or 'nobody'} serves "
                    "it", NOT_THIS_DRIVER)
    if args.json and not args.setting:
        print_json(vbd.tunables)
    elif not args.setting:
        for name, value in vbd.tunables.items():
            print(f"{name}={value}")
    for setting in args.setting:
        set_one(machine.tree, vbd, setting)
    return DONE


def set_one(tree, vbd, setting):
    name, equals, value = setting.partition("=")
    if not equals or name not in vbd.tunables:
        raise Fault(f"{setting} is not TUNABLE=VALUE: {vbd.label} has "
                    + ", ".join(vbd.tunables))
    tree.write(f"{vbd.dir}/tunables/{name}", value,
               f"{vbd.label}: only root can set {name}",
               lambda error: f"{vbd.label}: {name} does not take \"{value}\" "
                             f"({error.strerror}); see xen-blkback(4)")
    key = name.replace("_", "-")
    if key in vbd.keys and name != "cgroup":
        say(f"when the guest connects anew the key {vbd.node}/{key} = "
            f"\"{vbd.keys[key]}\" counts again")


def do_limit(machine, args):
    from . import limit
    snapshot = look(machine)
    vbd = names.find_one(machine.tree, snapshot.vbds, args.vbd)
    if "cgroup" not in vbd.tunables:
        raise Fault(f"{vbd.label} cannot be limited here: that needs a newer "
                    f"xen-blkback, and {vbd.backend or 'nobody'} serves it",
                    NOT_THIS_DRIVER)
    wanted = limit.settings(args.setting)
    if args.none and (wanted or args.cgroup):
        raise Fault("--none goes with no other setting")
    if args.none:
        limit.free(machine.tree, vbd)
    elif wanted or args.cgroup:
        told = limit.limit(machine.tree, vbd, wanted, args.cgroup)
        if told:
            say(told)
    else:
        show_limit(machine.tree, vbd, args.json)
        return DONE
    limit.sweep(machine.tree, snapshot.vbds)
    return DONE


def show_limit(tree, vbd, as_json):
    from . import limit
    if as_json:
        print_json(limit.state(tree, vbd))
    else:
        print("\n".join(limit.lines(tree, vbd)))


def do_events(machine, args):
    from . import events
    labels = {vbd.name: vbd.label for vbd in look(machine).vbds}
    if args.follow:
        found = events.follow(machine)
    else:
        log = events.Log(machine.tree, only_new=False)
        if not log.usable:
            raise Fault(f"cannot read {events.KMSG}: are you root?")
        found = log.events()
    for n, event in enumerate(found, 1):
        if event.kind == "new":
            labels[event.name] = event.text.split(" on ")[0]
        print_event(event, labels.get(event.name, event.name), args)
        if args.count == n:
            break
    return DONE


def print_event(event, label, args):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(event.when))
    if args.json:
        print_json({"time": stamp, "vbd": label, "name": event.name,
                    "event": event.kind, "text": event.text})
    elif args.raw:
        print("\t".join((stamp, label, event.name, event.kind, event.text)),
              flush=True)
    else:
        print(f"{stamp[:19].replace('T', ' ')} {label} {event.kind}: "
              f"{event.text}", flush=True)


def do_export(machine, args):
    snapshot = look(machine)
    vbds = chosen(machine, snapshot, args.vbd)
    if args.prom:
        text = export.prometheus(snapshot, vbds)
    else:
        text = json.dumps(export.document(snapshot, vbds), indent=2,
                          ensure_ascii=False) + "\n"
    if args.output:
        export.write(args.output, text)
    else:
        sys.stdout.write(text)
    return DONE


def do_report(machine, args):
    from . import report
    snapshot = look(machine)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    path = args.output or f"xen-vbd-report-{os.uname().nodename}-{stamp}.tar.gz"
    findings = why.explain(machine, snapshot, snapshot.vbds)
    lines = [line for finding in findings for line in finding.lines(WIDTH)]
    rows = [(vbd, None) for vbd in snapshot.vbds]
    summaries = {
        "why": "\n".join(lines) + "\n",
        "list": "\n".join(table.Table(table.LIST, rows).lines()) + "\n",
        "vbds.json": json.dumps(export.document(snapshot, snapshot.vbds),
                                indent=2) + "\n"}
    report.make(machine, snapshot, Store(machine.tree), path, summaries)
    print(path)
    say("it names guests, disks, files and servers: look at it before you "
        "send it")
    return DONE


def do_version(machine, args):
    from . import version
    print("xen-vbd " + version.version())
    return DONE


def do_takeover(machine, args):
    import shutil
    beside = os.path.join(os.path.dirname(os.path.realpath(sys.argv[0])),
                          TAKEOVER)
    program = beside if os.access(beside, os.X_OK) else shutil.which(TAKEOVER)
    if not program:
        raise Fault(f"{TAKEOVER} is not installed")
    sys.stdout.flush()
    try:
        os.execv(program, [program, *args.arguments])
    except OSError as error:
        raise Fault(f"{program}: {error.strerror}") from error
