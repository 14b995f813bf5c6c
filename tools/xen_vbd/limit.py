# SPDX-License-Identifier: GPL-2.0-only
"""The cgroup of a vbd: made, limited, shown, left."""
import errno
import os
import re

from .disk import Mount
from .tree import Fault

# Cgroups that are made here: <guest>-<device> below this one
FOLDER = "/xen-vbd"
OWN = re.compile(r"\d+-\d+")

# What io.max takes, and io.weight
RATES = ("rbps", "wbps", "riops", "wiops")
WEIGHT = "weight"
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
MAX_WEIGHT = 10000
# The io controller's own, and that of the scheduler BFQ
WEIGHTS = ("io.weight", "io.bfq.weight")

DEAD = " (dead)"


# ---- what was asked for ------------------------------------------------------

def amount(name, text):
    """50M -> "52428800"; "max" as it is."""
    match = re.fullmatch(r"(\d+)([KMGT]?)(i?B?)", text, re.I)
    if text == "max" and name != WEIGHT:
        return text
    number = int(match[1]) * UNITS[match[2].upper()] if match else 0
    if name == WEIGHT and not 1 <= number <= MAX_WEIGHT:
        raise Fault(f"{name}={text}: not 1 to {MAX_WEIGHT}")
    if not number:
        raise Fault(f"{name}={text}: neither a number above 0, as 500 or 50M, "
                    "nor max")
    return str(number)


def settings(words):
    """NAME=VALUE... as io.max has them."""
    found = {}
    for word in words:
        name, _, text = word.partition("=")
        if name not in (*RATES, WEIGHT):
            raise Fault(f"{word} is no limit: there are "
                        + ", ".join(f"{known}=" for known in (*RATES, WEIGHT)))
        found[name] = amount(name, text)
    return found


# ---- cgroups -----------------------------------------------------------------

def mounted(tree):
    """Where cgroup2 is mounted."""
    for line in (tree.read("/proc/self/mountinfo") or "").splitlines():
        mount = Mount(line)
        if mount.type == "cgroup2":
            return mount.point
    raise Fault("no cgroup2 is mounted here (mount -t cgroup2 none "
                "/sys/fs/cgroup)")


class Group:
    """By its path below the root of cgroup2."""

    def __init__(self, tree, path):
        self.tree = tree
        self.root = mounted(tree)
        if path.startswith(self.root.rstrip("/") + "/"):
            path = path[len(self.root.rstrip("/")):]
        self.path = "/" + path.strip("/")
        self.dir = self.root + self.path

    def get(self, name):
        return self.tree.read(f"{self.dir}/{name}") or ""

    def put(self, name, text):
        path = f"{self.dir}/{name}"
        self.tree.write(path, text, f"only root can write {path}",
                        lambda error: f"{path} does not take \"{text}\" "
                                      f"({error.strerror})")

    @property
    def exists(self):
        return self.tree.exists(self.dir)

    @property
    def has_io(self):
        return "io" in self.get("cgroup.controllers").split()

    def offer_io(self):
        """To those below."""
        if "io" not in self.get("cgroup.subtree_control").split():
            self.put("cgroup.subtree_control", "+io")

    def make(self):
        """With all above, if they are not there."""
        if self.path == "/":
            if not self.has_io:
                raise Fault(f"{self.root} has no io controller: the kernel has "
                            "none, or it is mounted as cgroup v1")
            return
        above = Group(self.tree, os.path.dirname(self.path))
        above.make()
        above.offer_io()
        try:
            os.mkdir(self.tree.path(self.dir))
        except FileExistsError:
            pass
        except OSError as error:
            raise Fault(f"cannot make {self.dir} ({error.strerror})") from error

    def remove(self):
        """If nobody else uses it."""
        try:
            os.rmdir(self.tree.path(self.dir))
        except OSError:
            pass

    def values(self, name, number):
        """NAME=VALUE of one disk, or {}."""
        for line in self.get(name).splitlines():
            words = line.split()
            if words and words[0] == number:
                return dict(word.split("=", 1) for word in words[1:]
                            if "=" in word)
        return {}

    def weight(self, number):
        """Of a disk, or of all."""
        for name in WEIGHTS:
            lines = dict(line.split(maxsplit=1) for line
                         in self.get(name).splitlines() if " " in line)
            if lines:
                return lines.get(number) or lines.get("default")
        return None


