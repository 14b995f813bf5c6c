# SPDX-License-Identifier: GPL-2.0-only
"""What is stuck, since when, and what to do."""
import re
import textwrap
import time

from . import advice, limit
from .table import plural, spoken

# Somebody has to act, or it is a remark only.
STUCK, REMARK = True, False

ONLY_DISK = ("The driver waits for this disk and for nothing else. Other disks "
             "can be attached and detached meanwhile. ")
# The disk that hangs may be another one.
OF_REMNANT = "waiting for writes of a removed vbd"
MEANS = {
    "closing": ONLY_DISK + "A detach, or the end of the guest, waits until the "
               "disk has answered, and then ends by itself.",
    "opening the disk": ONLY_DISK + "An attach waits until the disk can be "
               "opened.",
    "exchanging the disk": ONLY_DISK + "The old disk has to answer before the "
               "new one takes its place. The guest's requests wait.",
    "closing the disk": ONLY_DISK + "All requests are answered; the disk "
               "itself has not come back from being closed.",
    "flushing the disk": ONLY_DISK + "The disk has a volatile cache that it "
               "had not when the guest connected, and what the guest has "
               "written has to leave it. The guest's requests wait.",
    "writing back the disk's cache": ONLY_DISK + "What this domain has cached "
               "of the disk goes to it before the guest may use it.",
    OF_REMNANT: "A vbd that was removed by force, a remnant, has writes at "
                "this disk, or at one that may lie on it or below it. They "
                "would get over what the guest writes, so it is not served "
                "before they are done. The disk to mend is the remnant's: "
                "xen-vbd why, without a name, has it.",
}
# Not for the disk
NO_NUMBER = "waiting for physical-device"
NO_DISK = {
    NO_NUMBER: "The guest's driver is ready. The "
        "toolstack's hotplug script has to write which disk it is. If that "
        "lasts, look into /var/log/xen/xen-hotplug.log.",
    "waiting for memory or for room in xenstore": "This domain is short of "
        "memory, or of one of its quotas in xenstore: the kernel's log says "
        "which. The driver tries again each second.",
}
# Without requests there is nothing that a limit could hold back.
UNLIMITED = ("opening the disk", "closing the disk")
OLD = ("The disk does not answer. The guest waits; so will a detach. Other "
       "vbds are not affected.")
LIMITED = ("The requests wait for their limit, or for the disk: the driver sees "
           "no difference. What waits for the limit is done at that speed, and "
           "a detach ends when all is done. Other vbds are not affected.")
NO_CGROUP = ("A remnant does not say which cgroup it is in. If that has a limit, "
             "the requests may wait for it: see limits.rst, Traps.")
# What the driver has not enough of, where that is not the disk's fault
LACKS = {
    "no memory": "This domain has no memory to start requests with. The disk "
                 "may be well.",
    "no pages to map to": "Xen has no page to map the guest's memory to, and "
                          "what this domain may copy to is in use. The disk "
                          "may be well.",
}
REMNANT = ("The vbd was removed while its disk had requests. The guest's "
           "memory cannot be freed before the disk has answered: the domain "
           "stays as a zombie, the disk stays in use, and the module cannot be "
           "unloaded. A new vbd of the same name is not affected.")
GUEST = ("The driver has asked the guest to close the disk, and the guest has "
         "not done it: most likely it uses the disk, as a mounted file system "
         "or as swap.")

# An error of the driver: what it means
ERRORS = (
    ("is not MAJOR:MINOR", "The hotplug script has written a wrong "
     "physical-device. Look into /var/log/xen/xen-hotplug.log."),
    ("opening disk", "The disk cannot be opened: it is gone, it is "
     "read-only, or somebody else has it exclusively."),
    ("diskseq", "The disk's number belongs to another disk now. Detach the "
     "vbd, and attach it again."),
    ("has vanished", "The disk was taken away under the guest. Detach the "
     "vbd."),
    ("the old one stays", "The disk was not exchanged. Choose one that fits."),
    ("broken its ring", "The guest has a fault, or attacks. It may connect "
     "again."),
    ("/cgroup: ", "The guest should be limited, and cannot be: so it is not "
     "served. Make the cgroup, with an io controller, and write the key once "
     "more; or remove the key."),
    ("saw state", "The guest's driver has a fault."),
    ("", "xenstore.rst, in the documentation of xen-blkback, has the list of "
     "errors."),
)


