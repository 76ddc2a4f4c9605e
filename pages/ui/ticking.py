"""Panels that draw themselves again and again while something moves."""

import functools
from collections.abc import Callable
from typing import ParamSpec

import streamlit as st

from mlp_core.jobs import Scheduler
from pages.ui import session

CROWD = 3  # so many playing runs are drawn as often as one; with more, ticks grow in proportion, or drawing would starve the training
TOO_SHORT, TOO_LONG = 1.5, 0.5  # what a tick should be, over what it was when the panel was drawn; in between it is left alone

Args = ParamSpec("Args")


def tick_seconds(alone: float, crowd: int = CROWD) -> float:
    """How often to draw what would be drawn every `alone` seconds on a server with no more than `crowd` runs."""
    return stretched(alone, session.engine()[0], crowd)


def stretched(alone: float, scheduler: Scheduler, crowd: int) -> float:
    """These seconds, longer in proportion where more than `crowd` runs share a server."""
    return alone * max(1.0, scheduler.playing_count / crowd)


def ticking(panel: Callable[Args, None], seconds: float, *, moving: bool) -> Callable[Args, None]:
    """The panel as a fragment that runs itself again while something moves.

    Args:
        seconds: between two runs on a server with few runs; with a crowd more, also if the crowd comes later.
    """
    tick = tick_seconds(seconds)

    @functools.wraps(panel)
    def draw(*args: Args.args, **kwargs: Args.kwargs) -> None:
        if moving and not TOO_LONG < tick_seconds(seconds) / tick < TOO_SHORT:
            st.rerun()  # the whole page: how often the panel runs is decided where it is made
        panel(*args, **kwargs)

    return st.fragment(draw, run_every=tick if moving else None)


def follow(panel: Callable[[], None], seconds: float, moving: Callable[[], bool]) -> None:
    """Draw a panel, and again by itself every so many seconds (see `ticking`) for as long as there will be something new to see."""
    moved = moving()

    def draw() -> None:
        if moving() != moved:
            st.rerun()  # the whole page: whether the panel runs itself again is decided there
        panel()

    ticking(draw, seconds, moving=moved)()
