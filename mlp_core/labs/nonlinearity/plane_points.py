"""Points that a visitor brings: read from a CSV file or a link, every refusal naming the line and the rule."""

import base64
import binascii
import codecs
import csv
import io
import math

import numpy as np

from mlp_core.labs.nonlinearity.plane import PLANE_EXTENT, Floats, Points

MAX_BYTES = 1_000_000
MAX_ROWS = 5_000
MAX_CLASSES = 6
MAX_SHOWN = 40  # characters of a value in a message
FILL = 5.0  # points from a file are scaled to reach from −FILL to FILL
UNLIKE = 4.0  # times as far across as up, or the other way: then each axis is scaled for itself
PRECISION = 2**15  # steps of float64 that the points of a file must span; then rounding moves none in the plane by more than 0.001
SAME = 1e-9  # places of the plane nearer than this are one
FEW_MERGED = 0.1

LINK_POINTS = 500  # more do not fit an address
BYTES_A_POINT = 4  # 14 bits for x, 14 for y, 3 for the class
STEPS = 2**14 - 1


class PointsError(ValueError):
    """Points that cannot be used. `str()` is a sentence for the person who brought them."""


def read_csv(content: bytes) -> Points:
    """Points from a file of x, y, label; a header is skipped, −1 and 1, or 1 and 2, count as the classes 0 and 1.

    Text in UTF-8, or in UTF-16 with a byte order mark. Columns are separated by commas, or where the first line has a tab or a semicolon by
    that, and then a number may have a decimal comma.

    They are moved and scaled to fill the plane that is shown: both axes alike, so that x and y keep their ratio, or each for itself where
    one reaches `UNLIKE` times as far as the other, as a height in meters and an income do.

    Raises:
        PointsError: naming the line and the rule: size, columns, numbers, labels, rows, classes.
    """
    if len(content) > MAX_BYTES:
        raise PointsError(f"The file has {len(content) / 1e6:.1f} MB; the rule is at most {MAX_BYTES / 1e6:.0f} MB.")
    try:
        text = content.decode("utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise PointsError(f"Line {line}: not text in UTF-8 or UTF-16; the rule is a plain CSV file.") from error
    rows: list[tuple[float, float]] = []
    labels: list[int] = []
    lines: list[int] = []
    first = text.lstrip("\r\n").partition("\n")[0]
    separator = next((mark for mark in "\t;" if mark in first), ",")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    try:
        for row in reader:
            cells = row if separator == "," else [cell.replace(",", ".") for cell in row]
            header = not rows and len(cells) == 3 and all(_number(cell) is None for cell in cells)
            if header or not any(cell.strip() for cell in cells):
                continue
            if len(rows) == MAX_ROWS:
                raise PointsError(f"Line {reader.line_num}: the rule is at most {MAX_ROWS:,} points.")
            x, y, label = _row(cells, reader.line_num)
            rows.append((x, y))
            labels.append(label)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise PointsError(f"Line {reader.line_num}: not CSV ({error}).") from error
    return _points(np.array(rows, dtype=np.float64).reshape(-1, 2), labels, [*lines, reader.line_num])


def _number(cell: str) -> float | None:
    """What a cell says; None where that is no number."""
    try:
        return float(cell)
    except ValueError:
        return None


def _row(cells: list[str], line: int) -> tuple[float, float, int]:
    if len(cells) != 3:
        raise PointsError(f"Line {line}: {len(cells)} column{'s' if len(cells) != 1 else ''}; the rule is three: x, y, label.")
    x, y = (_coordinate(name, cell, line) for name, cell in zip(("x", "y"), cells, strict=False))
    return x, y, _label(cells[2], line)


def _coordinate(name: str, cell: str, line: int) -> float:
    value = _number(cell)
    if value is None:
        raise PointsError(f"Line {line}: {name} must be a number, got {_shown(cell)}.")
    if not math.isfinite(value) or abs(value) > 1e12:
        raise PointsError(f"Line {line}: {name} must be a finite number of at most 1e12, got {_shown(cell)}.")
    return value


def _label(cell: str, line: int) -> int:
    value = _number(cell)
    if value is None or value not in range(-1, MAX_CLASSES + 1):
        raise PointsError(f"Line {line}: label must be a whole number from 0 to {MAX_CLASSES}, or −1, got {_shown(cell)}.")
    return int(value)


def _points(xy: Floats, labels: list[int], lines: list[int]) -> Points:
    """Check what only the whole file shows. `lines` are those of the points, and the last of the file."""
    found, end = sorted(set(labels)), f"Line {lines[-1]}: the file ends"
    if not labels:
        raise PointsError(f"{end} without a point; the rule is a line x, y, label for each.")
    if len(found) < 2:
        raise PointsError(f"{end}, and every label is {found[0]}; the rule is at least two classes.")
    if -1 in found and not set(found) <= {-1, 1}:
        stranger = next(line for line, label in zip(lines, labels, strict=False) if label not in (-1, 1))
        raise PointsError(f"Line {stranger}: label −1 goes with 1 alone; the labels are {', '.join(map(str, found))}.")
    if len(found) > MAX_CLASSES:
        raise PointsError(f"{end}; the rule is at most {MAX_CLASSES} classes, got {len(found)}.")
    if found[0] > 1 or (found[0] != -1 and found != list(range(found[0], found[0] + len(found)))):
        raise PointsError(f"{end}; the rule is classes counted from 0 or 1 without a gap, got {', '.join(map(str, found))}.")
    low, high = xy.min(axis=0), xy.max(axis=0)
    spans = high - low
    if not spans.max():
        raise PointsError(f"{end}, and all points are the same; the rule is points in different places.")
    scale = np.full(2, spans.max()) if spans.max() < UNLIKE * spans.min() or not spans.min() else spans
    for name, coarse in zip(("x", "y"), (spans > 0) & (scale < PRECISION * np.spacing(np.abs(xy).max(axis=0))), strict=True):
        if coarse:
            raise PointsError(f"{end}, and its {name} lie too near each other; the rule is at least {PRECISION:,} steps of float64.")
    placed = FILL * (2 * (xy - low) / scale - spans / scale)
    return Points(placed, np.array([found.index(label) for label in labels], dtype=np.int64), len(found))


def _shown(cell: str) -> str:
    text = " ".join(cell.split())
    return repr(text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…")


def to_text(points: Points) -> str:
    """At most `LINK_POINTS` points as text for a link: four bytes a point, in base64. `from_text` gives them back, to 1/1365."""
    steps = np.round((np.clip(points.xy, -PLANE_EXTENT, PLANE_EXTENT) + PLANE_EXTENT) * (STEPS / (2 * PLANE_EXTENT))).astype(np.uint32)
    packed = (steps[:, 0] << 17) | (steps[:, 1] << 3) | points.labels.astype(np.uint32)
    return base64.urlsafe_b64encode(packed.astype(">u4").tobytes()).decode("ascii").rstrip("=")


def merged(points: Points) -> int:
    """How many different x or y a link with these points would merge with others, as it tells no places nearer than 1/1365 apart.

    0 where these are fewer than `FEW_MERGED` of all: among hundreds of points a few are always so near.
    """
    linked = from_text(to_text(points))
    different = ([len(np.unique(np.round(axis / SAME))) for axis in one.xy.T] for one in (points, linked))
    return sum(before - after for before, after in zip(*different, strict=True) if before - after > FEW_MERGED * before)


def from_text(text: str) -> Points:
    """Read what `to_text` wrote.

    Raises:
        PointsError: it cannot have written this.
    """
    try:
        content = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise PointsError("must be points as this page writes them") from error
    if len(content) % BYTES_A_POINT or len(content) > LINK_POINTS * BYTES_A_POINT:
        raise PointsError(f"must be at most {LINK_POINTS} points of four bytes")
    packed = np.frombuffer(content, ">u4").astype(np.int64)
    labels = packed & 7
    if (labels >= MAX_CLASSES).any():
        raise PointsError(f"must have classes from 0 to {MAX_CLASSES - 1}")
    steps = np.column_stack([packed >> 17 & STEPS, packed >> 3 & STEPS])
    return Points(steps * (2 * PLANE_EXTENT / STEPS) - PLANE_EXTENT, labels, max(2, int(labels.max(initial=0)) + 1))
