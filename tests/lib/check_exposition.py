# SPDX-License-Identifier: MIT
# Prometheus' text format 0.0.4, and nothing else: prints the samples of FILE, sorted.
#
#   check_exposition.py FILE
import re
import sys

NAME = r"[a-z_]+"
TYPES = {"counter", "gauge"}
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
LABEL = re.compile(rf'({NAME})="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')


def fail(number, line, why):
    sys.exit(f"line {number}: {why}: {line!r}")


def labels_of(text):
    labels, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        if not match or match[1] in labels:
            return None
        labels[match[1]] = match[2]
        at = match.end()
    return labels if not text.endswith(",") else None


def check_group(name, kind, number, line, seen):
    if name in seen or not name.startswith("fluxshim_"):
        fail(number, line, "a name comes twice, or is not ours")
    if kind not in TYPES or (kind == "counter") != name.endswith("_total"):
        fail(number, line, "type")
    seen.add(name)


def check(text):
    if text and not text.endswith("\n"):
        sys.exit("no newline at the end")
    seen, samples, name, helped = set(), {}, None, None
    for number, line in enumerate(text.split("\n")[:-1], 1):
        if match := re.fullmatch(rf"# HELP ({NAME}) (\S.*)", line):
            helped, name = match[1], None
        elif match := re.fullmatch(rf"# TYPE ({NAME}) ([a-z]+)", line):
            check_group(match[1], match[2], number, line, seen)
            if helped != match[1]:
                fail(number, line, "TYPE without its HELP before it")
            name = match[1]
        else:
            match = SAMPLE.fullmatch(line)
            labels = labels_of(match[2] or "") if match else None
            if labels is None or match[1] != name:
                fail(number, line, "no sample of its group")
            key = f"{name}{{{match[2]}}}"
            series = (name, *sorted(labels.items()))
            if series in seen or not re.fullmatch(r"\d+(\.\d+)?", match[3]):
                fail(number, line, "comes twice, or a value that is none")
            seen.add(series)
            samples[key] = match[3]
    if any(not any(key.startswith(name + "{") for key in samples) for name in seen if isinstance(name, str)):
        sys.exit("a group without samples")
    return samples


for sample, number_text in sorted(check(open(sys.argv[1], encoding="utf-8", newline="\n").read()).items()):
    print(sample, number_text)
