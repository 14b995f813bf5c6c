# SPDX-License-Identifier: GPL-2.0-only
"""JSON, and the text format of Prometheus."""
import os

from . import latency
from .counts import SUM, histogram, sum_us
from .rates import SECTOR
from .tree import Fault

# The number changes when something that is there gets another meaning.
FORMAT = 1

# Statistics that have a name and a unit of their own: metric, labels, factor.
COUNTERS = {
    "rd_req": ("requests", {"op": "read"}, 1),
    "wr_req": ("requests", {"op": "write"}, 1),
    "f_req": ("requests", {"op": "flush"}, 1),
    "ds_req": ("requests", {"op": "discard"}, 1),
    "rd_sect": ("bytes", {"op": "read"}, SECTOR),
    "wr_sect": ("bytes", {"op": "write"}, SECTOR),
    "err_req": ("errors", {}, 1),
    "oo_req": ("starved", {}, 1),
    "map_calls": ("hypercalls", {"kind": "map"}, 1),
    "unmap_calls": ("hypercalls", {"kind": "unmap"}, 1),
    "copy_calls": ("hypercalls", {"kind": "copy"}, 1),
}
HELP = {
    "requests": "Requests that were taken from the guest.",
    "bytes": "Bytes that the guest has read or written.",
    "errors": "Requests that were answered with an error.",
    "starved": "Waits for memory or for pages to map to.",
    "hypercalls": "Hypercalls that mapped, unmapped or copied.",
}

LATENCY = "How long requests take, ring to ring or at the disk."


def document(snapshot, vbds):
    """For JSON: what list and export print."""
    return {"format": FORMAT, "driver": snapshot.driver.export(),
            "vbds": [vbd.export() for vbd in vbds],
            "trouble": snapshot.trouble}


def rates(snapshot, vbds, rates_of):
    """For JSON: what iostat prints after each interval."""
    def one(vbd):
        mine = rates_of.get(vbd.name)
        return {"name": vbd.name, "vbd": vbd.label, "in_flight": vbd.in_flight,
                "oldest_ms": vbd.oldest_ms,
                "per_second": {name: mine.per_second(name)
                               for name in vbd.statistics} if mine else None}
    return {"format": FORMAT, "monotonic": snapshot.time,
            "vbds": [one(vbd) for vbd in vbds]}


def quoted(text):
    text = str("" if text is None else text)
    for old, new in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
        text = text.replace(old, new)
    return f'"{text}"'


class Metrics:
    """Lines by metric: the format wants those of one metric together."""

    def __init__(self):
        self._found = {}

    def add(self, name, kind, text, labels, number, part=""):
        """part: what the name of one sample of a histogram ends in."""
        if number is None:
            return
        pairs = ",".join(f"{key}={quoted(labels[key])}" for key in labels)
        pairs = "{" + pairs + "}" if pairs else ""
        entry = self._found.setdefault("xen_vbd_" + name, (kind, text, []))
        entry[2].append(f"xen_vbd_{name}{part}{pairs} {number}")

    def text(self):
        lines = []
        for name, (kind, text, samples) in self._found.items():
            lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}", *samples]
        return "\n".join(lines) + "\n"


def labels_of(vbd):
    return {"vbd": vbd.name, "guest": vbd.guest or "", "dev": vbd.dev}


def add_vbd(metrics, vbd):
    labels = labels_of(vbd)
    info = {"domid": vbd.domid, "vdev": vbd.vdev, "disk": vbd.disk_label,
            "mode": vbd.files.get("mode"), "backend": vbd.backend}
    metrics.add("info", "gauge", "What a vbd is.", {**labels, **info}, 1)
    metrics.add("state", "gauge", "The state of the driver's side.",
                {**labels, "state": vbd.state}, 1)
    metrics.add("in_flight", "gauge", "Requests not answered yet.", labels,
                vbd.in_flight)
    if vbd.oldest_ms is not None:
        metrics.add("oldest_seconds", "gauge", "Age of the oldest request.",
                    labels, vbd.oldest_ms / 1000)
        metrics.add("slow", "gauge", "1 if the disk does not answer: a request "
                    "is older than slow_request_seconds.", labels, int(vbd.old))
    if vbd.waiting:
        metrics.add("waiting_seconds", "gauge", "How long the driver waits "
                    "for the disk.", {**labels, "what": vbd.stall.get("what")},
                    vbd.stall.get("seconds") or 0)
    for name, number in vbd.statistics.items():
        # Lists and texts have no place here, and sums belong to their lists.
        if isinstance(number, int) and not name.endswith(SUM):
            metric, more, factor = COUNTERS.get(name, (name, {}, 1))
            metrics.add(metric + "_total", "counter",
                        HELP.get(metric, f"statistics/{name} of the vbd."),
                        {**labels, **more}, number * factor)


def add_latency(metrics, vbd):
    """The histograms in which something was counted."""
    for where, prefix in (("ring", latency.RING), ("disk", latency.DISK)):
        for op in latency.OPERATIONS:
            counts = histogram(vbd, prefix + op)
            if counts and any(counts):
                add_histogram(metrics, {**labels_of(vbd), "op": op, "where": where},
                              counts, sum_us(vbd, prefix + op))


def add_histogram(metrics, labels, counts, total_us):
    """total_us: None of a driver that does not add up; then there is no sum."""
    def add(part, number, **more):
        metrics.add("latency_seconds", "histogram", LATENCY, {**labels, **more},
                    number, part)
    total = 0
    for i, count in enumerate(counts):
        total += count
        add("_bucket", total,
            le=(1 << i) / 1e6 if i < len(counts) - 1 else "+Inf")
    if total_us is not None:
        add("_sum", f"{total_us / 1e6:.6f}")
    add("_count", total)


def prometheus(snapshot, vbds):
    metrics = Metrics()
    driver = snapshot.driver
    metrics.add("driver_info", "gauge", "The driver that is loaded.",
                {"kind": driver.kind or "none", "version": driver.version}, 1)
    metrics.add("driver_is_stock", "gauge", "1 if the stock module is loaded.",
                {}, int(driver.kind == "stock"))
    metrics.add("remnants", "gauge", "Removed vbds whose disk has requests.",
                {}, sum(vbd.remnant for vbd in snapshot.vbds))
    for vbd in vbds:
        add_vbd(metrics, vbd)
        add_latency(metrics, vbd)
    return metrics.text()


def write(path, text):
    """At once: who reads the file sees the old text or the new one."""
    new = f"{path}.{os.getpid()}"
    try:
        with open(new, "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(new, path)
    except OSError as error:
        raise Fault(f"{path}: {error.strerror}") from error
