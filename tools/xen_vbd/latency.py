# SPDX-License-Identifier: GPL-2.0-only
"""How long requests take: percentiles of the driver's histograms."""
from .counts import histogram, less, percentile
from .table import NO_VALUE, human_count, human_us, line, widest

OPERATIONS = ("read", "write", "flush", "discard")
# Where a request is: its file, and the prefix of its columns
RING, DISK = "latency_", "latency_disk_"
PERCENTILES = (50, 99, 99.9)
HEAD = ["VBD", "OP", "COUNT", "P50", "P99", "P99.9", "DISK50", "DISK99",
        "DISK99.9"]


class Row:
    """One operation of one vbd, since old or since it was attached."""

    def __init__(self, vbd, old, op):
        self.vbd, self.op = vbd, op
        self.ring, self.disk = (
            less(histogram(vbd, where + op) or [],
                 old and histogram(old, where + op))
            for where in (RING, DISK))
        self.count = sum(self.ring)

    def bounds(self):
        return [percentile(counts, percent) for counts in (self.ring, self.disk)
                for percent in PERCENTILES]

    def longest(self):
        """What is in the last counter took at least so many microseconds."""
        return 1 << (len(self.ring) - 2)

    def cells(self, raw):
        def cell(bound, counts):
            if bound is None:
                return (">" + human_us(self.longest())
                        if any(counts) and not raw else NO_VALUE)
            return str(bound) if raw else human_us(bound)
        return [self.vbd.label, self.op,
                str(self.count) if raw else human_count(self.count),
                *map(cell, self.bounds(),
                     3 * [self.ring] + 3 * [self.disk])]

    def export(self):
        names = [f"{where}p{percent}_us".replace(".", "_")
                 for where in ("", "disk_") for percent in PERCENTILES]
        return {"vbd": self.vbd.label, "name": self.vbd.name, "op": self.op,
                "count": self.count, **dict(zip(names, self.bounds())),
                "histogram": self.ring, "disk_histogram": self.disk}


def measured(vbd):
    """The driver has histograms of it: not the stock one, nor an older one."""
    return any(histogram(vbd, RING + op) for op in OPERATIONS)


def rows(vbds, before):
    """The operations that there were; before: name -> the vbd as it was."""
    found = [Row(vbd, before.get(vbd.name), op) for vbd in vbds
             if measured(vbd) for op in OPERATIONS]
    return [row for row in found if row.count]


def lines(found):
    """For people; the head is the first."""
    cells = [HEAD, *[row.cells(False) for row in found]]
    widths = widest(cells)
    right = [name not in ("VBD", "OP") for name in HEAD]
    return [line(row, widths, right) for row in cells]
