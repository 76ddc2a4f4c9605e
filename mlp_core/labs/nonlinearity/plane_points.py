"""Points that a visitor brings: what there may be of them, and how a link holds them."""

import base64
import binascii

import numpy as np

from mlp_core.labs.nonlinearity.plane import PLANE_EXTENT, Points
from mlp_core.words import Message

MAX_CLASSES = 6
SAME = 1e-9  # places of the plane nearer than this are one
FEW_MERGED = 0.1

LINK_POINTS = 500  # more do not fit an address
BYTES_A_POINT = 4  # 14 bits for x, 14 for y, 3 for the class
STEPS = 2**14 - 1


class PointsError(ValueError):
    """Points that cannot be used, and why: a sentence for the person who brought them."""


def to_text(points: Points) -> str:
    """At most `LINK_POINTS` points as text for a link: four bytes a point, in base64. `from_text` gives them back, to 1/1365."""
    steps = np.round((np.clip(points.xy, -PLANE_EXTENT, PLANE_EXTENT) + PLANE_EXTENT) * (STEPS / (2 * PLANE_EXTENT))).astype(np.uint32)
    packed = (steps[:, 0] << 17) | (steps[:, 1] << 3) | points.labels.astype(np.uint32)
    return base64.urlsafe_b64encode(packed.astype(">u4").tobytes()).decode("ascii").rstrip("=")


def merged(points: Points) -> int:
    """How many different x or y a link with these points would merge with others, as it tells no places nearer than 1/1365 apart.

    0 where these are fewer than `FEW_MERGED` of all: among hundreds of points a few are always so near.
    """
    linked = from_text(to_text(points))
    different = ([len(np.unique(np.round(axis / SAME))) for axis in one.xy.T] for one in (points, linked))
    return sum(before - after for before, after in zip(*different, strict=True) if before - after > FEW_MERGED * before)


def from_text(text: str) -> Points:
    """Read what `to_text` wrote.

    Raises:
        PointsError: it cannot have written this.
    """
    try:
        content = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise PointsError(Message("must be points as this page writes them")) from error
    if len(content) % BYTES_A_POINT or len(content) > LINK_POINTS * BYTES_A_POINT:
        raise PointsError(Message("must be at most {most} points of four bytes", most=LINK_POINTS))
    packed = np.frombuffer(content, ">u4").astype(np.int64)
    labels = packed & 7
    if (labels >= MAX_CLASSES).any():
        raise PointsError(Message("must have classes from 0 to {last}", last=MAX_CLASSES - 1))
    steps = np.column_stack([packed >> 17 & STEPS, packed >> 3 & STEPS])
    return Points(steps * (2 * PLANE_EXTENT / STEPS) - PLANE_EXTENT, labels, max(2, int(labels.max(initial=0)) + 1))
