"""A visitor's points: good files are read, bad ones named by line and rule, links restored."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.labs.nonlinearity.plane import PLANE_EXTENT, Points
from mlp_core.labs.nonlinearity.plane_points import (
    FILL,
    LINK_POINTS,
    MAX_BYTES,
    MAX_ROWS,
    STEPS,
    PointsError,
    from_text,
    merged,
    read_csv,
    to_text,
)

SIX = "x,y,label\n0,0,0\n10,0,1\n0,5,0\n10,5,1\n"


def test_a_good_file_fills_the_plane_and_keeps_its_proportions() -> None:
    points = read_csv(SIX.encode())
    assert points.classes == 2
    assert points.labels.tolist() == [0, 1, 0, 1]
    np.testing.assert_allclose(points.xy, [[-FILL, -FILL / 2], [FILL, -FILL / 2], [-FILL, FILL / 2], [FILL, FILL / 2]])


def test_axes_of_unlike_scale_each_fill_the_plane() -> None:
    """Meters and an income: on one scale the heights would be one vertical line."""
    rng = np.random.default_rng(0)
    height, income = np.round(rng.uniform(1.5, 2.0, 160), 3), np.round(rng.uniform(10_000, 90_000, 160))
    points = read_csv("\n".join(f"{x},{y},{label % 2}" for label, (x, y) in enumerate(zip(height, income, strict=True))).encode())
    np.testing.assert_allclose([points.xy.min(axis=0), points.xy.max(axis=0)], [[-FILL, -FILL], [FILL, FILL]])
    assert len(np.unique(points.xy[:, 0])) == len(np.unique(height))
    assert merged(points) == 0
    assert len(np.unique(from_text(to_text(points)).xy[:, 0])) > 0.97 * len(np.unique(height))


@pytest.mark.parametrize("form", ["{}e-316", "{}e-312", "{}e6", "12345678.{:09}", "{}"])
def test_points_of_any_size_are_where_exact_arithmetic_puts_them(form: str) -> None:
    texts = [[form.format(number) for number in pair] for pair in ((0, 700_000), (3, 200_001), (400_002, 50), (8, 8))]
    points = read_csv("\n".join(f"{x},{y},{label % 2}" for label, (x, y) in enumerate(texts)).encode())
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
        read_csv(content.encode())


@pytest.mark.parametrize("factor", [0.26, 1.0, 3.9])
def test_axes_of_like_scale_keep_their_ratio(factor: float) -> None:
    points = read_csv(f"0,0,0\n1,{factor},1\n".encode())
    across, up = np.ptp(points.xy, axis=0)
    assert up / across == pytest.approx(factor)


def test_what_a_link_would_merge_is_counted() -> None:
    far = read_csv(("\n".join(f"{x / 1000},{x},{x % 2}" for x in range(100)) + "\n1000000,0,0").encode())
    assert merged(far) == 99  # of an outlier's: 100 different x are one beside it
    rng = np.random.default_rng(0)
    usual = Points(rng.uniform(-5, 5, (LINK_POINTS, 2)), np.zeros(LINK_POINTS, dtype=np.int64), 2)
    assert merged(usual) == 0


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
    np.testing.assert_allclose(read_csv(content.encode()).xy, read_csv(SIX.encode()).xy)


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("coding", ["utf-8", "utf-16"])
def test_a_table_as_a_spreadsheet_of_another_country_writes_it(separator: str, coding: str) -> None:
    table = SIX.replace(",", separator).replace("10", "1,25").replace("5", "5,00").replace("1,25,00", "1,25").replace("\n", "\r\n")
    points = read_csv(f"\r\n{table}\r\n\r\n".encode(coding))
    expected = read_csv(b"0,0,0\n1.25,0,1\n0,5,0\n1.25,5,1\n")
    np.testing.assert_allclose(points.xy, expected.xy)
    assert points.labels.tolist() == [0, 1, 0, 1]


def test_classes_may_be_counted_from_one() -> None:
    assert read_csv(b"0,0,1\n1,1,2\n2,2,1\n").labels.tolist() == [0, 1, 0]
    assert read_csv(b"0,0,6\n1,1,5\n2,2,1\n3,3,2\n4,5,3\n6,7,4\n").labels.tolist() == [5, 4, 0, 1, 2, 3]
    with pytest.raises(PointsError, match="from 0 or 1 without a gap, got 2, 3"):
        read_csv(b"0,0,2\n1,1,3\n")


def test_minus_one_and_one_are_two_classes() -> None:
    assert read_csv(b"0,0,-1\n1,1,1\n").labels.tolist() == [0, 1]


REFUSED = {
    "x,y,label\n1,2\n": "Line 2: 2 columns; the rule is three: x, y, label.",
    "1,2,0\n1,2,0,4\n": "Line 2: 4 columns; the rule is three: x, y, label.",
    "1 2 0\n": "Line 1: 1 column; the rule is three: x, y, label.",
    "x,y,label\n1,2,0\nspam,2,0\n": "Line 3: x must be a number, got 'spam'.",
    "1,2,0\nx,y,label\n": "Line 2: x must be a number, got 'x'.",
    "1,2,0\n1,,1\n": "Line 2: y must be a number, got ''.",
    "1,2,0\n1,nan,1\n": "Line 2: y must be a finite number of at most 1e12, got 'nan'.",
    "1,2,0\ninf,2,1\n": "Line 2: x must be a finite number of at most 1e12, got 'inf'.",
    "1,2,0\n1,1e300,1\n": "Line 2: y must be a finite number of at most 1e12, got '1e300'.",
    "1,2,cat\n": "Line 1: label must be a whole number from 0 to 6, or −1, got 'cat'.",
    "1,2,0\n1,2,0.5\n": "Line 2: label must be a whole number from 0 to 6, or −1, got '0.5'.",
    "1,2,0\n1,2,nan\n": "Line 2: label must be a whole number from 0 to 6, or −1, got 'nan'.",
    "1,2,0\n1,2,7\n": "Line 2: label must be a whole number from 0 to 6, or −1, got '7'.",
    "1,2,-1\n3,4,1\n5,6,2\n": "Line 3: label −1 goes with 1 alone; the labels are -1, 1, 2.",
    "1,2,0\n3,4,2\n": "Line 2: the file ends; the rule is classes counted from 0 or 1 without a gap, got 0, 2.",
    "1,2,1\n3,4,1\n": "Line 2: the file ends, and every label is 1; the rule is at least two classes.",
    "1,2,0\n1,2,1\n": "Line 2: the file ends, and all points are the same; the rule is points in different places.",
    "": "Line 0: the file ends without a point; the rule is a line x, y, label for each.",
    "x,y,label\n": "Line 1: the file ends without a point; the rule is a line x, y, label for each.",
    '1,2,0\n"1,2,0\n': "Line 2: not CSV (unexpected end of data).",
}


@pytest.mark.parametrize("content", REFUSED)
def test_a_refusal_names_line_and_rule(content: str) -> None:
    with pytest.raises(PointsError) as refusal:
        read_csv(content.encode())
    assert str(refusal.value) == REFUSED[content]


def test_a_million_rows_are_refused_at_the_first_too_many() -> None:
    with pytest.raises(PointsError, match=f"^Line {MAX_ROWS + 1}: the rule is at most 5,000 points"):
        read_csv(b"1,2,0\n" * (MAX_BYTES // 6))


def test_ten_megabytes_are_refused_unread() -> None:
    with pytest.raises(PointsError, match=r"^The file has 10\.0 MB; the rule is at most 1 MB"):
        read_csv(b"1,2,0\n" * 1_666_667)


def test_a_picture_is_refused() -> None:
    with pytest.raises(PointsError, match=r"^Line 2: not text in UTF-8"):
        read_csv(b"1,2,0\n\x89PNG\r\n\xff")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(PointsError):
        assert np.abs(read_csv(content).xy).max() <= FILL + 1e-9


COORDINATES = st.floats(-PLANE_EXTENT, PLANE_EXTENT)


@given(st.lists(st.tuples(COORDINATES, COORDINATES, st.integers(0, 5)), max_size=40))
def test_points_travel_in_a_link(rows: list[tuple[float, float, int]]) -> None:
    xy = np.array([row[:2] for row in rows], dtype=np.float64).reshape(-1, 2)
    points = Points(xy, np.array([row[2] for row in rows], dtype=np.int64), 6)
    text = to_text(points)
    back = from_text(text)
    assert back.labels.tolist() == points.labels.tolist()
    np.testing.assert_allclose(back.xy, points.xy, atol=PLANE_EXTENT / STEPS + 1e-12)
    assert to_text(back) == text
    assert text.replace("-", "").replace("_", "").isalnum() or not rows


@pytest.mark.parametrize("text", ["é", "AAA=A", "AAAA", "AAAAAA==x", "A" * (LINK_POINTS * 6 + 8), "AAAABw"])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(PointsError, match=r"^must"):
        from_text(text)
