"""The section "Dropout": the layer, then networks with and without it on few images, then what happens if it is left on."""

from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from mlp_core.data import CLASS_NAMES, load_fashion_mnist
from mlp_core.labs.generalization.bands import compare
from mlp_core.labs.generalization.masks import LeftOn, left_on, vote
from mlp_core.labs.generalization.subsets import first
from mlp_core.reports.comparison.book_bands import known_accuracy, known_runs
from mlp_core.spec import Bounds, RunSpec
from mlp_core.training import Run
from mlp_core.training.replicates import Replicates
from mlp_core.words import Message, count, counted, fixed, percent, rounded
from pages.figures.axes import axis, log_axis
from pages.figures.bands import BandSeries, band_chart
from pages.figures.dropout import vote_strips
from pages.figures.palette import ORANGE, SKY
from pages.language import _
from pages.ui import session
from pages.ui.data_source import load_data
from pages.ui.generalization import layer
from pages.ui.generalization.runs import by_epoch, chance, curve, epoch_axis, in_words, runs_panel
from pages.ui.link import LinkState, choice, number
from pages.ui.live_chart import live_chart
from pages.ui.measures import Measure, Values
from pages.ui.memo import memo
from pages.ui.presets import Preset, preset_row
from pages.ui.run.job_groups import ShownRun, follow_group
from pages.ui.run.measures import OF_CLASSES, Runs
from pages.ui.sections import beside
from pages.ui.session import Planned

GROUP = "dropout"
SEEDS, TEST_IMAGES = 5, 2000
CHART_HEIGHT, VOTES_HEIGHT = 300, 340
COPIES = 100
JUDGED, AVERAGED = 500, 10  # images, and masked copies of each
WITHOUT, WITH = Message("no dropout"), Message("dropout")
COLORS: dict[str, str] = {WITHOUT: ORANGE, WITH: SKY}


class Recipe(NamedTuple):
    """How networks with and without dropout are trained: on how many images, and the rest of the design."""

    label: str
    images: int
    spec: RunSpec


_BASE = RunSpec(hidden=(256, 256), device="cpu")
RECIPES = {
    "few": Recipe(Message("1,000 images, Adam"), 1000, replace(_BASE, init="torch_default", optimizer="adam", lr=0.001, epochs=40)),
    "chinese": Recipe(Message("60,000 images, SGD lr 0.5"), 60_000, replace(_BASE, lr=0.5)),
    "english": Recipe(Message("60,000 images, SGD lr 0.1"), 60_000, replace(_BASE, init="torch_default", lr=0.1)),
}
RUN_FIELDS = (
    choice("recipe", "few", tuple(RECIPES)),
    number("p1", 0.5, Bounds(0.0, 0.9), 0.05),
    number("p2", 0.5, Bounds(0.0, 0.9), 0.05),
)
FIELDS = (*layer.FIELDS, *RUN_FIELDS, number("image", 0, Bounds(0, TEST_IMAGES - 1, whole=True)))
FEW = {field.name: field.default for field in RUN_FIELDS}
PRESETS: dict[str, Preset] = {
    Message("Few images"): Preset(
        FEW,
        Message(
            "Here dropout shows. Five seeds beforehand: training accuracy 0.95 → 0.89, test loss 0.66 → 0.59, test accuracy 0.80 → 0.80."
        ),
    ),
    Message("Chinese edition"): Preset(
        {"recipe": "chinese", "p1": 0.2, "p2": 0.5},
        Message(
            "Section 4.6: all 60,000 images, p = 0.2 and 0.5, lr 0.5, 10 epochs. {seeds} seeds beforehand: {accuracy} of the test images. "
            "Takes minutes.",
            seeds=len(known_runs()["dropout"]), accuracy=known_accuracy("dropout"),
        ),
    ),
    Message("English edition"): Preset(
        FEW | {"recipe": "english"},
        Message(
            "Section 5.6: all 60,000 images, p = 0.5 and 0.5, lr 0.1, 10 epochs. One run with against one without is inside the seeds' "
            "noise. Takes minutes."
        ),
    ),
}  # fmt: skip


def _chance(label: str, quantity: str) -> Measure:
    meaning = Message("Two-sided sign test: for how many of {seeds} seeds it is lower with dropout than without", seeds=SEEDS)
    return Measure(label, meaning, "fraction", lambda runs, after: chance(runs, quantity, after), per_epoch=True, of_all=True)


