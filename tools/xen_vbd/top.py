# SPDX-License-Identifier: GPL-2.0-only
"""The live table."""
import os
import sys
import time

from .rates import between
from .table import COLUMNS, SORTS, TOP, Table, plural
from .tree import Fault

KEYS = "q quit   s sort by the next column   space now"


def busy(vbd, rates):
    return rates.requests() if rates else 0


def sorted_rows(snapshot, rates_of, sort):
    """What is stuck first; then by the column, the most first."""
    get = busy if sort == "load" else COLUMNS[sort].get

    def key(row):
        number = get(*row)
        stuck = not (row[0].remnant or row[0].waiting or row[0].old)
        if isinstance(number, str):
            return stuck, 0, number
        return stuck, -(number or 0), row[0].label

    return sorted(((vbd, rates_of.get(vbd.name)) for vbd in snapshot.vbds),
                  key=key)


class Screen:
    """curses, as far as it is needed."""

    def __init__(self, curses, window):
        self._curses = curses
        self._window = window
        try:
            curses.curs_set(0)
        except curses.error:
            # Not every terminal can hide it.
            pass

    def draw(self, head, table, stuck):
        """Lines that do not fit are left out."""
        curses, window = self._curses, self._window
        height, width = window.getmaxyx()
        lines = [(head, curses.A_NORMAL), ("", curses.A_NORMAL)]
        for n, text in enumerate(table.lines(width - 1)):
            bold = curses.A_BOLD if 0 < n <= stuck else curses.A_NORMAL
            lines.append((text, curses.A_REVERSE if n == 0 else bold))
        window.erase()
        for y, (text, look) in enumerate(lines[:height - 1]):
            window.addnstr(y, 0, text.ljust(width - 1), width - 1, look)
        window.addnstr(height - 1, 0, KEYS, width - 1, curses.A_DIM)
        window.refresh()

    def key(self, seconds):
        """The key that was pressed within that time, or ""."""
        self._window.timeout(max(0, int(seconds * 1000)))
        code = self._window.getch()
        return chr(code) if 0 <= code < 256 else ""


def head_line(snapshot, sort, stuck):
    """What must not be cut comes first."""
    parts = [f"xen-vbd {time.strftime('%H:%M:%S')}",
             plural(len(snapshot.vbds), "vbd")]
    if stuck:
        parts.append(f"{stuck} STUCK: see xen-vbd why")
    if snapshot.driver.kind != "xen-blkback":
        parts.append(f"driver: {snapshot.driver.kind or 'missing'}")
    return "   ".join([*parts, f"by {sort}"])


def live(machine, screen, sort, interval, number):
    """Until q is pressed, or a number of tables was shown."""
    old = new = machine.snapshot()
    while number is None or number >= 0:
        rates_of = between(old, new) if old is not new else {}
        rows = sorted_rows(new, rates_of, sort)
        stuck = sum(vbd.remnant or bool(vbd.waiting) or vbd.old
                    for vbd, _ in rows)
        screen.draw(head_line(new, sort, stuck), Table(TOP, rows, keep=TOP[3:7]),
                    stuck)
        if number == 0:
            return
        key = screen.key(interval)
        if key == "q":
            return
        if key == "s":
            sort = SORTS[(SORTS.index(sort) + 1) % len(SORTS)]
            continue
        old, new = new, machine.snapshot()
        number = None if number is None else number - 1


def run(machine, sort, interval, number):
    if sort not in SORTS:
        raise Fault(f"cannot sort by {sort}: there are " + ", ".join(SORTS))
    if not (sys.stdout.isatty() and os.environ.get("TERM")):
        raise Fault("top needs a terminal: use iostat")
    try:
        import curses
    except ImportError as error:
        raise Fault("this Python has no curses: use iostat") from error
    try:
        curses.wrapper(lambda window: live(
            machine, Screen(curses, window), sort, interval, number))
    except curses.error as error:
        raise Fault(f"the terminal {os.environ['TERM']} is of no use for top: "
                    f"use iostat ({error})") from error
