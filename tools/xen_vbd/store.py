# SPDX-License-Identifier: GPL-2.0-only
"""Xenstore, by xenstore-ls and xenstore-read.

With a root it is the file xenstore there, as "xenstore-ls -f" prints it.
"""
import functools
import re
import subprocess

# xenstored answers within milliseconds, unless it does not answer at all.
PATIENCE = 10

ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
LINE = re.compile(r'(\S.*?) = "(.*)"$')


def unescape(text):
    """What xenstore-ls and xenstore-read have made printable."""
    def one(match):
        code = match[1]
        if code.isdigit():
            return chr(int(code, 8))
        if code.startswith("x"):
            return chr(int(code[1:], 16))
        return ESCAPES.get(code, code)
    return re.sub(r"\\([0-7]{1,3}|x[0-9a-f]{2}|.)", one, text)


def parse(text):
    """Lines of "xenstore-ls -f": path -> value."""
    matches = (LINE.match(line) for line in text.splitlines())
    return {match[1]: unescape(match[2]) for match in matches if match}


class Store:
    """What cannot be read is missing, and trouble says why."""

    def __init__(self, tree):
        self.tree = tree
        self.trouble = None

    @functools.cached_property
    def _saved(self):
        """All keys, where there is a root."""
        return parse(self.tree.read("/xenstore") or "")

    def ls(self, path):
        """The keys below a path: full path -> value."""
        if self.tree.root:
            return {key: text for key, text in self._saved.items()
                    if key.startswith(path + "/")}
        return parse(self._run("xenstore-ls", "-f", path) or "")

    def read(self, paths):
        """Single keys: path -> value, those that exist."""
        if self.tree.root:
            return {path: self._saved[path] for path in paths
                    if path in self._saved}
        return self._read_many(list(paths))

    def _read_many(self, paths):
        """All by one process. It fails if one is missing: then by halves."""
        if not paths:
            return {}
        lines = (self._run("xenstore-read", *paths) or "").splitlines()
        if len(lines) == len(paths):
            return {path: unescape(line) for path, line in zip(paths, lines)}
        if len(paths) == 1 or self.trouble:
            return {}
        half = len(paths) // 2
        return {**self._read_many(paths[:half]), **self._read_many(paths[half:])}

    def _run(self, *command):
        """What a command prints, or None if it fails."""
        if self.trouble:
            return None
        try:
            done = subprocess.run(command, capture_output=True, text=True,
                                  errors="replace", timeout=PATIENCE,
                                  stdin=subprocess.DEVNULL, check=False)
        except FileNotFoundError:
            self.trouble = (f"{command[0]} is not installed (Debian: apt-get "
                            "install xenstore-utils)")
        except subprocess.TimeoutExpired:
            self.trouble = (f"{command[0]} had no answer in {PATIENCE} s: "
                            "does xenstored run?")
        except OSError as error:
            self.trouble = f"{command[0]}: {error.strerror}"
        else:
            if done.returncode == 0:
                return done.stdout
            if "xs_open" in done.stderr:
                self.trouble = (f"{done.stderr.strip()}: are you root, and "
                                "does xenstored run?")
        return None