MEASURES = OF_CLASSES | {
    "chance_train_accuracy": _chance(Message("Chance that luck alone parts the training accuracies so"), "train_accuracy"),
    "chance_test_accuracy": _chance(Message("Chance that luck alone parts the test accuracies so"), "test_accuracy"),
    "chance_test_loss": _chance(Message("Chance that luck alone parts the test losses so"), "test_loss"),
}


def section(link: LinkState) -> None:
    """Look at the layer, and train with and without it; where an experiment is shown on another page, first what it trains."""
    st.markdown(
        _(
            "**Dropout** sets a random part of the hidden units to zero in every training step, so that no unit can rely on another. It "
            "lowers the **training** accuracy, and with few images the **gap** to the test."
        )
    )
    for part in (layer.part, _trained) if link.in_address else (_trained, layer.part):
        part(link)


def _trained(link: LinkState) -> None:
    st.markdown(f"##### {_('With and without, from several seeds each')}")
    load_data()
    preset_row(link, "generalization_dropout_preset", PRESETS, label_visibility="collapsed")
    controls, results = beside("dropout")
    with controls:
        st.selectbox(_("Training"), format_func=lambda name: _(RECIPES[name].label), **link.index("recipe"))
        st.slider(_("p after hidden layer {layer}", layer=1), **link.value("p1"))
        st.slider(_("p after hidden layer {layer}", layer=2), **link.value("p2"))
    runs, images = subject(link), RECIPES[link["recipe"]].images
    with results:
        follow_group(GROUP, lambda: _panel(runs, images))
    _votes_panel(link)


def _run(spec: RunSpec, images: int) -> Run:
    return Replicates(spec, first(load_fashion_mnist(), images, TEST_IMAGES), seeds=SEEDS)


def subject(values: Values) -> Runs:
    """One run without dropout and one with it, each of several seeds."""
    chosen = RECIPES[values["recipe"]]
    spec, images = replace(chosen.spec, dropout=(values["p1"], values["p2"]), seed=values["seed"]), chosen.images
    planned = [Planned(WITHOUT, partial(_run, replace(spec, dropout=()), images)), Planned(WITH, partial(_run, spec, images))]
    return Runs(GROUP, (spec, images), planned, MEASURES, spec.epochs, at_once=2)


def _panel(runs: Runs, images: int) -> None:
    shown = runs_panel(runs, _("Train with and without dropout"))
    if shown:
        xaxis = epoch_axis(shown[0].snapshot.spec.epochs)
        _curves(shown, xaxis)
        if len(shown) == 2:
            _verdicts(*shown)
        _variances(shown, xaxis)
    st.caption(
        _(
            "784-256-256-10 on {images} images, {test_images} test images; bands from the lowest to the highest of {seeds} seeds. Training "
            "accuracy is counted as images are met, with dropout on where there is dropout.",
            images=count(images), test_images=count(TEST_IMAGES), seeds=SEEDS,
        )
    )  # fmt: skip


def _curves(shown: list[ShownRun], xaxis: dict[str, Any]) -> None:
    left, right = st.columns(2, gap="medium")
    for place, quantity, scale, title, alt, yaxis in (
        (left, "accuracy", 100.0, _("Accuracy"), _("Accuracy against epochs, with and without dropout"), axis(_("accuracy (%)"))),
        (
            right, "loss", 1.0, _("Cross-entropy"), _("Cross-entropy against epochs, with and without dropout"),
            axis(_("cross-entropy (nats)"), rangemode="tozero"),
        ),
    ):  # fmt: skip
        curves = [
            curve(label, one.members, f"{part}_{quantity}", COLORS[one.title], scale=scale, dash=dash)
            for one in shown
            for label, part, dash in (
                (_("{run}, training", run=one.title), "train", "solid"),
                (_("{run}, test", run=one.title), "test", "dot"),
            )
        ]
        with place:
            st.markdown(f"###### {title}")
            figure = band_chart(curves, xaxis=xaxis, yaxis=yaxis, digits=".3~f")
            live_chart(figure, key=f"dropout_{quantity}", height=CHART_HEIGHT, alt=alt)


def _verdicts(without: ShownRun, with_dropout: ShownRun) -> None:
    epochs = min(by_epoch(one.members, "test_loss").shape[1] for one in (without, with_dropout))
    if not epochs:
        return
    lines = [_(counted(epochs, "After {n} epoch:", "After {n} epochs:"))]
    worded = partial(fixed, decimals=3)
    for name, quantity in (
        (Message("Training accuracy"), "train_accuracy"),
        (Message("Test loss"), "test_loss"),
        (Message("Test accuracy"), "test_accuracy"),
    ):
        columns = (by_epoch(one.members, quantity)[:, epochs - 1] for one in (with_dropout, without))
        lines.append("- " + in_words(compare(*columns), WITH, WITHOUT, quantity=name, higher=quantity != "test_loss", worded=worded))
    st.markdown("\n".join(lines))


