"""The live chart: a figure that is updated in place, so that nothing blinks and zoom stays.

`st.plotly_chart` builds a new chart for every changed figure. This component keeps one `<div>` and lets `Plotly.react` change it.
"""

import base64
import functools
import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from filecmp import cmp
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from mlp_core.words import Message
from pages.figures.figure import Figure
from pages.language import ENGLISH, _, current
from pages.ui.served_component import served_component
from pages.ui.unbroken import unbroken

STATIC = Path(__file__).parents[2] / "static"
SHORT = 16  # values; below this a list of numbers is sent as it is: exact, and hardly longer
RESOLUTION = 1e-4  # of a data range: finer than a pixel of the largest screen
PLAIN_KEYS = frozenset({"customdata", "text", "hovertext", "ids", "range", "tickvals", "colorscale"})

PLOTLY_WORDS = (  # of the buttons above a chart, and what it says of itself
    *(Message("Download plot as a PNG"), Message("Zoom"), Message("Pan"), Message("Reset axes")),
    *(Message("Preparing image - this may take a few seconds"), Message("Image download succeeded")),
    Message("Sorry, there was a problem downloading your image!"),
    *(Message("Double-click to zoom back out"), Message("Double-click on legend to isolate one trace")),
)

logger = logging.getLogger(__name__)


class Payload(dict[str, Any]):
    """A figure as it is sent: what `figure_payload` made."""

    @functools.cached_property
    def encoded(self) -> bytes:
        """The figure as JSON."""
        return json.dumps(self, separators=(",", ":"), allow_nan=False).encode()


@dataclass(frozen=True)
class Click:
    """A click on a point or a heatmap cell: where that lies, and its customdata, or its text if it has none, as the browser sent them."""

    x: Any
    y: Any
    data: Any

    @property
    def place(self) -> tuple[float, float] | None:
        """Where it lies, on two axes of numbers."""
        numbers = [float(part) for part in (self.x, self.y) if isinstance(part, int | float) and abs(part) <= sys.float_info.max]
        return (numbers[0], numbers[1]) if len(numbers) == 2 else None


def live_chart(
    figure: Figure | Payload, *, key: str, height: int | None = None, alt: str, on_click: Callable[[Click], None] | None = None
) -> None:
    """Show a figure and update it in place whenever this is called again with the same key.

    Args:
        figure: the figure, or what `figure_payload` made of it: a page that shows one figure many times keeps that.
        key: names the chart on its page; also the file name of a saved picture.
        height: in pixels, fixed, so that nothing on the page jumps; by default the figure's own.
        alt: what the picture shows, for those who cannot see it.
        on_click: what a click on a point or a heatmap cell does, before the page (or the fragment) runs again. Where another click cuts
            it short it begins anew, so what may be done but once comes last.

    Where plotly's script cannot be served the chart is Streamlit's own: it blinks, and reports no clicks.
    """
    height = figure["layout"]["height"] if height is None else height
    if (script := ensure_plotly_js()) is None:
        import pandas  # noqa: F401, PLC0415  plotly looks for it among the imported modules, and trips over one that a thread is importing

        data = figure["data"] or [{"type": "scatter"}]  # of a figure without traces plotly would raise an exception that it does not have
        st.plotly_chart({**figure, "data": data}, key=key, height=height, alt=alt)
        return
    about = json.dumps(
        {"script": script, "height": height, "alt": alt, "name": key, "clickable": on_click is not None, "words": plotly_words()}
    )
    # As bytes: what Streamlit is given as a dict it turns into JSON twice, to send it and to name it.
    data = b'{"about":' + about.encode() + b',"figure":' + figure_payload(figure).encoded + b"}"
    callbacks = {"on_clicks_change": unbroken(functools.partial(_take_clicks, key, on_click))} if on_click is not None else {}
    state = served_component("live_chart", Message("This chart"))(key=key, data=data, height=height, **callbacks)
    if on_click is not None and _taken(key) not in st.session_state:
        st.session_state[_taken(key)] = set(_clicks(state))  # a tab that has outlived its server sends clicks that were taken there


def plotly_words() -> dict[str, str]:
    """Plotly's own words in the language of who looks, by their English; none in English."""
    return {} if current() is ENGLISH else {str(word): _(word) for word in PLOTLY_WORDS}


def _take_clicks(key: str, act: Callable[[Click], None]) -> None:
    """Do what the last clicks on a chart ask for, each once: the browser sends the last few, so that none replaces another on its way."""
    clicks, taken = _clicks(st.session_state.get(key)), st.session_state.setdefault(_taken(key), set())
    for name, click in clicks.items():
        if name not in taken:
            act(click)
            taken.add(name)
    taken.intersection_update(clicks)


