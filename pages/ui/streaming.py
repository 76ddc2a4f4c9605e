"""What a component in the browser is sent: all of it once, and from then on what is new.

The browser says which version it has. If that is the one that was sent last, the answer holds only the parts that differ, and of a figure
only the points that were appended; otherwise, as after a reload or a lost message, it holds everything.

A message is the length of its JSON (4 bytes, little-endian), the JSON, and the points' columns as bytes, in the order of the JSON:

    {"version": 8, "since": 7, "parts": {name: part}, "figures": {name: change}}

`since` is the version to which the changes are to be applied, 0 where nothing is left out; then there is "about" too. A change is
{"data": […], "layout": {…}, "traces": {index: {"keep": n, name: column}}}: "data", where the figure is new, are its traces without their
points; of a trace the first n points stay, and the columns follow them. A column is ["f4", n], ["f8", n], ["steps", n, first, per], whole
numbers as their differences, a byte each, to be divided by `per`, or ["list", values].
"""

import itertools
import json
import secrets
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pages.figures.figure import Figure, Trace
from pages.ui.live_chart import narrow_floats, plain

COLUMNS = ("x", "y", "customdata")  # of a trace; they grow together
MOST_EXACT = 2**53  # up to here float64 has every whole number
LONGEST_STEP = 255  # between two whole numbers, if that is to fit into a byte
# Never the same twice, so that no version of another session, or of a server that was there before, is taken for one of this.
_versions = itertools.count(1 + secrets.randbelow(2**50))


class Stream:
    """What one component of one session was sent last."""

    def __init__(self) -> None:
        self._version = 0
        self._parts: Mapping[str, Any] = {}
        self._figures: Mapping[str, Figure] = {}

    def message(
        self, have: int | None, figures: Mapping[str, Figure], parts: Mapping[str, Any], about: Mapping[str, Any], per: int = 1
    ) -> bytes:
        """What to send to a browser that has version `have`, so that it then has all of this.

        Args:
            have: None where nothing is known of the browser.
            figures: by name; their traces' columns are arrays.
            parts: everything else, by name, as plain data.
            about: what never changes; sent where nothing is left out.
            per: how many steps make a unit of x: where x is whole steps over it, it is sent as those.
        """
        known = have is not None and have == self._version and figures.keys() == self._figures.keys()
        content: dict[str, Any] = {"since": self._version if known else 0} | ({} if known else {"about": about})
        content["parts"] = {name: part for name, part in parts.items() if not known or part != self._parts.get(name)}
        columns = _Columns(per)
        changes = {name: _change(self._figures[name] if known else None, figure, columns) for name, figure in figures.items()}
        content["figures"] = {name: change for name, change in changes.items() if change}
        self._version, self._parts, self._figures = next(_versions), parts, figures
        text = json.dumps({"version": self._version, **content}, separators=(",", ":"), allow_nan=False).encode()
        return len(text).to_bytes(4, "little") + text + columns.bytes


class _Columns:
    """Collects the bytes of columns."""

    def __init__(self, per: int) -> None:
        self.bytes = b""
        self._per = per

    def add(self, name: str, values: npt.NDArray[Any]) -> list[Any]:
        """The column as it stands in the JSON."""
        if values.dtype.kind not in "iuf":
            return ["list", plain(values)]
        per = self._per if name == "x" else 1
        scaled = values.astype(np.float64) * per
        exact = (np.abs(scaled) < MOST_EXACT).all()  # false for NaN
        whole = np.round(scaled).astype(np.int64) if exact else np.zeros(0, np.int64)
        differences = np.diff(whole)
        if whole.size and np.array_equal((whole / per).astype(values.dtype), values) and _fit_a_byte(differences):
            self.bytes += differences.astype(np.uint8).tobytes()
            return ["steps", len(values), int(whole[0]), per]
        narrow = narrow_floats(values.astype(np.float64))
        little_endian = narrow.astype(narrow.dtype.newbyteorder("<"), copy=False)
        self.bytes += little_endian.tobytes()
        return [narrow.dtype.str[1:], len(values)]


def _fit_a_byte(differences: npt.NDArray[np.int64]) -> bool:
    return not differences.size or bool(differences.min() >= 0 and differences.max() <= LONGEST_STEP)


def _change(before: Figure | None, after: Figure, columns: _Columns) -> dict[str, Any]:
    """What makes one figure of another, nothing where they are equal; or of none, or of one that looked otherwise, all of it."""
    change: dict[str, Any] = {}
    fixed = [_fixed(trace) for trace in after["data"]]
    layout = {name: value for name, value in after["layout"].items() if name != "template"}
    if before is None or fixed != [_fixed(trace) for trace in before["data"]] or before["layout"].keys() - after["layout"].keys():
        change["data"], old = plain(fixed), [Trace() for _ in fixed]
    else:
        layout = {name: value for name, value in layout.items() if before["layout"].get(name) != value}
        old = before["data"]
    if layout:
        change["layout"] = plain(layout)
    traces: dict[int, dict[str, Any]] = {}
    for index, (known, trace) in enumerate(zip(old, after["data"], strict=True)):
        keep = kept_points(known, trace)
        if keep < max(_length(known), _length(trace)):
            traces[index] = {"keep": keep} | {name: columns.add(name, np.asarray(trace[name])[keep:]) for name in COLUMNS if name in trace}
    if traces:
        change["traces"] = traces
    return change


def _fixed(trace: Trace) -> Trace:
    """All of a trace but its points; of those, that there are some."""
    return {name: [] if name in COLUMNS else value for name, value in trace.items()}


def kept_points(old: Trace, new: Trace) -> int:
    """How many points at the beginning two traces have in common."""
    common = min(_length(old), _length(new))
    same = np.ones(common, dtype=bool)
    for name in COLUMNS:
        if name in old:
            before, after = np.asarray(old[name])[:common], np.asarray(new[name])[:common]
            same &= (before == after) | ((before != before) & (after != after))  # noqa: PLR0124  NaN, a gap, is the same as NaN
    return common if same.all() else int(same.argmin())


def _length(trace: Trace) -> int:
    return len(trace.get("x", ()))
