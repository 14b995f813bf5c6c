# SPDX-License-Identifier: GPL-2.0-only
"""What there is at one moment: the driver, its vbds, and their remnants."""
import re
import time

from .disk import Disk, parse_devt
from .names import vdev_name
from .store import Store
from .tree import Fault, Tree

BUS = "/sys/bus/xen-backend/devices"
MODULE = "/sys/module/xen_blkback"
DEBUGFS = "/sys/kernel/debug/xen-blkback"

# Backends for disks, and who serves them if it is not a driver of the kernel
TYPES = {"vbd": None, "vbd3": "tapdisk", "tap": "tapdisk", "qdisk": "QEMU"}
DEVICE = re.compile(r"(%s)-(\d+)-(\d+)(\.\d+)?" % "|".join(TYPES))

STATES = ("Unknown", "Initialising", "InitWait", "Initialised", "Connected",
          "Closing", "Closed", "Reconfiguring", "Reconfigured")

# A request that is older than this does not get an answer.
OLD_MS = 30000

STALL = re.compile(r"(?P<what>[^:,]+)(?:, for (?P<seconds>\d+) s)?"
                   r"(?:: (?P<requests>\d+) requests to disk \S+, "
                   r"the oldest for (?P<oldest>\d+) s(?:, (?P<lack>.+))?)?$")


def state_name(number):
    """Of an XenbusState as xenstore has it, or None."""
    known = number and number.isdigit() and int(number) < len(STATES)
    return STATES[int(number)] if known else None


def by_node(keys):
    """Directory of a vbd -> its keys: backend, type, guest, device, and the rest."""
    found = {}
    for key, text in keys.items():
        *node, rest = key.split("/", 4)
        found.setdefault("/".join(node), {})[rest] = text
    return found


def number(what):
    """What should be a number, or None."""
    return what if isinstance(what, int) else None


class Driver:
    """kind is "xen-blkback" (this one), "stock", or None: not there."""

    def __init__(self, tree):
        self.parameters = tree.values(MODULE + "/parameters")
        self.version = tree.read(MODULE + "/version")
        self.kind = None
        if "grant_policy" in self.parameters:
            self.kind = "xen-blkback"
        elif tree.exists(MODULE):
            self.kind = "stock"

    def export(self):
        return {"kind": self.kind, "version": self.version,
                "parameters": self.parameters}


class Vbd:
    """A vbd as sysfs, debugfs and xenstore show it."""

    def __init__(self, tree, name, driver):
        match = DEVICE.fullmatch(name)
        self.tree = tree
        self.name = name
        self.driver = driver
        self.type = match[1]
        self.domid, self.vdev = int(match[2]), int(match[3])
        self.dir = f"{BUS}/{name}"
        # All that sysfs has of it, by the names that sysfs has
        self.files = tree.values(self.dir, {"power", "uevent", "modalias"})
        threads = tree.read(self.dir + "/threads")
        if threads is not None:
            self.files["threads"] = [int(line.split()[-1])
                                     for line in threads.splitlines()]
        self.bound = tree.link(self.dir + "/driver") is not None
        self.rings = (tree.read(f"{DEBUGFS}/{name}") or "").splitlines()
        # What xenstore knows is filled in by Machine.
        self.keys = {}
        self.guest = None
        self.guest_gone = False
        self.frontend_state = None
        self.error = None
        self._disk = None

    remnant = False

    @property
    def node(self):
        """Its directory in xenstore, relative to that of its domain."""
        default = f"backend/{self.type}/{self.domid}/{self.vdev}"
        return str(self.files.get("nodename", default))

    @property
    def dev(self):
        """Its name in the guest."""
        name = self.keys.get("dev") or vdev_name(self.vdev)
        return name[5:] if name.startswith("/dev/") else name

    @property
    def label(self):
        return f"{self.guest or self.domid}/{self.dev}"

    @property
    def state(self):
        """Of the driver's side. What the toolstack has asked for counts first:
        the driver may say Connected until the guest has closed."""
        state = self.files.get("state")
        wanted = state_name(self.keys.get("state"))
        if wanted == "Closing" or not state:
            return wanted
        return str(state)

    @property
    def devt(self):
        return (parse_devt(str(self.files.get("physical_device")))
                or parse_devt(self.keys.get("physical-device")))

    @property
    def disk(self):
        """Looked at once for each snapshot."""
        if not self._disk and self.devt:
            self._disk = Disk(self.tree, self.devt)
        return self._disk

    @property
    def disk_label(self):
        if self.disk:
            return self.disk.label
        return self.keys.get("params")

    def counter(self, name):
        """One of the statistics, or None."""
        return number(self.statistics.get(name))

    @property
    def statistics(self):
        return self._directory("statistics")

    @property
    def tunables(self):
        return self._directory("tunables")

    def _directory(self, name):
        found = self.files.get(name)
        return found if isinstance(found, dict) else {}

    @property
    def in_flight(self):
        return number(self.files.get("in_flight"))

    @property
    def oldest_ms(self):
        return number(self.files.get("oldest_ms"))

    @property
    def waiting(self):
        """The driver's own words for what it waits for, or ""."""
        return "" if self.slow else str(self.files.get("waiting") or "")

    @property
    def slow(self):
        """The driver says that only the guest waits."""
        return str(self.files.get("waiting") or "").startswith("slow: ")

    @property
    def stall(self):
        """The parts of waiting: what, seconds, requests, oldest, lack."""
        match = STALL.match(self.waiting)
        return match.groupdict() if match else {}

    @property
    def lack(self):
        """What the driver has not enough of to start requests, or None."""
        match = STALL.match(str(self.files.get("waiting") or ""))
        return match and match["lack"]

    @property
    def server(self):
        """The program that serves it; None if it is for the kernel to do."""
        return TYPES[self.type]

    @property
    def backend(self):
        """Who serves it, or None."""
        return self.server or (self.driver.kind if self.bound else None)

    @property
    def tells(self):
        """It is served by this driver, which says more than stock does."""
        return "in_flight" in self.files

    @property
    def old(self):
        """It has a request that the disk does not answer."""
        seconds = number(self.tunables.get("slow_request_seconds"))
        return self.slow or (
            (self.oldest_ms or 0) >= (seconds * 1000 if seconds else OLD_MS))

    @property
    def guest_keeps_it(self):
        """The toolstack wants it closed, and the guest has not done so. With
        online = 1 the driver itself has closed it, for an error."""
        return (self.state == "Closing" and self.keys.get("online") == "0"
                and self.frontend_state in ("Initialised", "Connected"))

    def export(self):
        """For JSON: what sysfs has is called as it is there."""
        return {
            "name": self.name, "guest": self.guest, "domid": self.domid,
            "vdev": self.vdev, "dev": self.dev, "remnant": self.remnant,
            "backend": self.backend,
            "frontend_state": self.frontend_state,
            "guest_gone": self.guest_gone, "error": self.error,
            "disk": self.disk.export() if self.disk else None,
            "state": self.state, **self.files,
            "debugfs": self.rings}


