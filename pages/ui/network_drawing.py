"""A network, drawn in the browser by `static/network.js`."""

import json
from collections.abc import Mapping
from typing import Any

from mlp_core.words import Message
from pages.figures.network import Drawing
from pages.language import _
from pages.ui.served_component import served_component
from pages.ui.unbroken import unbroken

WORDS = {  # of static/network.js
    "open": Message("Open"),
    "close": Message("Close"),
    "network": Message("The network"),
    "test_image": Message("Test image"),
    "next": Message("Next image"),
    "random": Message("Random"),
    "no_image": Message("No image: mean activations"),
    "untrained": Message("Train a network of this shape: then its weights and activations are seen here."),
    "choose": Message("Choose a test image, or click a unit."),
    "inputs": Message("strongest inputs"),
    "weights": Message("Its weights as a picture of 28 × 28 pixels"),
}


def drawing_payload(drawing: Drawing) -> bytes:
    """A drawing as it is sent; a page that shows one many times keeps that."""
    return _json(drawing)


def network_picture(
    drawing: bytes,
    *,
    key: str,
    height: int,
    alt: str,
    folded: bool = False,
    words: str = "",
    images: int = 0,
    state: Mapping[str, Any] | None = None,
    answer: Mapping[str, Any] | None = None,
) -> None:
    """Show a drawing, and change it in place whenever this is called again with the same key.

    Args:
        drawing: what `drawing_payload` made of it.
        height: in pixels; of the strip, where it is folded to one that a click opens.
        alt: what it shows, for those who cannot see it.
        words: that stand on the strip.
        images: from how many the visitor may choose.
        state: a `network_state`: what the network does.
        answer: what there is to say of the image and the unit chosen, which are asked for in `st.session_state[key]["ask"]`.
    """
    said = {name: _(word) for name, word in WORDS.items()} if folded else {}
    about = {"height": height, "alt": alt, "words": words, "folded": folded, "images": images, "said": said}
    rest = {"about": about, "state": state, "answer": answer}
    data = b'{"drawing":' + drawing + b"," + _json(rest)[1:]
    served_component("network", Message("The network's picture"))(key=key, data=data, height=height, on_ask_change=unbroken(_run_again))


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _run_again() -> None:
    """Nothing to do: that a callback is given is what makes Streamlit report the question."""
