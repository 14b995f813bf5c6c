# SPDX-License-Identifier: GPL-2.0-only
"""The administrator's tool for Xen's block backend; see xen-vbd(8).

    version   that of this program
    tree      files of sysfs, debugfs and /proc, below a root
    store     xenstore
    disk      a disk, and what it stands on
    names     what people call a vbd
    machine   what there is at one moment: the driver, its vbds, their remnants
    limit     the cgroup of a vbd: made, limited, shown, left
    counts    histograms: lists of counters
    rates     what happens between two moments
    table     columns, and output in plain and in raw form
    latency   how long requests take
    advice    what to do about limits and disks that requests wait for
    why       what is stuck, since when, and what to do
    export    JSON and the text format of Prometheus
    events    what happens, as it happens
    report    a tar for a bug report
    top       the live table
    commands  what each command does
    cli       the command line: arguments, and how errors end

Each module uses only those that are named before it.
"""