def own(tree, vbd):
    """The one that is made for a vbd."""
    return Group(tree, f"{FOLDER}/{vbd.domid}-{vbd.vdev}")


def of(tree, vbd):
    """The one it is in, or None."""
    path = str(vbd.tunables.get("cgroup") or "").removesuffix(DEAD)
    return Group(tree, path) if path else None


def is_dead(vbd):
    return str(vbd.tunables.get("cgroup")).endswith(DEAD)


# ---- disks -------------------------------------------------------------------

def number_of(vbd):
    """Of the disk that limits are for: all of it, if the vbd has a part."""
    if not vbd.disk:
        raise Fault(f"{vbd.label} has no disk")
    return vbd.disk.whole


def weighs(tree, vbd):
    """Does a weight have an effect on its disk, or on one below?"""
    qos = tree.read(mounted(tree) + "/io.cost.qos") or ""
    for _, disk in vbd.disk.walk():
        if re.search(rf"^{disk.number} .*\benable=1\b", qos, re.M):
            return True
        if "[bfq]" in (disk.get("queue/scheduler") or ""):
            return True
    return False


# ---- what is done ------------------------------------------------------------

def place(tree, vbd, path):
    """Say so to the driver."""
    words = {errno.EOPNOTSUPP: "it has no io controller: write +io to "
             "cgroup.subtree_control above it; or the kernel has none",
             errno.ENOENT: "there is no such cgroup"}
    tree.write(f"{vbd.dir}/tunables/cgroup", path,
               f"{vbd.label}: only root can limit it",
               lambda error: f"{vbd.label} cannot be put into cgroup {path}: "
                             f"{words.get(error.errno, error.strerror)}")


def apply(tree, vbd, group, wanted):
    """Set what was asked for; return what people should know."""
    number = number_of(vbd)
    rates = [f"{name}={wanted[name]}" for name in RATES if name in wanted]
    if rates:
        group.put("io.max", " ".join((number, *rates)))
    if WEIGHT not in wanted:
        return None
    files = [name for name in WEIGHTS if tree.exists(f"{group.dir}/{name}")]
    if not files:
        raise Fault(f"{group.dir} has no {' and no '.join(WEIGHTS)}: the "
                    "kernel knows no weights")
    for name in files:
        group.put(name, f"default {wanted[WEIGHT]}")
    return None if weighs(tree, vbd) else (
        f"the weight has no effect yet: disk {number} has neither io.cost.qos "
        "with enable=1 nor the scheduler bfq")


def limit(tree, vbd, wanted, path):
    """Into this cgroup, or the one it is in, or one of its own."""
    group = Group(tree, path) if path else of(tree, vbd)
    if path:
        if not group.exists:
            raise Fault(f"there is no cgroup {group.dir}")
        if not group.has_io:
            raise Fault(f"cgroup {group.path} has no io controller: echo +io "
                        f">{os.path.dirname(group.dir)}/cgroup.subtree_control")
    elif not group or is_dead(vbd):
        group = own(tree, vbd)
        group.make()
    told = apply(tree, vbd, group, wanted)
    # Limited from its first request on
    place(tree, vbd, group.path)
    return told


def free(tree, vbd):
    """Out of its cgroup; what waits there is let go."""
    group = of(tree, vbd)
    if group and group.path == own(tree, vbd).path and not is_dead(vbd):
        group.put("io.max", " ".join((
            number_of(vbd), *(f"{name}=max" for name in RATES))))
    place(tree, vbd, "")
    if group and group.path == own(tree, vbd).path:
        group.remove()


