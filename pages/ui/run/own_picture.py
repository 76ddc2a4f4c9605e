"""A visitor's own garment before the network: uploaded or drawn, made ready in the open, told by its likes."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import streamlit as st
import torch

from mlp_core.data import CLASS_NAMES, load_fashion_mnist
from mlp_core.jobs import JobSnapshot
from mlp_core.labs.images.file import FORMATS, MAX_BYTES, Picture, PictureError, Pixels, read_picture
from mlp_core.labs.images.neighbors import Neighbors, NeighborSearch, TypicalDistance
from mlp_core.labs.images.prepared import SIDE, Prepared, prepare, prepare_drawing, read_drawing
from mlp_core.network import Network
from mlp_core.words import Message, listed, percent, rounded
from pages.figures.figure import Floats
from pages.figures.pictures import STAGE_PX, neighbor_grid, stage_picture
from pages.figures.predictions import probability_bars
from pages.language import _, said
from pages.ui.live_chart import figure_payload, live_chart
from pages.ui.memo import memo
from pages.ui.served_component import served_component
from pages.ui.unbroken import button, unbroken
from pages.ui.uploads import uploaded

NEIGHBORS = 8
SIZES = 4  # of training sets that a search is kept for
UPLOAD, DRAW = Message("Upload a picture"), Message("Draw one")
BACKGROUNDS = {"auto": Message("By its border"), "light": Message("Light"), "dark": Message("Dark")}
BOARD_WORDS = {  # of static/drawing.js
    "brush": Message("Brush"),
    "fine": Message("Fine"),
    "medium": Message("Medium"),
    "broad": Message("Broad"),
    "ink": Message("Ink"),
    "white": Message("White"),
    "gray": Message("Gray"),
    "eraser": Message("Eraser"),
    "drawing": Message("Drawing"),
    "undo": Message("Undo"),
    "clear": Message("Clear"),
}
KEPT = "_own_garment"
BOARD = "own_board"
Made = TypeVar("Made")


def own_picture_panel(snapshot: JobSnapshot, network: Network | None) -> None:
    """Ask for a picture, show every stage of its way to the network, and what the network and the training images make of it.

    Args:
        snapshot: of the run whose training images are searched.
        network: says what it sees, as its weights stand; None before there is one. One of other inputs is asked nothing.
    """
    if network is not None and not takes_pictures(network):
        return
    st.caption(
        _(
            "Bring a garment of your own. It is made ready as the training images once were, and you see every stage; then the network "
            "says what it sees, and the training images nearest to it tell whether it has ever seen the like."
        )
    )
    left, right = st.columns([1, 2], gap="medium")
    with left:
        ready = asked()
    if ready is None:
        return
    with right:
        if len(ready.stages) > 1:  # the board itself shows a drawing that is left as it is
            _stages(ready)
        if ready.doubt:
            doubt = _("**Garment or background?** {doubt} Say under “Background” how it is.", doubt=ready.doubt)
            st.warning(doubt, icon=":material/contrast:")
            return
        _answer(ready, network)
        _kin(ready, snapshot.spec.train_size)


def takes_pictures(network: Network) -> bool:
    """Whether it goes from 28 × 28 pixels to the ten classes."""
    weights = network.weights()
    return weights[0][0].shape[1] == SIDE * SIDE and weights[-1][0].shape[0] == len(CLASS_NAMES)


def _stages(ready: Prepared) -> None:
    """Side by side, as many as there is room for."""
    figures = memo("own_stages", ready, lambda: [figure_payload(stage_picture(stage.pixels)) for stage in ready.stages])
    with st.container(horizontal=True, gap="small"):
        for number, (stage, figure) in enumerate(zip(ready.stages, figures, strict=True), start=1):
            with st.container(width=STAGE_PX):
                alt = _("Stage {number}: {stage}", number=number, stage=stage.title)
                live_chart(figure, key=f"own_stage_{number}", height=STAGE_PX, alt=alt)
                st.caption(_("**{number}. {stage}.** {caption}", number=number, stage=stage.title, caption=stage.caption))


def _answer(ready: Prepared, network: Network | None) -> None:
    """What the network says as it stands, also while it learns."""
    if network is None:
        st.info(_("There is no network yet: train one, and it says here what it sees."), icon=":material/play_circle:")
        return
    probabilities = probabilities_of(network, ready.pixels)
    if not np.isfinite(probabilities).all():
        st.warning(_("The network's outputs are no numbers any more: its weights have diverged."), icon=":material/warning:")
        return
    likeliest, sure = CLASS_NAMES[int(probabilities.argmax())], percent(float(probabilities.max()))
    st.markdown(_("The network says **{label}**, with probability {probability}.", label=likeliest, probability=sure))
    figure = memo("own_bars", probabilities.tobytes(), lambda: figure_payload(probability_bars(probabilities, list(map(_, CLASS_NAMES)))))
    live_chart(figure, key="own_bars", alt=_("Probability of each class for your own picture"))


def probabilities_of(network: Network, pixels: Pixels) -> Floats:
    """(classes,) for one picture, uint8 (28, 28)."""
    weight = network.parameters()[0]
    inputs = torch.tensor(pixels.reshape(1, -1), dtype=weight.dtype, device=weight.device) / 255
    return network.logits(inputs)[0].double().softmax(0).cpu().numpy()


def _kin(ready: Prepared, train_size: int | None) -> None:
    """The nearest of the images that the run trains on, and whether they are near."""
    data = load_fashion_mnist()
    size = len(data.train_labels[:train_size])
    search = _search(data.source, size)
    found = memo("own_neighbors", (ready, data.source, size), lambda: search.nearest(ready.pixels, NEIGHBORS))
    st.markdown(_(kinship(found)))
    figure = memo(
        "own_kin",
        found,
        lambda: figure_payload(
            neighbor_grid(data.train_images.numpy()[found.indices], found.labels, found.distances, list(map(_, CLASS_NAMES)))
        ),
    )
    live_chart(figure, key="own_kin", alt=_("The training images nearest to your own picture"))
    if size == 1:
        return  # and has no other one to compare with
    sentence, unseen = strangeness(float(found.distances[0]), search.typical)
    if unseen:
        st.warning(_(sentence), icon=":material/travel_explore:")
    else:
        st.caption(_(sentence))


@st.cache_resource(show_spinner=False, max_entries=SIZES)
def _search(source: str, size: int) -> NeighborSearch:
    data = load_fashion_mnist()
    return NeighborSearch(data.train_images[:size], data.train_labels[:size])


def kinship(found: Neighbors) -> str:
    """Of which classes the nearest training images are."""
    classes = Counter(CLASS_NAMES[label] for label in found.labels).most_common()
    parts = listed([Message("{n} **{label}**", n=count, label=name) for name, count in classes])
    return Message("The {n} training images nearest to it: {classes}.", n=len(found.labels), classes=parts)


def strangeness(distance: float, typical: TypicalDistance) -> tuple[str, bool]:
    """How far the nearest training image is, beside how far these are from each other; and whether that is unusually far."""
    unit = Message("Euclidean over the 784 pixels, black to white being 1")
    known: dict[str, Any] = {"images": typical.images, "half": rounded(typical.median, 2), "most": rounded(typical.high, 2), "unit": unit}
    if distance > typical.high:
        return Message(
            "**Unlike what it was trained on:** the nearest training image is {nearest} away, while of {images} training images looked at "
            "95 % have another within {most}, half within {half} ({unit}). What the network says is little more than a guess.",
            nearest=rounded(distance, 2),
            **known,
        ), True
    if distance:
        return Message(
            "The nearest is {nearest} away; of {images} training images looked at half have another within {half}, 95 % within {most} "
            "({unit}).",
            nearest=rounded(distance, 2),
            **known,
        ), False
    return Message(
        "The nearest is the very same image; of {images} training images looked at half have another within {half}, 95 % within {most} "
        "({unit}).",
        **known,
    ), False


@dataclass(slots=True)
class Kept:
    """What the visitor brought, until they remove it. With the number of `uploaders` the uploader begins anew."""

    picture: Picture | PictureError | None = None
    drawing: Pixels | PictureError | None = None
    uploaders: int = 0


def asked() -> Prepared | None:
    """Let the visitor upload or draw; what they brought, made ready."""
    kept = _kept()
    source = st.segmented_control(
        _("Where from"), [UPLOAD, DRAW], default=UPLOAD, key="own_source", label_visibility="collapsed", required=True,
        persist_state="session", format_func=_,
    )  # fmt: skip
    ready = _uploaded(kept) if source == UPLOAD else _drawn(kept)
    if isinstance(ready, PictureError):
        st.error(_("This cannot be used: {why}.", why=ready.args[0]), icon=":material/error:")
    if source == UPLOAD and kept.picture is not None:
        button(_("Remove"), "own_remove", "delete", _remove)
    return ready if isinstance(ready, Prepared) else None


def _uploaded(kept: Kept) -> Prepared | PictureError | None:
    megabytes = int(MAX_BYTES / 1e6)
    st.file_uploader(
        _("One garment before an even background ({formats}; at most {n} MB)", formats=listed(FORMATS), n=megabytes),
        type="image",  # what it is decides its content, later
        max_upload_size=megabytes,
        key=f"own_upload_{kept.uploaders}",
        on_change=unbroken(_take_upload),
    )
    picture = kept.picture
    if not isinstance(picture, Picture):
        return picture
    help = _("The network was trained on what is bright on black, so a light background is inverted. Set it where the guess is wrong.")
    background: Any = st.segmented_control(
        _("Background"), list(BACKGROUNDS), default="auto", format_func=said(BACKGROUNDS), key="own_background", help=help,
        required=True, persist_state="session",
    )  # fmt: skip
    return memo("own_upload", (picture, background), lambda: _or_refusal(lambda: prepare(picture, background)))


def _drawn(kept: Kept) -> Prepared | PictureError | None:
    """A board of 28 × 28 pixels to draw on, by mouse or finger.

    A new board, after a page switch, say, begins with the drawing. One that is already there keeps to its own: what is sent to it may be
    older than its last stroke.
    """
    drawing = kept.drawing
    pixels = drawing.ravel().tolist() if isinstance(drawing, np.ndarray) else None
    words = {name: _(word) for name, word in BOARD_WORDS.items()}
    data = {"pixels": pixels, "alt": _("Your drawing, 28 by 28 pixels, bright on black"), "words": words}
    served_component("drawing", Message("The drawing board"))(key=BOARD, data=data, on_pixels_change=unbroken(_take_drawing))
    st.caption(_("Fill it: garments are surfaces here, gray more often than white."))
    help = _("The longest edge fills the 28 pixels, and the whole stands in the middle: as in the training images.")
    fit = st.toggle(_("Crop and center it"), key="own_fit", help=help, persist_state="session")
    if not isinstance(drawing, np.ndarray):
        return drawing
    return memo("own_drawing", (drawing.tobytes(), fit), lambda: _or_refusal(lambda: prepare_drawing(drawing, fit=fit)))


def _or_refusal(make: Callable[[], Made]) -> Made | PictureError:
    try:
        return make()
    except PictureError as refusal:
        return refusal


def _take_upload() -> None:
    kept = _kept()
    content = uploaded(f"own_upload_{kept.uploaders}")
    kept.picture = None if content is None else _or_refusal(lambda: read_picture(content))


def _take_drawing() -> None:
    """After a stroke, an undo or a clear the browser sent 784 integers, or whatever else somebody made of it."""
    values: object = (st.session_state.get(BOARD) or {}).get("pixels")
    drawing = _or_refusal(lambda: read_drawing(values))
    _kept().drawing = None if isinstance(drawing, np.ndarray) and not drawing.any() else drawing


def _remove() -> None:
    kept = _kept()
    kept.picture = None
    kept.uploaders += 1


def _kept() -> Kept:
    kept: Kept = st.session_state.setdefault(KEPT, Kept())
    return kept
