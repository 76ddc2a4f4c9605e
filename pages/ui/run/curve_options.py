"""How the curves of a run are drawn: one popover beside them, and what shows a spike that was clipped."""

import streamlit as st

from mlp_core.bounds import SpecError
from mlp_core.words import exactly
from pages.figures.figure import Figure
from pages.figures.series import SMOOTHING_EPOCHS
from pages.figures.training import CurveOptions, is_clipped
from pages.ui.widget_values import WidgetValues

SMOOTHINGS = (0.0, 0.01, 0.02, SMOOTHING_EPOCHS, 0.1, 0.2, 0.5, 1.0)  # epochs
DEFAULTS = {
    "log_y": False,
    "log_x": False,
    "clip": True,
    "smoothing": SMOOTHING_EPOCHS,
    "loss_low": None,
    "loss_high": None,
    "accuracy_range": (0, 100),
}


def curve_options() -> CurveOptions:
    """A button as wide as its word, in whose popover the axes and the smoothing of both curves are chosen; and what is chosen there."""
    panel = _panel()
    place = st.popover("Axes", icon=":material/tune:", key="curve_axes", help="Logarithmic axes, smoothing, ranges.", on_change="rerun")
    try:
        options, refused = _options(panel), None
    except SpecError as error:
        options, refused = CurveOptions(panel["log_y"], panel["log_x"], panel["smoothing"], clip=panel["clip"]), error
    if place.open:
        with place:
            _widgets(panel, refused)
    panel.keep()
    return options


def _widgets(panel: WidgetValues, refused: SpecError | None) -> None:
    """What is drawn, and sent, once somebody opens it."""
    st.toggle("Logarithmic loss axis", help="Equal ratios look equal: shows whether a small loss still falls.", **panel.value("log_y"))
    st.toggle("Logarithmic epoch axis", help="Shows the first steps, in which most happens.", **panel.value("log_x"))
    help = "End the loss axis below single spikes. A triangle at its edge marks each, and the highest is named."
    st.toggle("Clip single spikes", help=help, **panel.value("clip"))
    help = "Each minibatch is averaged with those before and after it (two-sided): the curve is not late, but its end still moves."
    st.select_slider("Smoothing", SMOOTHINGS, format_func=_smoothing, help=help, **panel.value("smoothing"))
    low, high = st.columns(2)
    low.number_input("Loss from", placeholder="automatic", format="%g", **panel.value("loss_low", min_value=0.0))
    high.number_input("Loss to", placeholder="automatic", format="%g", **panel.value("loss_high", min_value=0.0))
    st.slider("Accuracy (%)", **panel.value("accuracy_range", min_value=0, max_value=100, step=5))
    if refused is not None:
        name = refused.field.removesuffix("_range")
        words = f"The {name} axis cannot reach from {refused.value}: its lower end must be below its upper end. Both axes stay automatic."
        st.error(words, icon=":material/error:")


def spike_words(loss: Figure, options: CurveOptions) -> str:
    """What a button beside the loss curve says that shows the spikes which are left out, or clips them again; empty where there is none."""
    if not options.clip:
        return "Clip spikes"
    return "Show the spike" if is_clipped(loss) else ""


def turn_clipping() -> None:
    """Clip spikes where they are shown, and show them where they are clipped."""
    panel = _panel()
    panel["clip"] = not panel["clip"]


def clips_spikes() -> bool:
    """Whether spikes are clipped, by what was chosen last."""
    clip: bool = _panel()["clip"]
    return clip


def _panel() -> WidgetValues:
    return WidgetValues("curves", DEFAULTS, prefix="curve_")


def _options(panel: WidgetValues) -> CurveOptions:
    accuracy = tuple(panel["accuracy_range"])
    return CurveOptions(
        log_y=panel["log_y"],
        log_x=panel["log_x"],
        smoothing=panel["smoothing"],
        loss_range=(panel["loss_low"], panel["loss_high"]),
        accuracy_range=(None, None) if accuracy == DEFAULTS["accuracy_range"] else accuracy,
        clip=panel["clip"],
    )


def _smoothing(epochs: float) -> str:
    return f"± {'1 epoch' if epochs == 1 else f'{exactly(epochs)} epochs'}" if epochs else "off"
