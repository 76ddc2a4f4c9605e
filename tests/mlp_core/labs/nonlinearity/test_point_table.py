"""A visitor's table of points: good files are read however they are written, bad ones refused by line, column, rule and value."""

from __future__ import annotations

import io
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.labs.nonlinearity.plane import Points
from mlp_core.labs.nonlinearity.plane_points import PointsError, from_text, merged, to_text
from mlp_core.labs.nonlinearity.point_table import (
    FILL,
    MAX_BYTES,
    MAX_ROWS,
    Columns,
    points_of,
    read_table,
    usual_columns,
)

SIX = "x,y,label\n0,0,0\n10,0,1\n0,5,0\n10,5,1\n"


def points_in(content: bytes) -> Points:
    table = read_table(content)
    return points_of(table, usual_columns(table))[0]


def test_a_good_file_fills_the_plane_and_keeps_its_proportions() -> None:
    points = points_in(SIX.encode())
    assert points.classes == 2
    assert points.labels.tolist() == [0, 1, 0, 1]
    np.testing.assert_allclose(points.xy, [[-FILL, -FILL / 2], [FILL, -FILL / 2], [-FILL, FILL / 2], [FILL, FILL / 2]])


def test_axes_of_unlike_scale_each_fill_the_plane() -> None:
    """Meters and an income: on one scale the heights would be one vertical line."""
    rng = np.random.default_rng(0)
    height, income = np.round(rng.uniform(1.5, 2.0, 160), 3), np.round(rng.uniform(10_000, 90_000, 160))
    points = points_in("\n".join(f"{x},{y},{label % 2}" for label, (x, y) in enumerate(zip(height, income, strict=True))).encode())
    np.testing.assert_allclose([points.xy.min(axis=0), points.xy.max(axis=0)], [[-FILL, -FILL], [FILL, FILL]])
    assert len(np.unique(points.xy[:, 0])) == len(np.unique(height))
    assert merged(points) == 0
    assert len(np.unique(from_text(to_text(points)).xy[:, 0])) > 0.97 * len(np.unique(height))


@pytest.mark.parametrize("form", ["{}e-316", "{}e-312", "{}e6", "12345678.{:09}", "{}"])
def test_points_of_any_size_are_where_exact_arithmetic_puts_them(form: str) -> None:
    texts = [[form.format(number) for number in pair] for pair in ((0, 700_000), (3, 200_001), (400_002, 50), (8, 8))]
    points = points_in("\n".join(f"{x},{y},{label % 2}" for label, (x, y) in enumerate(texts)).encode())
    exact = [[Fraction(text) for text in pair] for pair in texts]
    ends = [(min(axis), max(axis)) for axis in zip(*exact, strict=True)]
    scale = max(high - low for low, high in ends)
    expected = [
        [float((value - (low + high) / 2) / scale) * 2 * FILL for value, (low, high) in zip(pair, ends, strict=True)] for pair in exact
    ]
    np.testing.assert_allclose(points.xy, expected, atol=1e-3)


@pytest.mark.parametrize("form", ["{}e-320", "{}e-323", "100000000000.0000{}"])
def test_points_that_float64_cannot_tell_apart_are_refused_by_name(form: str) -> None:
    content = "\n".join(f"{form.format(x)},{form.format(y)},{x % 2}" for x, y in ((1, 5), (2, 3), (4, 1), (9, 9)))
    with pytest.raises(PointsError, match="Line 4: the file ends, and its x lie too near each other"):
        points_in(content.encode())


