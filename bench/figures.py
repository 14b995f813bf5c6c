# SPDX-License-Identifier: GPL-2.0-only
"""What the benchmark's figures mean: medians over the boots, ratios, targets."""

import math
import re
import statistics

import costs
from plan import DISK, INLINE, measures

GRANT_TABLE_OP = 20
EVENT_CHANNEL_OP = 32
TARGET_EVENTS = 1 / 8
TARGET_GRANT_CALLS = 0.25
# dom0's CPU per I/O: stock's divided by ours, of each cell and of all
TARGET_COST = 1.3
TARGET_COST_MEAN = 2.0
# Where dom0 and the guest run at the same time: ours divided by stock's
TARGET_SMP = 0.5
SMP_COUNTS = ["back_events", "front_irqs", "back_wakeups", "back_ctxt"]
# Of the reference's IOPS, where instructions are counted
TARGET_REGRESSION = 0.99

PERCENTILES = ["p50", "p99", "p999"]
# fio's histogram has 64 columns for each power of two
RESOLUTION = 1.02
NOT_COUNTS = re.compile(r"(beside_)?(iops|p[0-9]+)|cpu_.*")
# Our statistics that add up to grant hypercalls
GRANT_CALLS = ["stat_map_calls", "stat_unmap_calls", "stat_copy_calls"]

# Figure, what it is called, the most it may be
DEVICE = [
    ("attach_ms", "attach, ms from physical-device to Connected", 100),
    ("idle_wakeups", "idle wakeups per second", 0),
    ("memory_p1_q1_kib", "kernel memory, KiB, 1 queue of 1 page", 64),
    ("memory_p16_q4_kib", "kernel memory, KiB, 4 queues of 16 pages", 2048),
]

# Of many vbds
CROWD = [
    ("attach_ms", "all attached, ms"),
    ("detach_ms", "all detached, ms"),
    ("memory_kib", "kernel memory, KiB"),
    ("threads", "threads"),
    ("wakeups", "idle wakeups per second"),
]


def values(figures, key):
    return [run[key] for run in figures if key in run]


def median(figures, key):
    found = values(figures, key)
    return statistics.median(found) if found else None


def spread(figures, key):
    """Range in percent of the median."""
    found = values(figures, key)
    middle = statistics.median(found) if found else 0
    return 100 * (max(found) - min(found)) / middle if middle else None


def depth(cell):
    return int(cell.split("-")[2][1:])


def is_large(cell):
    size = cell.split("-")[0]
    return size.endswith("m") or int(size[:-1]) >= 64


def ceiling(disk, cell):
    """The IOPS that a disk can give at the cell's depth; nothing if it answers at once,
    or if nobody knows"""
    if disk == INLINE or not DISK.fullmatch(disk):
        return None
    time, tags = disk.split("-")[:2]
    microseconds = int(time[:-2]) * (1000 if time.endswith("ms") else 1)
    return min(depth(cell), int(tags[1:])) * 1e6 / microseconds


def target(disk, cell, stock):
    """What ours is to be, as a multiple of stock. Nobody is faster than the disk."""
    if disk == INLINE:
        return None
    wanted = 1.0 if depth(cell) == 1 else 1.1 if depth(cell) >= 32 or is_large(cell) else 1.05
    most = ceiling(disk, cell)
    return max(1.0, min(wanted, math.floor(100 * most / stock) / 100)) if most else wanted


def counts(figures, key):
    """Everything that was counted per I/O of a cell."""
    names = {name[len(key):] for run in figures for name in run if name.startswith(key)}
    found = {name: median(figures, key + name) for name in sorted(names)
             if not NOT_COUNTS.fullmatch(name)}
    if any(name.startswith("hypercall_") for name in found):
        for number in (GRANT_TABLE_OP, EVENT_CHANNEL_OP):
            found.setdefault(f"hypercall_{number}", 0)
    elif GRANT_CALLS[0] in found:
        found[f"hypercall_{GRANT_TABLE_OP}"] = sum(found[name] for name in GRANT_CALLS)
    return found


def latency(runs, key):
    """Of each percentile: median of stock and ours, and is ours above all of stock's?"""
    found = {}
    for name in PERCENTILES:
        stock, ours = (values(runs.get(m, []), key + name) for m in ("stock", "ours"))
        found[name] = {"stock": statistics.median(stock) if stock else None,
                       "ours": statistics.median(ours) if ours else None,
                       "worse": bool(stock and ours and
                                     statistics.median(ours) > RESOLUTION * max(stock))}
    return found


def one_cell(runs, native, before, where, cell):
    key, disk = f"{where}/{cell}/", where.rsplit("/", 1)[1]
    found = {"where": where, "disk": disk, "cell": cell, "most": ceiling(disk, cell),
             "native": median(native, f"native/p0/q1/{disk}/{cell}/iops"),
             "before": median(before, key + "iops"),
             "latency": latency(runs, key)}
    for module, figures in runs.items():
        found[module] = median(figures, key + "iops")
        found[f"{module} range"] = spread(figures, key + "iops")
        found[f"{module} beside"] = median(figures, key + "beside_iops")
        found[f"{module} counts"] = counts(figures, key)
    judge(found)
    return found


