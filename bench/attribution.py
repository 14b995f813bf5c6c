# SPDX-License-Identifier: GPL-2.0-only
"""Whose instructions they are: count.c's counts, and the symbols of what may run."""

import base64
import bisect
import collections
import gzip
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from job import BUILD, HERE, figure

XEN_FIRST, XEN_LAST = 0xffff82d000000000, 0xffff82dfffffffff
KERNEL_FIRST = 0xffff800000000000
# What the kernel's hypercall page and anything between symbols may span
SYMBOL_MOST = 0x20000
OWNERS = ["dom0", "guest"]
# Of fs/aio.c
PER_IO = "io_submit_one"


class Plugin:
    """QEMU with the counting plugin, found before the real one in PATH. What it has
    written is read and deleted once the machine says which mark it was."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="xen-count."))
        library = self.directory / "count.so"
        subprocess.run(["gcc", "-O2", "-Wall", "-fPIC", "-shared", "-o", library,
                        HERE / "count.c"], check=True)
        real = shutil.which("qemu-system-x86_64")
        wrapper = self.directory / "qemu-system-x86_64"
        wrapper.write_text(f'#!/bin/sh\nexec {real} "$@" '
                           f'-plugin "file={library},dir={self.directory}"\n')
        wrapper.chmod(0o755)

    def environment(self):
        return {**os.environ, "PATH": f"{self.directory}:{os.environ['PATH']}"}

    def counts(self, number):
        """What ran before that mark and after the one before it: (owner, virtual
        address) -> [runs, instructions]"""
        path = self.directory / number
        found = collections.defaultdict(lambda: [0, 0])
        with path.open(encoding="ascii") as lines:
            for line in lines:
                owner, virtual, _, runs, instructions = line.split()
                counts = found[OWNERS[int(owner)], int(virtual, 16)]
                counts[0] += int(runs)
                counts[1] += int(instructions)
        path.unlink()
        return found

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.directory)


class Symbols:
    """Address -> (function, module, offset)"""

    def __init__(self, text):
        found = {}
        for line in text.splitlines():
            words = line.split()
            if len(words) >= 3 and int(words[0], 16) >= KERNEL_FIRST:
                module = words[3].strip("[]") if len(words) > 3 and words[3][0] == "[" else ""
                found.setdefault(int(words[0], 16), (words[2], module))
        self.addresses = sorted(found)
        self.names = found

    def find(self, address):
        n = bisect.bisect_right(self.addresses, address) - 1
        if n < 0 or address - self.addresses[n] > SYMBOL_MOST:
            return None
        name, module = self.names[self.addresses[n]]
        return name, module, address - self.addresses[n]


class Listener:
    """Picks counts and symbols from the lines of a job"""

    def __init__(self, plugin):
        self.plugin = plugin
        self.marks = {}
        self.encoded = collections.defaultdict(str)

    def hear(self, line):
        """Is it a line that says something of these?"""
        if line.startswith("symbols "):
            _, whose, text = line.split(" ", 2)
            self.encoded[whose] += text.strip()
            return True
        name, mark = figure(line) or ("", "")
        if not name.startswith("mark/"):
            return False
        counts = self.plugin.counts(name.removeprefix("mark/"))
        if "/" in mark:
            self.marks[mark] = counts
        return True

    def symbols(self):
        return {whose: Symbols(gzip.decompress(base64.b64decode(text)).decode())
                for whose, text in self.encoded.items()}


class Attribution:
    """(who, module, function) -> instructions, and -> calls. Xen is two: the one that
    works for dom0, and the one that works for guests."""

    def __init__(self, counts, symbols):
        self.instructions = collections.Counter()
        self.calls = collections.Counter()
        self.symbols = symbols
        for (owner, virtual), (runs, instructions) in counts.items():
            key, offset = self.place(owner, virtual)
            self.instructions[key] += instructions
            if not offset:
                self.calls[key] += runs
        # The kernel calls it once for each of fio's I/Os
        self.by_owner = {owner: sum(
            runs for (who, module, name), runs in self.calls.items()
            if who == owner and not module and name.split(".")[0] == PER_IO
            and not name.endswith(".cold")) for owner in OWNERS}
        self.ios = sum(self.by_owner.values())

    def place(self, owner, virtual):
        if virtual < KERNEL_FIRST:
            return (f"{owner}'s programs", "", "(all programs)"), 1
        if XEN_FIRST <= virtual <= XEN_LAST:
            who, found = f"Xen for {owner}", self.symbols["xen"].find(virtual)
        else:
            who, found = owner, self.symbols["dom0"].find(virtual)
            if owner == "guest" and "guest" in self.symbols:
                found = self.symbols["guest"].find(virtual) or found
        name, module, offset = found or (hex(virtual), "", 0)
        return (who, module, name), offset

    def table(self, lines):
        """Of the functions that take most: instructions per I/O, and calls"""
        everything = sum(self.instructions.values())

        def figures(count):
            return f"{count / self.ios:9.0f} {100 * count / everything:5.1f} %  "
        groups = collections.Counter()
        for (who, module, _), count in self.instructions.items():
            groups[who, module] += count
        yield "instructions per I/O, by domain and module"
        for (who, module), count in groups.most_common(20):
            yield f"{figures(count)}{who} {module}"
        yield "\nby function; calls per I/O"
        for key, count in self.instructions.most_common(lines):
            who, module, name = key
            yield (f"{figures(count)}{self.calls[key] / self.ios:7.3f}  {who:14}{name}"
                   f"{f' [{module}]' if module else ''}")
