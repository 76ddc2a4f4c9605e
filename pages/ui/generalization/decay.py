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
from mlp_core.words import Message, exactly, fixed, joined, significant
from pages.figures.axes import axis, log_axis
from pages.figures.bands import BandSeries, band_chart
from pages.figures.marks import Marks
from pages.figures.palette import GREEN, GREY, ORANGE, PURPLE, SKY, TEST, TRAIN, VERMILION
from pages.figures.regression import ordered_weights, penalty_axis, penalty_places
from pages.language import _
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
PRESETS: dict[str, Preset] = {
    Message("Chinese edition, λ = 3"): Preset(
        CHINESE,
        Message("Section 4.5: weights begin as N(0, 1), lr 0.003, 100 epochs."),
    ),
    Message("Chinese edition, λ = 0"): Preset(
        CHINESE | {"decay": 0.0},
        Message("The training points are learned by heart."),
    ),
    Message("English edition, λ = 3"): Preset(
        ENGLISH,
        Message("Section 3.7: weights begin as N(0, 0.01²), lr 0.01, 10 epochs. Its printed run: “L2 norm of w” 0.0016, which is ‖w‖²/2."),
    ),
    Message("English edition, λ = 0"): Preset(
        ENGLISH | {"decay": 0.0}, Message("Its printed run: “L2 norm of w” 0.0092, which is ‖w‖²/2.")
    ),
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
    return Measure(label, meaning, "number", lambda one, after: one.median(quantity, after), per_epoch=True)


MEASURES = {
    "train_loss": _path(
        Message("Training loss"),
        Message("½(ŷ − y)² on the training points, without the penalty, median of {seeds} seeds", seeds=SEEDS), "train",
    ),
    "test_loss": _path(
        Message("Test loss"),
        Message("½(ŷ − y)² on 100 points that were held out, median of {seeds} seeds", seeds=SEEDS), "test",
    ),
    "weight_norm": _path(
        Message("Norm ‖w‖ of the weights"),
        Message("Euclidean norm of all {weights}, median of {seeds} seeds", weights=INPUTS, seeds=SEEDS), "norm",
    ),
    "zeros_l1": once(
        Message("Weights of exactly 0 with L1"), Message("Of the first seed, with this λ"), "count", lambda one: _zeros(one.swept.l1, one),
    ),
    "zeros_l2": once(
        Message("Weights of exactly 0 with L2"), Message("Of the first seed, with this λ"), "count", lambda one: _zeros(one.swept.l2, one),
    ),
    "chance_test_loss": once(
        Message("Chance that luck alone parts the test losses so"),
        Message("Two-sided sign test: for how many of {seeds} seeds the loss is lower with the penalty than without", seeds=SEEDS),
        "fraction",
        lambda found: next(iter(found.values())).chance, of_all=True,
    ),
}  # fmt: skip


def _zeros(trained: Trained, one: Decayed) -> float:
    return float((trained.weights[0, one.column] == 0).sum())


def subject(values: Values) -> Computed:
    """The λ that the link says, and beside it none."""
    asked = setting, decays, _seed = _asked(values, sorted({*DECAYS, values["decay"]}))
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
        _(
            "**{weights} weights** can learn {points} points by heart. Weight decay adds "
            "$\\frac{\\lambda}{2}\\lVert\\mathbf w\\rVert^2$ to the loss: each step multiplies the weights by $1 - \\eta\\lambda$. "
            "Every λ is trained anew, from {seeds} seeds.",
            weights=INPUTS, points=link["decay_count"], seeds=SEEDS,
        )
    )  # fmt: skip
    preset_row(link, "generalization_decay_preset", PRESETS, label_visibility="collapsed")
    controls, results = beside("decay")
    with controls:
        st.select_slider("λ", format_func=exactly, **link.value("decay"))
        _controls(link)
    with results:
        _results(link)


