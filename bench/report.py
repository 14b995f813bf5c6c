# SPDX-License-Identifier: GPL-2.0-only
"""The benchmark's figures as text."""

import textwrap

import costs
from figures import (CROWD, DEVICE, EVENT_CHANNEL_OP, GRANT_TABLE_OP, PERCENTILES, SMP_COUNTS,
                     TARGET_COST, TARGET_COST_MEAN, TARGET_EVENTS, TARGET_GRANT_CALLS,
                     TARGET_SMP, depth, exponent, mean)
from plan import DISK, INLINE

# Instructions per second of virtual time: -icount shift=1 is 2 ns for each
INSTRUCTIONS_PER_S = 5e8
PLACES = {"loopback": "dom0 loopback", "guest": "PV guest",
          "neighbour": "guest beside one that writes", "apart": "PV guest on a CPU of its own",
          "smp": "PV guest"}


def short_title(where):
    place, persistent, queues, _ = where.split("/")
    return (PLACES[place] +
            (", persistent grants" if persistent == "p1" else ", grants not persistent") +
            f", {queues[1:]} queue" + ("" if queues == "q1" else "s"))


def disk_title(disk):
    if disk == INLINE:
        return "answers at once"
    if not DISK.fullmatch(disk):
        return f"is {disk}"
    time, tags, *cache = disk.split("-")
    return (f"takes {time[:-2]} {time[-2:]}, {tags[1:]} tags" +
            (", with a write cache" if cache else ""))


def title(where):
    return f"{short_title(where)}; the disk {disk_title(where.rsplit('/', 1)[1])}"


def heading(where, columns):
    return ["", title(where), f"  {'':22}{columns}"]


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


def ratio_text(cell):
    return f"{cell['ratio']:.2f}x" if "ratio" in cell else "-"


def ratios(cells):
    return [c["ratio"] for c in cells if "ratio" in c]


def verdict_line(cells):
    """Of cells of which each has a ratio or none"""
    lost = [sum(word in c["verdict"] for c in cells) for word in ("SLOWER", "MISS", "WORSE")]
    return (f"Geometric mean of {len(ratios(cells))} cells: {mean(ratios(cells)):.2f}x; "
            f"{lost[0]} are slower than stock, {lost[1]} miss their target, {lost[2]} are worse "
            "than the reference")


def inline_lines(cells):
    yield "The disk answers at once: IOPS (thousand instructions per I/O), median of the boots."
    yield "A regression test without a target; WORSE is more than 1 % below the reference"
    if any(c.get("qdisk") for c in cells):
        yield "qdisk is of another kind: QEMU's own backend, a process of dom0, measured in one place"
    for where, group in by_where(cells):
        columns = [m for m in ("native", "qdisk", "stock", "ours", "before")
                   if m in ("stock", "ours") or any(c.get(m) for c in group)]
        names = "".join(f"{'reference' if m == 'before' else m:>15}" for m in columns)
        yield from heading(where, f"{names}{'ours/stock':>12} {'':7}{'range':>10}")
        for c in group:
            figures = "".join(f"{rate(c.get(m)):>7} {cost(c.get(m)):<7}" for m in columns)
            yield (f"  {c['cell']:22}{figures}{ratio_text(c):>12} {c['verdict']:7}"
                   f"{range_text(c):>10}")


def beside(values, digits):
    """'stock > ours', with as many digits"""
    return " > ".join("-" if v is None else f"{v:.{digits}f}" for v in values)


def latency_text(found):
    return beside((found["stock"], found["ours"]), 0) + (" !" if found["worse"] else "  ")


def timed_line(c):
    goal = "" if c.get("target") is None else f"{c['target']:.2f}"
    latencies = "".join(f"{latency_text(c['latency'][name]):>17}" for name in PERCENTILES)
    return (f"  {c['cell']:22}{rate(c['most']):>7}{rate(c['native']):>8}{rate(c.get('stock')):>8}"
            f"{rate(c.get('ours')):>8}{ratio_text(c):>8}{goal:>6} {c['verdict']:6}"
            f"{range_text(c):>9}{latencies}")


