"""A page whose fields live in its link, one of them drawn only on request; with `elsewhere` set, another page that draws none of them.

With `cut_short` set, the run ends before its end, as a click in the middle of it would have it.
"""

import streamlit as st

from mlp_core.spec import Bounds
from pages.ui.link import LinkState, choices, number, span, stop

if st.session_state.get("elsewhere"):
    st.stop()

BOUNDS = Bounds(-20, 20)
FIELDS = (
    number("x", 1.0, BOUNDS),
    stop("step", "1", ("0.5", "1", "2")),
    choices("show", ("a",), ("a", "b")),
    span("range", (-8.0, 8.0), BOUNDS),
)

link = LinkState("linked", FIELDS)
link.show_errors()
st.multiselect("Show", **link.default("show"))
low, high = link["range"]
if "b" in link["show"]:
    st.selectbox("Step", **link.index("step"))
link["x"] = link.fitted("x", min(max(link["x"], low), high), "must lie within the range")
st.slider("x", step=0.5, **link.value("x", min_value=low, max_value=high))
st.slider("Range", **link.value("range"))
st.text(f"{link['x']:g} {link['step']} {','.join(link['show'])} {low:g}..{high:g}")
if st.session_state.get("cut_short"):
    st.stop()
link.write()