@pytest.mark.parametrize("factor", [0.26, 1.0, 3.9])
def test_axes_of_like_scale_keep_their_ratio(factor: float) -> None:
    points = points_in(f"0,0,0\n1,{factor},1\n".encode())
    across, up = np.ptp(points.xy, axis=0)
    assert up / across == pytest.approx(factor)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + SIX,
        SIX.replace("\n", "\r\n"),
        SIX.removeprefix("x,y,label\n"),
        "\n\n" + SIX.partition("\n")[2] + "\n",
        '"0",0,0\n1e1,"0",1\n 0 ,5.0,0\n10,5,1.0\n',
    ],
)
def test_ways_to_write_the_same_file(content: str) -> None:
    np.testing.assert_allclose(points_in(content.encode()).xy, points_in(SIX.encode()).xy)


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("coding", ["utf-8", "utf-16"])
def test_a_table_as_a_spreadsheet_of_another_country_writes_it(separator: str, coding: str) -> None:
    table = SIX.replace(",", separator).replace("10", "1,25").replace("5", "5,00").replace("1,25,00", "1,25").replace("\n", "\r\n")
    points = points_in(f"\r\n{table}\r\n\r\n".encode(coding))
    expected = points_in(b"0,0,0\n1.25,0,1\n0,5,0\n1.25,5,1\n")
    np.testing.assert_allclose(points.xy, expected.xy)
    assert points.labels.tolist() == [0, 1, 0, 1]


def test_classes_may_be_counted_from_one() -> None:
    assert points_in(b"0,0,1\n1,1,2\n2,2,1\n").labels.tolist() == [0, 1, 0]
    assert points_in(b"0,0,6\n1,1,5\n2,2,1\n3,3,2\n4,5,3\n6,7,4\n").labels.tolist() == [5, 4, 0, 1, 2, 3]
    with pytest.raises(PointsError, match="from 0 or 1 without a gap, got 2, 3"):
        points_in(b"0,0,2\n1,1,3\n")


def test_minus_one_and_one_are_two_classes() -> None:
    assert points_in(b"0,0,-1\n1,1,1\n").labels.tolist() == [0, 1]


REFUSED = {
    "x,y,label\n1,2\n": "Line 2: 2 columns; the rule is 3, as in the lines before.",
    "1,2,0\n1,2,0,4\n": "Line 2: 4 columns; the rule is 3, as in the lines before.",
    "1 2 0\n": "Line 1: 1 column; the rule is at least 3: x, y, label.",
    "1," * 50 + "0": "Line 1: 51 columns; the rule is at most 50.",
    "x,y,label\n1,2,0\nspam,2,0\n": "Line 3, column 'x': x must be a number, got 'spam'.",
    "label,length,width\n0,1,2\n1,2,spam\n": "Line 3, column 'width': y must be a number, got 'spam'.",
    "id,length,note,width,kind\n0,1,a,2,0\n\n1,2,b,spam,1\n2,3,c,4,1": "Line 4, column 'width': y must be a number, got 'spam'.",
    "1,2,0\nx,y,label\n": "Line 2, column 1: x must be a number, got 'x'.",
    "1,2,0\n1,,1\n": "Line 2, column 2: y must be a number, got ''.",
    "1,2,0\n1,nan,1\n": "Line 2, column 2: y must be a finite number of at most 1e12, got 'nan'.",
    "1,2,0\ninf,2,1\n": "Line 2, column 1: x must be a finite number of at most 1e12, got 'inf'.",
    "1,2,0\n1,1e300,1\n": "Line 2, column 2: y must be a finite number of at most 1e12, got '1e300'.",
    "1,2,cat\n3,4,\n": "Line 2, column 3: label must be a name or a number, got ''.",
    "1,2,cat\n3,4,1\n": "Line 2, column 3: label must be a name, as in line 1, got '1'.",
    "1,2,0\n3,4,cat\n": "Line 2, column 3: label must be a number, as in line 1, got 'cat'.",
    "1,2,cat\n3,4,cat\n": "Line 2: the file ends, and every label is 'cat'; the rule is at least two classes.",
    "\n".join(f"{x},2,{name}" for x, name in enumerate("abcabcdefgh")): "Line 10, column 3: the rule is at most 6 classes, got 'g'.",
    "\n".join(f"{x},2,{x}" for x in range(7)): "Line 7, column 3: the rule is at most 6 classes, got '6'.",
    "1,2,0\n1,2,0.5\n": "Line 2, column 3: label must be a name, or a whole number from 0 to 6, or −1, got '0.5'.",
    "1,2,0\n1,2,nan\n": "Line 2, column 3: label must be a name, or a whole number from 0 to 6, or −1, got 'nan'.",
    "1,2,0\n1,2,7\n": "Line 2, column 3: label must be a name, or a whole number from 0 to 6, or −1, got '7'.",
    "1,2,-1\n3,4,1\n5,6,2\n": "Line 3, column 3: label −1 goes with 1 alone, got '2'.",
    "1,2,0\n3,4,2\n": "Line 2: the file ends; the rule is classes counted from 0 or 1 without a gap, got 0, 2.",
    "1,2,1\n3,4,1\n": "Line 2: the file ends, and every label is 1; the rule is at least two classes.",
    "1,2,0\n1,2,1\n": "Line 2: the file ends, and all points are the same; the rule is points in different places.",
    "": "The file is empty; the rule is a line x, y, label for each point.",
    "x,y,label\n": "Line 1: the file ends without a point; the rule is a line x, y, label for each point.",
    '1,2,0\n"1,2,0\n': "Line 2: not CSV (unexpected end of data).",
}


