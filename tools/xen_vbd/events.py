# SPDX-License-Identifier: GPL-2.0-only
"""What happens to vbds: from the kernel's log, from uevents, and from what
differs between two moments. Xenstore and uevents tell when to look."""
import os
import re
import select
import socket
import subprocess
import time

from .machine import DEVICE

KMSG = "/dev/kmsg"
RECORD = re.compile(r"\d+,\d+,(\d+),[^;]*;(.*)")
IN_TEXT = re.compile(r"\b(vbd-\d+-\d+)\b|backend/vbd/(\d+)/(\d+)")
IN_DICTIONARY = re.compile(r"^ DEVICE=\+xen-backend:(\S+)", re.M)

NETLINK_KOBJECT_UEVENT = 15
KERNEL_GROUP = 1
# A burst of changes is looked at once.
SETTLE = 0.05


class Event:
    """when is a time of day, or None; name is that of the device."""

    def __init__(self, name, kind, text, when=None):
        self.name, self.kind, self.text, self.when = name, kind, text, when


# ---- the kernel's log -------------------------------------------------------

def parse_record(text):
    """The event in a record of /dev/kmsg, or None if it is about no vbd."""
    record = RECORD.match(text)
    if not record:
        return None
    device = IN_DICTIONARY.search(text)
    found = IN_TEXT.search(record[2])
    if device and DEVICE.fullmatch(device[1]):
        name = device[1]
    elif found:
        name = found[1] or f"vbd-{found[2]}-{found[3]}"
    else:
        return None
    message = re.sub(rf"^vbd {name}: ", "", record[2])
    since_boot = int(record[1]) / 1e6
    return Event(name, "log", message,
                 time.time() - time.monotonic() + since_boot)


class Log:
    """/dev/kmsg: all that it has, then what comes."""

    def __init__(self, tree, only_new):
        self._fd = None
        self._plain = bool(tree.root)
        try:
            self._fd = os.open(tree.path(KMSG), os.O_RDONLY | os.O_NONBLOCK)
            if only_new:
                os.lseek(self._fd, 0, os.SEEK_END)
        except OSError:
            pass

    def fileno(self):
        return self._fd

    @property
    def usable(self):
        return self._fd is not None

    def _records(self):
        if self._plain:
            # A copy is a file of lines; those of a dictionary are indented.
            text = os.read(self._fd, 1 << 22).decode("utf-8", "replace")
            yield from re.split(r"\n(?! )", text)
            return
        while True:
            try:
                yield os.read(self._fd, 8192).decode("utf-8", "replace")
            except BlockingIOError:
                return
            except BrokenPipeError:
                # Records were overwritten before they were read.
                continue

    def events(self):
        return [event for event in map(parse_record, self._records()) if event]


# ---- uevents ----------------------------------------------------------------

def parse_uevent(data):
    """The event in a kernel's uevent, or None if it is about no vbd."""
    words = data.decode("utf-8", "replace").split("\0")
    keys = dict(word.split("=", 1) for word in words[1:] if "=" in word)
    name = os.path.basename(keys.get("DEVPATH", ""))
    if keys.get("SUBSYSTEM") != "xen-backend" or not DEVICE.fullmatch(name):
        return None
    mine = {key[7:].lower(): keys[key] for key in keys
            if key.startswith("XENVBD_")}
    kind = mine.pop("event", None) or keys.get("ACTION", "uevent")
    text = mine.pop("text", "")
    rest = " ".join(f"{key}={mine[key]}" for key in sorted(mine))
    return Event(name, kind, " ".join(filter(None, (text, rest))), time.time())


class Uevents:
    """The kernel's own, from its socket."""

    def __init__(self):
        self._socket = None
        try:
            new = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM,
                                NETLINK_KOBJECT_UEVENT)
            new.bind((0, KERNEL_GROUP))
            new.setblocking(False)
            self._socket = new
        except OSError:
            pass

    def fileno(self):
        return self._socket.fileno()

    @property
    def usable(self):
        return self._socket is not None

    def events(self):
        found = []
        while True:
            try:
                found.append(parse_uevent(self._socket.recv(8192)))
            except BlockingIOError:
                return [event for event in found if event]
            except OSError:
                # Some were lost; what has changed is seen all the same.
                continue


# ---- xenstore ---------------------------------------------------------------

class Watch:
    """xenstore-watch: says when to look, and nothing else."""

    def __init__(self):
        self._process = None
        try:
            self._process = subprocess.Popen(
                ["xenstore-watch", "backend/vbd", "error/backend"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL)
            os.set_blocking(self.fileno(), False)
        except OSError:
            pass

    def fileno(self):
        return self._process.stdout.fileno()

    @property
    def usable(self):
        return self._process is not None

    def events(self):
        try:
            if not os.read(self.fileno(), 1 << 16):
                # It has ended; without it changes are seen once a second.
                self.close()
        except BlockingIOError:
            pass
        return []

    def close(self):
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            self._process = None


# ---- what differs -----------------------------------------------------------

def changes(old, new):
    """Events for what differs between two snapshots."""
    before = {vbd.name: vbd for vbd in old.vbds}
    after = {vbd.name: vbd for vbd in new.vbds}
    now = time.time()
    found = []
    for name in before:
        if name not in after:
            found.append(Event(name, "gone", before[name].label, now))
    for name, vbd in after.items():
        if name not in before:
            kind = "remnant" if vbd.remnant else "new"
            found.append(Event(name, kind, f"{vbd.label} on {vbd.disk_label}, "
                               f"{vbd.state}", now))
        else:
            found += [Event(name, kind, text, now)
                      for kind, text in differences(before[name], vbd)]
    return found


def differences(old, new):
    """(kind, text) for each thing that differs in a vbd."""
    if old.state != new.state:
        yield "state", f"{old.state} -> {new.state}"
    if old.disk_label != new.disk_label:
        yield "disk", f"{old.disk_label} -> {new.disk_label}"
    what, now = old.stall.get("what"), new.stall.get("what")
    if what != now:
        if what:
            yield "resumed", what
        if now:
            yield "stuck", new.waiting
    if new.old and not old.old:
        yield "slow", f"{new.in_flight} requests, no answer"
    if old.old and not new.old:
        yield "answered", "the old requests"
    if old.error != new.error and new.error:
        yield "error", new.error


def follow(machine):
    """Events for ever, as they come."""
    sources = [Log(machine.tree, only_new=True)]
    if not machine.tree.root:
        sources += [Uevents(), Watch()]
    old = machine.snapshot()
    try:
        while True:
            ready = [source for source in sources if source.usable]
            if machine.tree.root:
                time.sleep(0.2)
            else:
                ready = select.select(ready, [], [], 1)[0]
                time.sleep(SETTLE if ready else 0)
            for source in ready:
                yield from source.events()
            new = machine.snapshot()
            yield from changes(old, new)
            old = new
    finally:
        for source in sources:
            if isinstance(source, Watch):
                source.close()
