# SPDX-License-Identifier: GPL-2.0-only
"""What the benchmark measures: places, disks, cells, and the boots that these need."""

import dataclasses
import os
import re
import sys

from job import Job

PLACES = ["native", "loopback", "guest", "neighbour", "apart", "smp"]
MODULES = ["stock", "ours", "qdisk"]
# One CPU; the same with dom0's CPU counted; a CPU for each queue; one for dom0 and one for
# the guest; the same in real time; many vbds
BOOTS = ["q1", "cost", "queues", "apart", "smp", "crowd"]
CROWD = [1, 8, 64, 256]
BOOT_LIMIT_S = 5400

INLINE = "inline"
DISK = re.compile(r"inline|[0-9]+(us|ms)-t[0-9]+(-cache)?")
CELL = re.compile(r"[0-9]+[km]-(rand)?(read|write|rw)-d[0-9]+(-writer|-fsync)?")

# Of each kind of disk
INLINE_CELLS = ["4k-randread-d1", "4k-randread-d32", "4k-randwrite-d32", "64k-read-d16",
                "64k-write-d16", "512k-read-d8", "1m-read-d4"]
DEPTHS = ["4k-randread-d1", "4k-randread-d8", "4k-randread-d32"]
CELLS = {
    INLINE: INLINE_CELLS,
    "100us-t64": DEPTHS + ["64k-read-d16", "512k-read-d8"],
    "500us-t64": DEPTHS + ["4k-randwrite-d32", "4k-randrw-d8", "4k-read-d32", "16k-read-d8",
                           "64k-read-d16", "512k-read-d8", "1m-read-d4",
                           "4k-randread-d1-writer"],
    "5ms-t64": DEPTHS + ["512k-read-d8"],
    "100us-t8": DEPTHS,
    "500us-t8": DEPTHS + ["512k-read-d8", "4k-randread-d1-writer"],
    "5ms-t8": DEPTHS,
    "500us-t64-cache": ["4k-write-d1-fsync"],
}
QUICK_CELLS = {
    INLINE: ["4k-randread-d1", "4k-randread-d32", "64k-read-d16", "512k-read-d8"],
    "500us-t64": DEPTHS,
}
# Of which dom0's CPU is counted
COST_CELLS = {
    INLINE: ["4k-randread-d32", "4k-randwrite-d32", "64k-read-d16", "512k-read-d8"],
    "500us-t64": DEPTHS + ["64k-read-d16", "512k-read-d8"],
}
MULTI_QUEUE_CELLS = {INLINE: ["4k-randread-d32", "4k-randwrite-d32", "64k-read-d16"]}
# dom0 and the guest need not wait for each other's CPU
APART_CELLS = {"500us-t64": DEPTHS + ["16k-read-d8"], "5ms-t64": ["4k-randread-d32"]}
# Counted where dom0 and the guest run at the same time
SMP_CELLS = {disk: ["4k-randread-d32", "4k-randwrite-d32"]
             for disk in (INLINE, "100us-t64", "500us-t64")}
# A reader beside a guest that writes
NEIGHBOUR_CELL = "4k-randread-d1"
NEIGHBOUR_DISKS = ["500us-t64", "500us-t8"]


def die(text):
    sys.exit(f"bench: {text}")


def words(name, default, allowed):
    """A variable's; allowed are words, or what all of it has to match"""
    value = os.environ.get(name, "").split() or default
    for word in value:
        if isinstance(allowed, re.Pattern):
            if not allowed.fullmatch(word):
                die(f"{name}: {word!r} is not like those in bench/README.md")
        elif word not in allowed:
            die(f"{name}: no {word!r}; there are: {' '.join(allowed)}")
    return value


def number(name, default):
    value = os.environ.get(name) or default
    if not str(value).isdigit() or int(value) < 1:
        die(f"{name}: {value!r} is not a number above 0")
    return int(value)


def switched_on(name, default):
    return (os.environ.get(name) or default) != "0"


def options():
    quick = switched_on("QUICK", "0")
    table = QUICK_CELLS if quick else CELLS
    opts = {
        "places": words("BENCH", ["guest"] if quick else PLACES, PLACES),
        "disks": words("DISKS", list(table), DISK),
        "queues": words("QUEUES", ["1"] if quick else ["1", "4"], ["1", "2", "4"]),
        "persistent": words("PERSISTENT", ["1", "0"], ["0", "1"]),
        "modules": words("MODULES", MODULES[:2] if quick else list(MODULES), MODULES),
        "runs": number("RUNS", 1 if quick else 3),
        "jobs": number("JOBS", 2),
        "boots": words("BOOTS", BOOTS[:1] if quick else BOOTS, BOOTS),
        # Hypercalls and allocations, which take runs of their own
        "more": int(not quick),
        "device": int(switched_on("DEVICE", "0" if quick else "1")),
        "kernel": os.environ.get("KERNEL") or "6.12",
    }
    opts["cells"] = {disk: words("CELLS", table.get(disk, DEPTHS), CELL)
                     for disk in opts["disks"]}
    for name, cells in (("cost_cells", COST_CELLS), ("multi_queue_cells", MULTI_QUEUE_CELLS),
                        ("apart_cells", APART_CELLS), ("smp_cells", SMP_CELLS)):
        opts[name] = (opts["cells"] if os.environ.get("CELLS") else
                      {disk: cells[disk] for disk in opts["disks"] if disk in cells})
    if "native" not in opts["places"] and not quick:
        opts["places"].insert(0, "native")
    opts["wheres"] = wheres(opts)
    # It is measured in a guest only, with one queue and without persistent grants
    if "qdisk" in opts["modules"] and f"guest/p0/q1/{INLINE}" not in opts["wheres"]:
        opts["modules"].remove("qdisk")
    return opts


