"""Draw the layers of the app from its imports: docs/pictures/architecture.svg.

python scripts/draw_architecture.py           # writes the picture
python scripts/draw_architecture.py --check   # ends with 1 where the picture is not of today's imports

A box is a module or package; it stands below all that imports it. Arrows that follow from others are left out:
where jobs imports training and training imports spec, no arrow goes from jobs to spec.
"""

from __future__ import annotations

import argparse
import sys
from html import escape
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.architecture import ROOT, imports, source_files

PICTURE = ROOT / "docs" / "pictures" / "architecture.svg"
BOX_WIDTH, BOX_HEIGHT, COLUMN_GAP, ROW_GAP, MARGIN = 136, 38, 18, 46, 24
FILLS = {"app": "#E69F00", "pages": "#56B4E9", "mlp_core": "#009E73"}
Graph = dict[str, set[str]]


def box_of(module: str) -> str:
    """The box that a module is drawn in: an entry of mlp_core, a folder of pages, or all page files together."""
    parts = module.split(".")
    if parts[0] == "pages":
        return f"pages/{parts[1]}" if len(parts) > 1 and parts[1] in ("ui", "figures", "language") else "pages"
    return "/".join(parts[:2])


def import_graph() -> Graph:
    """Box -> boxes that it imports."""
    files = source_files("app.py", "pages", "mlp_core")
    graph: Graph = {}
    for module, path in files.items():
        if module == "mlp_core":
            continue  # the map in words, which imports nothing
        box = box_of(module)
        found = (one.name for one in imports(path.read_text(encoding="utf-8")) if not one.for_types)
        imported = {box_of(name) for name in found if name.split(".")[0] in FILLS}
        graph.setdefault(box, set()).update(imported - {box})
    return graph


def reachable(graph: Graph, start: str) -> set[str]:
    """All boxes that `start` imports, directly or by others."""
    found: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        if (box := waiting.pop()) not in found:
            found.add(box)
            waiting += graph[box]
    return found


def reduced(graph: Graph) -> Graph:
    """The graph without the arrows that follow from others (its transitive reduction)."""
    below = {box: reachable(graph, box) for box in graph}
    return {box: {to for to in direct if not any(to in below[other] for other in direct if other != to)} for box, direct in graph.items()}


def rows_of(graph: Graph) -> list[list[str]]:
    """Boxes in rows, the top one first; each stands one row below the lowest box that imports it."""
    users: Graph = {box: {user for user in graph if box in graph[user]} for box in graph}
    depth: dict[str, int] = {}

    def measure(box: str) -> int:
        if box not in depth:
            depth[box] = 1 + max((measure(user) for user in users[box]), default=-1)
        return depth[box]

    bottom = max(measure(box) for box in graph)
    rows = [sorted(box for box in graph if depth[box] == level) for level in range(bottom + 1)]
    place: dict[str, float] = {}
    for row in rows:  # each box below the middle of what imports it, so that few arrows cross
        row.sort(key=lambda box: sum(place[user] for user in users[box]) / len(users[box]) if users[box] else 0.0)
        place |= {box: index - (len(row) - 1) / 2 for index, box in enumerate(row)}
    return rows


def svg(graph: Graph) -> str:
    """The picture."""
    arrows, rows = reduced(graph), rows_of(graph)
    width = max(len(row) for row in rows) * (BOX_WIDTH + COLUMN_GAP) - COLUMN_GAP + 2 * MARGIN
    height = len(rows) * (BOX_HEIGHT + ROW_GAP) - ROW_GAP + 2 * MARGIN
    corner: dict[str, tuple[float, float]] = {}
    for level, row in enumerate(rows):
        left = (width - len(row) * (BOX_WIDTH + COLUMN_GAP) + COLUMN_GAP) / 2
        for index, box in enumerate(row):
            corner[box] = (left + index * (BOX_WIDTH + COLUMN_GAP), MARGIN + level * (BOX_HEIGHT + ROW_GAP))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" text-anchor="middle">',
        "<title>Who imports whom: an arrow goes from a module to what it imports</title>",
        f'<rect width="{width}" height="{height}" fill="#FFFFFF"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#5B6675"/></marker></defs>',
    ]
    for box, imported in sorted(arrows.items()):
        for to in sorted(imported):
            (x, y), (to_x, to_y) = corner[box], corner[to]
            start, end = (x + BOX_WIDTH / 2, y + BOX_HEIGHT), (to_x + BOX_WIDTH / 2, to_y - 2)
            bend = (end[1] - start[1]) / 2
            parts.append(
                f'<path d="M{start[0]:g} {start[1]:g}C{start[0]:g} {start[1] + bend:g} {end[0]:g} {end[1] - bend:g} {end[0]:g} {end[1]:g}" '
                'fill="none" stroke="#5B6675" stroke-width="1.2" marker-end="url(#tip)"/>'
            )
    for box, (x, y) in sorted(corner.items()):
        name = {"app": "app.py", "pages": "pages/*.py"}.get(box, box.removeprefix("mlp_core/"))
        middle = x + BOX_WIDTH / 2
        parts += [
            f'<rect x="{x:g}" y="{y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8" fill="#FFFFFF"/>',
            f'<rect x="{x:g}" y="{y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8" fill="{FILLS[box.split("/")[0]]}" '
            'fill-opacity="0.25" stroke="#1B2430"/>',
            f'<text x="{middle:g}" y="{y + 24:g}" font-size="15" font-weight="600" fill="#1B2430">{escape(name)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def main() -> int:
    parser = argparse.ArgumentParser(description="Draw the layers of the app from its imports.")
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 where the picture is out of date")
    check = parser.parse_args().check
    drawn = svg(import_graph())
    if check:
        return int(not PICTURE.exists() or PICTURE.read_text(encoding="utf-8") != drawn)
    PICTURE.write_text(drawn, encoding="utf-8")
    print(f"{PICTURE.relative_to(ROOT)}: {drawn.count('<path d=') - 1} arrows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
