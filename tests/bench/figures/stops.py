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
    count = 10 if quick else 200
    for name in ("threaded", "epoll"):
        for library, kind in ((None, "bare"), (run.SHIM, "shim")):
            taken = refusals(name, library, count)
            times = [us for us, _ in taken]
            bound = ("<", 1000) if library else None
            lost = f"{sum(lost for _, lost in taken):.0f} lost in {count} stops"
            late = sum(us > 900000 for us in times)
            lost += f", {late} met the instant of the refusal: TCP asks again after 1 s" if late else ""
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
    count = 10 if quick else 200
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


def private_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        return sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Private_Dirty"))


def coordinator_ms(pid):
    """Processor time of the thread that drains."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/comm", encoding="utf-8") as file:
            if file.read().strip() == "fluxshim":
                with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="utf-8") as times:
                    return int(times.read().split()[0]) / 1e6
    return 0.0


def bytes_each(library, idle):
    """How much each idle connection takes of an epoll server's own memory."""
    with Server("epoll", library) as server:
        before = private_bytes(server.pid)
        crowd = Crowd(server, idle, 0, 0)
        crowd.wait_sent()
        grown = private_bytes(server.pid) - before
        crowd.process.kill()
        crowd.process.communicate()
    return grown / idle


def crowd_stop(idle, busy):
    """A stop with so many connections: seconds, ms of processor time, of a sweep while all are there, and the ends."""
    with Server("epoll", run.SHIM, FLUX_SHUTDOWN_TIMEOUT="30s") as server:
        crowd = Crowd(server, idle, busy, 3000)
        crowd.wait_sent()
        before, began = run.cpu_seconds(server.pid), time.monotonic()
        os.kill(server.pid, signal.SIGTERM)
        sweep_ms = None if idle else sweep(server.pid)
        _, _, usage = os.wait4(server.pid, 0)
        took = time.monotonic() - began
        server.process.returncode = 0
        return took, (usage.ru_utime + usage.ru_stime - before) * 1000, sweep_ms, crowd.last_line()


def sweep(pid):
    """Where all are in flight, the drain looks at them each 100 ms."""
    time.sleep(0.5)
    before = coordinator_ms(pid)
    time.sleep(1)
    return (coordinator_ms(pid) - before) / 10


def most_connections(wanted):
    """What the limit of descriptors leaves, here and in the server."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, wanted + 100), max(hard, wanted + 100)))
    except (ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100)


def add_crowd(table, quick):
    group, most = "Stops with many connections, of an epoll server", most_connections(20000 if quick else 50000)
    twenty = min(most, 20000)
    bare, shim = bytes_each(None, twenty), bytes_each(run.SHIM, twenty)
    table.add(Row(group, f"private memory of each of {twenty} idle ones", "bytes", shim - bare, ("<=", 16), bare))
    for size in [100, twenty] if quick else sorted({100, 1000, 10000, twenty, most}):
        took, cpu_ms, _, ends = crowd_stop(size, 0)
        bound = ("<", 1.5) if size >= 10000 else None  # FLUX_IDLE is 500 ms
        table.add(Row(group, f"{size} idle, to the end", "s", took, bound, note=f"{ends}; {cpu_ms:.0f} ms of processor time"))
    for size in [twenty] if quick else [100, 1000, 10000, twenty]:
        took, cpu_ms, sweep_ms, ends = crowd_stop(0, size)
        table.add(Row(group, f"{size} in flight, a sweep's processor time", "ms", sweep_ms, ("<", 60),
                      note=f"{ends}; {took:.1f} s to the end"))
    if not quick:
        took, cpu_ms, _, ends = crowd_stop(twenty // 2, twenty // 2)
        table.add(Row(group, f"{twenty // 2} idle and as many in flight, to the end", "s", took,
                      note=f"{ends}; {cpu_ms:.0f} ms of processor time"))
