# SPDX-License-Identifier: GPL-2.0-only
"""Files of sysfs, debugfs and /proc, below a root that is / or a copy."""
import os
import re
import stat

# No file of interest is longer.
LIMIT = 1 << 20


class Fault(Exception):
    """What the user is told; status is the exit status."""

    def __init__(self, text, status=1):
        super().__init__(text)
        self.status = status


def value(text):
    """A number, a list of several numbers, or the text as it is."""
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if re.fullmatch(r"\d+( +\d+)+", text):
        return [int(word) for word in text.split()]
    return text


def entries(name, text):
    """What a file has, by name. Lines WORD NUMBER behind a list are NAME_WORD."""
    first, *more = text.splitlines() or [""]
    lines = [re.fullmatch(r"([a-z_]+) (\d+)", line) for line in more]
    if not isinstance(value(first), list) or not all(lines):
        return {name: value(text)}
    return {name: value(first),
            **{f"{name}_{line[1]}": int(line[2]) for line in lines}}


class Tree:
    """What cannot be read is None, or not there; what cannot be written is a Fault."""

    def __init__(self, root=""):
        self.root = root.rstrip("/")

    def path(self, name):
        return self.root + name

    def read(self, name):
        """The text of a file without blanks at its ends, or None."""
        try:
            with open(self.path(name), "rb") as file:
                text = file.read(LIMIT)
        except OSError:
            return None
        return text.decode("utf-8", "replace").strip("\0 \n\t")

    def write(self, name, text, denied, refused):
        """A line for the kernel. denied: only root may; refused: from the error,
        why the kernel does not take it."""
        try:
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.write(text + "\n")
        except PermissionError as error:
            raise Fault(denied) from error
        except OSError as error:
            raise Fault(refused(error)) from error

    def names(self, name):
        """The entries of a directory, sorted."""
        try:
            return sorted(os.listdir(self.path(name)))
        except OSError:
            return []

    def exists(self, name):
        return os.path.exists(self.path(name))

    def link(self, name):
        """The last part of where a symbolic link points to, or None."""
        try:
            return os.path.basename(os.readlink(self.path(name)))
        except OSError:
            return None

    def kind(self, name):
        """"file" if somebody may read it, "dir", or None for all else."""
        try:
            mode = os.lstat(self.path(name)).st_mode
        except OSError:
            return None
        if stat.S_ISDIR(mode):
            return "dir"
        readable = stat.S_ISREG(mode) and mode & 0o444
        return "file" if readable else None

    def values(self, name, leave_out=()):
        """All that a directory has: name -> value, dictionary for a directory."""
        found = {}
        for entry in self.names(name):
            path = f"{name}/{entry}"
            kind = None if entry in leave_out else self.kind(path)
            if kind == "dir":
                found[entry] = self.values(path)
            elif kind == "file":
                text = self.read(path)
                if text is not None:
                    found.update(entries(entry, text))
        return found