def _results(link: LinkState) -> None:
    asked = _setting, decays, _seed = _asked(link, link.options("decay"))
    column = decays.index(link["decay"])
    doing = _("Training {penalties} λ with both penalties from {seeds} seeds", penalties=len(decays), seeds=SEEDS)
    computed(JOB, asked, partial(_sweep, *asked), lambda swept: _swept(swept, *asked, column), doing)


def _swept(swept: Swept, setting: Setting, decays: Decays, seed: int, column: int) -> None:
    over_epochs, decay = _chosen(swept, column), decays[column]
    _numbers(over_epochs, decay)
    if not (over_epochs.test[-1, :, 1] <= WORSE * over_epochs.test[0, :, 1]).all():  # for some seed
        st.error(
            _("This training **diverges**: {cause}. Take a smaller learning rate.", cause=cause_of_divergence(setting.lr * decay)),
            icon=":material/error:",
        )
    _over_epochs(over_epochs, decay)
    _over_penalties(swept, decays, column)
    _weights(swept, decay, column)
    routes_panel(decay, setting, seed)


def cause_of_divergence(shrinking: float) -> str:
    """Why steps are too large, given ηλ: from 2 on decay alone makes weights larger, whatever the points are."""
    if shrinking > 2:
        return Message(
            "ηλ = {shrinking}, so that every step multiplies the weights by {factor} before it learns anything",
            shrinking=significant(shrinking), factor=significant(1 - shrinking),
        )  # fmt: skip
    return Message("the steps are too large for these points")


def _controls(link: LinkState) -> None:
    st.number_input(_("Learning rate η"), **link.value("decay_lr"))
    st.slider(_("Epochs"), **link.value("decay_epochs"))
    st.number_input(_("Initial spread of w"), **link.value("decay_std"))
    st.slider(_("Training points"), **link.value("decay_count"))
    st.number_input(_("First seed"), **link.value("decay_seed"))
    st.caption(
        _("Batches of 5, 100 test points. λ acts on the weights only, as in the book; torch.optim's weight_decay would take the bias too.")
    )


def _numbers(over_epochs: Paths, decay: float) -> None:
    """After the last epoch."""
    ends = (values[-1, :, 1] for values in (over_epochs.train, over_epochs.test, over_epochs.norm))
    train_loss, test_loss, norm = (float(SeedBand.of(values).median) for values in ends)
    half_square = float(SeedBand.of(weight_decay.half_square(over_epochs.norm[-1, :, 1])).median)
    with st.container(horizontal=True):
        help = _("½(ŷ − y)² without the penalty, λ = {decay}; median.", decay=exactly(decay))
        st.metric(_("Training loss"), significant(train_loss, 2), help=help)
        st.metric(_("Test loss"), significant(test_loss, 2), help=_("On 100 points that were held out; median."))
        help = _("Euclidean norm of the {weights} weights. The true one: {norm}.", weights=INPUTS, norm=significant(TRUE_NORM))
        st.metric("‖w‖", significant(norm), help=help)
        help = _("The penalty without λ. The English edition prints it as “L2 norm of w”.")
        st.metric("‖w‖²/2", significant(half_square, 2), help=help)


