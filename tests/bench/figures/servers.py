# SPDX-License-Identifier: MIT
"""Servers that are measured: started on a processor of their own, and ended."""
import os
import re
import shutil
import signal
import subprocess
import tempfile

from . import run

NGINX = """daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
 fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
 keepalive_requests 100000000;
 server {{ listen 127.0.0.1:{port}; root {folder}; location = / {{ return 200 "hello"; }}
 location /slow {{ limit_rate 60k; }} }} }}
"""


class Server:
    """`epoll` or another of tests/servers, `nginx`, `redis`. `more` are settings of the shim."""

    def __init__(self, name, library=None, session=False, **more):
        """`session`: one of its own, and any processor; else a processor of its own."""
        self.name, self.library, self.session, self.more = name, library, session, more
        self.folder = self.process = self.port = None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="fluxshim-bench.")
        os.chmod(self.folder, 0o755)
        command = {"nginx": self._nginx, "redis": self._redis}.get(self.name, self._own)()
        self.log = open(f"{self.folder}/log", "w+", encoding="utf-8")
        placed = [] if self.session else ["taskset", "-c", str(run.processors()[0])]
        self.process = subprocess.Popen(placed + command, stdout=self.log, stderr=self.log,
                                        env=run.environment(self.library, **self.more),
                                        start_new_session=self.session)
        run.wait_until(self._is_ready, f"{self.name}, {self._text()[-300:]},")
        return self

    def __exit__(self, *_):
        for pid in run.descendants(self.process.pid) + [self.process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self):
        return self.process.pid

    def _text(self):
        with open(f"{self.folder}/log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def _own(self):
        return [run.tool(f"servers/{self.name}")]

    def _nginx(self):
        self.port = free_port()
        with open(f"{self.folder}/conf", "w", encoding="utf-8") as file:
            file.write(NGINX.format(folder=self.folder, port=self.port))
        with open(f"{self.folder}/slow", "wb") as file:
            file.write(bytes(50000))
        return ["nginx", "-c", f"{self.folder}/conf"]

    def _redis(self):
        self.port = free_port()
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder]

    def _is_ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended: {self._text()[-400:]}")
        if self.port is None:
            found = re.search(r"^listening .*:(\d+)$", self._text(), re.MULTILINE)
            self.port = int(found.group(1)) if found else None
            return False
        return listens(self.port) and ("ready" in self._text() or self.name in ("nginx", "redis"))


def listens(port):
    with open("/proc/net/tcp", encoding="utf-8") as file:
        return any(f":{port:04X} 00000000:0000 0A" in line for line in file)


taken_ports = set()


def free_port():
    """Out of the range that connects take theirs from."""
    for port in range(20000 + os.getpid() % 5000, 32000):
        if not listens(port) and port not in taken_ports:
            taken_ports.add(port)
            return port
    raise RuntimeError("no free port")