class Finding:
    """parts are (title, [paragraph...]); an indented paragraph is a command."""

    def __init__(self, vbd, stuck, text):
        self.vbd = vbd
        self.stuck = stuck
        self.text = text
        self.parts = []

    def add(self, title, *texts):
        texts = [text for text in texts if text]
        if texts:
            self.parts.append((title, texts))
        return self

    def lines(self, width):
        name = ""
        if self.vbd:
            stuck = " is stuck" if self.stuck else ""
            name = f"{self.vbd.label} ({self.vbd.name}){stuck}: "
        yield from textwrap.wrap(name + self.text, width,
                                 subsequent_indent="    ",
                                 break_on_hyphens=False)
        for title, texts in self.parts:
            head = f"  {title:<8}"
            for text in texts:
                if text.startswith("  "):
                    # A command stays as it is, to be copied.
                    yield f"{head}{text}"
                else:
                    yield from textwrap.wrap(
                        text, width, initial_indent=head,
                        subsequent_indent=" " * 10, break_on_hyphens=False)
                head = " " * 10

    def export(self):
        return {"vbd": self.vbd.label if self.vbd else None,
                "name": self.vbd.name if self.vbd else None,
                "stuck": self.stuck, "text": self.text,
                "parts": {title: texts for title, texts in self.parts}}


# ---- the disk ---------------------------------------------------------------

def describe(disk):
    """What is known of one disk, in a line."""
    if not disk.exists:
        return f"{disk.number} is gone"
    facts = []
    if disk.file:
        facts.append("file " + disk.file)
    if disk.suspended:
        facts.append("SUSPENDED")
    if disk.state:
        facts.append("state " + disk.state)
    if disk.in_flight:
        facts.append(f"{plural(disk.in_flight, 'request')} in flight")
    mount = disk.mount()
    if mount:
        facts.append(f"on {mount.type} {mount.source}, mounted at "
                     f"{mount.point}")
    name = disk.node or ""
    if disk.dm:
        name = f"{disk.label} {name}"
    return f"{name} ({disk.number})" + (
        ": " + ", ".join(facts) if facts else "")


def add_disk(finding, vbd, limited=None):
    """Its disk, and what to do. With a limit the disk may be well: what lets go of
    the requests comes first, and nothing that loses them."""
    disk = vbd.disk
    if disk is None:
        return finding
    let_go = advice.unlimit(vbd) if limited else []
    stack = list(disk.walk())
    finding.add("disk", *[("on " if depth else "") + describe(one)
                          for depth, one in stack])
    todo = let_go + [text for _, one in stack for text in advice.look_at(one)]
    finding.add("do", *(todo or ["Look at the kernel's log: what does it say "
                                 f"of {disk.node or disk.number}?"]))
    return finding if let_go else finding.add("or else", *advice.give_up(disk))


# ---- one vbd ----------------------------------------------------------------

