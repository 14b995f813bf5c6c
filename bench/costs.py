# SPDX-License-Identifier: GPL-2.0-only
"""dom0's CPU for each I/O: instructions of its kernel and of Xen on its behalf; and what
a real server might take for that, as a model with its prices."""

import re

DRIVERS = ("xen_blkback",)
# Functions of dom0's kernel that any user of its block layer would need as well
BLOCK = re.compile(r"_*(blk|bio|bdev|submit_bio|sbitmap|disk|part_|null_|nullb|dd_|elv_|rq_|"
                   r"update_io_ticks|should_fail|mempool|bvec|wbt|io_schedule|__rq)")
BLOCK_MODULES = ("null_blk", "dm_mod")

# What a thing costs beyond its instructions, in microseconds of a server of 3 GHz:
# (figure, what it is, price). Traps, flushed TLBs, other CPUs' interrupts, cold caches.
INSTRUCTION_US = 0.00035
BYTE_US = 0.0001
PRICES = [
    ("hypercalls", "a hypercall of dom0", 0.3),
    ("flushes", "a TLB flush of all CPUs of dom0", 2.0),
    ("events_sent", "an event that dom0 sends", 0.75),
    ("events_taken", "an event that dom0 takes", 1.25),
    ("switches", "a switch between dom0's threads", 1.0),
]
# Of Xen for dom0, and of dom0's kernel
CALLS = {
    "hypercalls": [("Xen for dom0", "pv_hypercall")],
    "flushes": [("Xen for dom0", "flush_area_mask")],
    "events_sent": [("Xen for dom0", "evtchn_send")],
    "events_taken": [("dom0", "xen_evtchn_do_upcall"), ("dom0", "__xen_evtchn_do_upcall")],
    "switches": [("dom0", "__switch_to")],
}
# Of all domains, by number
HYPERCALLS = {20: "do_grant_table_op", 32: "do_event_channel_op"}
# Xen copies with rep movsq: an instruction is 8 bytes
COPIES = ("Xen for dom0", "", "memcpy")
BYTES_PER_INSTRUCTION = 8


def is_block(who, module, name):
    return who == "dom0" and (module in BLOCK_MODULES or not module and bool(BLOCK.match(name)))


def figures(found):
    """Per I/O, of an attribution"""
    total = {"all": 0, "kernel": 0, "xen": 0, "driver": 0, "block": 0}
    for (who, module, name), count in found.instructions.items():
        total["all"] += count
        if who == "dom0":
            total["kernel"] += count
            total["driver"] += count if module in DRIVERS else 0
            total["block"] += count if is_block(who, module, name) else 0
        elif who == "Xen for dom0":
            total["xen"] += count
    copied = found.instructions.get(COPIES, 0)
    per_io = {f"cpu_{name}": count / found.ios for name, count in total.items()}
    per_io["cpu_copied"] = copied * BYTES_PER_INSTRUCTION / found.ios
    for name, functions in CALLS.items():
        per_io[f"cpu_{name}"] = sum(found.calls.get((who, "", function), 0)
                                    for who, function in functions) / found.ios
    for number, function in HYPERCALLS.items():
        per_io[f"hypercall_{number}"] = sum(found.calls.get((f"Xen for {who}", "", function), 0)
                                            for who in ("dom0", "guest")) / found.ios
    return per_io


def dom0(figure):
    """Instructions of dom0's kernel and of Xen on its behalf"""
    return figure["cpu_kernel"] + figure["cpu_xen"]


def model_us(figure):
    """Microseconds per I/O of dom0 and Xen"""
    copies = figure["cpu_copied"]
    return (INSTRUCTION_US * (dom0(figure) - copies / BYTES_PER_INSTRUCTION) +
            BYTE_US * copies +
            sum(price * figure[f"cpu_{name}"] for name, _, price in PRICES))
