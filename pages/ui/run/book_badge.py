"""A badge on a run of one of the book's designs: whether its numbers are where those of many other seeds lie."""

from __future__ import annotations

import streamlit as st

from mlp_core.jobs import JobSnapshot
from mlp_core.reports.comparison.book_bands import BookCheck, QuantityCheck, book_check
from pages.figures.training import Reference
from pages.ui.text import percent

WORDS = {"train_loss": "training loss", "train_accuracy": "training accuracy", "test_accuracy": "test accuracy"}


def book_badge(snapshot: JobSnapshot) -> None:
    """Say whether the run is inside the book's bands, with the numbers; nothing where the design is not the book's."""
    check = book_check(snapshot.spec, snapshot.history, snapshot.members)
    if check is None:
        return
    with st.container(gap="xsmall"):
        if check.inside:
            st.badge("Inside the book's band", icon=":material/check:", color="green", help=_help(check))
        else:
            st.badge("Outside the book's band", icon=":material/priority_high:", color="orange", help=_help(check))
        st.caption(_sentence(check))


def reference(snapshot: JobSnapshot) -> Reference | None:
    """The band of the test accuracy after the last epoch that was compared, for the accuracy curve; None without a check."""
    check = book_check(snapshot.spec, snapshot.history, snapshot.members)
    if check is None:
        return None
    band = next(one.band for one in check.quantities if one.quantity == "test_accuracy")
    label = f"test, {check.seeds} other seeds"
    return Reference(band.low, band.high, label, since=check.epoch - 0.5, until=check.epoch + 0.5)


def _sentence(check: BookCheck) -> str:
    numbers = "; ".join(_compared(one) for one in check.quantities)
    which = "" if check.runs == 1 else f"{check.runs - check.outsiders} of {check.runs} seeds inside. "
    return (
        f"{check.design.title} after epoch {check.epoch}, beside {check.seeds} other seeds of it. {which}{numbers[0].upper()}{numbers[1:]}."
    )


def _compared(one: QuantityCheck) -> str:
    low, high = _number(one.quantity, one.band.low), _number(one.quantity, one.band.high)
    values = one.values if len(one.values) == 1 else (min(one.values), max(one.values))
    said = " to ".join(_number(one.quantity, value) for value in values)
    marked = said if all(one.inside) else f"**{said}**"
    return f"{WORDS[one.quantity]} {marked} ({low} to {high})"


def _help(check: BookCheck) -> str:
    honest = "An honest run" if check.runs == 1 else f"At least one of {check.runs} honest runs"
    bands = f"The bands reach from the lowest to the highest of {check.seeds} runs on all 60,000 images that differ in the seed alone."
    often = f"{honest} falls outside in one of the three numbers in about {percent(check.false_alarm, 0)} of all cases."
    return f"{check.design.source}. {bands} {often}"


def _number(quantity: str, value: float) -> str:
    return f"{value:.4f}" if quantity == "train_loss" else percent(value)
