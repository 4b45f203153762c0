# SPDX-License-Identifier: MIT
"""Stops servers under a mixed load, one after the other, and counts what went wrong. scripts/soak tells how."""
import argparse
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from tests.bench.figures import run
from tests.bench.figures.servers import Server

DRAIN_S = 4  # half a request lasts that long
HUNG_S = 20
NAMES = ("epoll", "threaded", "nginx", "poll", "select")
SLOW = {"nginx": "/slow"}
COUNTS = ("answered", "lost", "cut", "hung", "left")


class Load:
    """A tool of tests/tools, and the last line that it prints."""

    def __init__(self, name, server, *options):
        command = [run.tool(f"tools/{name}"), "--connect", f"tcp4:{server.port}", "--any", "--deadline", "30", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def wait_for_line(self):
        return self.process.stdout.readline().strip()

    def last_line(self):
        lines = self.process.communicate(timeout=60)[0].splitlines()
        return lines[-1] if lines else ""


class Resets(threading.Thread):
    """A client that asks for half of something and resets the connection, again and again."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.goes_on = port, True

    def run(self):
        while self.goes_on:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=2) as one:
                    one.sendall(b"GET / HTTP/1.1\r\nHo"[:random.randrange(19)])
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                time.sleep(0.01)


def processes_of(session):
    """Those that still run in the session of that leader."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.getsid(int(name)) == session and state_of(name) not in "ZX":
                found.append(int(name))
        except (ProcessLookupError, PermissionError, FileNotFoundError):
            pass
    return found


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def end_of(server):
    """True if it has ended in time."""
    try:
        server.process.wait(timeout=HUNG_S)
        return True
    except subprocess.TimeoutExpired:
        return False


def one_stop(name, chance):
    """What went wrong in one stop, by the words of COUNTS."""
    settings = {"FLUX_DRAIN_TIMEOUT": f"{DRAIN_S}s", "FLUX_IDLE": "300ms"}
    with Server(name, run.SHIM, session=True, **settings) as server:
        stuck = 2 if chance.random() < 0.2 else 0
        held = Load("inflight", server, "--slow", "4", "--idle", "4", "--stuck", str(stuck), "--path",
                    SLOW.get(name, "/slow?ms=700"))
        held_stands = held.wait_for_line() == "sent"
        resets = Resets(server.port)
        resets.start()
        churn = Load("churn", server, "--threads", "2", "--until-refused", "--after-ms", "50")
        kept = Load("churn", server, "--threads", "1", "--keepalive", "--until-refused", "--after-ms", "50")
        time.sleep(chance.uniform(0.05, 0.3))
        os.kill(server.pid, chance.choice((signal.SIGTERM, signal.SIGINT) if name != "nginx" else (signal.SIGTERM,)))
        ended = end_of(server)
        resets.goes_on = False
        left = [] if not ended else processes_of(server.pid)
        results = [run.numbers(one.last_line()) for one in (churn, kept)]
        slow = re.search(r"slow ok (\d+) of (\d+)", held.last_line())
    cut = int(slow.group(2)) - int(slow.group(1)) if slow else 4
    return {"answered": sum(int(one["ok"]) for one in results), "lost": sum(int(one["lost"]) for one in results),
            "cut": cut + (0 if held_stands else 1), "hung": int(not ended), "left": len(left)}


def main():
    parser = argparse.ArgumentParser(prog="scripts/soak")
    parser.add_argument("stops", nargs="?", type=int, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    chance, totals, bad = random.Random(options.seed), dict.fromkeys(COUNTS, 0), 0
    began = time.monotonic()
    for i in range(options.stops):
        name = NAMES[i % len(NAMES)]
        got = one_stop(name, chance)
        for word in COUNTS:
            totals[word] += got[word]
        if any(got[word] for word in COUNTS if word != "answered"):
            bad += 1
            print(f"# stop {i + 1}, {name}, seed {options.seed}: " + ", ".join(f"{got[word]} {word}" for word in COUNTS))
    summary = ", ".join(f"{totals[word]} {word}" for word in COUNTS)
    print(f"{'not ' if bad else ''}ok 1 - soak: {options.stops} stops of {len(NAMES)} servers in "
          f"{time.monotonic() - began:.0f} s: {summary}\n1..1")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