def requests_text(vbd):
    """Its requests, as one would say it."""
    if not vbd.in_flight:
        return None
    age = spoken((vbd.oldest_ms or 0) // 1000)
    lack = f"; some are not started yet, {vbd.lack}" if vbd.lack else ""
    return (f"{plural(vbd.in_flight, 'request')} to disk {vbd.disk_label}, the "
            f"oldest for {age}{lack}.")


def remnant(vbd):
    finding = Finding(vbd, STUCK, "removed, but its disk still has requests")
    limited = limit.brief(vbd.tree, vbd)
    finding.add("waits", requests_text(vbd)).add("limit", limited or NO_CGROUP)
    return add_disk(finding.add("means", REMNANT), vbd, limited)


def hotplug_says(vbd):
    """What the toolstack's script has left behind, or None."""
    text = vbd.keys.get("hotplug-error")
    return "The hotplug script says: " + text if text else None


def stalled(vbd):
    stall = vbd.stall
    what = stall.get("what", vbd.waiting)
    age = f", for {spoken(int(stall['seconds']))}" if stall.get("seconds") else ""
    limited = None if what in UNLIMITED else limit.brief(vbd.tree, vbd)
    # A CD drive waits so for its first medium, and nothing is wrong.
    finding = Finding(vbd, vbd.keys.get("device-type") != "cdrom" or
                      what != NO_NUMBER, what + age)
    if what in NO_DISK:
        return finding.add("means", NO_DISK[what], hotplug_says(vbd))
    finding.add("waits", requests_text(vbd)).add("limit", limited)
    if what == OF_REMNANT:
        return finding.add("means", MEANS[what])
    if vbd.lack in LACKS:
        return lacking(finding, vbd)
    finding.add("means", LIMITED if limited else MEANS.get(what, ONLY_DISK))
    return add_disk(finding, vbd, limited)


def lacking(finding, vbd):
    return finding.add("means", LACKS[vbd.lack]).add(
        "do", "Give this domain more memory, or find out what uses it: free -m")


def old(vbd):
    if vbd.lack in LACKS:
        finding = Finding(vbd, STUCK, "its requests wait, " + vbd.lack)
        return lacking(finding.add("waits", requests_text(vbd)), vbd)
    limited = limit.brief(vbd.tree, vbd)
    finding = Finding(vbd, STUCK, "its requests wait, for a limit or the disk"
                      if limited else "its disk does not answer")
    finding.add("waits", requests_text(vbd)).add("limit", limited)
    return add_disk(finding.add("means", LIMITED if limited else OLD), vbd, limited)


def kept_by_guest(vbd):
    domain = vbd.guest or vbd.domid
    finding = Finding(vbd, STUCK, "a detach waits for the guest")
    finding.add("means", GUEST)
    finding.add("do", f"In {domain}: unmount /dev/{vbd.dev}, or swapoff.")
    return finding.add(
        "or else", "Take the disk from the guest, which will see errors:",
        f"  xl block-detach --force {domain} {vbd.vdev}")


def failed(vbd):
    errno, _, text = vbd.error.partition(" ")
    text = vbd.error if not errno.isdigit() else f"{text} (errno {errno})"
    finding = Finding(vbd, STUCK, text)
    means = next(means for words, means in ERRORS if words in vbd.error)
    return finding.add("means", means, hotplug_says(vbd))


def undriven(vbd):
    return Finding(vbd, STUCK, "no driver serves it").add(
        "do", "Load the driver. If it is there already, the kernel's log says "
        "why it did not take the vbd:",
        "  modprobe xen-blkback")


def stock_closing(vbd):
    """What can be said of the stock module, which does not tell."""
    finding = Finding(vbd, STUCK, "closing, and its disk has requests")
    finding.add("means", "The stock module does not say what it waits for. "
                "This is what the disk says.")
    return add_disk(finding, vbd)


def hotplug(vbd):
    return Finding(vbd, STUCK, "the hotplug script has failed").add(
        "means", vbd.keys["hotplug-error"]).add(
        "do", "Look into /var/log/xen/xen-hotplug.log.")


def remark(vbd):
    """What is to be said of a vbd that is not stuck, or None."""
    if vbd.guest_gone:
        return "its guest has gone, and the toolstack has not removed it yet"
    if vbd.state in ("Initialising", "InitWait"):
        if not vbd.devt:
            return "it waits for physical-device, from the hotplug script"
        return ("it waits for the guest's driver, whose state is "
                f"{vbd.frontend_state or 'not there'}")
    if vbd.state == "Closed":
        return ("the guest has closed it; it may open it again, or the "
                "toolstack removes it")
    return None


def stuck_in_disk(vbd):
    return (vbd.state == "Closing" and not vbd.tells and vbd.disk
            and vbd.disk.in_flight)


def diagnose(vbd):
    """The finding for one vbd. The first rule that applies counts."""
    if vbd.server:
        return Finding(vbd, REMARK, f"{vbd.server} serves it, not xen-blkback. "
                       "What it waits for is not known here.")
    failing = vbd.error and vbd.state != "Connected"
    for applies, rule in (
            (vbd.remnant, remnant), (vbd.waiting, stalled), (vbd.old, old),
            (not vbd.bound, undriven), (vbd.guest_keeps_it, kept_by_guest),
            (failing, failed), (vbd.keys.get("hotplug-error"), hotplug),
            (stuck_in_disk(vbd), stock_closing)):
        if applies:
            return rule(vbd)
    return Finding(vbd, REMARK, remark(vbd) or
                   f"{vbd.state}. {requests_text(vbd) or 'Nothing waits.'}")


# ---- the machine ------------------------------------------------------------

def is_blocked(tree, pid):
    """The process sleeps where it cannot be interrupted."""
    status = tree.read(f"/proc/{pid}/status") or ""
    return re.search(r"^State:\s+D", status, re.M) is not None


def xenwatch(tree):
    """Its PID if it is blocked, and stays so; else None."""
    for pid in tree.names("/proc"):
        if pid.isdigit() and tree.read(f"/proc/{pid}/comm") == "xenwatch":
            if is_blocked(tree, pid):
                time.sleep(0.5)
                return pid if is_blocked(tree, pid) else None
    return None


def whole(machine, snapshot):
    """The findings that are about no single vbd."""
    pid = xenwatch(machine.tree)
    if pid:
        text = (f"xenwatch (PID {pid}) is blocked: in this domain no device of "
                "any guest can be attached or detached")
        where = machine.tree.read(f"/proc/{pid}/wchan")
        yield Finding(None, STUCK, text).add(
            "waits", where not in (None, "", "0") and "In the kernel's "
            f"{where}().").add(
            "do", "Repair the disk that the kernel's log names as hung.")
    if snapshot.driver.kind is None:
        yield Finding(None, STUCK, "xen-blkback is not loaded: no vbd is served "
                      "by the kernel").add("do", "  modprobe xen-blkback")
    if snapshot.driver.kind == "stock":
        yield Finding(None, REMARK, "This is the stock xen-blkback. It does not "
                      "say what it waits for; only its disks are looked at.")


def explain(machine, snapshot, vbds):
    """All findings, the worst first."""
    if snapshot.driver.kind is None:
        # That is said once.
        vbds = [vbd for vbd in vbds if vbd.remnant or vbd.server]
    findings = [*whole(machine, snapshot), *map(diagnose, vbds)]
    return sorted(findings, key=lambda finding: not finding.stuck)
