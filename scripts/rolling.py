#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Restarts two servers behind haproxy, one after the other, under a constant load, and counts what failed."""

# scripts/demo runs it:
#
#   rolling.py --server COMMAND --shim LIBRARY --config haproxy.cfg [--restarts 5] [--svg FILE]
#
# First bare and then with the library, with the same haproxy, the same load and the same signals. A request
# has failed if it got no whole answer with status 200: refused, reset, cut short, 502, 503, 504. Exit
# status 0 if none did with the library.

import argparse
import http.client
import os
import random
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

CLIENTS = 24
SLOW_EVERY = 4  # of all requests, at random
SLOW_MS = 300
PAUSE_S = 0.02
PER_CONNECTION = 10
WARM_REQUESTS = 150
PATIENCE_S = 20


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"rolling: gave up waiting for {what}")
        time.sleep(0.005)


def free_port():
    """Below the ephemeral ones: a connect() would take one of those while its server is away."""
    for _ in range(100):
        with socket.socket() as candidate:
            try:
                candidate.bind(("127.0.0.1", random.randrange(20000, 30000)))
                return candidate.getsockname()[1]
            except OSError:
                pass
    raise SystemExit("rolling: no free port")


class Load:
    """Clients that ask without end; `rows` has for each request when it began and whether it was answered."""

    def __init__(self, port):
        self.port = port
        self.rows = []
        self.ends = threading.Event()
        self.threads = [threading.Thread(target=self._client) for _ in range(CLIENTS)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.ends.set()
        for thread in self.threads:
            thread.join()

    def _client(self):
        while not self.ends.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
            for _ in range(PER_CONNECTION):
                if self.ends.is_set() or not self._ask(connection):
                    break
                time.sleep(PAUSE_S)
            connection.close()

    def _ask(self, connection):
        path = f"/slow?ms={SLOW_MS}" if random.randrange(SLOW_EVERY) == 0 else "/"
        began = time.monotonic()
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            good = bool(answer.read()) and answer.status == 200
        except (OSError, http.client.HTTPException):
            good = False
        self.rows.append((began, good))
        return good


class Server:
    def __init__(self, command, environment, folder, name):
        self.port = free_port()
        self.command = [*command, "--listen", f"tcp4:{self.port}"]
        self.environment = environment
        self.output = os.path.join(folder, name)
        self.start()

    def start(self):
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=output, env=self.environment)
        wait_for("a server", self._is_ready)

    def _is_ready(self):
        with open(self.output, "rb") as output:
            return b"\nready" in output.read()

    def restart(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)
        self.start()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Proxy:
    def __init__(self, config, servers, folder):
        self.port = free_port()
        self.stats = os.path.join(folder, "stats")
        environment = dict(os.environ, STATS=self.stats, FRONT=f"127.0.0.1:{self.port}",
                           ONE=f"127.0.0.1:{servers[0].port}", TWO=f"127.0.0.1:{servers[1].port}")
        self.process = subprocess.Popen(
            ["haproxy", "-db", "-q", "-f", config], env=environment, stdin=subprocess.DEVNULL,
            stderr=open(os.path.join(folder, "haproxy.log"), "wb"))
        wait_for("haproxy", self.all_are_up)

    def all_are_up(self):
        """srv_op_state, field 6 of `show servers state`: 2 is up. What a check has not seen yet counts as up."""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(self.stats)
                client.sendall(b"show servers state servers\n")
                text = b"".join(iter(lambda: client.recv(65536), b"")).decode()
        except OSError:
            return False
        rows = [line.split() for line in text.splitlines()[2:] if line]
        return len(rows) == 2 and all(row[5] == "2" for row in rows)

    def end(self):
        self.process.kill()
        self.process.wait()


class Run:
    """One of the two: requests, and when each restart began and ended, in seconds from the start of the load."""

    def __init__(self, title, rows, restarts, began):
        self.title = title
        self.requests = [(at - began, good) for at, good in sorted(rows)]
        self.restarts = [(a - began, b - began) for a, b in restarts]
        self.failed = sum(not good for _, good in self.requests)
        self.seconds = self.requests[-1][0]

    def buckets(self, width_s):
        counts = [[0, 0] for _ in range(int(self.seconds / width_s) + 1)]
        for at, good in self.requests:
            counts[int(at / width_s)][not good] += 1
        return counts


def restart_all(servers, proxy, times):
    restarts = []
    for server in servers * times:
        began = time.monotonic()
        seen = len(proxy.load.rows)
        server.restart()
        wait_for("haproxy to see it", proxy.all_are_up)
        restarts.append((began, time.monotonic()))
        wait_for("requests", lambda: len(proxy.load.rows) > seen + WARM_REQUESTS)
    return restarts


def run(title, options, preload):
    with tempfile.TemporaryDirectory(prefix="fluxshim.") as folder:
        environment = dict(os.environ, FLUX_RUN_DIR=folder)
        environment.update({"LD_PRELOAD": preload} if preload else {})
        servers, proxy = [], None
        try:
            for name in ("one", "two"):
                servers.append(Server(shlex.split(options.server), environment, folder, name))
            proxy = Proxy(options.config, servers, folder)
            proxy.load = Load(proxy.port)
            began = time.monotonic()
            proxy.load.start()
            try:
                wait_for("requests", lambda: len(proxy.load.rows) > WARM_REQUESTS)
                restarts = restart_all(servers, proxy, options.restarts)
            finally:
                proxy.load.stop()
            return Run(title, proxy.load.rows, restarts, began)
        finally:
            for process in [*servers, *([proxy] if proxy else [])]:
                process.end()


