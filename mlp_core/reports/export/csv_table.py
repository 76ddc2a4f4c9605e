"""Columns of numbers as CSV text. Knows nothing of what they mean."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping


def csv_table(columns: Mapping[str, Iterable[object]]) -> str:
    """Name -> values, as CSV with a header; floats with all their digits.

    Raises:
        ValueError: columns of unequal length.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()
