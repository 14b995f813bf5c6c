# SPDX-License-Identifier: GPL-2.0-only
"""A tar for a bug report. Unpacked, it is a root for --root."""
import io
import os
import re
import subprocess
import tarfile
import time

from . import limit
from .events import KMSG
from .machine import DEBUGFS, MODULE
from .tree import Fault

# None of them asks a disk: one that is stuck would hold it up.
COMMANDS = {
    "uname": ("uname", "-a"),
    "xl-info": ("xl", "info"),
    "xl-list": ("xl", "list", "-v"),
    "modinfo": ("modinfo", "xen-blkback"),
    "dmsetup-info": ("dmsetup", "info", "-c"),
    "dmsetup-table": ("dmsetup", "table"),
    "dmsetup-status": ("dmsetup", "status", "--noflush"),
    "losetup": ("losetup", "-l"),
}
PATIENCE = 5
PROC = ("/proc/version", "/proc/cmdline", "/proc/modules", "/proc/mounts",
        "/proc/self/mountinfo", "/proc/meminfo", "/proc/interrupts",
        "/proc/diskstats")
DISK_FILES = ("uevent", "dev", "size", "ro", "inflight", "stat", "diskseq",
              "dm/name", "dm/uuid", "dm/suspended", "loop/backing_file",
              "device/state", "md/array_state", "queue/logical_block_size",
              "queue/physical_block_size", "queue/write_cache",
              "queue/stable_writes", "queue/max_sectors_kb")
THREAD_FILES = ("comm", "status", "stack", "wchan", "cgroup")
# Threads of the driver, and who calls it
THREAD = re.compile(r"xenwatch|xenbus|xenvbd|\d+\.\w[^ ]*-\d+")


class Tar:
    """Files from their texts, below one directory."""

    def __init__(self, path, top):
        self._top = top
        self._now = time.time()
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise Fault(f"{path}: {error.strerror}") from error
        self._file = os.fdopen(handle, "wb")
        self._tar = tarfile.open(fileobj=self._file, mode="w:gz")

    def add(self, name, text):
        if text is None:
            return
        data = text.encode("utf-8", "replace")
        info = tarfile.TarInfo(self._top + "/" + name.lstrip("/"))
        info.size, info.mtime, info.mode = len(data), self._now, 0o644
        self._tar.addfile(info, io.BytesIO(data))

    def link(self, name, target):
        info = tarfile.TarInfo(self._top + "/" + name.lstrip("/"))
        info.type, info.linkname, info.mtime = tarfile.SYMTYPE, target, self._now
        self._tar.addfile(info)

    def close(self):
        self._tar.close()
        self._file.close()


def output(command):
    """What a command prints, if it is there and ends soon. One that hangs in
    the kernel is left behind: to wait for it would hang, too."""
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
    except OSError as error:
        return f"{command[0]}: {error.strerror}\n"
    try:
        text = process.communicate(timeout=PATIENCE)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return f"{command[0]}: no end after {PATIENCE} s\n"
    return text.decode("utf-8", "replace")


def add_tree(tar, tree, name, leave_out=("power",)):
    """All files that can be read."""
    for entry in tree.names(name):
        path = f"{name}/{entry}"
        kind = None if entry in leave_out else tree.kind(path)
        if kind == "dir":
            add_tree(tar, tree, path)
        elif kind == "file":
            text = tree.read(path)
            tar.add(path, None if text is None else text + "\n")


def add_vbd(tar, tree, vbd):
    # In sysfs it is a link.
    add_tree(tar, tree, vbd.dir)
    if vbd.bound:
        tar.link(f"{vbd.dir}/driver", "../../drivers/vbd")
    for name, text in limit.files(tree, vbd):
        tar.add(name, text)
    if vbd.disk:
        for _, disk in vbd.disk.walk():
            add_disk(tar, tree, disk)


def add_disk(tar, tree, disk):
    for file in DISK_FILES:
        text = disk.get(file)
        tar.add(f"{disk.dir}/{file}", None if text is None else text + "\n")
    for name in tree.names(f"{disk.dir}/slaves"):
        number = tree.read(f"/sys/class/block/{name}/dev")
        tar.add(f"{disk.dir}/slaves/{name}", "")
        tar.add(f"/sys/class/block/{name}/dev", f"{number}\n")


ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def escaped(text):
    """As xenstore-ls prints it."""
    return re.sub(r'[\\"\x00-\x1f]', lambda match: ESCAPES.get(
        match[0], f"\\{ord(match[0]):03o}"), text)


def xenstore(vbds):
    """The keys of the vbds alone: other keys have passwords of consoles."""
    keys = {}
    for vbd in vbds:
        keys.update({f"{vbd.node}/{key}": vbd.keys[key] for key in vbd.keys})
        known = {f"error/{vbd.node}/error": vbd.error,
                 f"/local/domain/{vbd.domid}/name": vbd.guest}
        keys.update({key: known[key] for key in known if known[key]})
    return "".join(f'{key} = "{escaped(keys[key])}"\n' for key in keys)


def frontends(store, vbds):
    """The keys of the guests' sides."""
    keys = {}
    for path in dict.fromkeys(vbd.keys.get("frontend") for vbd in vbds):
        keys.update(store.ls(path) if path else {})
    return "".join(f'{key} = "{escaped(keys[key])}"\n' for key in keys)


def add_threads(tar, tree):
    for pid in tree.names("/proc"):
        comm = tree.read(f"/proc/{pid}/comm") if pid.isdigit() else None
        if comm and THREAD.match(comm):
            for file in THREAD_FILES:
                path = f"/proc/{pid}/{file}"
                text = tree.read(path)
                tar.add(path, None if text is None else text + "\n")


def kernel_log(tree):
    """All of it, as /dev/kmsg has it, or None."""
    if tree.root:
        return tree.read(KMSG)
    records = []
    try:
        handle = os.open(KMSG, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    while True:
        try:
            records.append(os.read(handle, 8192).decode("utf-8", "replace"))
        except BrokenPipeError:
            continue
        except OSError:
            os.close(handle)
            return "".join(records)


def make(machine, snapshot, store, path, summaries):
    """summaries: name -> text, of this tool's own output."""
    tree = machine.tree
    top = os.path.basename(path).split(".")[0]
    tar = Tar(path, top)
    try:
        for name, text in summaries.items():
            tar.add(name, text)
        for vbd in snapshot.vbds:
            add_vbd(tar, tree, vbd)
        add_tree(tar, tree, DEBUGFS)
        add_tree(tar, tree, MODULE, ("power", "sections", "notes", "holders"))
        tar.add("xenstore", xenstore(snapshot.vbds)
                + frontends(store, snapshot.vbds))
        tar.add(KMSG, kernel_log(tree))
        for name in PROC:
            text = tree.read(name)
            tar.add(name, None if text is None else text + "\n")
        add_threads(tar, tree)
        if not tree.root:
            for name, command in COMMANDS.items():
                tar.add("commands/" + name, output(command))
    finally:
        tar.close()
