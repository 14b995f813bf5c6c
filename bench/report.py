# SPDX-License-Identifier: GPL-2.0-only
"""What the benchmark's figures mean: medians, ratios, targets, the table."""

import math
import statistics
import textwrap

# Instructions per second of virtual time: -icount shift=1 is 2 ns for each
INSTRUCTIONS_PER_S = 5e8
TARGET_DEPTH_1 = 1.0
TARGET_DEEP = 1.2
TARGET_MEAN = 1.6
TARGET_GRANT_CALLS = 0.25
TARGET_EVENTS = 1 / 8
GRANT_TABLE_OP = 20
EVENT_CHANNEL_OP = 32

# Figure, what it is called, the most it may be
DEVICE = [
    ("attach_ms", "attach, ms from physical-device to Connected", 100),
    ("idle_wakeups", "idle wakeups per second", 0),
    ("memory_p1_q1_kib", "kernel memory, KiB, 1 queue of 1 page", 64),
    ("memory_p16_q4_kib", "kernel memory, KiB, 4 queues of 16 pages", 2048),
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
    return int(cell.rsplit("-d", 1)[1])


def counts(figures, where):
    """Everything that was counted per I/O of a cell."""
    names = {key[len(where):] for run in figures for key in run if key.startswith(where)}
    found = {name: median(figures, where + name) for name in sorted(names - {"iops"})}
    if any(name.startswith("hypercall_") for name in found):
        for number in (GRANT_TABLE_OP, EVENT_CHANNEL_OP):
            found.setdefault(f"hypercall_{number}", 0)
    return found


def one_cell(runs, native, where, cell):
    key = f"{where}/{cell}/"
    found = {"where": where, "cell": cell,
             "native": median(native, f"native/p0/q1/{cell}/iops")}
    for module, figures in runs.items():
        found[module] = median(figures, key + "iops")
        found[f"{module} range"] = spread(figures, key + "iops")
        found[f"{module} counts"] = counts(figures, key)
    if found.get("stock") and found.get("ours"):
        found["ratio"] = found["ours"] / found["stock"]
        found["target"] = TARGET_DEPTH_1 if depth(cell) == 1 else TARGET_DEEP
        found["ok"] = found["ratio"] >= found["target"]
    return found


def device_value(figures, name):
    """Figures taken several times in a boot end in _0, _1, ..."""
    found = [value for run in figures for key, value in run.items()
             if key == f"device/{name}" or
             (key.startswith(f"device/{name}_") and key.rsplit("_", 1)[1].isdigit())]
    return statistics.median(found) if found else None


def allocations(runs, wheres):
    """Of each cell that was traced: per module what the driver and the block layer
    allocated per I/O"""
    names = {key.removesuffix("/alloc_own") for figures in runs.values() for run in figures
             for key in run if key.endswith("/alloc_own")}
    return [{"where": where, "cell": name.rsplit("/", 1)[1],
             **{module: [median(figures, f"{name}/alloc_{who}") for who in ("own", "block")]
                for module, figures in runs.items()}}
            for where in wheres for name in sorted(names) if name.startswith(f"{where}/")]


def cells_of(opts, queues):
    """Those that are measured with so many queues"""
    return opts["cells"] if queues == "1" else opts.get("multi_queue_cells", opts["cells"])


def summarize(runs, opts):
    native = [run for figures in runs.values() for run in figures]
    wheres = [(f"{place}/p{p}/q{q}", q) for place in opts["places"] if place != "native"
              for q in (opts["queues"] if place == "guest" else ["1"])
              for p in opts["persistent"]]
    found = [one_cell(runs, native, where, cell)
             for where, q in wheres for cell in cells_of(opts, q)]
    missing = sorted({f"{title(c['where'])}: {module}" for c in found for module in runs
                      if c.get(module) is None and measured(module, c["where"])})
    found = [c for c in found if any(c.get(module) for module in runs)]
    ratios = [c["ratio"] for c in found if "ratio" in c]
    return {
        "cells": found,
        "missing": missing,
        "allocations": allocations(runs, [where for where, _ in wheres]),
        "geometric mean": math.exp(statistics.fmean(map(math.log, ratios)))
        if ratios else None,
        "device": {name: {m: device_value(figures, name) for m, figures in runs.items()}
                   for name, _, _ in DEVICE},
        "runs": opts["runs"],
    }


def measured(module, where):
    """QEMU's backend is there to compare with: one place is enough"""
    return module != "qdisk" or where == "guest/p0/q1"


def title(where):
    place, persistent, queues = where.split("/")
    queues = queues[1:]
    return (("dom0 loopback" if place == "loopback" else "PV guest") +
            (", persistent grants" if persistent == "p1" else ", grants not persistent") +
            f", {queues} queue" + ("" if queues == "1" else "s"))


def heading(where, columns):
    return ["", title(where), f"  {'':17}{columns}"]


def rate(iops):
    if iops is None:
        return "-"
    return f"{iops / 1000:.1f}k" if iops >= 10000 else f"{iops:.0f}"


def cost(iops):
    return f"({INSTRUCTIONS_PER_S / iops / 1000:.1f})" if iops else ""


def mark(good):
    return "ok" if good else "MISS"


def by_where(cells):
    groups = {}
    for cell in cells:
        groups.setdefault(cell["where"], []).append(cell)
    return groups.items()


def range_text(cell):
    found = [cell.get(f"{m} range") for m in ("stock", "ours")]
    return "/".join("-" if r is None else f"{r:.0f}" for r in found) + " %"


def speed_lines(summary):
    yield "IOPS (thousand instructions per I/O), median of the boots"
    if any(c.get("qdisk") for c in summary["cells"]):
        yield "qdisk is of another kind: QEMU's own backend, a process of dom0, measured in one place"
    for where, cells in by_where(summary["cells"]):
        columns = [m for m in ("native", "qdisk", "stock", "ours")
                   if m != "qdisk" or any(c.get(m) for c in cells)]
        names = "".join(f"{m:>15}" for m in columns)
        yield from heading(where, f"{names}{'ours/stock':>12}{'target':>8}{'':6}{'range':>10}")
        for c in cells:
            figures = "".join(f"{rate(c.get(m)):>7} {cost(c.get(m)):<7}" for m in columns)
            verdict = (f"{c['ratio']:>11.2f}x{c['target']:>8.1f} {mark(c['ok']):<5}"
                       if "ratio" in c else " " * 26)
            if "ratio" in c and c["ratio"] < 1:
                verdict = verdict[:-5] + "SLOWER"
            yield f"  {c['cell']:17}{figures}{verdict}{range_text(c):>10}"
    mean = summary["geometric mean"]
    if mean:
        judged = [c for c in summary["cells"] if "ratio" in c]
        yield ""
        yield (f"Geometric mean of {len(judged)} cells: {mean:.2f}x, target {TARGET_MEAN}: "
               f"{mark(mean >= TARGET_MEAN)}; {sum(not c['ok'] for c in judged)} cells miss "
               f"their target, {sum(c['ratio'] < 1 for c in judged)} are slower than stock")


def mean_of(cells):
    return math.exp(statistics.fmean(math.log(c["ratio"]) for c in cells))


def short(summary, versions):
    """For README: the ratios of each place, and the cells that lose."""
    judged = [c for c in summary["cells"] if "ratio" in c]
    boots = summary["runs"]
    yield from textwrap.wrap(
        "IOPS of this module divided by those of the stock one, on null_blk, Linux "
        f"{versions['kernel'].split('+')[0]}, by instruction count; {boots} "
        f"boot{'s' if boots > 1 else ''} of each.", 79)
    yield ""
    yield (f"  {'':45}{'cells':>6}{'lowest':>8}{'mean':>7}{'highest':>9}")
    for where, cells in by_where(judged):
        ratios = [c["ratio"] for c in cells]
        yield (f"  {title(where):45}{len(cells):>6}{min(ratios):>8.2f}{mean_of(cells):>7.2f}"
               f"{max(ratios):>9.2f}")
    yield (f"  {'all':45}{len(judged):>6}{min(c['ratio'] for c in judged):>8.2f}"
           f"{mean_of(judged):>7.2f}{max(c['ratio'] for c in judged):>9.2f}")
    yield ""
    slower = [f"  {title(c['where'])}: {c['cell']}, {c['ratio']:.2f}"
              for c in judged if c["ratio"] < 1]
    missed = sum(not c["ok"] for c in judged)
    yield from textwrap.wrap(
        f"Of {len(judged)} cells {missed} miss their target ({TARGET_DEEP}, {TARGET_DEPTH_1} "
        f"at depth 1), and {len(slower) or 'none'} {'is' if len(slower) < 2 else 'are'} "
        f"slower than stock{':' if slower else '.'}", 79)
    yield from slower


def pair(cell, name, limit=None):
    """'stock > ours', marked when a limit is given"""
    found = [cell.get(f"{m} counts", {}).get(name) for m in ("stock", "ours")]
    if found == [None, None]:
        return "-"
    text = " > ".join("-" if v is None else f"{v:.2f}" for v in found)
    if limit is not None and found[1] is not None and found[1] > limit:
        text += " !"
    return text


def count_lines(summary):
    yield "Per I/O, stock > ours; ! is above its target. ev: events to the backend and to"
    yield "the frontend; cs: context switches; hypercalls of all domains, grant table and"
    yield "event channel operations, where they were traced"
    for where, cells in by_where(summary["cells"]):
        yield from heading(where, f"{'ev to back':>15}{'ev to front':>15}{'cs dom0':>15}"
                                  f"{'cs guest':>15}{'grant ops':>16}{'evtchn ops':>15}")
        for c in cells:
            judged = c["cell"].startswith("4k") and depth(c["cell"]) >= 32
            events = TARGET_EVENTS if judged else None
            grants = TARGET_GRANT_CALLS if judged else None
            columns = [pair(c, "back_events", events), pair(c, "front_irqs", events),
                       pair(c, "back_ctxt"),
                       pair(c, "front_ctxt") if where.startswith("guest") else "-",
                       f" {pair(c, f'hypercall_{GRANT_TABLE_OP}', grants)}",
                       pair(c, f"hypercall_{EVENT_CHANNEL_OP}")]
            yield f"  {c['cell']:17}" + "".join(f"{text:>15}" for text in columns)


def allocation_lines(summary):
    yield "Memory allocations per I/O, by the driver itself and by the block layer for it"
    yield f"  {'':64}{'driver':>15}{'block layer':>15}"
    for found in summary["allocations"]:
        stock, ours = (found.get(module, [None, None]) for module in ("stock", "ours"))
        columns = [" > ".join("-" if v is None else f"{v:.2f}" for v in values_of_both)
                   for values_of_both in zip(stock, ours)]
        verdict = "" if ours[0] is None else f" {mark(ours[0] == 0)}"
        yield (f"  {title(found['where']):47}{found['cell']:17}{columns[0]:>15}{columns[1]:>15}"
               f"{verdict}")


def device_lines(summary):
    yield f"{'The device':48}{'stock':>10}{'ours':>10}{'at most':>9}"
    for name, what, limit in DEVICE:
        found = summary["device"][name]
        if all(v is None for v in found.values()):
            continue
        ours = found.get("ours")
        yield (f"  {what:46}" +
               "".join(f"{'-' if found.get(m) is None else format(found[m], '.1f'):>10}"
                       for m in ("stock", "ours")) +
               f"{limit:>9} {'' if ours is None else mark(ours <= limit)}")


def text(summary, versions):
    lines = ["; ".join(f"{k} {v}" for k, v in sorted(versions.items()) if v),
             f"{summary['runs']} boots of each module", ""]
    lines += speed_lines(summary)
    lines += [""] + list(count_lines(summary))
    if summary["allocations"]:
        lines += [""] + list(allocation_lines(summary))
    if any(v is not None for f in summary["device"].values() for v in f.values()):
        lines += [""] + list(device_lines(summary))
    if summary["missing"]:
        lines += ["", "Cells without a figure, since a boot failed:"]
        lines += [f"  {name}" for name in summary["missing"]]
    return "\n".join(line.rstrip() for line in lines) + "\n"
