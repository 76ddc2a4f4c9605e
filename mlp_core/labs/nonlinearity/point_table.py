"""Points from a CSV file: its columns, which of them are meant, and every refusal naming line, column, rule and value."""

import codecs
import csv
import io
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlp_core.labs.nonlinearity.plane import Floats, Points
from mlp_core.labs.nonlinearity.plane_points import MAX_CLASSES, PointsError
from mlp_core.words import Message, count, counted, listed

MAX_BYTES = 1_000_000
MAX_ROWS = 5_000
LEAST_COLUMNS, MAX_COLUMNS = 3, 50
MAX_SHOWN = 40  # characters of a value in a message
FILL = 5.0  # points from a file are scaled to reach from −FILL to FILL
UNLIKE = 4.0  # times as far across as up, or the other way: then each axis is scaled for itself
PRECISION = 2**15  # steps of float64 that the points of a file must span; then rounding moves none in the plane by more than 0.001

INDEX_NAMES = ("", "index", "id", "unnamed: 0")  # of a column that counts the rows, where pandas has written the file, or written it twice
PLACE_NAMES = (("x", "y"), ("x1", "x2"), ("x_1", "x_2"), ("x0", "x1"), ("x_0", "x_1"))
LABEL_NAMES = ("label", "labels", "class", "classes", "target", "y")


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a file.

    Args:
        names: of the columns: as the header has it, with their number where several have one, or "column 2".
        rows: each as long as `names`.
        lines: of the file, in which the rows end; and the last of the file.
        decimal_comma: whether 1,5 may be a number.
        index: the column that only counts the rows; None where there is none.
    """

    names: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    decimal_comma: bool
    index: int | None = None

    def numbers(self, column: int) -> list[float | None]:
        """What the cells of a column say; None where that is no number."""
        return [_number(row[column], self.decimal_comma) for row in self.rows]

    def refusal(self, row: int, column: int, rule: str) -> PointsError:
        """An error that says where the cell stands and what is in it."""
        name = self.names[column]
        where = name if name.startswith("column ") else Message("column {name}", name=repr(name))
        value = _shown(self.rows[row][column])
        return PointsError(
            Message("Line {line}, {column}: {rule}, got {value}.", line=self.lines[row], column=where, rule=rule, value=value)
        )


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table are meant, counted from 0."""

    x: int
    y: int
    label: int


def read_table(content: bytes) -> Table:
    """The cells of a CSV file.

    Text in UTF-8, or in UTF-16 with a byte order mark. Columns are separated by commas, or where the first line has a tab or a semicolon by
    that, and then a number may have a decimal comma. A first line without a number is a header.

    Raises:
        PointsError: naming the line and the rule: size, text, columns, rows.
    """
    text = _decoded(content)
    first = text.lstrip("\r\n").partition("\n")[0]
    separator = next((mark for mark in "\t;" if mark in first), ",")
    header: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    try:
        for row in reader:
            cells, line = [cell.strip() for cell in row], reader.line_num
            if not any(cells):
                continue
            expected = len(header or (rows[0] if rows else cells))
            if len(cells) != expected:
                raise _refused(line, _columns(cells), Message("{expected}, as in the lines before", expected=expected))
            if not LEAST_COLUMNS <= len(cells) <= MAX_COLUMNS:
                least, most = Message("at least {least}: x, y, label", least=LEAST_COLUMNS), Message("at most {most}", most=MAX_COLUMNS)
                raise _refused(line, _columns(cells), least if len(cells) < LEAST_COLUMNS else most)
            if not header and not rows and _is_header(cells, decimal_comma=separator != ","):
                header = cells
                continue
            if len(rows) == MAX_ROWS:
                raise PointsError(Message("Line {line}: the rule is at most {most} points.", line=line, most=count(MAX_ROWS)))
            rows.append(cells)
            lines.append(line)
    except csv.Error as error:
        raise PointsError(Message("Line {line}: not CSV ({why}).", line=reader.line_num, why=error)) from error
    if not rows:
        rule = Message("a line x, y, label for each point")
        empty = PointsError(Message("The file is empty; the rule is {rule}.", rule=rule))
        raise _refused(reader.line_num, Message("the file ends without a point"), rule) if reader.line_num else empty
    header = header or [""] * len(rows[0])
    table = Table(_names(header), rows, [*lines, reader.line_num], decimal_comma=separator != ",")
    return replace(table, index=0) if _counts(table, header[0]) else table


