"""What stands below the plane of the playground: how far the run is, and one panel of several; only the chosen one is drawn."""

from collections.abc import Sequence
from functools import partial
from statistics import mean

import streamlit as st

from mlp_core.jobs import JobSnapshot, TrainingJob
from mlp_core.records import EpochRecord, HistorySnapshot
from mlp_core.reports.export import epochs_csv
from mlp_core.training.replicates import Replicates
from mlp_core.words import Message, count, counted, fixed, joined, percent, significant
from pages.figures.training import ACCURACY, LOSS
from pages.language import _, said
from pages.ui import session
from pages.ui.downloads import download, page_address
from pages.ui.link import LinkState
from pages.ui.nonlinearity import pictures
from pages.ui.nonlinearity.own import points_left_out
from pages.ui.nonlinearity.settings import EXPORT, INSIDE, OWN, PANEL, PANELS, SEVERAL, PlaneSettings
from pages.ui.run.experiment_files import changes_in_words
from pages.ui.run.export import download_figure, download_numbers
from pages.ui.run.inside import inside_panel
from pages.ui.run.run_controls import RunAtStep
from pages.ui.text import refused

SEEDS_JOB = "plane_seeds"  # under which name the session holds five seeds of the design


def record(link: LinkState, settings: PlaneSettings, job: TrainingJob, moment: RunAtStep | None = None) -> None:
    """What has happened so far.

    Args:
        moment: the step that is looked back to; None for the newest.
    """
    now = job.snapshot()
    moment = moment or RunAtStep(now, job.run.network)
    _tiles(moment.snapshot, settings)
    if now.stop_reason is not None and now.stop_reason.kind != "completed":
        st.error(_("{why} Reset, and try a smaller learning rate.", why=now.stop_reason.detail), icon=":material/error:")
    st.segmented_control(_("Below the plane"), format_func=said(PANELS), required=True, label_visibility="collapsed", **link.default(PANEL))
    link.write()  # here too, since this part of the page runs by itself
    panel = link[PANEL]
    if panel == INSIDE:
        inside_panel(moment.snapshot, moment.network, job.look_inside)
    elif panel == SEVERAL:
        _seeds_panel(settings)
    elif panel == EXPORT:
        _export_panel(link, settings, job)
    else:
        pictures.curves_row(link, settings, now, moment)


def _tiles(snapshot: JobSnapshot, settings: PlaneSettings) -> None:
    """Epoch, loss and accuracy at the end of the last one."""
    epochs = snapshot.history.epochs
    last = epochs[-1] if epochs else None
    with st.container(horizontal=True):
        done = _("{part} of {whole}", part=count(len(epochs)), whole=count(snapshot.spec.epochs))
        st.metric(_("Epoch"), done, border=True)
        help = _("Mean over the last epoch's batches.")
        st.metric(_("Training loss"), fixed(last.train_loss, 4) if last else "–", border=True, help=help)
        st.metric(_("Test loss"), fixed(last.test_loss, 4) if last else "–", border=True)
        if settings.points.classes:
            st.metric(_("Training accuracy"), _(percent(last.train_accuracy)) if last else "–", border=True)
            st.metric(_("Test accuracy"), _(percent(last.test_accuracy)) if last else "–", border=True)


def start_seeds(settings: PlaneSettings) -> None:
    """Train the design from five seeds, at full speed, in the place of the five before."""
    session.start_group(SEEDS_JOB, settings.key, [session.Planned("", partial(settings.run, Replicates))])


def _seeds_panel(settings: PlaneSettings) -> None:
    """The band of five seeds, and what they came to."""
    group = session.jobs().group(SEEDS_JOB)
    if group is not None and group.error is not None:
        st.error(_("Five of these cannot be trained here: {why}.", why=refused(group.error)), icon=":material/error:")
    if group is None or not group.started:
        st.info(
            _("**× 5 seeds** trains five networks of this design at once, so that one lucky run does not mislead."), icon=":material/info:"
        )
        return
    if group.key != settings.key:
        st.info(_("These five are of the settings before; **× 5 seeds** trains the new ones."), icon=":material/edit_note:")
    job = group.jobs[0]
    snapshot, classes = job.snapshot(), job.run.loss.scores is not None
    st.markdown(_(summary(snapshot.members, snapshot.spec.seed, classes=classes)))
    pictures.show_curves(st.columns(2, gap="medium"), classes, snapshot, key="seeds")


