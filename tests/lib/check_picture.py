# SPDX-License-Identifier: MIT
"""Looks at a picture of fluxctl report: check_picture.py FILE prints what is in it, a fact a line.

It fails if the file isn't well-formed, asks for anything from elsewhere, or draws outside of itself.
"""

import re
import sys
import xml.etree.ElementTree as tree

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "desc", "style", "rect", "text", "line", "circle", "path"}


def fail(text):
    sys.exit(f"{sys.argv[1]}: {text}")


def check_closed(picture, text):
    """Nothing is run, and nothing is loaded."""
    for element in picture.iter():
        name = element.tag.removeprefix(SVG)
        if name not in ALLOWED:
            fail(f"an element <{name}>")
        for attribute in element.attrib:
            if attribute.startswith("on") or attribute.endswith("href"):
                fail(f"an attribute {attribute}")
    if re.search(r"@import|url\(|<script", text):
        fail("it loads or runs something")


def check_places(picture):
    width, height = map(float, picture.get("viewBox").split()[2:])
    for element in picture.iter():
        for name, most in (("x", width), ("x1", width), ("x2", width), ("cx", width),
                           ("y", height), ("y1", height), ("y2", height), ("cy", height)):
            if not 0 <= float(element.get(name, 0)) <= most:
                fail(f"<{element.tag}> {name}={element.get(name)} is outside")


def bars(picture, kind):
    return [(float(rect.get("x")), float(rect.get("width")))
            for rect in picture.iter(SVG + "rect") if rect.get("data-kind") == kind]


def check_order(rows, what):
    if rows != sorted(rows, key=lambda row: row[0]):
        fail(f"{what} are not in the order of time: {rows}")


def steps(picture):
    """The curve: (x, y) of each step."""
    lines = [path for path in picture.iter(SVG + "path") if "line" in path.get("class")]
    if not lines:
        return []
    first, rest = re.match(r"M([\d.]+ [\d.]+)(.*)", lines[0].get("d")).groups()
    found = [tuple(map(float, first.split()))]
    found += [tuple(map(float, pair)) for pair in re.findall(r"H([\d.]+)V([\d.]+)", rest)]
    return found


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    root = tree.fromstring(text.removeprefix("<!DOCTYPE html>"))
    picture = root if root.tag == SVG + "svg" else root.find(f".//{SVG}svg")
    check_closed(picture, text)
    check_places(picture)
    phases, hooks, curve = bars(picture, "phase"), bars(picture, "hook"), steps(picture)
    check_order(phases, "phases")
    check_order(hooks, "hooks")
    check_order(curve, "points")
    forced = [c for c in picture.iter(SVG + "circle") if c.get("data-kind") == "forced"]
    print(f"phases {len(phases)}\nhooks {len(hooks)}\npoints {len(curve)}\nforced {len(forced)}")
    print(f"falls {all(a[1] <= b[1] for a, b in zip(curve, curve[1:]))}")
    for element in picture.iter(SVG + "text"):
        print(f"text {''.join(element.itertext())}")


if __name__ == "__main__":
    main()