@pytest.mark.parametrize("content", REFUSED)
def test_a_refusal_names_line_column_rule_and_value(content: str) -> None:
    with pytest.raises(PointsError) as refusal:
        points_in(content.encode())
    assert str(refusal.value) == REFUSED[content]


def test_a_million_rows_are_refused_at_the_first_too_many() -> None:
    with pytest.raises(PointsError, match=f"^Line {MAX_ROWS + 1}: the rule is at most 5,000 points"):
        points_in(b"1,2,0\n" * (MAX_BYTES // 6))


def test_ten_megabytes_are_refused_unread() -> None:
    with pytest.raises(PointsError, match=r"^The file has 10\.0 MB; the rule is at most 1 MB"):
        points_in(b"1,2,0\n" * 1_666_667)


def test_a_picture_is_refused() -> None:
    with pytest.raises(PointsError, match=r"^Line 2: not text in UTF-8"):
        points_in(b"1,2,0\n\x89PNG\r\n\xff")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(PointsError):
        assert np.abs(points_in(content).xy).max() <= FILL + 1e-9


NUMBERS = st.integers(-999_999, 999_999).map(lambda number: number / 1000)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz äöß中,;\t\"'", min_size=1, max_size=8).map(lambda name: f"<{name}>")


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(st.tuples(NUMBERS, NUMBERS, st.booleans()), min_size=2, max_size=12).filter(
        lambda rows: len({row[2] for row in rows}) == 2 and len({row[:2] for row in rows}) > 1
    ),
    classes=st.one_of(st.sampled_from([(0, 1), (1, 2), (-1, 1), (False, True)]), st.lists(NAMES, min_size=2, max_size=2, unique=True)),
    way=st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ",")]),
    coding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    index=st.booleans(),
    others=st.integers(0, 2),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_pandas_writes_is_read_as_the_same_points(
    rows: list[tuple[float, float, bool]],
    classes: tuple[object, object],
    way: tuple[str, str],
    coding: str,
    index: bool,
    others: int,
    line_end: str,
) -> None:
    first, second = sorted(classes, key=str)
    frame = pd.DataFrame({"x": [row[0] for row in rows], "y": [row[1] for row in rows]})
    for other in range(others):
        frame.insert(other, f"other {other}", [f"text {number}" for number in range(len(rows))])
    frame["label"] = [second if row[2] else first for row in rows]
    file = io.BytesIO()
    frame.to_csv(file, sep=way[0], decimal=way[1], encoding=coding, index=index, lineterminator=line_end)
    table = read_table(file.getvalue())
    points, names = points_of(table, usual_columns(table))
    assert table.index == (0 if index else None)
    assert points.labels.tolist() == [int(row[2]) for row in rows]
    assert names == tuple(" ".join(str(name).split()) for name in (first, second))
    plain = points_in("\n".join(f"{x!r},{y!r},{int(label)}" for x, y, label in rows).encode())
    np.testing.assert_array_equal(points.xy, plain.xy)


