"""What a visitor brings before the network: a picture or a drawing, asked for, kept, made ready, removed.

What was brought outlives its widgets: it is there again after another page, or after the other way to bring one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import streamlit as st

from mlp_core.labs.images.file import FORMATS, MAX_BYTES, Picture, PictureError, Pixels, read_picture
from mlp_core.labs.images.prepared import Prepared, prepare, prepare_drawing, read_drawing
from pages.ui.memo import memo
from pages.ui.served_component import served_component
from pages.ui.unbroken import unbroken

UPLOAD, DRAW = "Upload a picture", "Draw one"
BACKGROUNDS = {"auto": "By its border", "light": "Light", "dark": "Dark"}
KEPT = "_own_garment"
BOARD = "own_board"

Made = TypeVar("Made")


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
        "Where from", [UPLOAD, DRAW], default=UPLOAD, key="own_source", label_visibility="collapsed", required=True, persist_state="session"
    )
    ready = _uploaded(kept) if source == UPLOAD else _drawn(kept)
    if isinstance(ready, PictureError):
        st.error(f"This cannot be used: {ready}.", icon=":material/error:")
    if source == UPLOAD and kept.picture is not None:
        st.button("Remove", key="own_remove", icon=":material/delete:", on_click=unbroken(_remove))
    return ready if isinstance(ready, Prepared) else None


def _uploaded(kept: Kept) -> Prepared | PictureError | None:
    megabytes = int(MAX_BYTES / 1e6)
    st.file_uploader(
        f"One garment before an even background ({', '.join(FORMATS)}; at most {megabytes} MB)",
        type="image",  # what it is decides its content, later
        max_upload_size=megabytes,
        key=f"own_upload_{kept.uploaders}",
        on_change=unbroken(_take_upload),
    )
    picture = kept.picture
    if not isinstance(picture, Picture):
        return picture
    help = "The network was trained on what is bright on black, so a light background is inverted. Set it where the guess is wrong."
    background: Any = st.segmented_control(
        "Background", list(BACKGROUNDS), default="auto", format_func=BACKGROUNDS.__getitem__, key="own_background", help=help,
        required=True, persist_state="session",
    )  # fmt: skip
    return memo("own_upload", (picture, background), lambda: _or_refusal(lambda: prepare(picture, background)))


def _drawn(kept: Kept) -> Prepared | PictureError | None:
    drawing = kept.drawing
    shown = drawing.ravel().tolist() if isinstance(drawing, np.ndarray) else None
    _board(shown)
    st.caption("Fill it: garments are surfaces here, gray more often than white.")
    help = "The longest edge fills the 28 pixels, and the whole stands in the middle: as in the training images."
    fit = st.toggle("Crop and center it", key="own_fit", help=help, persist_state="session")
    if not isinstance(drawing, np.ndarray):
        return drawing
    return memo("own_drawing", (drawing.tobytes(), fit), lambda: _or_refusal(lambda: prepare_drawing(drawing, fit=fit)))


def _board(pixels: Sequence[int] | None) -> None:
    """28 × 28 pixels to draw on, by mouse or finger.

    Args:
        pixels: the drawing that a board begins with, after a page switch, say; None for an empty one. A board that is already there
            keeps to its own: what is sent to it may be older than its last stroke.
    """
    data = {"pixels": pixels, "alt": "Your drawing, 28 by 28 pixels, bright on black"}
    served_component("drawing", "The drawing board")(key=BOARD, data=data, on_pixels_change=unbroken(_take_drawing))


def _or_refusal(make: Callable[[], Made]) -> Made | PictureError:
    try:
        return make()
    except PictureError as refusal:
        return refusal


def _take_upload() -> None:
    kept = _kept()
    upload = st.session_state[f"own_upload_{kept.uploaders}"]
    kept.picture = None if upload is None else _or_refusal(lambda: read_picture(upload.getvalue()))


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
