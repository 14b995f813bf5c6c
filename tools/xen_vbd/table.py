# SPDX-License-Identifier: GPL-2.0-only
"""Columns, and output in plain and in raw form."""
import re

from . import limit
from .rates import SECTOR
from .tree import Fault

NO_VALUE = "-"
GAP = "  "
# A note that is cut shorter than this says nothing.
NOTE_MIN = 16
NAME_MIN = 8
NAMES = ("vbd", "guest", "disk")


def scaled(number, base, units):
    """As 1.5K: three digits that matter, and a unit."""
    for unit in units:
        if number < 999.5 or unit == units[-1]:
            break
        number /= base
    if unit == "" or number >= 99.95:
        return f"{number:.0f}{unit}"
    return f"{number:.1f}{unit}"


def human_count(number):
    """A rate below 10 shows that it is not 0."""
    if isinstance(number, float) and 0 < number < 9.95:
        return f"{number:.1f}"
    return scaled(number, 1000, ("", "k", "M", "G", "T"))


def human_bytes(number):
    return scaled(number, 1024, ("", "K", "M", "G", "T", "P"))


def human_ms(ms):
    """9.1s in a table; minutes from 2 on, hours from 2 on."""
    if ms < 1000:
        return f"{ms}ms"
    if ms < 9950:
        return f"{ms / 1000:.1f}s"
    return spoken(ms // 1000).replace(" ", "").replace("min", "m")


def spoken(seconds):
    """9 s in a sentence."""
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h"


def plural(number, noun):
    return f"{number} {noun}" + ("" if number == 1 else "s")


def note(vbd):
    """The most important thing to say of a vbd, or ""."""
    notes = [text for text in (
        _trouble(vbd),
        "guest has gone" if vbd.guest_gone and not vbd.remnant else None,
        "read-only" if vbd.files.get("mode") == "r" else None) if text]
    return "; ".join(notes)


def _trouble(vbd):
    if vbd.remnant:
        return "removed, disk has requests"
    if vbd.waiting:
        age = f" for {vbd.stall['seconds']} s" if vbd.stall.get("seconds") else ""
        what = vbd.stall.get("what", vbd.waiting)
        return what + age
    if vbd.old:
        return ("waits for a limit or the disk" if limit.held_by(vbd.tree, vbd)
                else "disk does not answer")
    if vbd.server:
        return f"served by {vbd.server}"
    if not vbd.bound:
        return "no driver"
    if vbd.guest_keeps_it:
        return "guest has not closed it"
    if vbd.error and vbd.state != "Connected":
        return "error: " + vbd.error
    if vbd.disk and not vbd.disk.exists:
        return "disk has gone"
    return None


class Column:
    """get is called with a vbd and its rates, which may be None."""

    def __init__(self, header, get, human=None, means=""):
        self.header = header
        self.get = get
        self.human = human
        self.means = means

    def cell(self, vbd, rates, raw):
        value = self.get(vbd, rates)
        if value is None:
            return NO_VALUE
        if value == "":
            return NO_VALUE if raw else ""
        if raw or not self.human:
            return f"{value:.3f}" if isinstance(value, float) else str(value)
        return self.human(value)


def counter(name):
    return lambda vbd, rates: vbd.counter(name)


def sectors(name):
    def get(vbd, rates):
        count = vbd.counter(name)
        return None if count is None else count * SECTOR
    return get


def rate(name):
    return lambda vbd, rates: rates and rates.per_second(name)


def byte_rate(name):
    return lambda vbd, rates: rates and rates.bytes(name)


def p99(op):
    return lambda vbd, rates: rates and rates.p99(op)


def human_us(us):
    """A bound, with a unit: 512us, 4ms, 1s."""
    if us < 1000:
        return f"{us}us"
    if us < 1000000:
        return f"{us / 1000:.0f}ms"
    return f"{us / 1000000:.0f}s"


def _oldest(vbd, rates):
    """Without a request none is the oldest."""
    return vbd.oldest_ms if vbd.in_flight else None


def _guest(vbd, rates):
    return vbd.guest or f"({vbd.domid})"


COLUMNS = {
    "vbd": Column("VBD", lambda v, r: v.label, means="guest/device"),
    "guest": Column("GUEST", _guest, means="name of the guest"),
    "domid": Column("DOMID", lambda v, r: v.domid, means="number of the guest"),
    "vdev": Column("VDEV", lambda v, r: v.dev, means="device in the guest"),
    "name": Column("NAME", lambda v, r: v.name, means="device in sysfs"),
    "disk": Column("DISK", lambda v, r: v.disk_label, means="what it is on"),
    "devt": Column("DEVT", lambda v, r: v.disk and v.disk.number,
                   means="the disk's number"),
    "state": Column("STATE", lambda v, r: v.state,
                    means="state of the driver's side"),
    "mode": Column("MODE", lambda v, r: v.files.get("mode"),
                   means="r or w"),
    "infl": Column("INFL", lambda v, r: v.in_flight, human_count,
                   "requests not answered yet"),
    "oldest": Column("OLDEST", _oldest, human_ms,
                     "age of the oldest of them"),
    "err": Column("ERR", counter("err_req"), human_count,
                  "requests answered with an error"),
    "reads": Column("READS", counter("rd_req"), human_count, "reads so far"),
    "writes": Column("WRITES", counter("wr_req"), human_count,
                     "writes so far"),
    "flushes": Column("FLUSHES", counter("f_req"), human_count,
                      "flushes so far"),
    "discards": Column("DISCARDS", counter("ds_req"), human_count,
                       "discards so far"),
    "read": Column("READ", sectors("rd_sect"), human_bytes, "bytes read"),
    "written": Column("WRITTEN", sectors("wr_sect"), human_bytes,
                      "bytes written"),
    "r/s": Column("R/S", rate("rd_req"), human_count, "reads a second"),
    "w/s": Column("W/S", rate("wr_req"), human_count, "writes a second"),
    "f/s": Column("F/S", rate("f_req"), human_count, "flushes a second"),
    "d/s": Column("D/S", rate("ds_req"), human_count, "discards a second"),
    "rb/s": Column("RB/S", byte_rate("rd_sect"), human_bytes,
                   "bytes read a second"),
    "wb/s": Column("WB/S", byte_rate("wr_sect"), human_bytes,
                   "bytes written a second"),
    "err/s": Column("ERR/S", rate("err_req"), human_count,
                    "errors a second"),
    "r99": Column("R99", p99("read"), human_us,
                  "99 % of reads took less; with parameter latency"),
    "w99": Column("W99", p99("write"), human_us, "99 % of writes took less"),
    "note": Column("NOTE", lambda v, r: note(v), means="what is wrong"),
}

LIST = ("guest", "vdev", "disk", "state", "infl", "oldest", "err", "note")
IOSTAT = ("vbd", "r/s", "w/s", "f/s", "d/s", "rb/s", "wb/s", "infl", "oldest",
          "err/s", "r99", "w99")
TOP = ("guest", "vdev", "disk", "r/s", "w/s", "rb/s", "wb/s", "infl",
       "oldest", "note")
# Of top; load is requests of any kind
SORTS = ("load", "r/s", "w/s", "rb/s", "wb/s", "infl", "oldest", "guest")


def parse_columns(text, default):
    """The names in "a,b,c"."""
    names = text.split(",") if text else list(default)
    for name in names:
        if name not in COLUMNS:
            raise Fault(f"no column is called {name}: there are "
                        + ", ".join(COLUMNS))
    return names


class Table:
    """rows are (vbd, rates); the columns that nobody fills are left out."""

    def __init__(self, names, rows, raw=False, keep=()):
        columns = [COLUMNS[name] for name in names]
        cells = [[column.cell(vbd, rates, raw) for column in columns]
                 for vbd, rates in rows]
        self.empty = not cells
        # Scripts count columns, so in raw form none is left out.
        used = [i for i, name in enumerate(names)
                if raw or name in keep or self.empty
                or any(row[i] not in (NO_VALUE, "") for row in cells)]
        self._names = [names[i] for i in used]
        self._right = [bool(columns[i].human) for i in used]
        self._head = [columns[i].header for i in used]
        self._cells = [[row[i] for i in used] for row in cells]

    def tabs(self):
        """For scripts."""
        clean = re.compile(r"[\t\n\r]")
        return ["\t".join(clean.sub(" ", cell) for cell in row)
                for row in self._cells]

    def lines(self, width=None):
        """For people; the head is the first. No line is wider than width."""
        rows = [self._head, *self._cells]
        widths = widest(rows)
        if width:
            self._fit(widths, width)
        return [self._line(row, widths) for row in rows]

    def _fit(self, widths, width):
        """Takes what is too much from the note, then from the names."""
        over = sum(widths) + len(GAP) * (len(widths) - 1) - width
        for names, least in ((("note",), NOTE_MIN), (NAMES, NAME_MIN),
                             (("note",), 0)):
            mine = [i for i, name in enumerate(self._names) if name in names]
            while over > 0 and mine:
                most = max(mine, key=lambda i: widths[i])
                if widths[most] <= least:
                    break
                widths[most] -= 1
                over -= 1

    def _line(self, row, widths):
        return line([cut(text, width, name in NAMES) for name, text, width
                     in zip(self._names, row, widths)], widths, self._right)


def widest(rows):
    """The width that each column needs."""
    return [max(map(len, column)) for column in zip(*rows)]


def line(row, widths, right):
    """Cells side by side, those of some columns at their right end."""
    return GAP.join(
        text.rjust(width) if at_right else text.ljust(width)
        for text, width, at_right in zip(row, widths, right)).rstrip()


def cut(text, width, is_name):
    """A text that is too long loses its end; a name, what is in the middle."""
    if len(text) <= width:
        return text
    end = width // 2 if is_name else 0
    return text[:max(0, width - end - 1)] + "…"[:width] + text[len(text) - end:]