def chosen(content: str) -> tuple[str, ...]:
    """The names of the columns that are taken for x, y and label."""
    table = read_table(content.encode())
    columns = usual_columns(table)
    return tuple(table.names[column] for column in (columns.x, columns.y, columns.label))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("label,x,y\n0,1,2\n1,2,3\n", ("x", "y", "label")),
        ("y,x1,x2\n0,1,2\n1,2,3\n", ("x1", "x2", "y")),
        ("X,Y,Class\n0,1,2\n1,2,3\n", ("X", "Y", "Class")),
        ("a,b,c\n0,1,0\n1,2,1\n", ("a", "b", "c")),
        ("x,X,y\n0,1,0\n1,2,1\n", ("X", "y", "x")),
        ("name,length,width,species\nu,1,2,a\nv,1,3,b\n", ("length", "width", "species")),
        ("id,length,width,species\n0,1,2,a\n1,1,3,b\n", ("length", "width", "species")),
        ("ID,length,width,species\n1,1,2,a\n2,1,3,b\n", ("length", "width", "species")),
        ("id,length,width,species\n7,1,2,a\n8,1,3,b\n", ("id", "length", "species")),  # it counts no rows
        ("target,length,width,note\n1,1,2,a\n0,1,3,b\n", ("length", "width", "target")),
        ("kind,length,width\na,1,2\nb,1,3\n", ("length", "width", "kind")),  # the only one of names
        ("name,length,width,group\n" + "".join(f"n{i},{i},2,{i % 2}\n" for i in range(7)), ("length", "width", "group")),  # too many names
        ("a,a,,b\n1,2,3,0\n2,3,4,1\n", ("a (column 1)", "a (column 2)", "b")),
        ("length,width,age,kind\n1,,2,a\n2,3,4,b\n3,4,5,a\n", ("length", "width", "kind")),  # a single fault, which is then named
        ("0,5,6,0\n1,7,8,1\n", ("column 2", "column 3", "column 4")),
        (",0,1,2\n0,5.5,6,0\n1,7,8,1\n", ("0", "1", "2")),  # as pandas heads columns without a name
    ],
)
def test_columns_are_taken_by_their_names_and_else_by_their_order(content: str, expected: tuple[str, ...]) -> None:
    assert chosen(content) == expected


def test_a_column_that_counts_stays_where_nothing_is_left_without_it() -> None:
    table = read_table(b"id,y,label\n0,5,0\n1,7,1\n2,0,1\n")
    assert table.index is None
    assert usual_columns(table) == Columns(0, 1, 2)


def test_any_columns_may_be_chosen() -> None:
    table = read_table(b"a,b,c,d\n0,5,no,1\n1,7,yes,0\n2,0,no,1\n")
    points, names = points_of(table, Columns(1, 0, 2))
    expected = points_in(b"5,0,0\n7,1,1\n0,2,0\n")
    np.testing.assert_array_equal(points.xy, expected.xy)
    assert (points.labels.tolist(), names) == ([0, 1, 0], ("no", "yes"))
    with pytest.raises(PointsError, match=r"^The rule is three different columns; x is 'a', y is 'b', label is 'a'"):
        points_of(table, Columns(0, 1, 0))


def test_the_names_of_up_to_six_classes_are_counted_in_the_order_of_the_alphabet() -> None:
    table = read_table("\n".join(f"{number},{number},{name}" for number, name in enumerate("fbdace")).encode())
    points, names = points_of(table, usual_columns(table))
    assert (names, points.labels.tolist(), points.classes) == (tuple("abcdef"), [5, 1, 3, 0, 2, 4], 6)