def timed_lines(cells):
    yield "Disks that take time: IOPS, median of the boots; microseconds until 50, 99 and 99.9 %"
    yield "of the I/Os were done, stock > ours; ! is above each boot of stock. \"disk\" is what the"
    yield "disk gives at this depth. Beside a \"-writer\" and \"one that writes\" is a random 4k writer of"
    yield "depth 32; the figures are the reader's"
    for where, group in by_where(cells):
        yield from heading(where, f"{'disk':>7}{'native':>8}{'stock':>8}{'ours':>8}{'ratio':>8}"
                                  f"{'goal':>6} {'':6}{'range':>9}"
                                  f"{'p50':>15}{'p99':>17}{'p99.9':>17}")
        for c in group:
            yield timed_line(c)
            if c.get("stock beside") or c.get("ours beside"):
                yield (f"  {'  the writer':22}{'':15}{rate(c.get('stock beside')):>8}"
                       f"{rate(c.get('ours beside')):>8}")


def speed_lines(summary):
    for found, lines in ((is_inline, inline_lines), (is_timed, timed_lines)):
        cells = [c for c in summary["cells"] if found(c)]
        if not cells:
            continue
        yield from lines(cells)
        if ratios(cells):
            yield from ("", verdict_line(cells), "")


def is_inline(cell):
    return cell["disk"] == INLINE


def is_timed(cell):
    return not is_inline(cell)


def judged_cells(summary):
    """Those that have a ratio; of them those that are slower than stock, the slowest first"""
    judged = [c for c in summary["cells"] if "ratio" in c]
    slower = [c for c in judged if "SLOWER" in c["verdict"]]
    return judged, sorted(slower, key=lambda c: c["ratio"])


def measured(summary, versions):
    boots = summary["runs"]
    return ("IOPS of this module divided by those of the stock one, on null_blk, Linux "
            f"{versions['kernel'].split('+')[0]}, by instruction count; {boots} "
            f"boot{'s' if boots > 1 else ''} of each")


def lost(judged, slower):
    """How many cells lose, in words"""
    text = (f"{len(slower) or 'None'} of {len(judged)} cells "
            f"{'is' if len(slower) == 1 else 'are'} slower than stock")
    with_goal = [c for c in judged if c["target"]]
    if with_goal:
        missed = sum("MISS" in c["verdict"] for c in with_goal)
        text += (f"; {missed or 'none'} of {len(with_goal)} cells on disks that take time "
                 f"miss{'es' if missed == 1 else ''} the goal, of at most "
                 f"{max(c['target'] for c in with_goal):.2f}, without being slower")
    return text


def sum_lines(summary, versions):
    """For README: the sum, how many cells lose, and the worst"""
    judged, slower = judged_cells(summary)
    found = ratios(judged)
    text = (f"{measured(summary, versions)}. The mean of {len(found)} cells is {mean(found):.2f}, "
            f"the lowest {min(found):.2f}, the highest {max(found):.2f}. {lost(judged, slower)}.")
    if slower:
        worst = slower[0]
        text += f" The worst is {worst['cell']}: {title(worst['where'])}."
    yield from textwrap.wrap(text, 79)


def short(summary, versions):
    """For performance.rst: the ratios of each place and disk, and the cells that lose."""
    judged, slower = judged_cells(summary)
    yield from textwrap.wrap(f"{measured(summary, versions)}:", 79)
    yield from short_table(judged)
    costs_judged = [c for c in summary["costs"] if "ratio" in c]
    if costs_judged:
        yield from ("The same of dom0's CPU per I/O, instructions of its kernel and of Xen for it:", "")
        yield from short_table(costs_judged)
    yield from textwrap.wrap(f"{lost(judged, slower)}{'. Slower are:' if slower else '.'}", 79)
    if slower:
        yield ""
    for c in slower:
        yield from textwrap.wrap(f"- {c['cell']}, {c['ratio']:.2f}: {title(c['where'])}", 79,
                                 subsequent_indent="  ")


def short_table(judged):
    yield from ("", "::", "")
    yield f"  {'':48}{'cells':>6}{'lowest':>8}{'mean':>7}{'highest':>9}"
    disk = None
    for where, cells in by_where(judged):
        if where.rsplit("/", 1)[1] != disk:
            disk = where.rsplit("/", 1)[1]
            yield f"  The disk {disk_title(disk)}"
        yield short_line(f"  {short_title(where)}", cells)
    yield short_line("all", judged)
    yield ""


def short_line(name, cells):
    found = ratios(cells)
    return (f"  {name:48}{len(found):>6}{min(found):>8.2f}{mean(found):>7.2f}"
            f"{max(found):>9.2f}")


