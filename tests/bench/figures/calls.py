# SPDX-License-Identifier: MIT
"""Single calls: nanoseconds in one process, instructions by valgrind."""
import re
import statistics
import subprocess

from . import run
from .table import Row

CALLS = [  # bench, label, bound in ns, bound in instructions
    ("accept", "accept4 + close of a connection", 25, None),
    ("connection", "read or write of a connection", 8, 25),
    ("vectors", "readv or writev of one", None, None),
    ("messages", "recv or send of one", None, None),
    ("http", "write that begins an HTTP/1 response", 60, None),
    ("file", "read or write of /dev/null", 5, 12),
    ("pipe", "read or write of a pipe", 5, 12),
    ("close", "close of a file", None, None),
    ("sigaction", "sigaction", None, None),
    ("listen", "listen, again", None, None),
]
COUNTED_AS = {"connection": 2, "vectors": 2, "messages": 2, "file": 2, "pipe": 2}
BATCH = 64


PROCESSES = 9  # where a process has its code and its stack moves its figures by some ns: each has its own


def measured(bench, library, rounds, *options):
    command = [run.tool("bench/calls"), bench, "--rounds", str(rounds), *options]
    taken = [run.numbers(run.output(command, library, run.processors()[0])) for _ in range(PROCESSES)]
    over = [one["over"] for one in taken]
    return {"libc": statistics.median(one["libc"] for one in taken), "over": statistics.median(over),
            "spread": run.spread(over)}


def instructions(bench, which, rounds):
    """Of all that the program runs through. The system calls' own are not among them."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", run.tool("bench/calls"),
               bench, "--rounds", str(rounds), "--only", which]
    done = subprocess.run(command, env=run.environment(run.SHIM), stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, check=True, text=True, timeout=300)
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def instructions_over(bench):
    """Per call, over libc's. The difference of two lengths takes the program's beginning out."""
    cost = {which: instructions(bench, which, 30) - instructions(bench, which, 10) for which in ("libc", "program")}
    return (cost["program"] - cost["libc"]) / 20 / BATCH / COUNTED_AS.get(bench, 1)


def add(table, quick):
    rounds = 100 if quick else 1500
    for bench, label, bound_ns, bound_instructions in CALLS:
        got = measured(bench, run.SHIM, rounds)
        floor = measured(bench, run.EMPTY, rounds)["over"] if bench in ("accept", "connection", "file", "close") else None
        note = f"an empty wrapper: {floor:.1f}" if floor is not None else ""
        table.add(Row("Calls, ns over libc's own", label, "ns", got["over"], bound_ns and ("<=", bound_ns),
                      got["libc"], got["spread"], note))
        if bound_instructions is not None or not quick:
            table.add(Row("Calls, ns over libc's own", f"  {label}", "instructions", instructions_over(bench),
                          bound_instructions and ("<=", bound_instructions)))


def add_threads(table, quick):
    """libc makes a cancellable call dearer once there are threads, and the wrapper has to ask libc."""
    rounds = 100 if quick else 1500
    for bench, label in (("accept", "accept4 + close of a connection"), ("connection", "read or write of a connection"),
                         ("file", "read or write of /dev/null")):
        bound = {row[0]: row[2] for row in CALLS}[bench]
        for options, what in ((("--company",), "a second one sleeps"), (("--threads", "2"), "two at once")):
            got = measured(bench, run.SHIM, rounds, *options)
            floor = measured(bench, run.EMPTY, rounds, *options)["over"]
            table.add(Row("The same in a program with threads", f"{label}, {what}", "ns", got["over"], ("<=", bound),
                          got["libc"], got["spread"], f"an empty wrapper: {floor:.1f}"))