def _variances(shown: list[ShownRun], xaxis: dict[str, Any]) -> None:
    """Of the first seed's activations, measured with dropout off."""
    st.markdown(f"###### {_('Variance of the activations, layer by layer')}")
    curves = []
    for title, snapshot, _job in shown:
        probes = snapshot.history.probes
        epochs = np.array([probe.step for probe in probes]) / snapshot.steps_per_epoch
        for index, dash in enumerate(("solid", "dash")):
            variances = [probe.layers[index].activation_std ** 2 for probe in probes]
            label = _("{run}, layer {layer}", run=title, layer=index + 1)
            curves.append(BandSeries(label, epochs, variances, COLORS[title], dash=dash))
    figure = band_chart(curves, xaxis=xaxis, yaxis=log_axis(_("variance of h")))
    live_chart(figure, key="dropout_variance", height=CHART_HEIGHT, alt=_("Variance of the hidden activations against epochs"))
    st.caption(_("Over units and 256 images, dropout off, of the first seed."))


def _votes_panel(link: LinkState) -> None:
    """One test image, a hundred masks, in the network that was trained with dropout, as it stands."""
    st.markdown(f"##### {_('Left on by mistake: a hundred masked copies vote')}")
    group = session.jobs().group(GROUP)
    job = next((job for one, job in group.started if one == WITH), None) if group is not None else None
    if job is None or job.run.network is None or not job.run.epoch:
        st.info(_("Train with and without dropout first: this looks into the network that was trained with it."), icon=":material/info:")
        return
    if job.moving:
        st.info(_("When the training has ended, its network votes here."), icon=":material/hourglass_top:")
        return
    spec, epoch = job.run.spec, job.run.epoch
    if not any(spec.dropout):
        st.info(_("With p = 0 in both layers every copy is the same. Train with another p."), icon=":material/info:")
        return
    weights = job.run.network.weights()
    data = load_fashion_mnist()
    last = min(TEST_IMAGES, len(data.test_labels)) - 1
    rule = Message("must be at most {last}, the number of the last test image", last=last)
    link.fit("image", min(link["image"], last), rule)
    chosen = st.slider(_("Test image"), **link.value("image", max_value=last))
    flat = data.test_images[chosen].reshape(-1).float() / 255
    label = int(data.test_labels[chosen])
    seen = memo("dropout_vote", (id(job), epoch, chosen), lambda: vote(weights, spec, flat, COPIES, seed=0))
    picture, chart = st.columns([1, 3], gap="medium")
    with picture:
        caption = _("{label}, test image {number}", label=CLASS_NAMES[label], number=count(chosen))
        st.image(data.test_images[chosen].numpy(), caption=caption, width=160)
    with chart:
        figure = vote_strips(seen.masked, seen.off, CLASS_NAMES, label)
        alt = _("Probabilities of each class: masked copies, and dropout off")
        live_chart(figure, key="dropout_votes", height=VOTES_HEIGHT, alt=alt)
    winner, most, probability = int(seen.votes.argmax()), int(seen.votes.max()), rounded(float(seen.off.max()), 2)
    st.markdown(
        _(
            "**{votes} of {copies}** copies say **{winner}**; without dropout the network says **{off}** with probability {probability}. "
            "The true class is {label}.",
            votes=most, copies=COPIES, winner=CLASS_NAMES[winner], off=CLASS_NAMES[int(seen.off.argmax())], probability=probability,
            label=CLASS_NAMES[label],
        )
    )  # fmt: skip

    def judge() -> LeftOn:
        images = data.test_images[:JUDGED].reshape(-1, 784).float() / 255
        return left_on(weights, spec, images, data.test_labels[:JUDGED], AVERAGED, seed=0)

    judged = memo("dropout_left_on", (id(job), epoch), judge)
    with st.container(horizontal=True):
        help = _("Accuracy on the first {images} test images.", images=JUDGED)
        st.metric(_("Dropout off"), _(percent(judged.off)), border=True, help=help)
        st.metric(_("Left on"), _(percent(judged.one_mask)), border=True, help=_("A mask of its own for every image."))
        mean = _("Left on, mean of {copies}", copies=AVERAGED)
        st.metric(mean, _(percent(judged.copies)), border=True, help=_("Of the probabilities of each image."))
    st.caption(_("So dropout is switched off for the test: one network that stands for the mean of all masked ones, at the price of one."))
