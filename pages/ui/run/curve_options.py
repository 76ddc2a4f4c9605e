"""How the curves of a run are drawn: one popover beside them, and what shows a spike that was clipped."""

import streamlit as st

from mlp_core.bounds import SpecError
from mlp_core.words import Message, exactly, joined
from pages.figures.figure import Figure
from pages.figures.series import SMOOTHING_EPOCHS
from pages.figures.training import CurveOptions, is_clipped
from pages.language import _
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
    place = st.popover(
        _("Scales"), icon=":material/tune:", key="curve_axes", help=_("Logarithmic axes, smoothing, ranges."), on_change="rerun"
    )
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
    help = _("Equal ratios look equal: shows whether a small loss still falls.")
    st.toggle(_("Logarithmic loss axis"), help=help, **panel.value("log_y"))
    st.toggle(_("Logarithmic epoch axis"), help=_("Shows the first steps, in which most happens."), **panel.value("log_x"))
    help = _("End the loss axis below single spikes. A triangle at its edge marks each, and the highest is named.")
    st.toggle(_("Clip single spikes"), help=help, **panel.value("clip"))
    help = _("Each minibatch is averaged with those before and after it (two-sided): the curve is not late, but its end still moves.")
    st.select_slider(_("Smoothing"), SMOOTHINGS, format_func=_smoothing, help=help, **panel.value("smoothing"))
    low, high = st.columns(2)
    low.number_input(_("Loss from"), placeholder=_("automatic"), format="%g", **panel.value("loss_low", min_value=0.0))
    high.number_input(_("Loss to"), placeholder=_("automatic"), format="%g", **panel.value("loss_high", min_value=0.0))
    st.slider(_("Accuracy (%)"), **panel.value("accuracy_range", min_value=0, max_value=100, step=5))
    if refused is not None:
        if refused.field == "loss_range":
            why = Message("The loss axis cannot reach from {ends}: its lower end must be below its upper end.", ends=refused.value)
        else:
            why = Message("The accuracy axis cannot reach from {ends}: its lower end must be below its upper end.", ends=refused.value)
        st.error(_(joined(why, Message("Both axes stay automatic."))), icon=":material/error:")


def spike_words(loss: Figure, options: CurveOptions) -> str:
    """What a button beside the loss curve says that shows the spikes which are left out, or clips them again; empty where there is none."""
    if not options.clip:
        return _("Clip spikes")
    return _("Show the spike") if is_clipped(loss) else ""


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
    if epochs == 0:
        return _("off")
    return _("± 1 epoch") if epochs == 1 else _("± {epochs} epochs", epochs=exactly(epochs))