# ---- The pictures ------------------------------------------------------------------------------


def colours():
    plain = not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return ("", "", "", "") if plain else ("\033[1m", "\033[32m", "\033[31m", "\033[0m")


def show(runs, width=72):
    bold, green, red, plain = colours()
    levels = "▁▂▃▄▅▆▇█"
    for one in runs:
        counts = one.buckets(one.seconds / width + 1e-9)[:width]
        most = max(sum(pair) for pair in counts)
        verdict = f"{red if one.failed else green}{one.failed} failed{plain}"
        print(f"\n  {bold}{one.title}{plain}: {len(one.requests)} requests, {len(one.restarts)} restarts, {verdict}")
        print("  " + "".join(levels[good * 7 // most] for good, _ in counts) + "  answered")
        print("  " + red + "".join(levels[min(bad, 8) - 1] if bad else "·" for _, bad in counts) +
              plain + "  failed")


def svg_panel(one, top, seconds, width, height):
    """Bars of 250 ms: answered ones upwards in one colour, failed ones on top of them in another."""
    step = 0.25
    counts = one.buckets(step)
    most = max(sum(pair) for pair in counts)
    scale, unit = (height - 50) / most, width / seconds
    base = top + height - 20
    parts = [f'<text class="title" x="60" y="{top + 14}">{one.title}: {len(one.requests)} requests, '
             f'<tspan class="{"bad" if one.failed else "good"}">{one.failed} failed</tspan></text>']
    for began, ended in one.restarts:
        parts.append(f'<rect class="restart" x="{60 + began * unit:.1f}" y="{base - height + 50:.1f}" '
                     f'width="{max((ended - began) * unit, 1):.1f}" height="{height - 50}"/>')
    for i, (good, bad) in enumerate(counts):
        x, bar = 60 + i * step * unit, max(step * unit - 1, 1)
        parts.append(f'<rect class="ok" x="{x:.1f}" y="{base - good * scale:.1f}" width="{bar:.1f}" '
                     f'height="{good * scale:.1f}"/>')
        if bad:
            tall = max(bad * scale, 3)
            parts.append(f'<rect class="failed" x="{x:.1f}" y="{base - good * scale - tall:.1f}" '
                         f'width="{bar:.1f}" height="{tall:.1f}"/>')
    parts.append(f'<path class="axis" d="M60 {base}H{60 + width}"/>')
    parts.append(f'<text x="54" y="{base - most * scale + 10:.1f}" text-anchor="end">{most * 4}/s</text>')
    for second in range(0, int(seconds) + 1, 2 if seconds > 12 else 1):
        parts.append(f'<text x="{60 + second * unit:.1f}" y="{base + 15}" text-anchor="middle">{second} s</text>')
    return "\n".join(parts)


STYLE = """
svg { background: #fff } text { font: 12px system-ui, sans-serif; fill: #333 }
.title { font-size: 15px; font-weight: 600 } .good { fill: #1a7f37 } .bad { fill: #c62828 }
.ok { fill: #7cb5e8 } .failed { fill: #c62828 } .restart { fill: #f3e6c4 } .axis { stroke: #888; fill: none }
@media (prefers-color-scheme: dark) {
svg { background: #16191d } text { fill: #d5d9de } .ok { fill: #3f7fb8 } .restart { fill: #3b3420 }
.good { fill: #5bc27a } .bad, .failed { fill: #ff6b60 } }
"""


def write_svg(path, runs):
    seconds = max(one.seconds for one in runs) + 0.25  # the last bar is drawn whole
    panels = "\n".join(svg_panel(one, 70 + i * 210, seconds, 780, 200) for i, one in enumerate(runs))
    text = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 880 500" role="img">
<title>A rolling restart of two servers behind haproxy</title>
<style>{STYLE}</style>
<text class="title" x="60" y="26">A rolling restart of two servers behind haproxy, requests per second</text>
<rect class="ok" x="60" y="39" width="14" height="12"/><text x="80" y="50">answered</text>
<rect class="failed" x="150" y="39" width="14" height="12"/><text x="170" y="50">failed</text>
<rect class="restart" x="220" y="39" width="14" height="12"/><text x="240" y="50">a server restarts</text>
{panels}
</svg>
"""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--server", "--shim", "--config"):
        parser.add_argument(name, required=True)
    parser.add_argument("--restarts", type=int, default=5, choices=range(1, 101), metavar="N")
    parser.add_argument("--svg", metavar="FILE")
    options = parser.parse_args()
    runs = [run("bare", options, None), run("with fluxshim", options, options.shim)]
    show(runs)
    if options.svg:
        write_svg(options.svg, runs)
    if runs[0].failed == 0:
        print("\n  The bare run lost nothing either, this time: it shows nothing.")
    return 1 if runs[1].failed else 0


sys.exit(main())
