"""Dropout left on when it should be off: masked copies of a trained network voting on one image; a part of the section "Dropout"."""

from __future__ import annotations

import streamlit as st

from mlp_core.data import CLASS_NAMES, load_fashion_mnist
from mlp_core.labs.generalization.masks import LeftOn, left_on, vote
from pages.figures.dropout import vote_strips
from pages.ui import session
from pages.ui.link import LinkState
from pages.ui.live_chart import live_chart
from pages.ui.memo import memo
from pages.ui.text import count, percent

COPIES = 100
JUDGED, AVERAGED = 500, 10  # images, and masked copies of each
CHART_HEIGHT = 340


def votes_panel(link: LinkState, name: str, title: str, images: int) -> None:
    """One test image, a hundred masks. Uses the network that the group `name` trained under `title`, as it stands."""
    st.markdown("##### Left on by mistake: a hundred masked copies vote")
    group = session.jobs().group(name)
    job = next((job for one, job in group.started if one == title), None) if group is not None else None
    if job is None or job.run.network is None or not job.run.epoch:
        st.info("Train with and without dropout first: this looks into the network that was trained with it.", icon=":material/info:")
        return
    if job.moving:
        st.info("When the training has ended, its network votes here.", icon=":material/hourglass_top:")
        return
    spec, epoch = job.run.spec, job.run.epoch
    if not any(spec.dropout):
        st.info("With p = 0 in both layers every copy is the same. Train with another p.", icon=":material/info:")
        return
    weights = job.run.network.weights()
    data = load_fashion_mnist()
    chosen = st.slider("Test image", **link.value("image", max_value=min(images, len(data.test_labels)) - 1))
    flat = data.test_images[chosen].reshape(-1).float() / 255
    label = int(data.test_labels[chosen])
    seen = memo("dropout_vote", (id(job), epoch, chosen), lambda: vote(weights, spec, flat, COPIES, seed=0))
    picture, chart = st.columns([1, 3], gap="medium")
    with picture:
        st.image(data.test_images[chosen].numpy(), caption=f"{CLASS_NAMES[label]}, test image {count(chosen)}", width=160)
    with chart:
        figure = vote_strips(seen.masked, seen.off, CLASS_NAMES, label)
        live_chart(figure, key="dropout_votes", height=CHART_HEIGHT, alt="Probabilities of each class: masked copies, and dropout off")
    winner, most = int(seen.votes.argmax()), int(seen.votes.max())
    st.markdown(
        f"**{most} of {COPIES}** copies say **{CLASS_NAMES[winner]}**; without dropout the network says "
        f"**{CLASS_NAMES[int(seen.off.argmax())]}** with probability {seen.off.max():.2f}. The true class is {CLASS_NAMES[label]}."
    )

    def judge() -> LeftOn:
        first = data.test_images[:JUDGED].reshape(-1, 784).float() / 255
        return left_on(weights, spec, first, data.test_labels[:JUDGED], AVERAGED, seed=0)

    judged = memo("dropout_left_on", (id(job), epoch), judge)
    with st.container(horizontal=True):
        st.metric("Dropout off", percent(judged.off), border=True, help=f"Accuracy on the first {JUDGED} test images.")
        st.metric("Left on", percent(judged.one_mask), border=True, help="A mask of its own for every image.")
        mean = f"Left on, mean of {AVERAGED}"
        st.metric(mean, percent(judged.copies), border=True, help="Of the probabilities: back to about the first.")
    st.caption("So dropout is switched off for the test: one network that stands for the mean of all masked ones, at the price of one.")