def _over_epochs(over_epochs: Paths, decay: float) -> None:
    epochs = np.arange(len(over_epochs.test))
    measured = (over_epochs.train, over_epochs.test, over_epochs.norm)
    train, test, norm = ([values[:, :, column].T for column in (0, 1)] for values in measured)  # without λ and with it
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"###### {_('Losses, λ = {decay}', decay=exactly(decay))}")
        curves = [banded(_("training"), epochs, train[1], TRAIN), banded(_("test"), epochs, test[1], TEST)]
        if decay:
            curves.append(banded(_("test, λ = 0"), epochs, test[0], GREY, dash="dot"))
        figure = band_chart(curves, xaxis=axis(_("epoch")), yaxis=log_axis("½(ŷ − y)²"))
        alt = _("Training and test loss against epochs, with and without decay")
        live_chart(figure, key="decay_losses", height=CHART_HEIGHT, alt=alt)
    with right:
        st.markdown(f"###### {_('Size of the weights, ‖w‖')}")
        curves = [banded(f"λ = {exactly(decay)}", epochs, norm[1], PURPLE)]
        if decay:
            curves.append(banded("λ = 0", epochs, norm[0], GREY, dash="dot"))
        marks = Marks(log=True)
        marks.level(TRUE_NORM, _("true"))
        figure = band_chart(curves, xaxis=axis(_("epoch")), yaxis=log_axis("‖w‖"), marks=marks)
        alt = _("Norm of the weights against epochs, with and without decay")
        live_chart(figure, key="decay_norms", height=CHART_HEIGHT, alt=alt)
    st.caption(
        _(
            "What the English edition prints as “L2 norm of w” is **‖w‖²/2**, the penalty without λ, and not the norm. "
            "Medians of {seeds} seeds.",
            seeds=SEEDS,
        )
    )


def _over_penalties(swept: Swept, decays: Decays, column: int) -> None:
    st.markdown(f"##### {_('Which λ? L2, L1, and L2 trained to the end')}")
    places = penalty_places(decays)
    curves = [
        banded(_("L2, training"), places, swept.l2.train, TRAIN),
        banded(_("L2, test"), places, swept.l2.test, TEST),
        banded(_("L1, test"), places, swept.l1.test, PURPLE),
        banded(_("L2 trained to the end, test"), places, swept.converged, GREEN, dash="dash"),
    ]
    best = {}
    for name, values, color in (("L2", swept.l2.test, TEST), ("L1", swept.l1.test, PURPLE)):
        median = SeedBand.of(values).median
        best[name] = at = int(np.argmin(median))
        label = _("best {penalty}: λ = {decay}", penalty=name, decay=exactly(decays[at]))
        curves.append(BandSeries(label, [places[at]], [median[at]], color, markers=True))
    marks = Marks(log=True)
    marks.level(float(SeedBand.of(swept.guess).median), _("w = 0, always the mean"))
    figure = band_chart(curves, xaxis=penalty_axis(decays), yaxis=log_axis("½(ŷ − y)²"), marks=marks, here=float(places[column]))
    live_chart(figure, key="decay_penalties", height=400, alt=_("Losses against λ for both penalties, the best marked"))
    chosen = compare(swept.l2.test[:, best["L2"]], swept.guess)
    best_l2 = Message("the best L2 (λ = {decay})", decay=exactly(decays[best["L2"]]))
    st.markdown(in_words(chosen, best_l2, Message("always the mean"), quantity=Message("Test loss")))
    st.caption(
        _(
            "The best λ is chosen on the test points themselves, so that it flatters a little. “To the end” is ridge regression from "
            "w = 0, in closed form: where it lies far below the trained curve, weight decay mostly has to make the network forget its "
            "first weights."
        )
    )


def _weights(swept: Swept, decay: float, column: int) -> None:
    st.markdown(f"##### {_('L1 makes zeros, L2 makes small')}")
    l2, l1, without = swept.l2.weights[0, column], swept.l1.weights[0, column], swept.l2.weights[0, 0]
    shown = {f"L2, λ = {exactly(decay)}": l2, f"L1, λ = {exactly(decay)}": l1}
    figure = ordered_weights(shown, TRUE_WEIGHT, {"λ = 0": without} if decay else None)
    live_chart(figure, key="decay_weights", height=CHART_HEIGHT, alt=_("The weights in order, for L2 and for L1"))
    zeros = Message(
        "Weights of exactly 0: **{with_l1}** of {weights} with L1, {with_l2} with L2 (first seed). An L1 step moves a weight by ηλ towards "
        "0 and stops there. Here all true weights are equal: few large ones are the wrong guess.",
        with_l1=int((l1 == 0).sum()), weights=INPUTS, with_l2=int((l2 == 0).sum()),
    )  # fmt: skip
    low, high = (significant(end, 2) for end in (without.min(), without.max()))
    free = Message("Without a penalty weights go from {low} to {high}.", low=low, high=high) if decay else ""
    st.caption(_(joined(zeros, free)))


