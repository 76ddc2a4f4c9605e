"""How much data, how wide a layer: real runs on Fashion-MNIST, one after another, five seeds each; a part of "Capacity and data"."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import streamlit as st

from mlp_core.data import load_fashion_mnist
from mlp_core.labs.generalization.bands import compare
from mlp_core.labs.generalization.subsets import first
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from mlp_core.training.replicates import Replicates
from mlp_core.words import Message, count, counted, percent
from pages.figures.axes import axis, log_axis
from pages.figures.bands import band_chart
from pages.figures.marks import Marks
from pages.figures.palette import TEST, TRAIN
from pages.language import _
from pages.ui.data_source import load_data
from pages.ui.generalization.runs import banded, curve, epoch_axis, final, in_words, runs_panel
from pages.ui.link import LinkState, choice
from pages.ui.live_chart import live_chart
from pages.ui.measures import Values
from pages.ui.run.job_groups import ShownRun, follow_group
from pages.ui.run.measures import OF_CLASSES, Runs
from pages.ui.session import Planned

TEST_IMAGES = 2000
SEEDS = 5
EPOCHS_BY_SIZE = {100: 60, 300: 40, 1000: 30, 3000: 12, 10_000: 5}  # fewer images, more passes: all of them end near their best
WIDTHS = (1, 2, 4, 16, 64, 256)
WIDTHS_ON = 3000  # images
CHART_HEIGHT = 320


class Question(NamedTuple):
    """One sweep: what changes, and the design for each of its places."""

    label: str
    button: str
    grows: str
    size: Callable[[int], str]
    places: tuple[int, ...]
    spec: Callable[[int, int], RunSpec]
    claim: str


def _spec(images: int, width: int, seed: int) -> RunSpec:
    return RunSpec(
        hidden=(width,), init="torch_default", optimizer="adam", lr=0.001, batch_size=64, epochs=EPOCHS_BY_SIZE[images], seed=seed,
        train_size=images, device="cpu",
    )  # fmt: skip


QUESTIONS = {
    "images": Question(
        Message("Training images"), Message("Train on more and more images"), Message("training images"),
        lambda images: counted(images, "{n} training image", "{n} training images"),
        tuple(EPOCHS_BY_SIZE), lambda images, seed: _spec(images, 256, seed),
        Message("**More data** closes the gap from above and from below: training accuracy falls, test accuracy rises."),
    ),
    "units": Question(
        Message("Hidden units"), Message("Train wider and wider layers"), Message("hidden units"),
        lambda units: counted(units, "{n} hidden unit", "{n} hidden units"),
        WIDTHS, lambda units, seed: _spec(WIDTHS_ON, units, seed),
        Message("**More units** raise both at first; then the training accuracy goes on alone."),
    ),
}  # fmt: skip
FIELDS = (choice("question", "images", tuple(QUESTIONS)),)


def part(link: LinkState) -> None:
    """Run a sweep; see where every size ends."""
    load_data()
    st.segmented_control(
        _("What grows"),
        format_func=lambda name: _(QUESTIONS[name].label),
        required=True,
        label_visibility="collapsed",
        **link.default("question"),
    )
    question, runs = QUESTIONS[link["question"]], subject(link)
    st.markdown(_(question.claim))
    follow_group(runs.name, lambda: _panel(runs, question))


def subject(values: Values) -> Runs:
    """One run a size, of several seeds each."""
    question, seed = QUESTIONS[values["question"]], values["seed"]
    planned = [Planned(question.size(place), partial(_run, question, place, seed)) for place in question.places]
    epochs = max(question.spec(place, seed).epochs for place in question.places)
    return Runs(f"sweep_{values['question']}", seed, planned, OF_CLASSES, epochs)


def _run(question: Question, place: int, seed: int) -> Run:
    spec = question.spec(place, seed)
    return Replicates(spec, first(load_fashion_mnist(), spec.train_size or 1, TEST_IMAGES), seeds=SEEDS)


def _panel(runs: Runs, question: Question) -> None:
    name, shown = runs.name, runs_panel(runs, _(question.button))
    left, right = st.columns([1.5, 1], gap="medium")
    ended = [one for one in shown if one.snapshot.stop_reason is not None and one.snapshot.stop_reason.kind == "completed"]
    with left:
        st.markdown(f"###### {_('Accuracy after training, against {places}', places=question.grows)}")
        _by_place(name, question, ended)
    with right:
        title: str = Message("not begun")
        epochs, curves = 10, []
        if shown:
            title, epochs, members = shown[-1].title, shown[-1].snapshot.spec.epochs, shown[-1].members
            curves.append(curve(_("training"), members, "train_accuracy", TRAIN, scale=100))
            curves.append(curve(_("test"), members, "test_accuracy", TEST, scale=100))
        st.markdown(f"###### {_('While it trains: {run}', run=title)}")
        figure = band_chart(curves, xaxis=epoch_axis(epochs), yaxis=axis(_("accuracy (%)"), range=[0, 100]), digits=".1f")
        alt = _("Training and test accuracy of the present run against epochs")
        live_chart(figure, key=f"{name}_live", height=CHART_HEIGHT, alt=alt)
    if len(ended) > 1:
        last, before = (final(one.members, "test_accuracy") for one in (ended[-1], ended[-2]))
        quantity = Message("Test accuracy")
        st.markdown(in_words(compare(last, before), ended[-1].title, ended[-2].title, quantity=quantity, higher=True, worded=percent))
    st.caption(
        _(
            "Bands: the lowest to the highest of {seeds} seeds of weights and order, on the same images. {images} test images, so that "
            "each accuracy is known to about ±1 %. Adam, lr 0.001, batches of 64.",
            seeds=SEEDS, images=count(TEST_IMAGES),
        )
    )  # fmt: skip


def _by_place(name: str, question: Question, ended: list[ShownRun]) -> None:
    curves = []
    if ended:
        places = question.places[: len(ended)]
        for label, quantity, color in ((_("training"), "train_accuracy", TRAIN), (_("test"), "test_accuracy", TEST)):
            values = 100 * np.stack([final(one.members, quantity) for one in ended], axis=1)
            curves.append(banded(label, places, values, color, markers=True))
    marks = Marks()
    marks.level(10, _("guessing: 10 %"))
    span = np.log10([question.places[0], question.places[-1]])
    xaxis = log_axis(
        _(question.grows), tickvals=question.places, ticktext=[count(place) for place in question.places],
        range=[float(span[0]) - 0.1, float(span[1]) + 0.1],
    )  # fmt: skip
    figure = band_chart(curves, xaxis=xaxis, yaxis=axis(_("accuracy (%)"), range=[0, 103]), marks=marks, digits=".1f")
    alt = _("Training and test accuracy against {places}", places=question.grows)
    live_chart(figure, key=f"{name}_chart", height=CHART_HEIGHT, alt=alt)
