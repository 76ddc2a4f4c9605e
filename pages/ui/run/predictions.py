"""What the network says of the test images: a grid of them, one in detail, and the confusion matrix."""

from collections.abc import Hashable
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import streamlit as st

from mlp_core.data import CLASS_NAMES, load_fashion_mnist
from mlp_core.jobs import JobSnapshot
from mlp_core.training.state import Evaluation
from mlp_core.words import Message, count, percent
from pages.figures.predictions import confusion_matrix, prediction_grid, probability_bars
from pages.language import _
from pages.ui.live_chart import Click, figure_payload, live_chart
from pages.ui.memo import memo
from pages.ui.unbroken import button

COLUMNS, ROWS = 5, 4
SHOWN = COLUMNS * ROWS
IN_ORDER, MISTAKES_FIRST = Message("In order"), Message("Mistakes first")
Reason = Literal["cell", "mistakes", "all"]
MISLABELED = Message("Fashion-MNIST's labels are sometimes wrong: a sure “mistake” can be a network that is right.")
MATRIX_HEIGHT = 440


class ShownImages(NamedTuple):
    """Which images the grid shows: test images by index, and why those."""

    indices: tuple[int, ...]
    total: int
    reason: Reason


def predictions_panel(snapshot: JobSnapshot) -> None:
    """Test images with their labels and predictions, and which classes the network confuses."""
    evaluation = snapshot.evaluation
    st.markdown(f"#### {_('Predictions on test images')}")
    if evaluation is None:
        st.caption(_("They come with the next test: at the end of this epoch, or as soon as you pause."))
        return
    st.caption(
        _(
            "After step {step}: {hits} of {images} right. Click a cell of the matrix to see its images, and an image to see what else it "
            "might have been.",
            step=count(evaluation.step),
            hits=count(evaluation.accuracy * len(evaluation.labels)),
            images=count(len(evaluation.labels)),
        )
    )
    moment = (snapshot.spec, evaluation.step)  # two runs may rest at the same step
    pictures, matrix = st.columns([3, 2], gap="medium")
    with matrix:
        _confusion(evaluation, moment)
    with pictures:
        shown = _choice(evaluation)
        chosen = _grid(evaluation, moment, shown)
        if chosen is not None:
            _detail(evaluation, chosen)


def _confusion(evaluation: Evaluation, moment: Hashable) -> None:
    figure = memo("confusion", moment, lambda: figure_payload(confusion_matrix(evaluation.confusion(), list(map(_, CLASS_NAMES)))))
    alt = _("Confusion matrix: true classes in rows, predictions in columns")
    live_chart(figure, key="confusion", height=MATRIX_HEIGHT, alt=alt, on_click=_choose_cell)


def _choose_cell(click: Click) -> None:
    """Show the images of the cell that was clicked."""
    classes = range(len(CLASS_NAMES))
    match click.data:
        case [int(label), int(predicted)] if label in classes and predicted in classes:
            st.session_state["_cell"] = (label, predicted)
            st.session_state.pop("_image", None)


def _choice(evaluation: Evaluation) -> ShownImages:
    """The images to show: those of the clicked cell, or all, mistakes first if asked."""
    cell: tuple[int, int] | None = st.session_state.get("_cell")
    with st.container(horizontal=True, vertical_alignment="center"):
        order = st.segmented_control(
            _("Order"), [IN_ORDER, MISTAKES_FIRST], default=IN_ORDER, key="image_order", label_visibility="collapsed", required=True,
            format_func=_,
        )  # fmt: skip
        if cell is not None:
            true, predicted = (CLASS_NAMES[label] for label in cell)
            label = _("{label}, recognized", label=true)
            if true != predicted:
                label = _("{label} taken for {prediction}", label=true, prediction=predicted)
            button(label, "leave_cell", "close", st.session_state.pop, "_cell", None)
    return choose_images(evaluation, cell, mistakes_first=order == MISTAKES_FIRST)


def choose_images(evaluation: Evaluation, cell: tuple[int, int] | None, *, mistakes_first: bool) -> ShownImages:
    """Up to `SHOWN` test images; of a (label, prediction) cell only, if given; the surest mistakes before all others, if asked."""
    labels, predicted = evaluation.labels, evaluation.predicted
    if cell is not None:
        indices = np.flatnonzero((labels == cell[0]) & (predicted == cell[1]))
        reason: Reason = "cell"
    elif mistakes_first:
        wrong = np.flatnonzero(labels != predicted)
        sureness = evaluation.probabilities[wrong, predicted[wrong]]
        indices = wrong[np.argsort(-sureness, kind="stable")]
        reason = "mistakes"
    else:
        indices = np.arange(len(labels))
        reason = "all"
    return ShownImages(tuple(int(index) for index in indices[:SHOWN]), len(indices), reason)


def _grid(evaluation: Evaluation, moment: Hashable, shown: ShownImages) -> int | None:
    """Draw the images; return the index of the one that was clicked last, while it is shown."""
    if not shown.indices:
        st.caption(_("No test image is in this cell now."))
        return None
    picked = np.array(shown.indices)
    figure = memo(
        "grid",
        (moment, shown),
        lambda: figure_payload(
            prediction_grid(
                load_fashion_mnist().test_images.numpy()[picked],
                evaluation.labels[picked],
                evaluation.predicted[picked],
                list(map(_, CLASS_NAMES)),
                probabilities=evaluation.probabilities[picked],
                indices=shown.indices,
                columns=COLUMNS,
            )
        ),
    )
    alt = _("Test images with the class that the network sees in each")
    live_chart(figure, key="grid", alt=alt, on_click=partial(_choose_image, len(evaluation.labels)))
    known = {"n": count(len(picked)), "total": count(shown.total)}
    if shown.reason == "cell":
        st.caption(_("{n} of {total} of this cell", **known))
    elif shown.reason == "mistakes":
        st.caption(_("{n} of {total} mistakes, the surest first", **known))
        st.caption(_(MISLABELED))
    else:
        st.caption(_("{n} of {total} test images", **known))
    return st.session_state.get("_image")


def _choose_image(images: int, click: Click) -> None:
    """Show the image that was clicked, one of so many, in detail."""
    if isinstance(click.data, int) and 0 <= click.data < images:
        st.session_state["_image"] = click.data


def _detail(evaluation: Evaluation, index: int) -> None:
    label, predicted = int(evaluation.labels[index]), int(evaluation.predicted[index])
    probabilities = evaluation.probabilities[index].astype(np.float64)
    sure = percent(float(probabilities[predicted]))
    st.markdown(
        _(
            "**Test image {index}** is a {label}; the network says {prediction}, with probability {probability}.",
            index=index,
            label=CLASS_NAMES[label],
            prediction=CLASS_NAMES[predicted],
            probability=sure,
        )
    )
    figure = probability_bars(probabilities, list(map(_, CLASS_NAMES)), label, predicted)
    live_chart(figure, key="probabilities", alt=_("Probability of each class for the chosen image"))
