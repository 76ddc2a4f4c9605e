"""The section "Weight decay": 200 weights on 20 points, trained on the spot for the λ that the slider names; three routes to it."""

from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import streamlit as st

from mlp_core.labs.generalization import weight_decay
from mlp_core.labs.generalization.bands import SeedBand, compare
from mlp_core.labs.generalization.weight_decay import INPUTS, TRUE_WEIGHT, Paths, RouteDistances, Setting, Swept, Trained
from mlp_core.spec import MAX_SEED, Bounds
from mlp_core.words import exactly, fixed, significant
from pages.figures.axes import axis, log_axis
from pages.figures.bands import BandSeries, band_chart
from pages.figures.marks import Marks
from pages.figures.palette import GREEN, GREY, ORANGE, PURPLE, SKY, TEST, TRAIN, VERMILION
from pages.figures.regression import ordered_weights, penalty_axis, penalty_places
from pages.ui.computing import computed
from pages.ui.generalization.runs import banded, in_words
from pages.ui.link import LinkState, number, stop
from pages.ui.live_chart import live_chart
from pages.ui.measures import Computed, Measure, Values, once
from pages.ui.presets import Preset, preset_row
from pages.ui.sections import beside

JOB = "decay"
SEEDS = 10
DECAYS = (0.0, *(round(step * 10.0**power, 6) for power in range(-3, 2) for step in (1, 1.5, 2, 3, 5, 7)), 100.0)
Decays = tuple[float, ...]
CHART_HEIGHT = 300
TRUE_NORM = TRUE_WEIGHT * INPUTS**0.5
WORSE = 100.0  # times the loss at the beginning: no training that overfits comes near it
FIELDS = (
    stop("decay", 3.0, DECAYS, least=DECAYS[1]),
    number("decay_lr", 0.003, weight_decay.EDITION_BOUNDS["lr"]),
    number("decay_epochs", 100, weight_decay.EDITION_BOUNDS["epochs"]),
    number("decay_std", 1.0, weight_decay.EDITION_BOUNDS["init_std"]),
    number("decay_count", 20, weight_decay.EDITION_BOUNDS["train_count"]),
    number("decay_seed", 0, Bounds(0, MAX_SEED, whole=True)),
)
CHINESE = {field.name: field.default for field in FIELDS if field.name != "decay_seed"}
ENGLISH = CHINESE | {"decay_lr": 0.01, "decay_epochs": 10, "decay_std": 0.01}
PRESETS = {
    "Chinese edition, λ = 3": Preset(
        CHINESE,
        "Section 4.5: weights begin as N(0, 1), lr 0.003, 100 epochs.",
    ),
    "Chinese edition, λ = 0": Preset(
        CHINESE | {"decay": 0.0},
        "The training points are learned by heart.",
    ),
    "English edition, λ = 3": Preset(
        ENGLISH,
        "Section 3.7: weights begin as N(0, 0.01²), lr 0.01, 10 epochs. Its printed run: “L2 norm of w” 0.0016, which is ‖w‖²/2.",
    ),
    "English edition, λ = 0": Preset(ENGLISH | {"decay": 0.0}, "Its printed run: “L2 norm of w” 0.0092, which is ‖w‖²/2."),
}
STEPS_EPOCHS, MOST_STEPS = 20, 200  # enough to see it
LARGEST_NORM = 1e3  # beyond it a training has diverged: weights begin at a norm of about 14
DRAWN_AT_LEAST = 1e-9  # where no difference at all is drawn


def _sweep(setting: Setting, decays: Decays, seed: int) -> Generator[float, None, Swept]:
    return weight_decay.sweep(setting, decays, range(seed, seed + SEEDS))


def _chosen(swept: Swept, column: int) -> Paths:
    """Without a penalty and with one of them, over the epochs."""
    paths, columns = swept.l2_paths, [0, column]
    return Paths(paths.train[..., columns], paths.test[..., columns], paths.norm[..., columns])


class Decayed(NamedTuple):
    """What was trained with a penalty: `column` says with which λ."""

    swept: Swept
    column: int

    def median(self, quantity: str, after: int | None) -> float:
        """Over the seeds: "train", "test" or "norm" after so many epochs, all by default."""
        values = getattr(self.swept.l2_paths, quantity)
        return float(SeedBand.of(values[-1 if after is None else after, :, self.column]).median)

    @property
    def chance(self) -> float:
        """How often luck alone parts the test losses from those without a penalty at least so unevenly."""
        return compare(self.swept.l2.test[:, self.column], self.swept.l2.test[:, 0]).chance


