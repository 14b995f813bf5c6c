# SPDX-License-Identifier: GPL-2.0-only
"""What people call a vbd: its device in the guest, itself, its disk."""
import os
import re

from .tree import Fault


def letters(number):
    """0 is a, 25 is z, 26 is aa."""
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("a") + rest) + text
    return text


def vdev_name(number):
    """xvda for 51712, as Xen counts; the number itself if it is none."""
    major, minor = number >> 8, number & 0xff
    if number >> 28 == 1:
        prefix, disk, part = "xvd", number >> 8 & 0xfffff, minor
    elif major in (202, 8):
        prefix = "xvd" if major == 202 else "sd"
        disk, part = minor >> 4, minor & 15
    elif major in (3, 22):
        prefix = "hd"
        disk, part = (minor >> 6) + (2 if major == 22 else 0), minor & 63
    else:
        return str(number)
    return prefix + letters(disk) + (str(part) if part else "")


def owner(vbd):
    """What people call its guest: the name and the number, as far as known."""
    return {str(vbd.domid), vbd.guest} - {None}


def names_of(vbd):
    """All names of a vbd, but for links in /dev."""
    names = {vbd.name, vbd.name.split(".")[0]} | owner(vbd)
    for guest in owner(vbd):
        for dev in {vbd.dev, str(vbd.vdev), vdev_name(vbd.vdev)}:
            names.add(f"{guest}/{dev}")
    if vbd.disk:
        names |= vbd.disk.names
    return names


def plain(tree, word):
    """The name without what does not matter, and links in /dev resolved."""
    if re.fullmatch(r"(?=.*[a-f])[0-9a-f]+:[0-9a-f]+", word):
        # As physical-device has it
        return ":".join(str(int(part, 16)) for part in word.split(":"))
    if word.startswith("/"):
        real = os.path.realpath(tree.path(word))
        return real[len(tree.root):]
    return word


def called_one(tree, vbds, word):
    """The vbds that are called so, which may be none."""
    found = [vbd for vbd in vbds if word in names_of(vbd)]
    if found:
        return found
    real = plain(tree, word)
    return [vbd for vbd in vbds if real in names_of(vbd)]


def called(tree, vbds, words):
    """Those that any word calls, in their order; all if there is no word."""
    wanted = [vbd for word in words for vbd in called_one(tree, vbds, word)]
    return [vbd for vbd in vbds if vbd in wanted] if words else vbds


def find(tree, vbds, words):
    """The same; each word has to call one."""
    for word in words:
        if not called_one(tree, vbds, word):
            known = [vbd.label for vbd in vbds]
            more = ", ..." if len(known) > 6 else ""
            hint = "there are " + ", ".join(known[:6]) + more
            raise Fault(f"no vbd is called {word}: "
                        f"{hint if known else 'there is none at all'} "
                        "(xen-vbd --help lists the commands)")
    return called(tree, vbds, words)


def find_one(tree, vbds, word):
    """The only vbd that is called so."""
    found = find(tree, vbds, [word])
    if len(found) > 1:
        choices = ", ".join(f"{vbd.label} ({vbd.name})" for vbd in found)
        raise Fault(f"{word} are {len(found)} vbds, name one of them: {choices}")
    return found[0]
