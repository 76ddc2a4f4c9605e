"""Experiments of links, shown on another page: what they measure, what of other runs is hidden, and that nothing leaks into the pages."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from streamlit.runtime.state import SessionStateProxy
from streamlit.testing.v1 import AppTest

from mlp_core.spec import SpecError
from pages.ui import session
from pages.ui.lessons.experiments import Experiment, experiment_of
from scripts.list_measures import LINKS
from tests.support.pages.experiments import APP, shows, turn_to
from tests.support.pages.training import LONG, SHORT, carried_out
from tests.support.pages.visit import address, again, metrics, opened, press, said, traces, until, visit_with_jobs, widget

HE = "activation=relu&init=he_normal&activation2=none&activation3=none"
SMALL = f"stability?act=training&{HE}&layers=1&epochs=1"
OTHER = f"stability?act=training&{HE}&layers=2&epochs=1"
LABELS = "generalization?part=labels&wrong=0"
TRAIN = "train?" + "&".join(f"{name}={text}" for name, text in SHORT.items())
TRAIN_OTHER = TRAIN.replace("epochs=2", "epochs=1")


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    with visit_with_jobs(APP, monkeypatch) as page:
        yield page


def state(page: AppTest) -> str:
    return str(page.text[0].value)


def unmeasured(page: AppTest) -> str:
    return str(page.text[1].value)


def finished(page: AppTest) -> AppTest:
    return again(until(page, lambda page: state(page) == "done"))


@pytest.mark.parametrize(
    ("link", "field", "value"),
    [
        ("nowhere?lr=1", "page", "nowhere"),
        ("stability?act=nothing", "act", "nothing"),
        ("stability?act=training&layers=99", "layers", 99),
        ("stability?act=training&color=red", "color", "red"),
        ("stability?act=training&layers=2&layers=3", "layers", "2, 3"),
        ("stability?act=training&activation=rellu", "activation", "rellu"),
        ("stability?act=training&lock=layers,lr2", "lock", "layers,lr2"),
        ("train?lr=0", "lr", 0.0),
        ("train?activation=%3Drellu(x)", "activation", "rellu(x)"),
        ("train?changes=lr:0.1", "changes", "lr:0.1"),
        ("train?pace=quick", "pace", "quick"),
        ("train?hidden=none&dropout=0.5", "dropout", (0.5,)),
    ],
)
def test_a_link_that_breaks_a_rule_is_refused_by_the_name_of_its_field(link: str, field: str, value: object) -> None:
    with pytest.raises(SpecError) as error:
        experiment_of(link)
    assert (error.value.field, error.value.value) == (field, value)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (("accuracy",), "measure"),
        (("test_accuracy",), "of"),
        (("test_accuracy", "tanh"), "of"),
        (("test_accuracy", "ReLU, He normal", 2), "after"),
        (("first_layer_gradient", "ReLU, He normal", 1), "after"),
    ],
)
def test_a_number_that_cannot_be_asked_for_is_refused(asked: tuple[str, str, int | None], field: str) -> None:
    experiment = experiment_of(SMALL.replace("activation2=none", "activation2=tanh"))
    experiment.check("test_accuracy", "ReLU, He normal", 1)
    with pytest.raises(SpecError) as error:
        experiment.check(*asked)
    assert error.value.field == field


def test_two_experiments_of_one_section_follow_each_other(page: AppTest) -> None:
    links = (f"{LABELS}&wide=8&label_epochs=1", f"{LABELS}&wide=64&label_epochs=10")
    shows(page, *links)
    assert state(page) == "none"
    first, second = map(experiment_of, links)
    assert first.measure("test_accuracy") is None
    press(page, "begin")
    press(page, "begin")  # pressed twice: goes on
    finished(page)
    assert metrics(page)["Test accuracy"] == f"{100 * measured(first, 'test_accuracy'):.1f} %"
    turn_to(page, 1)
    assert state(page) == "none"
    assert "Not run yet." in said(page)
    assert unmeasured(page) == "What was run last has other settings."
    assert not page.metric
    press(page, "begin")
    assert unmeasured(page) == ""
    turn_to(page, 0)  # in mid-run
    assert first.measure("test_accuracy") is None
    assert not page.metric
    turn_to(page, 1)
    finished(page)
    assert measured(second, "test_accuracy", after=10) == measured(second, "test_accuracy")
    assert address(page) == {}


def test_a_link_locks_its_controls_in_a_lesson_as_on_its_page(page: AppTest) -> None:
    shows(page, f"{SMALL}&lock=layers", OTHER)
    assert widget(page, "step 0_stability_layers").disabled
    assert not widget(page, "step 0_stability_epochs").disabled
    assert not widget(turn_to(page, 1), "step 1_stability_layers").disabled


def test_what_is_moved_beside_an_experiment_stays_there_and_is_not_measured(page: AppTest) -> None:
    page.session_state["laboratory"] = True
    opened(page, act="training", layers="4")
    widget(page, "stability_epochs").set_value(2)
    again(page)
    in_laboratory = address(page)
    page.session_state["laboratory"] = False
    page.query_params.clear()
    shows(page, SMALL, OTHER)
    assert widget(page, "step 0_stability_layers").value == 1
    press(page, "begin")
    finished(page)
    widget(page, "step 0_stability_layers").set_value(3)
    again(page)
    press(page, "designs_start")
    until(page, lambda page: bool(page.metric))
    assert state(page) == "none"
    assert experiment_of(SMALL).measure("test_accuracy") is None
    press(page, "begin")  # as the link says, whatever was moved
    assert widget(page, "step 0_stability_layers.1").value == 1
    finished(page)
    turn_to(page, 1)
    press(page, "begin")
    assert widget(page, "step 1_stability_layers").value == 2
    assert address(page) == {}
    page.session_state["laboratory"] = True
    again(page)
    assert address(page) == in_laboratory
    assert (widget(page, "stability_layers").value, widget(page, "stability_epochs").value) == (4, 2)


def measured(experiment: Experiment, name: str, **which: object) -> float:
    value = experiment.measure(name, **which)  # type: ignore[arg-type]
    assert value is not None
    return value


def test_the_run_of_a_link_is_that_of_the_training_page(page: AppTest) -> None:
    shows(page, TRAIN, TRAIN_OTHER)
    experiment = experiment_of(TRAIN)
    press(page, "begin")
    press(page, "begin")
    finished(page)
    epochs = carried_out(SHORT).history.epochs
    assert measured(experiment, "train_loss") == epochs[-1].train_loss
    assert measured(experiment, "test_accuracy", after=1) == epochs[0].test_accuracy
    assert measured(experiment, "gap", after=2) == epochs[1].train_accuracy - epochs[1].test_accuracy
    turn_to(page, 1)
    assert "Not run yet." in said(page)
    press(page, "begin")
    finished(page)
    assert experiment.measure("train_loss") is None
    assert address(page) == {}


def test_a_run_that_was_changed_on_its_way_is_not_measured(page: AppTest) -> None:
    shows(page, TRAIN)
    press(page, "begin")
    job = session.current_job()
    assert job is not None
    finished(page)
    run = job.run
    assert experiment_of(TRAIN).state() == "done"
    branch = run.branch(run.checkpoints.steps[1], lr=0.01)
    session.start_current_job(lambda: branch).play()
    until(page, lambda page: not session.current_job().moving)  # type: ignore[union-attr]
    assert state(page) == "none"
    assert unmeasured(page) == "It was changed on the way, to lr 0.01."
    assert experiment_of(TRAIN).measure("train_loss") is None


PLANE = "nonlinearity?act=playground&pace=full&epochs=30"
CLOUD = "nonlinearity?act=perceptron&count=40"


def test_two_runs_on_the_plane_follow_each_other(page: AppTest) -> None:
    shows(page, PLANE, f"{PLANE}&data=circle")
    assert state(page) == "none"  # a network that waits is no run
    press(page, "begin")
    press(page, "begin")
    turn_to(page, 1)  # in mid-run
    assert state(page) == "none"
    assert metrics(page)["Test loss"] == "–"
    press(page, "begin")
    finished(page)
    turn_to(page, 0)
    assert state(page) == "none"
    press(page, "begin")
    finished(page)
    press(page, "plane_reset")
    assert state(page) == "none"


def test_a_weight_set_by_hand_makes_another_experiment(page: AppTest) -> None:
    shows(page, PLANE.replace("epochs=30", "epochs=1"))
    page.session_state["_plane_edge"] = (1, 0, 0)
    again(page)
    (weight,) = (one for one in page.number_input if str(one.key).startswith("plane_weight_"))
    weight.set_value(3.0)
    again(page)
    press(page, "plane_play")
    until(page, lambda page: not session.jobs().moving("plane"))
    assert state(again(page)) == "none"
    assert unmeasured(page) == "A weight was set by hand."
    press(page, "begin")
    untouched = finished(page).session_state["measured"]
    press(page, "plane_reset")
    (weight,) = (one for one in page.number_input if str(one.key).startswith("plane_weight_"))
    weight.set_value(3.0)
    again(page)
    press(page, "begin")  # before any step: of the weights that the link means
    assert finished(page).session_state["measured"] == untouched


def test_what_plays_by_itself_does_not_go_on_in_another_place(page: AppTest) -> None:
    shows(page, CLOUD, f"{CLOUD}&points_seed=1")
    press(page, "begin")
    assert state(page) == "moving"
    turn_to(page, 1)
    assert state(page) == "none"
    assert metrics(page)["Samples met"] == "0"
    assert metrics(again(page))["Samples met"] == "0"
    turn_to(page, 0)
    assert state(page) == "none"
    page.session_state["stability_playing"] = True
    assert not shows(page, "stability?act=matrices&k=1", CLOUD).session_state["stability_playing"]


def test_a_run_of_the_tab_makes_way_and_is_kept(page: AppTest) -> None:
    long = f"train?{urlencode(LONG)}"
    shows(page, long, TRAIN)
    press(page, "begin")
    press(page, "begin")
    assert state(page) == "moving"
    turn_to(page, 1)
    assert "Not run yet." in said(page)
    assert not traces(page, "loss")
    press(page, "begin")
    finished(page)
    assert "train step" in traces(page, "loss")  # as of a run alone; several are called by their names
    assert "Runs side by side" not in widget(page, "step 1_train_run_panel").options
    assert len(page.session_state["_kept_runs"].runs) == 2
    turn_to(page, 0)
    assert state(page) == "none"


def test_several_seeds_or_a_stopped_run_are_not_the_experiment(page: AppTest) -> None:
    shows(page, TRAIN)
    press(page, "run_seeds")
    until(page, lambda page: not session.current_job().moving)  # type: ignore[union-attr]
    assert state(again(page)) == "none"
    assert unmeasured(page) == "It trained several seeds at once."
    shows(page, f"train?{urlencode(LONG)}")
    assert unmeasured(page) == "It trained several seeds at once."
    press(page, "begin")
    press(page, "run_stop")
    until(page, lambda page: not session.current_job().moving)  # type: ignore[union-attr]
    assert state(again(page)) == "none"
    assert unmeasured(page).startswith("Stopped at step ")


def test_a_link_is_read_without_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def touched(*_: object) -> None:
        raise AssertionError("the session was touched")

    for name in ("__getitem__", "__setitem__", "__getattr__", "__iter__"):
        monkeypatch.setattr(SessionStateProxy, name, touched)
    experiment_of.cache_clear()
    for link in LINKS:
        for name, measure in (experiment := experiment_of(link)).measures.items():
            experiment.check(name, next(iter(measure.runs), ""), 1 if measure.per_epoch else None)
