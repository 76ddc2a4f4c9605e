"""The live chart at work, for the browser tests: one that changes four times a second, one that stands still, two to click on.

At `?slow=0.5` every run of the page first takes half a second in which nothing can interrupt it.
"""

from __future__ import annotations

import time

import numpy as np
import streamlit as st

from pages.figures.axes import axis
from pages.figures.figure import Figure, figure, heatmap, scatter
from pages.ui.live_chart import Click, live_chart

STEPS = np.arange(400.0)


def waves(update: int) -> Figure:
    """Two curves that move on with every update."""
    phases = {"training": 0.0, "test": 0.6}
    curves = [scatter(x=STEPS, y=2 + np.sin(STEPS / 40 + update / 4 + phase), name=name) for name, phase in phases.items()]
    return figure(curves, xaxis=axis("step"), yaxis=axis("loss"))


def cells() -> Figure:
    """A heatmap of 4 rows and 5 columns whose cell (i, j) holds 10 i + j."""
    values = np.add.outer(10 * np.arange(4), np.arange(5))
    return figure([heatmap(z=values)], hovermode="closest")


def points() -> Figure:
    """Two traces of four points, each point with customdata; both answer to a hover over their common x."""
    high = scatter(x=[1, 2, 3, 4], y=[10, 20, 15, 5], mode="markers", marker={"size": 16}, customdata=["a", "b", "c", "d"])
    low = scatter(x=[1, 2, 3, 4], y=[1, 2, 3, 4], mode="markers", marker={"size": 16}, customdata=["e", "f", "g", "h"])
    return figure([high, low])


@st.fragment(run_every=0.25)
def moving() -> None:
    """What changes four times a second, and beside it a chart that does not."""
    update = st.session_state["updates"] = st.session_state.get("updates", 0) + 1
    live_chart(waves(update), key="moving", height=320, alt="Two waves")
    live_chart(waves(0), key="still", height=200, alt="Two waves that stand still")
    st.text(f"Update {update}")


def clicked(name: str, shown: Figure) -> None:
    """A chart, and below it the last click on it and how many there were."""
    seen: list[Click] = st.session_state.setdefault(f"{name} seen", [])
    live_chart(shown, key=name, height=300, alt=name, on_click=seen.append)
    st.text(f"{name}: {len(seen)} clicks; {seen[-1] if seen else 'none'}")


st.set_page_config(layout="wide")
time.sleep(float(st.query_params.get("slow", 0)))
st.text(f"Garbage collection after a run: {st.get_option('runner.postScriptGC')}")
if st.toggle("Show the moving chart", value=True):
    moving()
clicked("cells", cells())
clicked("points", points())
