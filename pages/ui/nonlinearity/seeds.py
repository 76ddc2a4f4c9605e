"""Five seeds of the playground's design, trained at once: their curves, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

import streamlit as st

from mlp_core.expression import ExpressionError
from mlp_core.jobs import MemoryBudgetError
from mlp_core.records import EpochRecord, HistorySnapshot
from mlp_core.spec import SpecError
from mlp_core.training.replicates import Replicates
from pages.figures.series import CurveSeries
from pages.figures.training import ACCURACY, LOSS, epoch_curves
from pages.ui import session
from pages.ui.live_chart import live_chart
from pages.ui.nonlinearity.pictures import CURVE_HEIGHT, loss_title
from pages.ui.nonlinearity.settings import PlaneSettings
from pages.ui.run.run_controls import worded
from pages.ui.text import count, percent

JOB = "plane_seeds"  # under which name the session holds them
ERROR = "_plane_seeds_error"


def start(settings: PlaneSettings) -> None:
    """Train the design from five seeds, at full speed, in the place of the five before."""
    st.session_state.pop(ERROR, None)
    try:
        session.start_job(JOB, settings.key, settings.replicates).play()
    except (SpecError, ExpressionError, MemoryBudgetError) as error:
        st.session_state[ERROR] = error


def moving() -> bool:
    """Whether there will be something new to see of five seeds."""
    group = session.jobs().group(JOB)
    return group is not None and group.moving


def seeds_panel(settings: PlaneSettings) -> None:
    """The band of five seeds, and what they came to."""
    if (error := st.session_state.get(ERROR)) is not None:
        st.error(f"Five of these cannot be trained here: {worded(error)}.", icon=":material/error:")
    group = session.jobs().group(JOB)
    if group is None:
        st.info(
            "**× 5 seeds** trains five networks of this design at once, so that one lucky run does not mislead.", icon=":material/info:"
        )
        return
    if group.key != settings.key:
        st.info("These five are of the settings before; **× 5 seeds** trains the new ones.", icon=":material/edit_note:")
    snapshot, five = group.jobs[0].snapshot(), group.jobs[0].run
    assert isinstance(five, Replicates)
    classes = five.loss.scores is not None
    members, first, total = snapshot.members, snapshot.spec.seed, snapshot.spec.epochs
    st.markdown(summary(members, first, classes=classes))
    run = CurveSeries.of(snapshot.history, snapshot.steps_per_epoch, members=members)
    loss, accuracy = st.columns(2, gap="medium")
    with loss:
        st.markdown("###### Loss")
        figure = epoch_curves(run, LOSS, loss_title(classes), total)
        live_chart(figure, key="seeds_loss", height=CURVE_HEIGHT, alt="Training and test loss of five seeds against epochs")
    if classes:
        with accuracy:
            st.markdown("###### Accuracy")
            figure = epoch_curves(run, ACCURACY, "accuracy (%)", total)
            live_chart(figure, key="seeds_accuracy", height=CURVE_HEIGHT, alt="Training and test accuracy of five seeds against epochs")


def summary(members: Sequence[HistorySnapshot], first_seed: int, *, classes: bool) -> str:
    """What the seeds came to after the last epoch that any of them has finished.

    Args:
        classes: whether there is a right and wrong.
    """
    epoch, n = max(len(member.epochs) for member in members), len(members)
    if epoch == 0:
        return f"{n} seeds, in their first epoch."
    last = {first_seed + index: member.epochs[-1] for index, member in enumerate(members) if len(member.epochs) == epoch}
    text = _right(last, n, epoch) if classes else _near(last, epoch)
    gone = n - len(last)
    return text + (f" {gone} of {n} diverged before." if gone else "")


def _right(last: dict[int, EpochRecord], n: int, epoch: int) -> str:
    perfect = sum(record.test_accuracy == 1.0 for record in last.values())
    text = f"**{perfect} of {n} seeds reach 100 % on the test points** after {_epochs(epoch)}"
    if perfect == n:
        return text + ", so a single run would not have misled."
    worst, best = (choose(last, key=lambda seed: last[seed].test_accuracy) for choose in (min, max))
    low, middle, high = (last[worst].test_accuracy, mean(record.test_accuracy for record in last.values()), last[best].test_accuracy)
    if low == high:
        return f"{text}; all {len(last)} are at {percent(low)}."
    return f"{text}; from {percent(low)} (seed {worst}) to {percent(high)} (seed {best}), mean {percent(middle)}."


def _near(last: dict[int, EpochRecord], epoch: int) -> str:
    losses = [record.test_loss for record in last.values()]
    spread = f"from {min(losses):.4g} to {max(losses):.4g}, mean {mean(losses):.4g}"
    return f"After {_epochs(epoch)} the **test loss of {len(losses)} seeds** lies {spread}."


def _epochs(epoch: int) -> str:
    return f"{count(epoch)} epoch{'s' if epoch > 1 else ''}"
