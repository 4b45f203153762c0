# SPDX-License-Identifier: MIT
"""Processes: what an exec, a fork and a footprint cost."""
import os
import statistics
import subprocess

from . import run
from .servers import Server
from .table import Row


def add_spawn(table, quick):
    rounds = 200 if quick else 2000
    for command, label in ((["/bin/true"], "exec of /bin/true"), (["/bin/sh", "-c", ":"], "exec of sh -c :")):
        got = run.numbers(run.output([run.tool("bench/spawn"), run.SHIM, str(rounds), *command], cpu=run.processors()[0]))
        table.add(Row("Processes, over bare", label, "us", got["over"], ("<=", 70), got["libc"], got["spread"]))


def fork_us(library, kind, batches, *objects):
    command = [run.tool("bench/forks"), kind, str(batches), *objects]
    return run.numbers(run.output(command, library, run.processors()[0]))["us"]


def add_forks(table, quick):
    """Each mapping is copied by each fork: the rows behind the first are what being there costs."""
    count, batches = (9, 25) if quick else (21, 100)
    for label, library, kind, objects in (
            ("fork + wait of an armed process", run.SHIM, "armed", []),
            ("of one that never listens", run.SHIM, "idle", []),
            ("of a bare one with engine.so open", None, "idle", [run.ENGINE]),
            ("of a bare one that maps what an armed one must", None, "mapped", [run.ENGINE])):
        bare_kind = "idle" if kind == "mapped" else kind
        taken = run.pairs(count, lambda k=bare_kind: fork_us(None, k, batches),
                          lambda lib=library, k=kind, o=objects: fork_us(lib, k, batches, *o))
        over = [shim - bare for bare, shim in taken]
        table.add(Row("Processes, over bare", label, "us", statistics.median(over), ("<=", 10),
                      statistics.median(bare for bare, _ in taken), run.spread(over)))


def private_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_Dirty"))


def shell_kib(library):
    """A preloaded shell that has run nothing, and waits."""
    with subprocess.Popen(["/bin/sh", "-c", "echo ready; read line"], env=run.environment(library),
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        shell.stdout.readline()
        kib = private_kib(shell.pid)
        shell.stdin.close()
    return kib


def footprint(library):
    with Server("epoll", library) as server:
        return (private_kib(server.pid), len(os.listdir(f"/proc/{server.pid}/fd")),
                len(os.listdir(f"/proc/{server.pid}/task")))


def add_memory(table, _quick):
    bare, shim = shell_kib(None), shell_kib(run.SHIM)
    group = "A process's footprint, over bare"
    table.add(Row(group, "private memory of an idle shell", "KiB", shim - bare, ("<=", 300), bare))
    bare, shim = footprint(None), footprint(run.SHIM)
    for i, (label, unit, bound) in enumerate((("private memory of an armed server", "KiB", 300),
                                              ("its descriptors", "more", 0), ("its threads", "more", 0))):
        table.add(Row(group, label, unit, shim[i] - bare[i], ("<=", bound), bare[i]))
