"""CSV of columns, read back by Python's own reader."""

from __future__ import annotations

import csv
import io

import pytest

from mlp_core.reports.export import csv_table


def test_columns_come_back_with_all_their_digits() -> None:
    columns = {"x": [0.1, 1 / 3], 'a "name", quoted': [float("inf"), 2]}
    rows = list(csv.reader(io.StringIO(csv_table(columns))))
    assert rows == [["x", 'a "name", quoted'], ["0.1", "inf"], [repr(1 / 3), "2"]]


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        csv_table({"x": [1, 2], "y": [1]})
