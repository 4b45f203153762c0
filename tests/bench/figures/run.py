# SPDX-License-Identifier: MIT
"""What all figures are taken with: the build, processes, numbers of pairs."""
import os
import statistics
import subprocess
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
SHIM = os.path.join(BUILD, "libfluxshim.so")
EMPTY = os.path.join(BUILD, "tests/bench/empty.so")
ENGINE = os.path.join(BUILD, "fluxshim/engine.so")


def tool(name):
    return os.path.join(BUILD, "tests", name)


def run_dir():
    """/run is memory on a system that has booted, and a disk in some containers: then its file's end takes longer
    than a whole stop."""
    done = subprocess.run(["stat", "-f", "-c", "%T", "/run"], stdout=subprocess.PIPE, text=True, check=False)
    if done.stdout.strip() == "tmpfs":
        return None
    os.makedirs("/dev/shm/fluxshim-bench", mode=0o700, exist_ok=True)
    return "/dev/shm/fluxshim-bench"


RUN_DIR = run_dir()


def environment(library=None, **more):
    env = {name: value for name, value in os.environ.items() if not name.startswith("FLUX_")}
    env.update({"LD_PRELOAD": library} if library else {})
    env.update({"FLUX_RUN_DIR": RUN_DIR} if library and RUN_DIR else {})
    env.update(more)
    return env


def processors():
    """(of the server, of its clients): different ones where there are two."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[-1], allowed[0]


def output(command, library=None, cpu=None, **more):
    """What it prints on stdout. It must end well."""
    prefix = ["taskset", "-c", str(cpu)] if cpu is not None else []
    done = subprocess.run(prefix + command, env=environment(library, **more), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, text=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: status {done.returncode}: {done.stderr[-400:]}")
    return done.stdout


def numbers(line):
    """`name N name N ...` as a dictionary."""
    words = line.split()
    return {words[i]: float(words[i + 1]) for i in range(0, len(words) - 1, 2)}


def spread(values):
    """Half the distance of the quartiles."""
    if len(values) < 3:
        return 0.0
    quarters = statistics.quantiles(values, n=4, method="inclusive")
    return (quarters[2] - quarters[0]) / 2


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def pairs(count, bare, shim):
    """Both in turns, A B B A. Returns [(bare, shim)]."""
    taken = []
    for i in range(count):
        if i % 2 == 0:
            first = bare()
            taken.append((first, shim()))
        else:
            second = shim()
            taken.append((bare(), second))
    return taken


def cpu_seconds(pid):
    """Of the process and all below it that live, user and system."""
    total = 0
    for one in [pid] + descendants(pid):
        try:
            for thread in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{thread}/schedstat", encoding="utf-8") as file:
                    total += int(file.read().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total / 1e9


def descendants(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
            children = [int(word) for word in file.read().split()]
    except FileNotFoundError:
        return []
    return children + [below for child in children for below in descendants(child)]


def wait_until(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not come")
        time.sleep(0.005)
