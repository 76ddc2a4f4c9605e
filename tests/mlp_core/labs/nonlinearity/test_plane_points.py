"""Points of a visitor's own travel in a link, and what a link would merge is counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.labs.nonlinearity.plane import PLANE_EXTENT, Points
from mlp_core.labs.nonlinearity.plane_points import LINK_POINTS, STEPS, PointsError, from_text, merged, to_text


def test_what_a_link_would_merge_is_counted() -> None:
    xy = np.array([*((x / 1000, x) for x in range(100)), (1_000_000, 0)], dtype=np.float64)
    far = Points((2 * xy / np.ptp(xy, axis=0) - 1) * 5, np.zeros(101, dtype=np.int64), 2)
    assert merged(far) == 99  # of an outlier's: 100 different x are one beside it
    rng = np.random.default_rng(0)
    usual = Points(rng.uniform(-5, 5, (LINK_POINTS, 2)), np.zeros(LINK_POINTS, dtype=np.int64), 2)
    assert merged(usual) == 0


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