_distances = st.cache_data(max_entries=64, show_spinner=False)(weight_decay.route_distances)


def routes_panel(decay: float, setting: Setting, seed: int) -> None:
    """The penalty in the loss against weight_decay of the optimizer, for SGD and for Adam, on real numbers."""
    st.markdown(f"##### {_('A penalty in the loss, or `weight_decay` of the optimizer: the same?')}")
    if decay == 0.0:
        st.info(_("At λ = 0 there is nothing to compare. Choose another λ."), icon=":material/info:")
        return
    most = max(1, MOST_STEPS // -(-setting.train_count // setting.batch_size))
    short = replace(setting, epochs=min(setting.epochs, STEPS_EPOCHS, most))
    sgd, adam = (_distances(name, decay, short, seed) for name in ("sgd", "adam"))
    if not all(routes.norms["penalty"] < LARGEST_NORM for routes in (sgd, adam)):
        st.info(_("With this learning rate the training diverges by every route: nothing to compare."), icon=":material/info:")
        return
    steps = np.arange(1, len(sgd.optimizer) + 1)
    lines = (
        ("SGD(weight_decay=λ)", sgd.optimizer, SKY, "solid"),
        (_("SGD, w shrunk by 1 − ηλ"), sgd.decoupled, GREEN, "dash"),
        ("Adam(weight_decay=λ)", adam.optimizer, ORANGE, "dot"),
        (_("AdamW, w shrunk by 1 − ηλ"), adam.decoupled, VERMILION, "solid"),
    )
    curves = [BandSeries(label, steps, np.maximum(values, DRAWN_AT_LEAST), color, dash=dash) for label, values, color, dash in lines]
    left, right = st.columns([1.6, 1], gap="medium")
    with left:
        figure = band_chart(curves, xaxis=axis(_("step")), yaxis=log_axis(_("largest |w − w′|"), range=[-9.3, 1.5]))
        live_chart(figure, key="decay_routes", height=330, alt=_("Distance of each route from the penalty in the loss, by step"))
    with right:
        rows = [_row("SGD", sgd), _row("Adam", adam)]
        st.dataframe(rows, hide_index=True, column_config={"": st.column_config.TextColumn(width="small")})
        st.markdown(_verdict(sgd, adam))
        st.caption(
            _(
                "The curves: distance from λ/2 ‖w‖² in the loss of the same optimizer. Float32; SGD lr {sgd_lr}, Adam lr {adam_lr}.",
                sgd_lr=exactly(setting.lr), adam_lr=exactly(weight_decay.ADAM_LR),
            )
        )  # fmt: skip


def _row(name: str, routes: RouteDistances) -> dict[str, str]:
    return {
        "": name,
        _("‖w‖, penalty in the loss"): fixed(routes.norms["penalty"], 6),
        "weight_decay=λ": fixed(routes.norms["optimizer"], 6),
        "w ← (1 − ηλ)w": fixed(routes.norms["decoupled"], 6),
    }


def _verdict(sgd: RouteDistances, adam: RouteDistances) -> str:
    rounding = float(np.maximum(sgd.optimizer, sgd.decoupled).max())
    elsewhere, again = float(adam.decoupled.max()), float(adam.optimizer.max())
    return _(
        "**SGD**: all three are one, but for rounding ({rounding}). **Adam**: a gradient that holds λw is divided by its own size, so that "
        "shrinking w itself (AdamW) goes elsewhere: {elsewhere}. `Adam(weight_decay=λ)` is the penalty again ({again}), not decay.",
        rounding=_apart(rounding), elsewhere=_apart(elsewhere), again=_apart(again),
    )  # fmt: skip


def _apart(distance: float) -> str:
    return Message("{distance} apart", distance=significant(distance, 1)) if distance else Message("no difference at all")
