# SPDX-License-Identifier: GPL-2.0-only
"""Histograms of the driver: lists of counters, in powers of two of a microsecond,
and the microseconds of all that was counted."""

# Behind the name of a file
SUM = "_sum_us"


def histogram(vbd, name):
    """The counters of a file of statistics, or None."""
    found = vbd.statistics.get(name)
    return found if isinstance(found, list) else None


def sum_us(vbd, name):
    """Microseconds of all. None: an older driver does not add them up."""
    return vbd.counter(name + SUM)


def less(new, old):
    """What was counted since old, which may be of a driver that is no more."""
    if not old or len(old) != len(new) or any(
            a < b for a, b in zip(new, old)):
        return new
    return [a - b for a, b in zip(new, old)]


def percentile(counts, percent):
    """Microseconds that so many percent took less than. None: nothing was
    counted, or they are in the last counter, which has no end."""
    left = sum(counts) * percent / 100
    if not left:
        return None
    for i, count in enumerate(counts):
        left -= count
        if left <= 1e-6:
            return None if i == len(counts) - 1 else 1 << i
    return None
