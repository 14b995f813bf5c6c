# SPDX-License-Identifier: GPL-2.0-only
"""How long requests take: means and percentiles of the driver's histograms."""
from .counts import histogram, less, percentile, sum_us
from .table import NO_VALUE, human_count, human_us, line, scaled, widest

OPERATIONS = ("read", "write", "flush", "discard")
# Where a request is: its file, and the prefix of its columns
RING, DISK = "latency_", "latency_disk_"
PERCENTILES = (50, 99, 99.9)
HEAD = ["VBD", "OP", "COUNT", "MEAN", "P50", "P99", "P99.9", "DISK", "D50",
        "D99", "D99.9"]


def numbers(vbd, name):
    """The counters of a file and, last, the sum."""
    return [*(histogram(vbd, name) or []), sum_us(vbd, name) or 0]


class Stage:
    """What an operation took at one place, since old or since it was attached."""

    def __init__(self, vbd, old, name):
        *self.counts, self.sum_us = less(numbers(vbd, name),
                                         old and numbers(old, name))
        if sum_us(vbd, name) is None:
            self.sum_us = None

    @property
    def count(self):
        return sum(self.counts)

    @property
    def mean(self):
        """Microseconds, or None."""
        if self.sum_us is None or not self.count:
            return None
        return self.sum_us / self.count

    def bounds(self):
        return [percentile(self.counts, percent) for percent in PERCENTILES]

    def cells(self, raw):
        mean = NO_VALUE
        if self.mean is not None:
            mean = (f"{self.mean:.1f}" if raw
                    else scaled(self.mean, 1000, ("us", "ms", "s")))
        return [mean, *[self._cell(bound, raw) for bound in self.bounds()]]

    def _cell(self, bound, raw):
        if bound is not None:
            return str(bound) if raw else human_us(bound)
        if raw or not self.count:
            return NO_VALUE
        # What is in the last counter took at least so long.
        return ">" + human_us(1 << (len(self.counts) - 2))

    def export(self, prefix):
        """For JSON, all but the counters."""
        names = [f"p{percent}_us".replace(".", "_") for percent in PERCENTILES]
        found = {**dict(zip(names, self.bounds())), "sum_us": self.sum_us,
                 "mean_us": self.mean}
        return {prefix + name: found[name] for name in found}


class Row:
    """One operation of one vbd."""

    def __init__(self, vbd, old, op):
        self.vbd, self.op = vbd, op
        self.ring, self.disk = (Stage(vbd, old, where + op)
                                for where in (RING, DISK))
        self.count = self.ring.count

    def cells(self, raw):
        return [self.vbd.label, self.op,
                str(self.count) if raw else human_count(self.count),
                *self.ring.cells(raw), *self.disk.cells(raw)]

    def export(self):
        return {"vbd": self.vbd.label, "name": self.vbd.name, "op": self.op,
                "count": self.count, **self.ring.export(""),
                **self.disk.export("disk_"), "histogram": self.ring.counts,
                "disk_histogram": self.disk.counts}


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
