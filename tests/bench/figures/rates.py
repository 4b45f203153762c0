# SPDX-License-Identifier: MIT
"""Requests per second, and processor time per request, of servers under load."""
import math
import re
import statistics
import tempfile
import time

from . import run
from .servers import Server
from .table import Row

CONNECTIONS = 32


def wrk(port, seconds, keepalive):
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{math.ceil(seconds)}", f"http://127.0.0.1:{port}/"]
    command += [] if keepalive else ["-H", "Connection: close"]
    text = run.output(command, cpu=run.processors()[1])
    return int(re.search(r"(\d+) requests in", text).group(1))


def redis(port, seconds, keepalive):
    requests = int((80000 if keepalive else 12000) * seconds)
    command = ["redis-benchmark", "-p", str(port), "-c", str(CONNECTIONS), "-n", str(requests), "-t", "get", "-q",
               "-k", "1" if keepalive else "0"]
    run.output(command, cpu=run.processors()[1])
    return requests


LOADS = {"nginx": wrk, "redis": redis, "epoll": wrk}


def load(server, seconds, keepalive):
    """(requests per second, microseconds of processor time per request)"""
    before, began = run.cpu_seconds(server.pid), time.monotonic()
    requests = LOADS[server.name](server.port, seconds, keepalive)
    took, used = time.monotonic() - began, run.cpu_seconds(server.pid) - before
    return requests / took, used / requests * 1e6


def measure(count, seconds, keepalive, first, second):
    """Both servers live, and are loaded in turns of a second (wrk's least) or less: the machine's own pace changes
    slower than that."""
    with first, second:
        for server in (first, second):
            load(server, 0.1, keepalive)
        return run.pairs(count, lambda: load(first, seconds, keepalive), lambda: load(second, seconds, keepalive))


def add(table, quick):
    for name in ("nginx", "redis", "epoll"):
        for keepalive, style in ((False, "a connection each"), (True, "keep-alive")):
            taken = measure(9 if quick else 21, 0.3 if quick else 1, keepalive, Server(name), Server(name, run.SHIM))
            add_ratio(table, "Requests per second, of bare", f"{name}, {style}", taken)


def add_ratio(table, group, label, taken):
    ratios = [shim[0] / bare[0] for bare, shim in taken]
    dearer = [shim[1] / bare[1] for bare, shim in taken]
    cost = statistics.median(bare[1] for bare, _ in taken)
    table.add(Row(group, label, "of bare", statistics.median(ratios), (">=", 0.995),
                  statistics.median(bare[0] for bare, _ in taken), run.spread(ratios),
                  f"processor time x{statistics.median(dearer):.3f} of {cost:.1f} us"))


def add_saving(table, quick):
    """A checkpoint each second, against none."""
    for keepalive, style in ((False, "a connection each"), (True, "keep-alive")):
        with tempfile.TemporaryDirectory() as folder:
            saving = Server("epoll", run.SHIM, FLUX_CHECKPOINT=f"{folder}/state.json", FLUX_CHECKPOINT_INTERVAL="1s")
            taken = measure(9 if quick else 21, 1, keepalive, Server("epoll", run.SHIM), saving)
        add_ratio(table, "With a checkpoint each second, of without", f"epoll, {style}", taken)
