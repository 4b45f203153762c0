# SPDX-License-Identifier: MIT
"""Takes the figures that are asked for; scripts/bench tells how."""
import argparse
import os
import sys

from . import calls, processes, rates, run, stops
from .table import Table, machine

GROUPS = {
    "calls": calls.add, "threads": calls.add_threads, "spawn": processes.add_spawn, "forks": processes.add_forks,
    "memory": processes.add_memory, "rates": rates.add, "saving": rates.add_saving, "refusal": stops.add_refusal,
    "release": stops.add_release, "crowd": stops.add_crowd,
}
LONG = {"saving"}  # left out of --quick unless it is asked for


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", default=os.path.join(run.BUILD, "bench.json"))
    parser.add_argument("--readme", action="store_true", help="put the table into README.md")
    parser.add_argument("group", nargs="*", choices=[*GROUPS, []])
    options = parser.parse_args()
    where, table = machine(), Table()
    print(", ".join(f"{name} {value}" for name, value in where.items()))
    for name in options.group or [name for name in GROUPS if not (options.quick and name in LONG)]:
        GROUPS[name](table, options.quick)
    table.write_json(options.json, where)
    if options.readme:
        table.write_readme(os.path.join(run.ROOT, "README.md"), where)
    short = [row for row in table.rows if row.holds is False]
    bounded = [row for row in table.rows if row.bound is not None]
    print(f"\n{len(bounded)} bounds: {len(bounded) - len(short)} pass, {len(short)} fall short; all in {options.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
