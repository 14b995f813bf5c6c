# SPDX-License-Identifier: GPL-2.0-only
"""What happens between two moments."""
import time

from .counts import histogram, less, percentile

SECTOR = 512


class Rates:
    """Of one vbd, in a second; None where there is no counter."""

    def __init__(self, old, new, seconds):
        self._old, self._new = old, new
        self._seconds = seconds

    def per_second(self, counter):
        new, old = self._new.counter(counter), self._old.counter(counter)
        if new is None or old is None:
            return None
        # A driver that was bound anew counts from 0.
        return (new - old if new >= old else new) / self._seconds

    def bytes(self, counter):
        sectors = self.per_second(counter)
        return None if sectors is None else sectors * SECTOR

    def p99(self, op):
        """Microseconds that 99 % of an operation took less than, or None."""
        new, old = (histogram(vbd, "latency_" + op)
                    for vbd in (self._new, self._old))
        return percentile(less(new, old), 99) if new else None

    def requests(self):
        """Of any kind, for sorting."""
        return sum(self.per_second(counter) or 0
                   for counter in ("rd_req", "wr_req", "f_req", "ds_req"))


def between(old, new):
    """name -> Rates, for the vbds that are in both snapshots."""
    before = {vbd.name: vbd for vbd in old.vbds}
    seconds = max(new.time - old.time, 0.001)
    return {vbd.name: Rates(before[vbd.name], vbd, seconds)
            for vbd in new.vbds if vbd.name in before}


def rounds(machine, interval, number):
    """(snapshot, rates) after each interval; for ever if number is None."""
    for old, new in pairs(machine, interval, number):
        yield new, between(old, new)


def pairs(machine, interval, number):
    """The same: (snapshot before, snapshot after)."""
    old = machine.snapshot()
    due = time.monotonic()
    done = 0
    while number is None or done < number:
        # One that came late does not make the next interval a short one.
        due = max(due + interval, time.monotonic() + interval / 2)
        time.sleep(max(0, due - time.monotonic()))
        new = machine.snapshot()
        yield old, new
        old = new
        done += 1