def _decoded(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        size, most = f"{len(content) / 1e6:.1f}", f"{MAX_BYTES / 1e6:.0f}"
        raise PointsError(Message("The file has {size} MB; the rule is at most {most} MB.", size=size, most=most))
    try:
        return content.decode("utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _refused(line, Message("not text in UTF-8 or UTF-16"), Message("a plain CSV file")) from error


def _refused(line: int, fault: str, rule: str) -> PointsError:
    return PointsError(Message("Line {line}: {fault}; the rule is {rule}.", line=line, fault=fault, rule=rule))


def _columns(cells: list[str]) -> Message:
    return counted(len(cells), "{n} column", "{n} columns")


def _is_header(cells: list[str], *, decimal_comma: bool) -> bool:
    """Whether there is no number in it, or it is that of pandas for columns without a name: nothing over the index, then 0, 1, 2."""
    unnamed = ["", *map(str, range(len(cells) - 1))]
    return cells == unnamed or all(_number(cell, decimal_comma) is None for cell in cells)


def _names(header: list[str]) -> tuple[str, ...]:
    names = [_short(name) or Message("column {number}", number=column) for column, name in enumerate(header, 1)]
    return tuple(
        name if names.count(name) == 1 else Message("{name} (column {number})", name=name, number=column)
        for column, name in enumerate(names, 1)
    )


def _counts(table: Table, name: str) -> bool:
    """Whether the first column, of this name, does no more than count the rows, from 0 or 1, and there are enough beside it."""
    if len(table.names) <= LEAST_COLUMNS or name.lower() not in INDEX_NAMES:
        return False
    return any(table.numbers(0) == list(range(start, start + len(table.rows))) for start in (0, 1))


def usual_columns(table: Table) -> Columns:
    """Those that the header names as x, y and label, or calls in another usual way; else the first two of numbers, and that of a few names,
    or the last.
    """
    free = [column for column in range(len(table.names)) if column != table.index]
    found = {table.names[column].lower(): column for column in free}
    place = next(([found[name] for name in pair] for pair in PLACE_NAMES if found.keys() >= set(pair)), [])
    rest = [column for column in free if column not in place]
    texts = [column for column in rest if _is_text(table, column)]
    few = [column for column in texts if len({row[column] for row in table.rows}) <= MAX_CLASSES]
    label = next((found[name] for name in LABEL_NAMES if found.get(name) in rest), (few or rest)[-1])
    numbers_first = sorted((column for column in rest if column != label), key=texts.__contains__)
    x, y = place or sorted(numbers_first[:2])
    return Columns(x, y, label)


def _is_text(table: Table, column: int) -> bool:
    """Whether most of what is written there is no number: a column with a few faults in it is one of numbers."""
    written = [value for value, row in zip(table.numbers(column), table.rows, strict=True) if row[column]]
    return 2 * written.count(None) > len(written)


def points_of(table: Table, columns: Columns) -> tuple[Points, tuple[str, ...]]:
    """The points that these columns describe, and what each class is called there, the classes of names in the order of the alphabet.

    They are moved and scaled to fill the plane that is shown: both axes alike, so that x and y keep their ratio, or each for itself where
    one reaches `UNLIKE` times as far as the other, as a height in meters and an income do. −1 and 1, or 1 and 2, count as the classes 0
    and 1.

    Raises:
        PointsError: naming line, column, rule and value: columns, numbers, labels, classes.
    """
    roles = {"x": columns.x, "y": columns.y, Message("label"): columns.label}
    if len(set(roles.values())) < len(roles):
        given = [Message("{role} is {column}", role=role, column=repr(table.names[column])) for role, column in roles.items()]
        raise PointsError(Message("The rule is three different columns; {given}.", given=listed(given)))
    xy = np.column_stack([_coordinates(table, column, role) for role, column in (("x", columns.x), ("y", columns.y))])
    found, names = _labels(table, columns.label)
    return Points(_placed(table, xy), np.array(found, dtype=np.int64), len(names)), names


def _coordinates(table: Table, column: int, role: str) -> list[float]:
    values = []
    for row, value in enumerate(table.numbers(column)):
        if value is None:
            raise table.refusal(row, column, Message("{role} must be a number", role=role))
        if not math.isfinite(value) or abs(value) > 1e12:
            raise table.refusal(row, column, Message("{role} must be a finite number of at most 1e12", role=role))
        values.append(value)
    return values


def _labels(table: Table, column: int) -> tuple[list[int], tuple[str, ...]]:
    """The class of every row, counted from 0, and what the classes are called."""
    numbers, labels = table.numbers(column), list[Any]()
    kind = Message("name") if numbers[0] is None else Message("number")
    for row, value in enumerate(numbers):
        cell = table.rows[row][column]
        if not cell:
            raise table.refusal(row, column, Message("label must be a name or a number"))
        if (value is None) != (kind == "name"):
            raise table.refusal(row, column, Message("label must be a {kind}, as in line {line}", kind=kind, line=table.lines[0]))
        if value is not None and value not in range(-1, MAX_CLASSES + 1):
            raise table.refusal(row, column, Message("label must be a name, or a whole number from 0 to {most}, or −1", most=MAX_CLASSES))
        labels.append(cell if value is None else int(value))
    different, found = list(dict.fromkeys(labels)), sorted(set(labels))
    if len(found) > MAX_CLASSES:
        raise table.refusal(labels.index(different[MAX_CLASSES]), column, Message("the rule is at most {most} classes", most=MAX_CLASSES))
    if len(found) < 2:
        label = _shown(found[0]) if kind == "name" else found[0]
        fault = Message("the file ends, and every label is {label}", label=label)
        raise _refused(table.lines[-1], fault, Message("at least two classes"))
    if kind == "number":
        if -1 in found and found != [-1, 1]:
            stranger = next(row for row, label in enumerate(labels) if label not in (-1, 1))
            raise table.refusal(stranger, column, Message("label −1 goes with 1 alone"))
        if found[0] > 1 or (found[0] != -1 and found != list(range(found[0], found[0] + len(found)))):
            rule = Message("classes counted from 0 or 1 without a gap, got {classes}", classes=", ".join(map(str, found)))
            raise _refused(table.lines[-1], Message("the file ends"), rule)
    return [found.index(label) for label in labels], tuple(_short(str(name)) for name in found)


def _placed(table: Table, xy: Floats) -> Floats:
    """The points, moved and scaled to fill the plane."""
    low, high = xy.min(axis=0), xy.max(axis=0)
    spans = high - low
    if not spans.max():
        raise _refused(table.lines[-1], Message("the file ends, and all points are the same"), Message("points in different places"))
    scale = np.full(2, spans.max()) if spans.max() < UNLIKE * spans.min() or not spans.min() else spans
    for name, coarse in zip(("x", "y"), (spans > 0) & (scale < PRECISION * np.spacing(np.abs(xy).max(axis=0))), strict=True):
        if coarse:
            fault = Message("the file ends, and its {name} lie too near each other", name=name)
            raise _refused(table.lines[-1], fault, Message("at least {steps} steps of float64", steps=count(PRECISION)))
    placed: Floats = FILL * (2 * (xy - low) / scale - spans / scale)
    return placed


def _number(cell: str, decimal_comma: bool) -> float | None:
    try:
        return float(cell.replace(",", ".") if decimal_comma else cell)
    except ValueError:
        return None


def _shown(cell: str) -> str:
    return repr(_short(cell))


def _short(cell: str) -> str:
    text = " ".join(cell.split())
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