def sweep(tree, vbds):
    """Remove what was made here for vbds that are gone."""
    alive = {f"{vbd.domid}-{vbd.vdev}" for vbd in vbds}
    folder = Group(tree, FOLDER)
    for name in tree.names(folder.dir):
        if OWN.fullmatch(name) and name not in alive:
            Group(tree, f"{FOLDER}/{name}").remove()


# ---- what there is -----------------------------------------------------------

def state(tree, vbd):
    """For JSON."""
    group = of(tree, vbd)
    if not group:
        return {"cgroup": None}
    number = number_of(vbd)
    max_ = dict.fromkeys(RATES, "max")
    max_.update(group.values("io.max", number))
    return {"cgroup": group.path, "dead": is_dead(vbd), "disk": number,
            "max": max_, "weight": group.weight(number),
            "stat": group.values("io.stat", number)}


def files(tree, vbd):
    """For a report: name and text of each."""
    try:
        group = of(tree, vbd)
    except Fault:
        return
    for name in ("io.max", *WEIGHTS, "io.stat", "cgroup.controllers"):
        if group and group.get(name):
            yield f"{group.dir}/{name}", group.get(name) + "\n"


def pairs(values):
    return " ".join(f"{name}={value}" for name, value in values.items())


def lines(tree, vbd):
    """For people."""
    found = state(tree, vbd)
    if not found["cgroup"]:
        yield f"{vbd.label}: no cgroup, no limit"
        return
    yield f"{vbd.label}: cgroup {found['cgroup']}, disk {found['disk']}"
    if found["dead"]:
        yield ("  this cgroup was removed, or has lost its io controller: "
               "limits of the one above count")
        return
    yield "  " + pairs(found["max"])
    if found["weight"]:
        yield f"  weight={found['weight']}"
    yield "  " + (pairs(found["stat"]) or "nothing was charged yet")


# ---- what holds requests back ------------------------------------------------

def above(group):
    """A cgroup and all above that can have a limit: all but the root."""
    while group and group.path != "/":
        yield group
        group = Group(group.tree, os.path.dirname(group.path))


def bounds(tree, vbd):
    """(cgroup, disk, rates) of each limit that its requests may wait for."""
    # A remnant does not tell its cgroup; it may be in one that was made here.
    group = own(tree, vbd) if vbd.remnant else of(tree, vbd)
    if not group or not vbd.disk:
        return
    disks = dict.fromkeys(disk.whole for _, disk in vbd.disk.walk())
    for one in above(group):
        for number in disks:
            rates = {name: value for name, value
                     in one.values("io.max", number).items() if value != "max"}
            if rates:
                yield one, number, rates


def held_by(tree, vbd):
    """The same as a list; nothing limits without cgroup2."""
    try:
        return list(bounds(tree, vbd))
    except Fault:
        return []


def brief(tree, vbd):
    """What limits it, in sentences; None if nothing does."""
    found = held_by(tree, vbd)
    if not found:
        return None
    texts = []
    for group, number, rates in found:
        what = "it" if number == number_of(vbd) else "disk " + number
        texts.append(f"Cgroup {group.path} limits {what} to {pairs(rates)}.")
    more = "" if vbd.remnant else f": xen-vbd limit {vbd.label}"
    return " ".join(texts) + f" Requests wait for that, too{more}."


def commands(tree, vbd):
    """That let go of what waits for a limit; that which removes the cgroup last."""
    mine = own(tree, vbd).path
    found = []
    for group, number, _ in reversed(held_by(tree, vbd)):
        if group.path == mine and number == number_of(vbd) and not vbd.remnant:
            found.append(f"xen-vbd limit {vbd.label} --none")
        else:
            every = " ".join(f"{name}=max" for name in RATES)
            found.append(f'echo "{number} {every}" >{group.dir}/io.max')
    return found