def _path(label: str, meaning: str, quantity: str) -> Measure:
    return Measure(label, f"{meaning}, median of {SEEDS} seeds", "number", lambda one, after: one.median(quantity, after), per_epoch=True)


MEASURES = {
    "train_loss": _path("Training loss", "½(ŷ − y)² on the training points, without the penalty", "train"),
    "test_loss": _path("Test loss", "½(ŷ − y)² on 100 points that were held out", "test"),
    "weight_norm": _path("Norm ‖w‖ of the weights", f"Euclidean norm of all {INPUTS}", "norm"),
    "zeros_l1": once("Weights of exactly 0 with L1", "Of the first seed, with this λ", "count", lambda one: _zeros(one.swept.l1, one)),
    "zeros_l2": once("Weights of exactly 0 with L2", "Of the first seed, with this λ", "count", lambda one: _zeros(one.swept.l2, one)),
    "chance_test_loss": once(
        "Chance that luck alone parts the test losses so",
        f"Two-sided sign test: for how many of {SEEDS} seeds the loss is lower with the penalty than without", "fraction",
        lambda found: next(iter(found.values())).chance, of_all=True,
    ),
}  # fmt: skip


def _zeros(trained: Trained, one: Decayed) -> float:
    return float((trained.weights[0, one.column] == 0).sum())


def subject(values: Values) -> Computed:
    """The λ that the link says, and beside it none."""
    asked = setting, decays, _ = _asked(values, sorted({*DECAYS, values["decay"]}))
    chosen = {f"λ = {exactly(decay)}": decays.index(decay) for decay in dict.fromkeys((values["decay"], 0.0))}
    labels = tuple(chosen) if len(chosen) > 1 else ()

    def results(swept: Swept) -> dict[str, Decayed]:
        return {label if labels else "": Decayed(swept, column) for label, column in chosen.items()}

    return Computed(MEASURES, labels, results, (JOB, asked), setting.epochs)


def _asked(values: Values, decays: Sequence[float]) -> tuple[Setting, Decays, int]:
    setting = Setting(values["decay_lr"], values["decay_epochs"], values["decay_std"], values["decay_count"])
    return setting, tuple(decays), values["decay_seed"]


def section(link: LinkState) -> None:
    """Choose λ; see what is learned, what is not, and how large the weights become."""
    st.markdown(
        f"**{INPUTS} weights** can learn {link['decay_count']} points by heart. Weight decay adds "
        "$\\frac{\\lambda}{2}\\lVert\\mathbf w\\rVert^2$ to the loss: each step multiplies the weights by $1 - \\eta\\lambda$. "
        f"Every λ is trained anew, from {SEEDS} seeds."
    )
    preset_row(link, "generalization_decay_preset", PRESETS, label_visibility="collapsed")
    controls, results = beside("decay")
    with controls:
        st.select_slider("λ", format_func=exactly, **link.value("decay"))
        _controls(link)
    with results:
        _results(link)


def _results(link: LinkState) -> None:
    asked = _, decays, _ = _asked(link, link.options("decay"))
    column = decays.index(link["decay"])
    doing = f"Training {len(decays)} λ with both penalties from {SEEDS} seeds"
    computed(JOB, asked, partial(_sweep, *asked), lambda swept: _swept(swept, *asked, column), doing)


def _swept(swept: Swept, setting: Setting, decays: Decays, seed: int, column: int) -> None:
    over_epochs, decay = _chosen(swept, column), decays[column]
    _numbers(over_epochs, decay)
    if not (over_epochs.test[-1, :, 1] <= WORSE * over_epochs.test[0, :, 1]).all():  # for some seed
        st.error(
            f"This training **diverges**: {cause_of_divergence(setting.lr * decay)}. Take a smaller learning rate.",
            icon=":material/error:",
        )
    _over_epochs(over_epochs, decay)
    _over_penalties(swept, decays, column)
    _weights(swept, decay, column)
    routes_panel(decay, setting, seed)


def cause_of_divergence(shrinking: float) -> str:
    """Why steps are too large, given ηλ: from 2 on decay alone makes weights larger, whatever the points are."""
    if shrinking > 2:
        factor = significant(1 - shrinking)
        return f"ηλ = {significant(shrinking)}, so that every step multiplies the weights by {factor} before it learns anything"
    return "the steps are too large for these points"


def _controls(link: LinkState) -> None:
    st.number_input("Learning rate η", **link.value("decay_lr"))
    st.slider("Epochs", **link.value("decay_epochs"))
    st.number_input("Initial spread of w", **link.value("decay_std"))
    st.slider("Training points", **link.value("decay_count"))
    st.number_input("First seed", **link.value("decay_seed"))
    st.caption(
        "Batches of 5, 100 test points. λ acts on the weights only, as in the book; torch.optim's weight_decay would take the bias too."
    )


