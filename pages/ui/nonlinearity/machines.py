"""The section "One machine, different ends": five models of the book as one network with another last layer, each a click from trained."""

from typing import Any, NamedTuple

import streamlit as st

from mlp_core.labs.nonlinearity.plane import SHAPES
from mlp_core.losses import LOSSES
from mlp_core.spec import weight_count
from mlp_core.words import Message
from pages.language import _
from pages.ui.link import LinkState
from pages.ui.nonlinearity.playground import PLAYING
from pages.ui.nonlinearity.settings import SPIRAL, settings_for
from pages.ui.sections import PARAMETER
from pages.ui.unbroken import button


class Machine(NamedTuple):
    """A model of the book: what it is called, its loss, its hidden widths, and the playground's fields that set it up."""

    name: str
    loss: str
    hidden: tuple[int, ...]
    fields: dict[str, Any]

    @property
    def sizes(self) -> tuple[int, ...]:
        outputs = SHAPES[self.fields["data"]].classes if self.loss == "cross_entropy" else 1
        return (2, *self.hidden, outputs)


ONE_LAYER: dict[str, Any] = {"deep": 0, "epochs": 100, "pace": "full"}
MACHINES = (
    Machine(Message("Linear regression"), "squared", (), ONE_LAYER | {"data": "plane", "noise": 20, "lr": "0.01"}),
    Machine(Message("Logistic regression"), "logistic", (), ONE_LAYER | {"data": "gaussians"}),
    Machine(Message("Softmax regression"), "cross_entropy", (), ONE_LAYER | {"data": "three"}),
    Machine(Message("Binary MLP"), "logistic", (8,), {"data": "circle", "deep": 1, "epochs": 100, "pace": "full"}),
    Machine(Message("Multiclass MLP"), "cross_entropy", (8, 8), SPIRAL | {"data": "arms", "epochs": 150, "pace": "full"}),
)


def section(link: LinkState) -> None:
    """A table of the machines, and a way into each."""
    st.markdown(
        _(
            "Five models of the book, one machine: a network whose **last layer** and **loss** change. Without a hidden layer it is a "
            "regression, with one an MLP. Each opens in *XOR and friends* and trains there, by the same code."
        )
    )
    st.dataframe([_row(machine) for machine in MACHINES], hide_index=True)
    with st.container(horizontal=True):
        for machine in MACHINES:
            free = link.may_take(_fields(machine))
            button(_("{model}, trained", model=machine.name), f"open_{machine.name}", "open_in_new", _open, link, machine, enabled=free)
    st.markdown(_("**Logistic regression is softmax regression with two classes**, where only the difference of the two outputs counts:"))
    st.latex(
        r"\begin{aligned}\operatorname{softmax}(0, o)_2 &= \frac{e^{o}}{e^{0} + e^{o}}\\[0.5em]"
        r" &= \frac{1}{1 + e^{-o}} = \sigma(o)\end{aligned}"
    )


def _row(machine: Machine) -> dict[str, object]:
    sizes, loss = machine.sizes, LOSSES[machine.loss]
    return {
        _("model"): _(machine.name),
        _("hidden layers"): " → ".join(map(str, machine.hidden)) or _("none"),
        _("last W"): f"({sizes[-2]} × {sizes[-1]})",
        _("last b"): f"({sizes[-1]},)",
        _("output"): f"(n × {sizes[-1]}), {loss.output}",
        _("loss"): loss.formula,
        _("ends in"): _(loss.label),
        _("points"): _(SHAPES[machine.fields["data"]].label),
        _("parameters"): weight_count(sizes),
    }


def _open(link: LinkState, machine: Machine) -> None:
    link.update(_fields(machine))
    st.session_state[PLAYING] = True


def _fields(machine: Machine) -> dict[str, Any]:
    return settings_for(machine.fields) | {PARAMETER: "playground"}
