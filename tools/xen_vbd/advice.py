# SPDX-License-Identifier: GPL-2.0-only
"""What to do about limits and disks that requests wait for. A text that is indented
is a command."""
import os
import re

from . import limit
from .disk import NETWORK


# ---- limits -----------------------------------------------------------------

def unlimit(vbd):
    """How to let go of what waits for a limit, which there is."""
    return ["Take the limit away, which lets go of what waits for it:",
            *["  " + command for command in limit.commands(vbd.tree, vbd)],
            "If that does not help, the disk is to blame, and this will say more:",
            f"  xen-vbd why {vbd.name if vbd.remnant else vbd.label}"]


# ---- what to look at --------------------------------------------------------

def look_at(disk):
    """For one disk of the stack."""
    texts = []
    if disk.suspended:
        texts += ["It is suspended. If nobody is at work on it:",
                  f"  dmsetup resume {disk.dm}"]
    if disk.uuid.startswith("mpath-"):
        texts += ["Has it a path left, or does it queue?",
                  f"  multipath -ll {disk.dm}",
                  f"  multipathd disablequeueing map {disk.dm}"]
    elif disk.dm and not disk.suspended:
        texts += ["Its state may name a part that has failed:",
                  f"  dmsetup status --noflush {disk.dm}"]
    mount = disk.mount()
    if mount and mount.type in NETWORK:
        texts.append(f"Does {mount.source.split(':')[0]} answer? The file is "
                     f"on {mount.type}.")
    if disk.state in ("blocked", "offline", "transport-offline", "dead"):
        texts.append(f"{disk.node} is {disk.state}: look at its cable, session "
                     "or controller, and at the kernel's log.")
    if session(disk):
        texts += ["Is the session of iSCSI there, and does the target answer?",
                  f"  iscsiadm -m session -r {session(disk)} -P 3"]
    if (disk.node or "").startswith("nbd"):
        texts.append(f"Does the server of {disk.node} answer?")
    if (disk.node or "").startswith("drbd"):
        texts += [f"  drbdadm status # {disk.node}"]
    return texts


# ---- disks that will never answer -------------------------------------------

def scsi(disk):
    """The name of the SCSI disk that it is, or is a part of, or None."""
    match = re.fullmatch(r"(sd[a-z]+)\d*", disk.node or "")
    return match and match[1]


def session(disk):
    """The number of its iSCSI session, or None."""
    path = os.path.realpath(disk.tree.path(disk.dir))
    match = scsi(disk) and re.search(r"/session(\d+)/", path)
    return match and match[1]


def fail_dm(disk):
    return [f"Make {disk.label} fail the requests that it holds back, as while it is "
            "suspended, or as a multipath that queues. What they write is lost. "
            "The command waits for requests that are at a disk below already:",
            f"  dmsetup wipe_table --force --noflush {disk.dm}"]


def fail_nbd(disk):
    return ["Make it fail its requests. What they write is lost:",
            f"  nbd-client -d /dev/{disk.node}"]


def fail_scsi(disk):
    name = scsi(disk)
    command = f"echo 1 >/sys/block/{name}/device/delete"
    what = f"Take {name} from this domain, and from all that stands on it"
    if session(disk):
        command = f"iscsiadm -m session -r {session(disk)} -u"
        what = (f"End the iSCSI session of {name}, which takes all its disks from "
                "this domain")
    return [f"{what}. Requests fail then, and what they write is lost. If the "
            "command does not return either, the kernel's log says what the disk's "
            "driver waits for. First see who else uses it:",
            f"  lsblk /dev/{name}", f"  {command}"]


def fail_loop(disk):
    mount = disk.mount()
    if mount and mount.type in NETWORK:
        return ["Make it fail its requests, and those of all other files "
                "there. What they write is lost:",
                f"  umount -f {mount.point}"]
    return ["A loop device fails only if the file's disk does, with all other "
            "files there: repair that one. This only says that it goes when "
            "nobody uses it any more:",
            f"  losetup -d /dev/{disk.node}"]


def way(disk):
    """How to make one disk fail, or nothing if that is not known here."""
    for applies, texts in ((disk.dm, fail_dm), (disk.file, fail_loop),
                           (scsi(disk), fail_scsi),
                           ((disk.node or "").startswith("nbd"), fail_nbd)):
        if applies:
            return texts(disk)
    return []


def stack(disk):
    """Itself and what it is made of, each once. Not the disk of a file system:
    that holds more than this guest's data."""
    found = {disk.number: disk}
    for part in disk.parts():
        found |= {one.number: one for one in stack(part)}
    return list(found.values())


def give_up(disk):
    """How to make requests fail that will never be answered: where they are first."""
    disks = stack(disk)
    if any(one.in_flight for one in disks[1:]):
        disks.reverse()
    ways = [way(one) for one in disks]
    return [text for texts in ways for text in texts] or [
        "Make it fail its requests: end the session, or remove the device that it "
        "stands on. What they write is lost."]