def summary(members: Sequence[HistorySnapshot], first_seed: int, *, classes: bool) -> str:
    """What the seeds came to after the last epoch that any of them has finished.

    Args:
        classes: whether there is a right and wrong.
    """
    epoch, n = max(len(member.epochs) for member in members), len(members)
    if epoch == 0:
        return Message("{n} seeds, in their first epoch.", n=n)
    last = {first_seed + index: member.epochs[-1] for index, member in enumerate(members) if len(member.epochs) == epoch}
    text = _right(last, n, epoch) if classes else _near(last, epoch)
    gone = n - len(last)
    return joined(text, Message("{gone} of {n} diverged before.", gone=gone, n=n) if gone else "")


def _right(last: dict[int, EpochRecord], n: int, epoch: int) -> str:
    perfect = sum(record.test_accuracy == 1.0 for record in last.values())
    text = Message(
        "**{perfect} of {n} seeds reach 100 % on the test points** after {epochs}",
        perfect=perfect, n=n, epochs=counted(epoch, "{n} epoch", "{n} epochs"),
    )  # fmt: skip
    if perfect == n:
        return Message("{reached}, so a single run would not have misled.", reached=text)
    worst, best = (choose(last, key=lambda seed: last[seed].test_accuracy) for choose in (min, max))
    low, middle, high = (last[worst].test_accuracy, mean(record.test_accuracy for record in last.values()), last[best].test_accuracy)
    if low == high:
        return Message("{reached}; all {n} are at {accuracy}.", reached=text, n=len(last), accuracy=percent(low))
    return Message(
        "{reached}; from {low} (seed {worst}) to {high} (seed {best}), mean {mean}.",
        reached=text, low=percent(low), worst=worst, high=percent(high), best=best, mean=percent(middle),
    )  # fmt: skip


def _near(last: dict[int, EpochRecord], epoch: int) -> str:
    losses = [record.test_loss for record in last.values()]
    low, high, middle = (significant(value, 4) for value in (min(losses), max(losses), mean(losses)))
    return Message(
        "After {epochs} the **test loss of {n} seeds** lies from {low} to {high}, mean {mean}.",
        epochs=counted(epoch, "{n} epoch", "{n} epochs"), n=len(losses), low=low, high=high, mean=middle,
    )  # fmt: skip


def _export_panel(link: LinkState, settings: PlaneSettings, job: TrainingJob) -> None:
    """All that can be exported of the run on screen, as it stands now."""
    snapshot, network = job.snapshot(), job.run.network
    begun = bool(snapshot.history.epochs)
    of = Message("{sizes} on points of the plane", sizes=" → ".join(map(str, job.run.sizes)))
    numbers, figures = st.columns(2, gap="medium")
    with numbers:
        st.markdown(f"###### {_('Numbers')}")
        with st.container(horizontal=True):
            download_numbers(job, snapshot)
            if (five := session.jobs().job(SEEDS_JOB)) is not None:
                seeds, label = five.snapshot(), _("Epochs of 5 seeds (CSV)")
                csv = partial(epochs_csv, seeds.history, seeds.members, seeds.spec.seed)
                download(label, "seeds.csv", csv, enabled=bool(seeds.history.epochs))
    with figures:
        st.markdown(f"###### {_('Figures')}")
        with st.container(horizontal=True):
            if network is not None:
                regions = pictures.regions_of
                download_figure(Message("Plane"), lambda: pictures.plane_figure(link, settings, network, regions(settings, network)), of)
            classes = settings.points.classes > 0
            download_figure(Message("Loss"), lambda: pictures.curve(LOSS, classes, snapshot), of, enabled=begun)
            if classes:
                download_figure(Message("Accuracy"), lambda: pictures.curve(ACCURACY, classes, snapshot), of, enabled=begun)
    _link(link, snapshot)


def _link(link: LinkState, snapshot: JobSnapshot) -> None:
    st.markdown(f"###### {_('The whole experiment')}")
    st.code(page_address(st.query_params.to_dict()), language=None, wrap_lines=True)
    sentences = [Message("The link sets every control to this experiment; the same seeds give the same numbers.")]
    if link["data"] == OWN and points_left_out(link):
        sentences.append(Message("Its points come from a file and are too many for a link."))
    if snapshot.history.changes:
        changes = changes_in_words(snapshot.history.changes)
        sentences.append(
            Message("It says what the controls say now: that this run was changed in mid-run ({changes}) it cannot carry.", changes=changes)
        )
    st.caption(_(joined(*sentences)))