def _clicks(state: object) -> dict[str, Click]:
    """The clicks in a chart's state by their names, the oldest first; what is none, as no browser sends it, is left out."""
    sent, clicks = state.get("clicks") if isinstance(state, Mapping) else None, {}
    for one in sent if isinstance(sent, list) else ():
        match one:
            case {"id": str(name), "x": x, "y": y, "data": data}:
                clicks[name] = Click(x, y, data)
    return clicks


def _taken(key: str) -> str:
    return f"_taken_{key}"


@functools.cache
def ensure_plotly_js() -> str | None:
    """Put plotly.min.js of the installed plotly package where Streamlit serves it: 4.8 MB that need no place in the repository.

    Returns:
        Its URL relative to the app, or None where it cannot be served: the folder cannot be written, or Streamlit's static serving is off.
    """
    if not st.get_option("server.enableStaticServing"):
        return None
    served = STATIC / "plotly.min.js"
    with as_file(files("plotly") / "package_data" / "plotly.min.js") as packaged:
        try:
            if not (served.exists() and cmp(packaged, served, shallow=False)):
                _replace(served, packaged)
        except OSError as error:
            logger.warning("plotly.min.js cannot be served from %s (%s): charts blink at updates", STATIC.name, error)
            return None
    return f"app/static/{served.name}?v={served.stat().st_size}"


def _replace(target: Path, source: Path) -> None:
    """Copy in one step, so that no browser and no second server sees half a file."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    os.close(handle)
    try:
        shutil.copyfile(source, name)
        os.chmod(name, 0o644)
        os.replace(name, target)
    except OSError:
        os.unlink(name)
        raise


def figure_payload(figure: Figure | Payload) -> Payload:
    """A figure as JSON, about half as long as plotly's own: no template, and numbers as typed arrays no wider than a screen can show.

    Returns:
        `{"data": […], "layout": {…}}`, with no NaN or infinity outside typed arrays, since JSON has none.
    """
    if isinstance(figure, Payload):
        return figure
    layout = {key: value for key, value in figure["layout"].items() if key != "template"}
    return Payload(data=[_packed(trace) for trace in figure["data"]], layout=plain(layout))


def _packed(value: Any, key: str = "") -> Any:
    """A trace or a part of it, with its long arrays of numbers as typed arrays."""
    if isinstance(value, Mapping):
        return {name: _packed(part, name) for name, part in value.items()}
    if key in PLAIN_KEYS or not isinstance(value, np.ndarray | list | tuple):
        return plain(value)
    array = _numbers(value)
    return plain(value) if array is None or array.size <= SHORT else _typed(array)


def plain(value: Any) -> Any:
    """Any value as JSON has it."""
    if type(value) in (str, int, bool):  # most of them
        return value
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _numbers(values: np.ndarray[Any, Any] | Sequence[Any]) -> np.ndarray[Any, Any] | None:
    """Values as a rectangular array of integers or floats, None becoming NaN; or nothing if they are something else."""
    try:
        array = np.asarray(values)
        if array.dtype == object:
            array = array.astype(np.float64)
    except (ValueError, TypeError):
        return None
    return array if array.dtype.kind in "iuf" else None


def _typed(array: np.ndarray[Any, Any]) -> dict[str, str]:
    """plotly's typed array: base64 of the narrowest type that shows the same picture."""
    whole = np.isfinite(array).all() and (array == np.trunc(array)).all()  # steps and epochs often come as floats
    array = _narrow_integers(array) if whole else narrow_floats(array)
    little_endian = array.astype(array.dtype.newbyteorder("<"), copy=False)
    typed = {"dtype": array.dtype.str[1:], "bdata": base64.b64encode(little_endian.tobytes()).decode("ascii")}
    return typed if array.ndim == 1 else typed | {"shape": ", ".join(map(str, array.shape))}


def _narrow_integers(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    low, high = int(array.min()), int(array.max())
    for name in ("u1", "i1", "u2", "i2", "u4", "i4"):
        bounds = np.iinfo(name)
        if bounds.min <= low and high <= bounds.max:
            return array.astype(name)
    return array.astype(np.float64)  # JavaScript's typed numbers end at 32 bits


def narrow_floats(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """float32, unless a value would leave its range (gradient norms do) or the array's span would be resolved too coarsely."""
    finite = array[np.isfinite(array)].astype(np.float64)
    sizes = np.abs(finite[finite != 0])
    limits = np.finfo(np.float32)
    if sizes.size and not (limits.tiny <= sizes.min() and sizes.max() <= limits.max):
        return array.astype(np.float64)
    coarse = sizes.size and sizes.max() * limits.eps > RESOLUTION * np.ptp(finite) > 0
    return array.astype(np.float64 if coarse else np.float32)
