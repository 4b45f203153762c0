# SPDX-License-Identifier: MIT
"""Holds checkpoints against their schema: check_checkpoints.py SCHEMA FILE..."""

import json
import sys

import jsonschema

# What a test has written by hand, damaged or incomplete, lacks this member.
WRITTEN_BY_US = {"process"}


def faults(validator, path):
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except (OSError, ValueError):
        return []
    if not isinstance(document, dict) or not WRITTEN_BY_US <= document.keys():
        return []
    return [f"{path}: {'/'.join(map(str, fault.path))}: {fault.message}"
            for fault in validator.iter_errors(document)]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        validator = jsonschema.Draft202012Validator(json.load(file))
    found = [fault for path in sys.argv[2:] for fault in faults(validator, path)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
