"""Wrong labels learned by heart: a wide network on Fashion-MNIST with and without them; a part of "Capacity and data"."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import streamlit as st
import torch

from mlp_core.data import load_fashion_mnist
from mlp_core.labs.generalization.subsets import NoisyLabels, first, with_wrong_labels
from mlp_core.network import Network
from mlp_core.spec import Bounds, RunSpec
from mlp_core.training import Run
from mlp_core.words import Message, count, delta, percent
from pages.figures.axes import axis
from pages.figures.bands import band_chart
from pages.figures.marks import Marks
from pages.figures.palette import GREY, SERIES
from pages.language import _
from pages.ui import session
from pages.ui.data_source import load_data
from pages.ui.generalization.runs import curve, epoch_axis, runs_panel
from pages.ui.link import LinkState, number
from pages.ui.live_chart import live_chart
from pages.ui.measures import Values, once
from pages.ui.run.job_groups import ShownRun, follow_group
from pages.ui.run.measures import OF_CLASSES, Runs
from pages.ui.session import Planned

GROUP = "wrong_labels"
IMAGES, TEST_IMAGES = 1000, 2000
CHART_HEIGHT = 310
LEARNED_BY_HEART = 0.95  # of the training labels
FIELDS = (
    number("wrong", 40, Bounds(0, 100, whole=True), 5),
    number("wide", 512, Bounds(1, 1024, whole=True)),
    number("label_epochs", 80, Bounds(1, 120, whole=True)),
)


class Learned(NamedTuple):
    """What a network says of the training images whose label is wrong: how often the wrong label, how often the true class."""

    wrong_label: float
    true_class: float


def part(link: LinkState) -> None:
    """Make some labels wrong, and watch them be learned."""
    load_data()
    st.markdown(
        _(
            "A network with more weights than images can learn **anything** by heart, wrong labels too (Zhang et al. 2017). The training "
            "accuracy does not tell. The test accuracy does: look whether it falls again while wrong labels are learned."
        )
    )
    wrong, wide, epochs = st.columns(3, gap="medium")
    wrong.slider(_("Wrong labels (%)"), **link.value("wrong"))
    wide.slider(_("Hidden units"), **link.value("wide"))
    epochs.slider(_("Epochs"), **link.value("label_epochs"))
    runs = subject(link)
    follow_group(GROUP, lambda: _panel(runs))


def subject(values: Values) -> Runs:
    """A run with right labels, and where some are to be wrong another with these."""
    spec = RunSpec(
        hidden=(values["wide"],), init="torch_default", optimizer="adam", lr=0.001, batch_size=64, epochs=values["label_epochs"],
        seed=values["seed"], device="cpu",
    )  # fmt: skip
    share = values["wrong"] / 100
    shares = (0.0, share) if share else (0.0,)
    titles = [Message("{share} wrong", share=percent(one, 0)) if one else Message("all labels right") for one in shares]
    planned = [Planned(title, partial(_run, spec, one)) for title, one in zip(titles, shares, strict=True)]
    return Runs(GROUP, (spec, share), planned, MEASURES, spec.epochs, at_once=2)


def _run(spec: RunSpec, share: float) -> Run:
    return Run(spec, with_wrong_labels(first(load_fashion_mnist(), IMAGES, TEST_IMAGES), share, spec.seed).data)


def _panel(runs: Runs) -> None:
    shown = runs_panel(runs, _("Train with right and with wrong labels"))
    marks = Marks()
    marks.level(10, _("guessing: 10 %"))
    curves = []
    for index, one in enumerate(shown):
        color = GREY if index == 0 and len(shown) > 1 else SERIES[index]
        curves.append(curve(_("{run}: training", run=one.title), one.members, "train_accuracy", color, scale=100))
        curves.append(curve(_("{run}: test", run=one.title), one.members, "test_accuracy", color, scale=100, dash="dot"))
    epochs = shown[-1].snapshot.spec.epochs if shown else runs.epochs
    figure = band_chart(curves, xaxis=epoch_axis(epochs), yaxis=axis(_("accuracy (%)"), range=[0, 102]), marks=marks, digits=".1f")
    alt = _("Training and test accuracy against epochs, with and without wrong labels")
    live_chart(figure, key="label_accuracy", height=CHART_HEIGHT, alt=alt)
    group = session.jobs().group(GROUP)
    if shown and group is not None and group.key == runs.key:
        _numbers(shown[-1])
    st.caption(
        _(
            "The first {images} training images, {test_images} test images with right labels; Adam, lr 0.001, batches of 64.",
            images=count(IMAGES), test_images=count(TEST_IMAGES),
        )
    )  # fmt: skip


def _of_wrong(one: ShownRun, read: Callable[[Learned], float]) -> float | None:
    noisy, network = _noisy_of(one), one.job.run.network
    return read(learned_of_wrong(network, noisy)) if network is not None and one.job.ended and noisy.wrong.any() else None


def _since_its_best(one: ShownRun) -> float | None:
    accuracies = [record.test_accuracy for record in one.snapshot.history.epochs]
    return max(accuracies) - accuracies[-1] if len(accuracies) == one.snapshot.spec.epochs else None


MEASURES = OF_CLASSES | {
    "wrong_labels_learned": once(
        Message("Wrong labels learned"), Message("Training images with a wrong label that are given that label in the end"), "fraction",
        lambda one: _of_wrong(one, lambda learned: learned.wrong_label),
    ),
    "wrong_labels_seen_through": once(
        Message("Wrong labels seen through"), Message("The same images that are given their true class in the end"), "fraction",
        lambda one: _of_wrong(one, lambda learned: learned.true_class),
    ),
    "lost_since_best": once(
        Message("Lost since its best"), Message("Best test accuracy of any epoch minus that of the last"), "fraction", _since_its_best,
    ),
}  # fmt: skip


def _noisy_of(one: ShownRun) -> NoisyLabels:
    """The labels that it was given, and which of them are wrong."""
    data = one.job.run.data
    return NoisyLabels(data, data.train_labels != load_fashion_mnist().train_labels[: len(data.train_labels)])


def _numbers(one: ShownRun) -> None:
    noisy, epochs, network = _noisy_of(one), one.snapshot.history.epochs, one.job.run.network
    if not epochs or network is None:
        return
    best, last = max(record.test_accuracy for record in epochs), epochs[-1]
    lost = 100 * (last.test_accuracy - best)
    with st.container(horizontal=True):
        help = _("On the labels as they are given, wrong ones too.")
        st.metric(_("Training accuracy"), _(percent(last.train_accuracy)), border=True, help=help)
        change = delta(lost, 1)
        fallen = _("{change} points since its best", change=change) if change else ""
        st.metric(_("Test accuracy"), _(percent(last.test_accuracy)), fallen, border=True)
        if noisy.wrong.any():
            learned = learned_of_wrong(network, noisy)
            wrong, true = _(percent(learned.wrong_label)), _(percent(learned.true_class))
            st.metric(_("Wrong labels learned"), wrong, border=True, help=_("Images with a wrong label, given that label."))
            st.metric(_("Wrong labels seen through"), true, border=True, help=_("The same images, given their true class."))
    if noisy.wrong.any() and last.train_accuracy > LEARNED_BY_HEART:
        st.success(
            _(
                "Learned by heart: {share} of the labels as given. On the test images it is {points} points below its best.",
                share=percent(last.train_accuracy),
                points=change[1:],
            )
            if change
            else _(
                "Learned by heart: {share} of the labels as given. On the test images it is as good as at its best.",
                share=percent(last.train_accuracy),
            ),
            icon=":material/menu_book:",
        )


def learned_of_wrong(network: Network, noisy: NoisyLabels) -> Learned:
    """Ask the network for the images whose label is wrong."""
    true = load_fashion_mnist().train_labels[: len(noisy.wrong)]
    images = noisy.data.train_images[noisy.wrong].reshape(int(noisy.wrong.sum()), -1).float() / 255
    said = network.logits(images).argmax(dim=1)
    shares = ((said == labels[noisy.wrong]).to(torch.float64).mean().item() for labels in (noisy.data.train_labels, true))
    return Learned(*shares)
