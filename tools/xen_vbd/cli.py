# SPDX-License-Identifier: GPL-2.0-only
"""The command line: arguments, and how errors end."""
import argparse
import os
import re
import sys

from . import commands, table
from .machine import Machine
from .tree import Fault

NUMBER = re.compile(r"-?[0-9]*\.?[0-9]+")

EPILOG = """\
VBD is any name of a vbd: guest/xvda, 12/51712, vbd-12-51712, or its disk:
/dev/vg/lv, vg/lv, dm-9, 253:9, the file below a loop device; or a guest.

exit status: 0 done, nothing is stuck; 1 wrong usage, or it cannot be done;
  2 something is stuck (why); 3 there is no Xen here, or the stock module, which
  does not have that. See xen-vbd(8).
"""


class Parser(argparse.ArgumentParser):
    """Wrong usage has the status of all other errors."""

    def error(self, message):
        raise Fault(f"{message}. See {self.prog} --help")


def seconds(text):
    """An interval: above 0, and no longer than anybody waits."""
    number = float(text)
    if not 0 < number <= 1e6:
        raise argparse.ArgumentTypeError(
            f"{text} is no number of seconds above 0")
    return number


def count(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def parents():
    """Options that several commands have."""
    root = Parser(add_help=False)
    root.add_argument("--root", metavar="DIR", default=argparse.SUPPRESS,
                      help="read a copy of /sys, /proc and xenstore there, as "
                      "a report has it (also: XEN_VBD_ROOT)")
    json_too = Parser(add_help=False, parents=[root])
    json_too.add_argument("-j", "--json", action="store_true",
                          help="print JSON")
    rows = Parser(add_help=False, parents=[json_too])
    rows.add_argument("-H", "--raw", action="store_true",
                      help="for scripts: no header, tabs, exact numbers")
    rows.add_argument("-p", "--exact", action="store_true",
                      help="print exact numbers, no units")
    rows.add_argument("-o", "--columns", metavar="COL,...",
                      help="which columns; --help has the list")
    lat = Parser(add_help=False, parents=[json_too])
    lat.add_argument("-H", "--raw", action="store_true",
                     help="for scripts: no header, tabs, microseconds")
    return root, json_too, lat, rows


def column_help():
    return "columns:\n" + "\n".join(
        f"  {name:<9} {column.means}" for name, column in table.COLUMNS.items())


def build_parser():
    """The parser, and the commands that it knows."""
    parser = Parser(prog="xen-vbd", epilog=EPILOG, description="Shows and "
                    "explains the disks that Xen's block backend serves.",
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    # For the help: parse() has it
    parser.add_argument("--version", action="store_true",
                        help="print the version of the tool")
    root, json_too, lat, rows = parents()
    verbs = parser.add_subparsers(metavar="COMMAND", dest="command")

    def add(name, function, parent, text, epilog=None):
        new = verbs.add_parser(
            name, help=text, parents=[parent], epilog=epilog,
            description=text[0].upper() + text[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter)
        new.set_defaults(function=function)
        return new

    add_tables(add, rows, lat, root)
    add_actions(add, root, json_too)
    return parser, verbs.choices


def add_tables(add, rows, lat, root):
    new = add("list", commands.do_list, rows, "a table of all vbds; the default",
              column_help())
    new.add_argument("vbd", nargs="*", metavar="VBD")
    new = add("iostat", commands.do_iostat, rows, "what they do, each interval",
              column_help())
    new.add_argument("vbd", nargs="*", metavar="VBD")
    new.set_defaults(interval=None, count=None)
    new = add("lat", commands.do_lat, lat, "how long requests take, by operation")
    new.add_argument("vbd", nargs="*", metavar="VBD")
    new.set_defaults(interval=None, count=None)
    new = add("top", commands.do_top, root, "what they do, live, the busiest first")
    new.add_argument("-s", "--sort", default="load", metavar="COL",
                     help="sort by: " + ", ".join(table.SORTS))
    new.add_argument("-d", "--delay", type=seconds, default=2.0,
                     metavar="SEC", help="seconds between two looks")
    new.add_argument("-n", "--count", type=count, metavar="N",
                     help="end after so many looks")


def add_actions(add, root, json_too):
    new = add("why", commands.do_why, json_too, "what is stuck, and what to do")
    new.add_argument("-q", "--quiet", action="store_true",
                     help="print nothing, only exit")
    new.add_argument("vbd", nargs="*", metavar="VBD")
    new = add("set", commands.do_set, json_too, "show or set the tunables of a vbd")
    new.add_argument("vbd", metavar="VBD")
    new.add_argument("setting", nargs="*", metavar="TUNABLE=VALUE")
    new = add("limit", commands.do_limit, json_too,
              "show or set what limits the I/O of a vbd")
    new.add_argument("vbd", metavar="VBD")
    new.add_argument("setting", nargs="*", metavar="LIMIT=VALUE",
                     help="rbps, wbps (bytes, 50M), riops, wiops, max for "
                     "none; weight (1 to 10000)")
    new.add_argument("--cgroup", metavar="PATH",
                     help="use this cgroup, below the root of cgroup2")
    new.add_argument("--none", action="store_true",
                     help="take it out of its cgroup")
    new = add("events", commands.do_events, json_too, "what has happened, or happens")
    new.add_argument("-f", "--follow", action="store_true",
                     help="print what happens from now on")
    new.add_argument("-n", "--count", type=count, metavar="N",
                     help="end after so many events")
    new.add_argument("-H", "--raw", action="store_true",
                     help="for scripts: tabs between the fields")
    new = add("export", commands.do_export, root, "everything, for monitoring")
    form = new.add_mutually_exclusive_group(required=True)
    form.add_argument("--prom", action="store_true",
                      help="the text format of Prometheus")
    form.add_argument("-j", "--json", action="store_true", help="JSON")
    new.add_argument("-o", "--output", metavar="FILE",
                     help="write a file, at once")
    new.add_argument("vbd", nargs="*", metavar="VBD")
    new = add("report", commands.do_report, root, "write a tar for a bug report")
    new.add_argument("-o", "--output", metavar="FILE",
                     help="its name, which must not exist")
    new = add("takeover", commands.do_takeover, root,
              "exchange the driver under running guests")
    new.add_argument("arguments", nargs=argparse.REMAINDER,
                     help=f"those of {commands.TAKEOVER}")


def split_interval(args):
    """The words of iostat and lat that are numbers, at its end: interval and count."""
    numbers = []
    while args.vbd and len(numbers) < 2 and NUMBER.fullmatch(args.vbd[-1]):
        numbers.insert(0, args.vbd.pop())
    try:
        if numbers:
            args.interval = seconds(numbers[0])
        if len(numbers) == 2:
            args.count = count(numbers[1])
    except ValueError as error:
        raise Fault(f"{numbers[1]} is no count") from error
    except argparse.ArgumentTypeError as error:
        raise Fault(str(error)) from error


def command_first(words):
    """--root may stand before the command, too."""
    own = 0
    if words and words[0].startswith("--root"):
        own = 1 if "=" in words[0] else 2
    return words[own:own + 1] + words[:own] + words[own + 1:]


def parse(words):
    """As if list stood there, if no command does."""
    parser, known = build_parser()
    words = command_first(words)
    first = words[0] if words else None
    if first == "takeover":
        # All that follows is not for this program.
        return argparse.Namespace(function=commands.do_takeover,
                                  arguments=words[1:])
    if first == "--version":
        return argparse.Namespace(function=commands.do_version)
    if first == "help":
        words = [*words[1:], "--help"]
    elif first not in known and first not in ("-h", "--help"):
        words = ["list", *words]
    args, more = parser.parse_known_args(words)
    # argparse takes no words behind an option.
    if args.command == "limit" and not any(word[0:1] == "-" for word in more):
        args.setting += more
    elif more:
        parser.error("unrecognized arguments: " + " ".join(more))
    if args.command in ("iostat", "lat"):
        split_interval(args)
    return args


def run(words):
    args = parse(words)
    root = getattr(args, "root", os.environ.get("XEN_VBD_ROOT", ""))
    status = args.function(Machine(root), args)
    sys.stdout.flush()
    return status


def internal(error):
    """A fault of this program: where it is, in a line."""
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    place = os.path.basename(trace.tb_frame.f_code.co_filename)
    return (f"fault of xen-vbd itself, at {place}:{trace.tb_lineno}: "
            f"{type(error).__name__}: {error}. Please report it")


def main(words):
    """The exit status. Nobody but its developers reads tracebacks."""
    # A guest may be called what the terminal cannot show.
    sys.stdout.reconfigure(errors="replace")
    try:
        return run(words)
    except Fault as fault:
        commands.say(fault)
        return fault.status
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return commands.DONE
    except Exception as error:  # pylint: disable=broad-except
        commands.say(internal(error))
        return commands.WRONG
