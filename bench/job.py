# SPDX-License-Identifier: GPL-2.0-only
"""dom0.sh in the lab, as bench and profile run it."""

import re
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
LAB = HERE.parent / "tests/lab/lab"
BUILD = HERE.parent / "build/bench"
FIGURE = re.compile(r"^([a-z0-9_/-]+)=(\S+)$")


class Job:
    """One boot of the lab. Iterating over a job runs it, and gives its lines; its exit
    status is known after the last one."""

    def __init__(self, lab_options, settings, environment=None):
        self.command = [LAB, "run", *lab_options, HERE / "dom0.sh",
                        *(f"{name}={value}" for name, value in settings.items())]
        self.environment = environment
        self.status = None

    def __iter__(self):
        with subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace",
                              env=self.environment) as process:
            for line in process.stdout:
                yield line.rstrip()
        self.status = process.returncode


def figure(line):
    """Name and value of a figure; nothing if the line is another one."""
    match = FIGURE.match(line)
    return match.groups() if match else None