def options_of(runs):
    """Of figures alone, as bench/host has measured them: what they are about"""
    found = {}
    for name in (name for figures in runs.values() for run in figures for name in run
                 if name.endswith(("/iops", "/cpu_all")) and not name.startswith("native/")):
        where, cell, _ = name.rsplit("/", 2)
        found.setdefault(where, {})[cell] = None
    return {"wheres": found, "runs": max(map(len, runs.values()))}


def table_of(opts, place, queues):
    """Disk -> cells that are measured there"""
    disks, cells = opts["disks"], opts["cells"]
    if place not in opts["places"] or queues not in opts["queues"]:
        return {}
    if place in ("apart", "smp"):
        return opts[f"{place}_cells"] if queues == "1" else {}
    if queues != "1":
        return opts["multi_queue_cells"] if place == "guest" else {}
    if place == "loopback":
        # Both ends share one CPU: a disk that takes time shows nothing more there
        disks = [INLINE]
    if place == "neighbour":
        disks, cells = NEIGHBOUR_DISKS, dict.fromkeys(NEIGHBOUR_DISKS, [NEIGHBOUR_CELL])
    return {disk: cells[disk] for disk in disks if disk in opts["disks"]}


def wheres(opts):
    """PLACE/pPERSISTENT/qQUEUES/DISK -> cells, without native, in the order of the table"""
    return {f"{place}/p{persistent}/q{queues}/{disk}": cells
            for place in PLACES if place != "native"
            for queues in opts["queues"]
            for disk, cells in table_of(opts, place, queues).items()
            for persistent in opts["persistent"]}


def measures(opts, where):
    """Is there a boot that gives its IOPS?"""
    place, _, queues, _ = where.split("/")
    name = place if place in ("apart", "smp") else "q1" if queues == "q1" else "queues"
    return name in opts.get("boots", BOOTS)


@dataclasses.dataclass
class Boot:
    """One boot of a module: what it is called, and where it measures"""
    module: str
    name: str
    queues: str
    places: list

    def words(self, opts):
        """PLACE/DISK/CELL, as dom0.sh takes them"""
        if self.module == "qdisk":
            opts = {**opts, "disks": [INLINE]}
        if self.name == "cost":
            opts = {**opts, "disks": list(opts["cost_cells"]), "cells": opts["cost_cells"]}
        return " ".join(f"{place}/{disk}/{cell}" for place in self.places
                        for disk, cells in table_of(opts, place, self.queues).items()
                        for cell in cells)

    def machine(self):
        """Of the lab. With more queues every virtual CPU of dom0 and guest finds a CPU
        of its own."""
        if self.name == "smp":
            return ["-c", "2"]
        if self.name == "apart":
            return ["--icount", "-c", "2"]
        return ["--icount", "-c", "1" if self.queues == "1" else str(2 * int(self.queues))]

    def job(self, opts, environment=None):
        qdisk = self.module == "qdisk"
        # With QEMU's backend the guest's root disk is still served by the stock module
        module = ["-m", "stock", "--with", "qdisk"] if qdisk else ["-m", self.module]
        return Job(["-k", opts["kernel"], *module, *self.machine(), "-t", str(BOOT_LIMIT_S)], {
            "backend": "qdisk" if qdisk else "kernel",
            "plan": self.words(opts),
            "queues": self.queues,
            "persistent": "0" if qdisk else " ".join(opts["persistent"]),
            "cost": 1 if self.name == "cost" else "",
            **({} if opts["more"] else {"traced": "", "allocating": ""}),
            "device": opts["device"] if self.name == "q1" and not qdisk else 0,
            "crowd": " ".join(map(str, CROWD)) if self.name == "crowd" else "",
        }, environment)


def boots(opts):
    """All of a round, the long ones first"""
    kernel = [module for module in opts["modules"] if module != "qdisk"]
    places = [place for place in opts["places"] if place not in ("apart", "smp")]
    queues = [n for n in opts["queues"] if n != "1"]
    found = {
        "q1": [Boot(module, "q1", "1", places) for module in kernel] +
              [Boot(module, "q1", "1", ["guest"]) for module in opts["modules"] if module == "qdisk"],
        "cost": [Boot(module, "cost", "1", ["guest"]) for module in kernel
                 if "guest" in places],
        "queues": [Boot(module, f"q{n}", n, ["guest"]) for n in queues for module in kernel],
        "apart": [Boot(module, "apart", "1", ["apart"]) for module in kernel],
        "smp": [Boot(module, "smp", "1", ["smp"]) for module in kernel],
        "crowd": [Boot(module, "crowd", "1", []) for module in kernel],
    }
    return [boot for name in opts["boots"] for boot in found[name]
            if boot.words(opts) or name == "crowd"]
