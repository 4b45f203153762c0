# SPDX-License-Identifier: MIT
"""Rows of figures: as a table for people, as JSON for programs."""
import json
import math
import os
import platform
import sys

README_BEGIN = "<!-- bench: made by scripts/bench --readme -->"
README_END = "<!-- end of bench -->"


class Row:
    """One figure. `bound` is (comparison, number), the first of "<=", ">=" and "<", or None."""

    def __init__(self, group, label, unit, figure, bound=None, bare=None, spread=None, note="", **more):
        self.group, self.label, self.unit = group, label, unit
        self.figure, self.bound, self.bare, self.spread, self.note = figure, bound, bare, spread, note
        self.more = more

    @property
    def holds(self):
        if self.bound is None:
            return None
        kind, number = self.bound
        return {"<=": self.figure <= number, ">=": self.figure >= number, "<": self.figure < number}[kind]

    def as_json(self):
        row = {"group": self.group, "label": self.label, "unit": self.unit, "figure": self.figure}
        row.update({"bare": self.bare, "spread": self.spread, "note": self.note or None})
        row["bound"] = None if self.bound is None else {"is": self.bound[0], "number": self.bound[1]}
        row["holds"] = self.holds
        row.update(self.more)
        return row


def number(value):
    """Three digits that count, but whole above a hundred."""
    if value is None:
        return ""
    if value == 0 or math.isinf(value) or math.isnan(value):
        return str(value)
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(digits, 3)}f}"


class Table:
    """Prints each row as it comes, and keeps it."""

    def __init__(self, out=sys.stdout):
        self.rows, self.out, self.group = [], out, None
        colour = out.isatty() and "NO_COLOR" not in os.environ
        self.red, self.green, self.plain = ("\033[31m", "\033[32m", "\033[0m") if colour else ("", "", "")

    def add(self, row):
        self.rows.append(row)
        if row.group != self.group:
            self.group = row.group
            self.out.write(f"\n{row.group}\n  {'':<46}{'bare':>9}{'figure':>10}{'spread':>9}  {'bound':<10}\n")
        spread = f"±{number(row.spread)}" if row.spread is not None else ""
        label = f"{row.label}, {row.unit}"
        line = f"  {label:<46}{number(row.bare):>9}{number(row.figure):>10}{spread:>9}  {self.verdict(row):<10}"
        self.out.write(f"{line}{'  ' + row.note if row.note else ''}".rstrip() + "\n")
        self.out.flush()

    def verdict(self, row):
        if row.bound is None:
            return ""
        sign = row.bound[0].replace("<=", "≤").replace(">=", "≥")
        colour = self.green if row.holds else self.red
        return f"{colour}{sign} {row.bound[1]} {'pass' if row.holds else 'falls short'}{self.plain}"

    def write_json(self, path, machine):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"machine": machine, "rows": [row.as_json() for row in self.rows]}, file, indent=1)
            file.write("\n")

    def markdown(self, machine):
        lines = [", ".join(f"{name} {value}" for name, value in machine.items() if name != "load") + ".", ""]
        group = None
        for row in self.rows:
            if row.group != group:
                group = row.group
                lines += ["", f"| {group} | bare | figure | spread | bound | |", "|---|--:|--:|--:|---|---|"]
            bound = "" if row.bound is None else f"{row.bound[0].replace('<=', '≤').replace('>=', '≥')} {row.bound[1]}"
            verdict = "falls short. " if row.holds is False else ""
            spread = f"± {number(row.spread)}" if row.spread is not None else ""
            lines.append(f"| {row.label.strip()}, {row.unit} | {number(row.bare)} | {number(row.figure)} | {spread} | {bound} "
                         f"| {verdict}{row.note} |")
        return lines

    def write_readme(self, path, machine):
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        begin, end = lines.index(README_BEGIN), lines.index(README_END)
        lines[begin + 1:end] = self.markdown(machine)
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")


def machine():
    """What the figures were taken on."""
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                  if line.startswith("model name")), platform.machine())
    libc = " ".join(platform.libc_ver())
    return {"kernel": platform.release(), "processor": model, "processors": os.cpu_count(), "libc": libc,
            "load": round(os.getloadavg()[0], 2)}