def _numbers(over_epochs: Paths, decay: float) -> None:
    """After the last epoch."""
    ends = (values[-1, :, 1] for values in (over_epochs.train, over_epochs.test, over_epochs.norm))
    train_loss, test_loss, norm = (float(SeedBand.of(values).median) for values in ends)
    half_square = float(SeedBand.of(weight_decay.half_square(over_epochs.norm[-1, :, 1])).median)
    with st.container(horizontal=True):
        st.metric("Training loss", significant(train_loss, 2), help=f"½(ŷ − y)² without the penalty, λ = {exactly(decay)}; median.")
        st.metric("Test loss", significant(test_loss, 2), help="On 100 points that were held out; median.")
        st.metric("‖w‖", significant(norm), help=f"Euclidean norm of the {INPUTS} weights. The true one: {significant(TRUE_NORM)}.")
        st.metric(
            "‖w‖²/2",
            significant(half_square, 2),
            help="The penalty without λ. The English edition prints it as “L2 norm of w”.",
        )


def _over_epochs(over_epochs: Paths, decay: float) -> None:
    epochs = np.arange(len(over_epochs.test))
    measured = (over_epochs.train, over_epochs.test, over_epochs.norm)
    train, test, norm = ([values[:, :, column].T for column in (0, 1)] for values in measured)  # without λ and with it
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"###### Losses, λ = {exactly(decay)}")
        curves = [banded("training", epochs, train[1], TRAIN), banded("test", epochs, test[1], TEST)]
        if decay:
            curves.append(banded("test, λ = 0", epochs, test[0], GREY, dash="dot"))
        figure = band_chart(curves, xaxis=axis("epoch"), yaxis=log_axis("½(ŷ − y)²"))
        live_chart(figure, key="decay_losses", height=CHART_HEIGHT, alt="Training and test loss against epochs, with and without decay")
    with right:
        st.markdown("###### Size of the weights, ‖w‖")
        curves = [banded(f"λ = {exactly(decay)}", epochs, norm[1], PURPLE)]
        if decay:
            curves.append(banded("λ = 0", epochs, norm[0], GREY, dash="dot"))
        marks = Marks(log=True)
        marks.level(TRUE_NORM, "true")
        figure = band_chart(curves, xaxis=axis("epoch"), yaxis=log_axis("‖w‖"), marks=marks)
        live_chart(figure, key="decay_norms", height=CHART_HEIGHT, alt="Norm of the weights against epochs, with and without decay")
    st.caption(
        "What the English edition prints as “L2 norm of w” is **‖w‖²/2**, the penalty without λ, and not the norm. "
        f"Medians of {SEEDS} seeds."
    )


def _over_penalties(swept: Swept, decays: Decays, column: int) -> None:
    st.markdown("##### Which λ? L2, L1, and L2 trained to the end")
    places = penalty_places(decays)
    curves = [
        banded("L2, training", places, swept.l2.train, TRAIN),
        banded("L2, test", places, swept.l2.test, TEST),
        banded("L1, test", places, swept.l1.test, PURPLE),
        banded("L2 trained to the end, test", places, swept.converged, GREEN, dash="dash"),
    ]
    best = {}
    for name, values, color in (("L2", swept.l2.test, TEST), ("L1", swept.l1.test, PURPLE)):
        median = SeedBand.of(values).median
        best[name] = at = int(np.argmin(median))
        curves.append(BandSeries(f"best {name}: λ = {exactly(decays[at])}", [places[at]], [median[at]], color, markers=True))
    marks = Marks(log=True)
    marks.level(float(SeedBand.of(swept.guess).median), "w = 0, always the mean")
    figure = band_chart(curves, xaxis=penalty_axis(decays), yaxis=log_axis("½(ŷ − y)²"), marks=marks, here=float(places[column]))
    live_chart(figure, key="decay_penalties", height=400, alt="Losses against λ for both penalties, the best marked")
    chosen = compare(swept.l2.test[:, best["L2"]], swept.guess)
    st.markdown(in_words(chosen, f"the best L2 (λ = {exactly(decays[best['L2']])})", "always the mean", quantity="Test loss"))
    st.caption(
        "The best λ is chosen on the test points themselves, so that it flatters a little. “To the end” is ridge regression from w = 0, in "
        "closed form: where it lies far below the trained curve, weight decay mostly has to make the network forget its first weights."
    )