def pair(cell, name, limit=None):
    """'stock > ours', marked when a limit is given"""
    found = [cell.get(f"{m} counts", {}).get(name) for m in ("stock", "ours")]
    if found == [None, None]:
        return "-"
    text = beside(found, 2)
    if limit is not None and found[1] is not None and found[1] > limit:
        text += " !"
    return text


def one(cell, name):
    """Of ours, which has more statistics"""
    found = cell.get("ours counts", {}).get(name)
    return "-" if found is None else f"{found:.2f}"


# Name in the table, width, what it is
COUNTS = [
    ("ev to back", 15, lambda c, judged: pair(c, "back_events", judged and TARGET_EVENTS)),
    ("ev to front", 15, lambda c, judged: pair(c, "front_irqs", judged and TARGET_EVENTS)),
    ("cs dom0", 15, lambda c, judged: pair(c, "back_ctxt")),
    ("wakeups", 15, lambda c, judged: pair(c, "back_wakeups")),
    ("cs guest", 15, lambda c, judged:
     "-" if c["where"].startswith("loopback") else pair(c, "front_ctxt")),
    ("grant calls", 17, lambda c, judged:
     pair(c, f"hypercall_{GRANT_TABLE_OP}", judged and TARGET_GRANT_CALLS)),
    ("evtchn calls", 15, lambda c, judged: pair(c, f"hypercall_{EVENT_CHANNEL_OP}")),
    ("passes", 8, lambda c, judged: one(c, "stat_passes")),
    ("notifies", 9, lambda c, judged: one(c, "stat_notifies")),
    ("maps", 7, lambda c, judged: one(c, "stat_map_ops")),
    ("copies", 8, lambda c, judged: one(c, "stat_copy_ops")),
]


def count_lines(summary):
    yield "Per I/O, stock > ours; ! is above its target. ev: events to the backend and to the"
    yield "frontend; cs: context switches; calls: hypercalls of all domains where they were traced,"
    yield "elsewhere those that our statistics know; the last four columns are of our statistics"
    for where, cells in by_where(summary["cells"]):
        yield from heading(where, "".join(f"{name:>{width}}" for name, width, _ in COUNTS))
        for c in cells:
            judged = (is_inline(c) and c["cell"].startswith("4k") and depth(c["cell"]) >= 32
                      or None)
            yield f"  {c['cell']:22}" + "".join(f"{text(c, judged):>{width}}"
                                               for _, width, text in COUNTS)


def cost_lines(summary):
    yield "dom0's CPU per I/O: thousand instructions of dom0's kernel and of Xen on its behalf,"
    yield "stock > ours; goal is stock/ours of %.1f. \"most\" is what a backend would reach that" % TARGET_COST
    yield "costs no more than dom0's block layer. The driver's own part, and all instructions of the"
    yield "machine. Last, a model: microseconds of dom0 and Xen on a server of 3 GHz, see below"
    for where, cells in by_where(summary["costs"]):
        yield from heading(where, f"{'dom0':>15}{'ratio':>8}{'most':>7} {'':7}{'driver':>13}"
                                  f"{'Xen for dom0':>15}{'all':>17}{'model, us':>15}{'ratio':>8}")
        for c in cells:
            yield cost_line(c)
    found = ratios(summary["costs"])
    if found:
        yield ""
        yield (f"Geometric mean of {len(found)} cells: {mean(found):.2f}x, goal {TARGET_COST_MEAN}: "
               f"{mark(mean(found) >= TARGET_COST_MEAN)}; "
               f"{sum('MISS' in c.get('verdict', '') for c in summary['costs'])} miss "
               f"{TARGET_COST}, {sum('SLOWER' in c.get('verdict', '') for c in summary['costs'])} "
               "cost more than stock")


def cost_line(c):
    def both(name, scale, digits=1):
        return " > ".join(f"{c[m][name] / scale:.{digits}f}" if m in c else "-"
                          for m in ("stock", "ours"))
    most = f"{c['most']:.2f}x" if "most" in c else "-"
    us = (f"{c['stock']['model us'] / c['ours']['model us']:.2f}x" if "ratio" in c else "-")
    return (f"  {c['cell']:22}{both('dom0', 1000):>15}{ratio_text(c):>8}{most:>7} "
            f"{c.get('verdict', ''):7}{both('cpu_driver', 1000):>13}{both('cpu_xen', 1000):>15}"
            f"{both('cpu_all', 1000):>17}{both('model us', 1, 2):>15}{us:>8}")


