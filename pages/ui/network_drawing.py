"""A network, drawn in the browser by `static/network.js`."""

import json

from pages.figures.network import Drawing
from pages.ui.served_component import served_component


def drawing_payload(drawing: Drawing) -> bytes:
    """A drawing as it is sent; a page that shows one many times keeps that."""
    return json.dumps(drawing, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def network_picture(drawing: bytes, *, key: str, height: int, alt: str) -> None:
    """Show a drawing, and change it in place whenever this is called again with the same key.

    Args:
        drawing: what `drawing_payload` made of it.
        height: in pixels.
        alt: what it shows, for those who cannot see it.
    """
    about = json.dumps({"height": height, "alt": alt}, ensure_ascii=False).encode()
    data = b'{"about":' + about + b',"drawing":' + drawing + b"}"
    served_component("network", "The network's picture")(key=key, data=data, height=height)