def judge(found):
    """Ratio and verdict, of what one can read in the table"""
    stock, ours, before = (found.get(name) for name in ("stock", "ours", "before"))
    verdicts = []
    if stock and ours:
        found["ratio"] = ours / stock
        found["target"] = target(found["disk"], found["cell"], stock)
        ratio = round(found["ratio"], 2)
        if ratio < 1:
            verdicts.append("SLOWER")
        elif found["target"] and ratio < found["target"]:
            verdicts.append("MISS")
    if found["disk"] == INLINE and ours and before and ours / before < TARGET_REGRESSION:
        verdicts.append("WORSE")
    found["verdict"] = " ".join(verdicts)


def one_cost(runs, where, cell):
    """dom0's CPU per I/O of a cell, of each module; nothing if it was not counted"""
    key = f"{where}/{cell}/"
    found = {"where": where, "cell": cell}
    for module, figures in runs.items():
        names = {name[len(key):] for run in figures for name in run
                 if name.startswith(f"{key}cpu_")}
        if names:
            figure = {name: median(figures, key + name) for name in sorted(names)}
            found[module] = {**figure, "dom0": costs.dom0(figure),
                             "model us": costs.model_us(figure)}
    if "stock" in found and "ours" in found:
        stock = found["stock"]["dom0"]
        found["ratio"] = stock / found["ours"]["dom0"]
        found["most"] = stock / found["ours"]["cpu_block"]
        found["verdict"] = ("SLOWER" if round(found["ratio"], 2) < 1 else
                            "MISS" if found["ratio"] < TARGET_COST else "")
    return found


def device_value(figures, name):
    """Figures taken several times in a boot end in _0, _1, ..."""
    found = [value for run in figures for key, value in run.items()
             if key == f"device/{name}" or
             (key.startswith(f"device/{name}_") and key.rsplit("_", 1)[1].isdigit())]
    return statistics.median(found) if found else None


def crowd(runs):
    """Figure -> number of vbds -> module -> median"""
    names = {key for figures in runs.values() for run in figures for key in run
             if key.startswith("crowd/")}
    found = {}
    for name in sorted(names, key=lambda name: int(name.rsplit("/", 1)[1])):
        _, what, number = name.split("/")
        found.setdefault(what, {})[number] = {m: median(figures, name)
                                              for m, figures in runs.items()}
    return found


def exponent(curve, module):
    """Of the curve from its second point to its last: 1 is as many times as there are vbds.
    The first one is all that does not depend on the number."""
    points = [(int(n), values_of[module]) for n, values_of in curve.items()
              if values_of.get(module)]
    if len(points) < 3:
        return None
    (n, low), (m, high) = points[1], points[-1]
    return math.log(high / low) / math.log(m / n)


def allocations(runs, places):
    """Of each cell that was traced: per module what the driver and the block layer
    allocated per I/O"""
    names = {key.removesuffix("/alloc_own") for figures in runs.values() for run in figures
             for key in run if key.endswith("/alloc_own")}
    return [{"where": where, "cell": name.rsplit("/", 1)[1],
             **{module: [median(figures, f"{name}/alloc_{who}") for who in ("own", "block")]
                for module, figures in runs.items()}}
            for where in places for name in sorted(names) if name.startswith(f"{where}/")]


def mean(ratios):
    """Geometric"""
    return math.exp(statistics.fmean(map(math.log, ratios))) if ratios else None


def measured(module, where):
    """QEMU's backend is there to compare with: one place is enough"""
    return module != "qdisk" or where == f"guest/p0/q1/{INLINE}"


def summarize(runs, opts, before=()):
    """Of all boots; before are those of the reference, of ours"""
    native = [run for figures in runs.values() for run in figures]
    cells = [(where, cell) for where, names in opts["wheres"].items() for cell in names]
    found = [one_cell(runs, native, before, *at) for at in cells]
    missing = sorted({f"{c['where']}: {module}" for c in found for module in runs
                      if c.get(module) is None and measured(module, c["where"])
                      and measures(opts, c["where"])})
    found = [c for c in found if any(c.get(module) for module in runs)]
    smp = [c for c in found if c["where"].startswith("smp/")]
    return {
        "cells": [c for c in found if c not in smp],
        "smp": smp,
        "costs": [cost for cost in (one_cost(runs, *at) for at in cells)
                  if "stock" in cost or "ours" in cost],
        "missing": missing,
        "allocations": allocations(runs, opts["wheres"]),
        "device": {name: {m: device_value(figures, name) for m, figures in runs.items()}
                   for name, _, _ in DEVICE},
        "crowd": crowd(runs),
        "runs": opts["runs"],
    }
