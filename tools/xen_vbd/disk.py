# SPDX-License-Identifier: GPL-2.0-only
"""A disk as the kernel knows it, and what it stands on."""
import os
import re

NETWORK = ("nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "glusterfs")


def parse_devt(text):
    """(major, minor) of MAJOR:MINOR in hexadecimal, or None."""
    match = re.fullmatch(r"([0-9a-fA-F]+):([0-9a-fA-F]+)", text or "")
    return (int(match[1], 16), int(match[2], 16)) if match else None


def split_lvm(name):
    """(group, volume) of a device mapper name; a hyphen is doubled in it."""
    parts = re.split(r"(?<!-)-(?!-)", name)
    if len(parts) < 2:
        return None
    return tuple(part.replace("--", "-") for part in parts[:2])


class Mount:
    """A line of mountinfo."""

    def __init__(self, line):
        words = line.split(" ")
        rest = words[words.index("-") + 1:]
        self.devt = words[2]
        self.point = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)),
                            words[4])
        self.type, self.source = rest[0], rest[1]

    def holds(self, path):
        return path == self.point or path.startswith(
            self.point.rstrip("/") + "/")


def mount_of(tree, path):
    """The mount that a file is on, told by names: a stuck one is not asked."""
    found = None
    for line in (tree.read("/proc/self/mountinfo") or "").splitlines():
        mount = Mount(line)
        if mount.holds(path) and (
                not found or len(mount.point) >= len(found.point)):
            found = mount
    return found


class Disk:
    """By its number, (major, minor); it may be gone."""

    def __init__(self, tree, devt):
        self.tree = tree
        self.devt = devt
        self.number = f"{devt[0]}:{devt[1]}"
        self.dir = f"/sys/dev/block/{self.number}"
        self.exists = tree.exists(self.dir)
        uevent = self.get("uevent") or ""
        match = re.search(r"^DEVNAME=(.*)$", uevent, re.M)
        self.node = match[1] if match else None
        self.dm = self.get("dm/name")
        self.uuid = self.get("dm/uuid") or ""
        self.lvm = split_lvm(self.dm) if self.uuid.startswith("LVM-") else None
        self.file = self.get("loop/backing_file")

    def get(self, name):
        return self.tree.read(f"{self.dir}/{name}")

    @property
    def label(self):
        """What people call it."""
        if self.lvm:
            return "/".join(self.lvm)
        if self.dm:
            return self.dm
        if self.file:
            return f"{self.node}:{os.path.basename(self.file)}"
        return self.node or self.number

    @property
    def names(self):
        """All that people may call it, but for links in /dev."""
        names = {self.number, self.node, self.dm, self.file}
        if self.node:
            names.add("/dev/" + self.node)
        if self.dm:
            names.add("/dev/mapper/" + self.dm)
        if self.lvm:
            names |= {"/".join(self.lvm), "/dev/" + "/".join(self.lvm)}
        return names - {None}

    @property
    def suspended(self):
        return self.get("dm/suspended") == "1"

    @property
    def in_flight(self):
        """Requests that it has by its own count, or None."""
        words = (self.get("inflight") or "").split()
        return sum(map(int, words)) if words else None

    @property
    def state(self):
        """What its own driver says of it, as "running" or "offline"."""
        return self.get("device/state") or self.get("md/array_state")

    def mount(self):
        """The mount that the file below a loop device is on, or None."""
        return mount_of(self.tree, self.file) if self.file else None

    def parts(self):
        """The disks that it is made of."""
        names = self.tree.names(f"{self.dir}/slaves")
        return self._disks(self.tree.read(f"/sys/class/block/{name}/dev")
                           for name in names)

    def below(self):
        """The disks that it stands on: also that of a file system."""
        mount = self.mount()
        # Without a disk of its own a file system has major number 0.
        on_disk = mount and not mount.devt.startswith("0:")
        return self.parts() + self._disks([mount.devt] if on_disk else [])

    def _disks(self, numbers):
        return [Disk(self.tree, tuple(map(int, number.split(":"))))
                for number in numbers if number]

    @property
    def whole(self):
        """Its number, or that of the disk that it is a partition of."""
        if self.tree.exists(self.dir + "/partition"):
            return self.get("../dev") or self.number
        return self.number

    def walk(self, depth=0):
        """Itself and all below, each once with its depth."""
        yield depth, self
        # Deeper stacks exist in bug reports only.
        if depth < 8:
            for disk in self.below():
                yield from disk.walk(depth + 1)

    def export(self):
        """For JSON."""
        return {"devt": self.number, "name": self.node, "label": self.label,
                "dm_name": self.dm, "file": self.file,
                "in_flight": self.in_flight,
                "suspended": self.suspended if self.dm else None,
                "state": self.state}