def price_lines(summary):
    yield "The model, per I/O. Prices are guesses for a server of 3 GHz, in costs.py; they come on"
    yield "top of the instructions"
    yield f"  {'an instruction, without those that copy':44}{1000 * costs.INSTRUCTION_US:8.2f} ns"
    yield f"  {'a byte copied by Xen':44}{1000 * costs.BYTE_US:8.2f} ns"
    for _, what, price in costs.PRICES:
        yield f"  {what:44}{price:8.2f} us"
    names = [name for name, _, _ in costs.PRICES] + ["copied"]
    for where, cells in by_where(summary["costs"]):
        yield from heading(where, "".join(f"{name.replace('_', ' '):>16}" for name in names))
        for c in cells:
            yield f"  {c['cell']:22}" + "".join(f"{price_text(c, name):>16}" for name in names)


def price_text(c, name):
    return " > ".join(f"{c[m][f'cpu_{name}']:.{0 if name == 'copied' else 2}f}" if m in c else "-"
                      for m in ("stock", "ours"))


def smp_lines(summary):
    yield "Two CPUs, dom0 and the guest at the same time, in real time: per I/O, stock > ours; ! is"
    yield f"more than {TARGET_SMP} of stock's"
    names = ["ev to back", "ev to front", "wakeups", "cs dom0"]
    for where, cells in by_where(summary["smp"]):
        yield from heading(where, "".join(f"{name:>17}" for name in names) +
                           f"{'passes':>9}{'notifies':>10}")
        for c in cells:
            columns = "".join(f"{smp_text(c, name):>17}" for name in SMP_COUNTS)
            yield (f"  {c['cell']:22}{columns}{one(c, 'stat_passes'):>9}"
                   f"{one(c, 'stat_notifies'):>10}")


def smp_text(cell, name):
    stock = cell.get("stock counts", {}).get(name)
    return pair(cell, name, None if stock is None else TARGET_SMP * stock)


def allocation_lines(summary):
    yield "Memory allocations per I/O, by the driver itself and by the block layer for it"
    yield f"  {'':64}{'driver':>15}{'block layer':>15}"
    for found in summary["allocations"]:
        stock, ours = (found.get(module, [None, None]) for module in ("stock", "ours"))
        columns = [beside(both, 2) for both in zip(stock, ours)]
        verdict = "" if ours[0] is None else f" {mark(ours[0] == 0)}"
        yield (f"  {short_title(found['where']):47}{found['cell']:17}{columns[0]:>15}"
               f"{columns[1]:>15}{verdict}")


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


def crowd_lines(found):
    numbers, both = list(found["attach_ms"]), ("stock", "ours")
    yield "So many vbds at a time, stock > ours; the exponent is that of the curve from the second"
    yield "column to the last, 1: as many times as there are vbds"
    yield f"  {'':26}" + "".join(f"{n:>17}" for n in numbers) + f"{'exponent':>15}"
    for name, what in CROWD:
        curve = found[name]
        columns = "".join(f"{beside([curve[n].get(m) for m in both], 0):>17}" for n in numbers)
        exponents = beside([exponent(curve, m) for m in both], 2)
        yield f"  {what:26}{columns}{exponents:>15}"


def text(summary, versions):
    boots = summary["runs"]
    lines = ["; ".join(f"{k} {v}" for k, v in sorted(versions.items()) if v),
             f"{boots} boot{'s' if boots > 1 else ''} of each module", ""]
    if summary["costs"]:
        lines += [*cost_lines(summary), "", *price_lines(summary), ""]
    lines += speed_lines(summary)
    lines += count_lines(summary)
    if summary["smp"]:
        lines += ["", *smp_lines(summary)]
    if summary["allocations"]:
        lines += [""] + list(allocation_lines(summary))
    if any(v is not None for f in summary["device"].values() for v in f.values()):
        lines += [""] + list(device_lines(summary))
    if summary["crowd"]:
        lines += [""] + list(crowd_lines(summary["crowd"]))
    if summary["missing"]:
        lines += ["", "Places that lack a figure of a module:"]
        lines += [f"  {name}" for name in summary["missing"]]
    return "\n".join(line.rstrip() for line in lines) + "\n"
