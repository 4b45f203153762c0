# SPDX-License-Identifier: MIT
"""Stops: how soon the first refusal comes, how soon the end, and what a crowd of connections costs."""
import os
import resource
import signal
import statistics
import subprocess
import time

from . import run
from .servers import Server
from .table import Row

GROUP = "Stops"


def refusals(name, library, count):
    """[(us, lost)], as a client sees it that connects without a pause."""
    taken = []
    for _ in range(count):
        with Server(name, library) as server:
            got = run.numbers(run.output([run.tool("tools/refusal_clock"), "--connect", f"tcp4:{server.port}", "--pid",
                                          str(server.pid), "--warmup-ms", "20"], cpu=run.processors()[1]))
            taken.append((got["refused_after_us"], got["lost"]))
    return taken


def add_refusal(table, quick):
    count = 20 if quick else 200
    for name in ("threaded", "epoll"):
        for library, kind in ((None, "bare"), (run.SHIM, "shim")):
            taken = refusals(name, library, count)
            times = [us for us, _ in taken]
            bound = ("<", 1000) if library else None
            lost = f"{sum(lost for _, lost in taken):.0f} lost in {count} stops"
            for percent in (50, 99):
                table.add(Row(GROUP, f"signal to first refusal, {name}, {kind}, p{percent}", "us",
                              run.percentile(times, percent), bound, note=lost if percent == 50 else ""))


def release(name, library, *options):
    """(us to the end of the process, ms of its processor time since before)"""
    with Server(name, library) as server:
        before = run.cpu_seconds(server.pid)
        got = run.output([run.tool("tools/release_clock"), "--connect", f"tcp4:{server.port}", "--pid",
                          str(server.pid), *options], cpu=run.processors()[1])
        _, _, usage = os.wait4(server.pid, 0)
        server.process.returncode = 0
        return run.numbers(got)["released_after_us"], (usage.ru_utime + usage.ru_stime - before) * 1000


def add_release(table, quick):
    """The end of a process takes the kernel its time, which is what a bare one takes from its signal on."""
    count = 20 if quick else 200
    for name in ("threaded", "epoll"):
        taken = [release(name, run.SHIM) for _ in range(count)]
        bare = [us for us, _ in (release(name, None, "--idle") for _ in range(count))]
        times = [us for us, _ in taken]
        for percent in (50, 99):
            table.add(Row(GROUP, f"last close to the end, {name}, p{percent}", "us", run.percentile(times, percent),
                          ("<", 1000), run.percentile(bare, percent)))
        table.add(Row(GROUP, f"processor time of a whole stop, {name}", "ms", statistics.median(ms for _, ms in taken)))


class Crowd:
    """Connections that inflight holds: idle ones, and such as are owed an answer for `slow_ms`."""

    def __init__(self, server, idle, busy, slow_ms):
        command = [run.tool("tools/inflight"), "--connect", f"tcp4:{server.port}", "--idle", str(idle), "--slow",
                   str(busy), "--path", f"/slow?ms={slow_ms}", "--deadline", "60"]
        self.process = subprocess.Popen(["taskset", "-c", str(run.processors()[1])] + command, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def wait_sent(self):
        if self.process.stdout.readline().strip() != "sent":
            raise RuntimeError("the connections could not be made")

    def last_line(self):
        return self.process.communicate(timeout=90)[0].splitlines()[-1]


def crowd_stop(idle, busy):
    """A stop with so many connections: seconds, ms of processor time, bytes of memory each, and what became of them."""
    with Server("epoll", run.SHIM, FLUX_SHUTDOWN_TIMEOUT="30s") as server:
        memory = private_bytes(server.pid)
        crowd = Crowd(server, idle, busy, 2000)
        crowd.wait_sent()
        before, grown = run.cpu_seconds(server.pid), private_bytes(server.pid) - memory
        began = time.monotonic()
        os.kill(server.pid, signal.SIGTERM)
        _, _, usage = os.wait4(server.pid, 0)
        took = time.monotonic() - began
        server.process.returncode = 0
        return took, (usage.ru_utime + usage.ru_stime - before) * 1000, grown, crowd.last_line()


def private_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        return sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Private_Dirty"))


def most_connections(wanted):
    """What the limit of descriptors leaves, here and in the server."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, wanted + 100), max(hard, wanted + 100)))
    except (ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100)


def add_crowd(table, quick):
    most = most_connections(20000 if quick else 50000)
    sizes = [100, min(most, 20000)] if quick else sorted({100, 1000, 10000, min(most, 20000), most})
    for size in sizes:
        took, cpu_ms, grown, ends = crowd_stop(size, 0)
        bound = ("<", 1.5) if size >= 10000 else None  # FLUX_IDLE is 500 ms
        table.add(Row(GROUP, f"{size} idle connections, to the end", "s", took, bound, note=ends))
        table.add(Row(GROUP, "  processor time of that, the server's too", "ms", cpu_ms))
        table.add(Row(GROUP, "  memory, the server's too", "bytes each", grown / size))
    if not quick:
        for idle, busy, what in ((0, 5000, "busy"), (5000, 5000, "mixed")):
            took, cpu_ms, _, ends = crowd_stop(idle, busy)
            table.add(Row(GROUP, f"{idle + busy} connections, {what}: answers of 2 s, to the end", "s", took, note=ends))
            table.add(Row(GROUP, "  processor time of that, the server's too", "ms", cpu_ms))