class Remnant(Vbd):
    """What is left of a removed vbd: only its disk knows of it."""

    remnant = True

    def __init__(self, tree, name, driver):
        super().__init__(tree, name, driver)
        text = tree.read(f"{DEBUGFS}/remnants/{name}") or ""
        self.rings = text.splitlines()
        flights = re.findall(r"(\d+) in flight", text)
        ages = re.findall(r"oldest (\d+) ms", text)
        disk = re.search(r"^disk (\S+)", text, re.M)
        waiting = re.search(r"^waiting (.*)$", text, re.M)
        self.files = {
            "state": "remnant",
            "physical_device": disk[1] if disk else None,
            "in_flight": sum(map(int, flights)),
            "oldest_ms": max(map(int, ages), default=0)}
        if waiting and waiting[1] != "for nothing":
            self.files["waiting"] = waiting[1]


class Snapshot:
    """One moment. trouble has what could not be read, and why."""

    def __init__(self, tree):
        self.time = time.monotonic()
        self.driver = Driver(tree)
        self.vbds = [Vbd(tree, name, self.driver) for name in tree.names(BUS)
                     if DEVICE.fullmatch(name)]
        self.vbds.sort(key=lambda vbd: (vbd.domid, vbd.vdev))
        self.vbds += [Remnant(tree, name, self.driver)
                      for name in tree.names(DEBUGFS + "/remnants")
                      if DEVICE.fullmatch(name)]
        self.trouble = []


class Machine:
    """Where snapshots are taken."""

    def __init__(self, root=""):
        self.tree = Tree(root)
        if root and not self.tree.exists(""):
            raise Fault(f"--root {root}: no such directory")

    def snapshot(self):
        if not self.tree.exists(BUS):
            raise Fault(
                f"no {BUS}: this is no Xen domain that can serve disks. Run "
                "it in dom0 or in the driver domain", 3)
        new = Snapshot(self.tree)
        store = Store(self.tree)
        self._add_keys(store, new.vbds)
        self._add_guests(store, new.vbds)
        if store.trouble:
            new.trouble.append(f"{store.trouble}; names and states of guests "
                               "are missing")
        return new

    def _add_keys(self, store, vbds):
        keys = {}
        for kind in sorted({vbd.type for vbd in vbds}):
            keys.update(store.ls("backend/" + kind))
        if vbds:
            keys.update(store.ls("error/backend"))
        below = by_node(keys)
        for vbd in vbds:
            if vbd.remnant:
                continue
            vbd.keys = below.get(vbd.node, {})
            vbd.error = keys.get(f"error/{vbd.node}/error")

    def _add_guests(self, store, vbds):
        names = {vbd: f"/local/domain/{vbd.domid}/name" for vbd in vbds}
        states = {vbd: vbd.keys["frontend"] + "/state" for vbd in vbds
                  if vbd.keys.get("frontend")}
        wanted = dict.fromkeys([*names.values(), *states.values()])
        keys = store.read(wanted)
        for vbd in vbds:
            vbd.guest = keys.get(names[vbd])
            vbd.frontend_state = state_name(keys.get(states.get(vbd)))
            # A driver domain may read the frontend, but not the name.
            vbd.guest_gone = not (vbd.guest or vbd.frontend_state
                                  or store.trouble)