def _weights(swept: Swept, decay: float, column: int) -> None:
    st.markdown("##### L1 makes zeros, L2 makes small")
    l2, l1, without = swept.l2.weights[0, column], swept.l1.weights[0, column], swept.l2.weights[0, 0]
    shown = {f"L2, λ = {exactly(decay)}": l2, f"L1, λ = {exactly(decay)}": l1}
    figure = ordered_weights(shown, TRUE_WEIGHT, {"λ = 0": without} if decay else None)
    live_chart(figure, key="decay_weights", height=CHART_HEIGHT, alt="The weights in order, for L2 and for L1")
    st.caption(
        f"Weights of exactly 0: **{int((l1 == 0).sum())}** of {INPUTS} with L1, {int((l2 == 0).sum())} with L2 (first seed). An L1 step "
        "moves a weight by ηλ towards 0 and stops there. Here all true weights are equal: few large ones are the wrong guess."
        + (f" Without a penalty weights go from {significant(without.min(), 2)} to {significant(without.max(), 2)}." if decay else "")
    )


_distances = st.cache_data(max_entries=64, show_spinner=False)(weight_decay.route_distances)


def routes_panel(decay: float, setting: Setting, seed: int) -> None:
    """The penalty in the loss against weight_decay of the optimizer, for SGD and for Adam, on real numbers."""
    st.markdown("##### A penalty in the loss, or `weight_decay` of the optimizer: the same?")
    if decay == 0.0:
        st.info("At λ = 0 there is nothing to compare. Choose another λ.", icon=":material/info:")
        return
    most = max(1, MOST_STEPS // -(-setting.train_count // setting.batch_size))
    short = replace(setting, epochs=min(setting.epochs, STEPS_EPOCHS, most))
    sgd, adam = (_distances(name, decay, short, seed) for name in ("sgd", "adam"))
    if not all(routes.norms["penalty"] < LARGEST_NORM for routes in (sgd, adam)):
        st.info("With this learning rate the training diverges by every route: nothing to compare.", icon=":material/info:")
        return
    steps = np.arange(1, len(sgd.optimizer) + 1)
    lines = (
        ("SGD(weight_decay=λ)", sgd.optimizer, SKY, "solid"),
        ("SGD, w shrunk by 1 − ηλ", sgd.decoupled, GREEN, "dash"),
        ("Adam(weight_decay=λ)", adam.optimizer, ORANGE, "dot"),
        ("AdamW, w shrunk by 1 − ηλ", adam.decoupled, VERMILION, "solid"),
    )
    curves = [BandSeries(label, steps, np.maximum(values, DRAWN_AT_LEAST), color, dash=dash) for label, values, color, dash in lines]
    left, right = st.columns([1.6, 1], gap="medium")
    with left:
        figure = band_chart(curves, xaxis=axis("step"), yaxis=log_axis("largest |w − w′|", range=[-9.3, 1.5]))
        live_chart(figure, key="decay_routes", height=330, alt="Distance of each route from the penalty in the loss, by step")
    with right:
        rows = [_row("SGD", sgd), _row("Adam", adam)]
        st.dataframe(rows, hide_index=True, column_config={"": st.column_config.TextColumn(width="small")})
        st.markdown(_verdict(sgd, adam))
        st.caption(
            f"The curves: distance from λ/2 ‖w‖² in the loss of the same optimizer. Float32; SGD lr {exactly(setting.lr)}, "
            f"Adam lr {exactly(weight_decay.ADAM_LR)}."
        )


def _row(name: str, routes: RouteDistances) -> dict[str, str]:
    return {
        "": name,
        "‖w‖, penalty in the loss": fixed(routes.norms["penalty"], 6),
        "weight_decay=λ": fixed(routes.norms["optimizer"], 6),
        "w ← (1 − ηλ)w": fixed(routes.norms["decoupled"], 6),
    }


def _verdict(sgd: RouteDistances, adam: RouteDistances) -> str:
    rounding = float(np.maximum(sgd.optimizer, sgd.decoupled).max())
    elsewhere, again = float(adam.decoupled.max()), float(adam.optimizer.max())
    return (
        f"**SGD**: all three are one, but for rounding ({_apart(rounding)}). **Adam**: a gradient that holds λw is divided by its own "
        f"size, so that shrinking w itself (AdamW) goes elsewhere: {_apart(elsewhere)}. `Adam(weight_decay=λ)` is the penalty again "
        f"({_apart(again)}), not decay."
    )


def _apart(distance: float) -> str:
    return f"{significant(distance, 1)} apart" if distance else "no difference at all"
