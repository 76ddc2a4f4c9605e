"""A link to the training page: what it sets, what it may not set and how that is said, and that nothing is lost on the way and back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from mlp_core.activations import ACTIVATIONS, trainable_activations
from mlp_core.initializers import INITIALIZERS
from mlp_core.records import SettingChange
from mlp_core.spec import BOUNDS, IMPLEMENTATIONS, MAX_STEP_FLOPS, Bounds, RunSpec, step_flops
from pages.ui.address import STALE_SECONDS
from pages.ui.train.controls import MAX_HIDDEN, OWN_ACTIVATION, optimizer_labels, spec_of, widgets_of
from tests.support.pages.training import LONG, SHORT, carried_out, chosen, finish, job_of, losses, open_groups, press
from tests.support.pages.visit import address, again, bare, live, opened, until, visit, widget

LINKS = [
    {},
    {"hidden": "none"},
    {"hidden": "64,32,1", "dropout": "0.0,0.5,0.25", "activation": "prelu", "activation_parameter": "-0.5"},
    {"activation": "=x*sigmoid(1.702*x) + 0.1", "init": "constant", "init_value": "0.02"},
    {"init_std": "0.5", "momentum": "0.9", "nesterov": "true", "divide_by_batch": "true", "lr": "0.0123"},
    {"optimizer": "adam", "lr": "0.001", "beta1": "0.8", "beta2": "0.99", "eps": "1e-06", "weight_decay": "0.01", "l1": "0.001"},
    {"optimizer": "rmsprop", "momentum": "0.5", "rho": "0.9", "lr": "1e-05"},
    {"lr": "0.12345678901234566", "init_std": "0.012345678901234567", "dropout": "0.1234567890123456", "l1": "1.2345678901234566e-07"},
    {"optimizer": "adam", "beta1": "0.9000000000000001", "beta2": "0.9991234567890123", "eps": "1.2345678901234567e-08"},
    {"activation": "prelu", "activation_parameter": "0.12345678901234566", "init": "constant", "init_value": "-9.876543210987654"},
    {"hidden": "8,8", "lr": "0.5", "changes": "lr@235:0.01,dropout@470:0.2,0.5,batch_size@470:64,weight_decay@500:0.001"},
    {"batch_size": "4096", "epochs": "100", "seed": "2147483647", "train_size": "1", "implementation": "scratch", "device": "cpu"},
]

REFUSED = [
    ({"lr": "1000"}, "must be a number from 0.00001 to 100", "1000.0"),
    ({"lr": "fast"}, "must be a number from 0.00001 to 100", "fast"),
    ({"lr": "nan"}, "must be a number from 0.00001 to 100", "nan"),
    ({"lr": "1_0"}, "must be a number from 0.00001 to 100", "1_0"),
    ({"lr": "1" * 400}, "must be a number from 0.00001 to 100", "1" * 79 + "…"),
    ({"epochs": "2.5"}, "must be a whole number from 1 to ", "2.5"),
    ({"seed": "-1"}, "must be a whole number from 0 to 2147483647", "-1"),
    ({"hidden": "256,wide"}, "must be a whole number from 1 to 2048", "wide"),
    ({"hidden": "0"}, "must be a whole number from 1 to 2048", "0"),
    ({"hidden": ",".join(["4"] * 9)}, "must have at most 8 layers on this page", "9 layers"),
    ({"hidden": ",".join(["4"] * 101)}, "must have at most 100 entries", "101 entries"),
    ({"dropout": "0.1,0.2"}, "must have one probability a hidden layer (1)", "(0.1, 0.2)"),
    ({"optimizer": "newton"}, "must be one of sgd, adam", "newton"),
    ({"nesterov": "true"}, "needs sgd with momentum above 0", "True"),
    ({"activation": "step"}, "must have a gradient to train with", "step"),
    ({"activation": "=" + "x" * 201}, "must be '=' and an expression of 1 to 200 characters", "=" + "x" * 78 + "…"),
    ({"activation_parameter": "2"}, "must be absent, since 'relu' has no parameter", "2.0"),
    ({"device": "<script>alert(1)</script>"}, "must be one of auto, cpu, cuda, mps", "<script>alert(1)</script>"),
    ({"init": "[here](http://example.org)"}, "must be one of normal", "[here](http://example.org)"),
    ({"init": "`![](http://example.org/a.png)`"}, "must be one of normal", "![](http://example.org/a.png)"),
    ({"implementation": "a`  \n\n# :red[$x$] http://example.org"}, "must be one of concise, scratch, by_hand", "a # :red[$x$] http://example.org"),
    ({"train_size": "x" * 10_001}, "must be at most 10000 characters", "x" * 79 + "…"),
    ({"init": "zeros", "init_std": "0.5"}, "cannot be chosen here together with the rest of the link", "0.5"),
    ({"changes": "lr@3"}, "must be setting@step:value, with commas between several, such as lr@235:0.01", "lr@3"),
    ({"changes": "lr@3:0.1,lr@2:0.1"}, "must stand in the order of their steps", "[3, 2]"),
    ({"changes": "lr@3:1000"}, "lr must be a number from 0.00001 to 100", "1000.0"),
    ({"changes": "dropout@3:0.1,0.2"}, "dropout must have one probability a hidden layer (1)", "(0.1, 0.2)"),
    ({"changes": "seed@3:1"}, "field must be one of lr, weight_decay, dropout, batch_size", "seed"),
    ({"optimizer": "adam", "momentum": "0.9"}, "cannot be chosen here together with the rest of the link", "0.9"),
]  # fmt: skip


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("pages/train.py") as page:
        yield page


@pytest.fixture
def app() -> Iterator[AppTest]:
    """The whole app, at its front page."""
    with visit("app.py") as app:
        again(app)
        yield app


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = time.monotonic() + seconds
    monkeypatch.setattr("pages.ui.address.time.monotonic", lambda: now)


@pytest.mark.parametrize("link", LINKS, ids=lambda link: "-".join(link) or "bare")
def test_a_link_sets_every_control_and_the_address_says_it_again(page: AppTest, link: dict[str, str]) -> None:
    opened(page, **link)
    assert address(page) == link
    assert chosen(page) == RunSpec.from_query(link)[0]
    assert not page.warning
    assert spec_of(_shown(open_groups(page))) == chosen(page)


def _shown(page: AppTest) -> dict[str, Any]:
    """What the widgets on the page say; what is not drawn is not there."""
    kinds = ("slider", "number_input", "selectbox", "select_slider", "checkbox", "text_input")
    return {str(widget.key).partition(".")[0]: widget.value for kind in kinds for widget in getattr(page, kind)}


@pytest.mark.parametrize(("link", "rule", "value"), REFUSED, ids=[f"{list(link)[-1]}-{rule[:30]}" for link, rule, _ in REFUSED])
def test_what_a_link_may_not_set_is_named_and_all_else_counts(page: AppTest, link: dict[str, str], rule: str, value: str) -> None:
    field = list(link)[-1]
    opened(page, weight_decay="0.125", **link)
    assert len(page.warning) == 1
    said = page.warning[0].value
    assert f"**{field}** {rule}" in said
    assert f"got `{value}`" in said
    if field != "changes":
        assert not set(said.split("The default, ", 1)[1].split(",", 1)[0]) & set("()[]'"), "as a link says it"
    assert len(said) < 500
    assert not [sign for sign in ("http", "<", "[", "$", "#") if sign in bare(said)]
    assert chosen(page).weight_decay == 0.125
    if field != "changes":
        assert getattr(chosen(page), field) == getattr(RunSpec(), field)
    assert field not in address(page)
    press(page, "step")
    assert not page.error


@pytest.mark.parametrize("lr", ["0.1", "0.30000000000000004", "0.012345678901234567", "1e-05"])
def test_the_lr_is_shown_to_its_last_digit(page: AppTest, lr: str) -> None:
    field = widget(opened(page, lr=lr), "lr")
    assert float(field.proto.format % field.value) == field.value == float(lr)


def test_a_run_of_a_link_changes_its_settings_at_the_steps_that_it_says(page: AppTest) -> None:
    """The same numbers as by hand; marked on the curves, and in the link that the run is exported with."""
    changes = {"changes": "lr@3:0.05,weight_decay@8:0.01"}
    press(opened(page, **SHORT, **changes), "play")
    finish(page)
    hand = carried_out(SHORT, steps=3)
    hand.change(lr=0.05)
    hand.advance(steps=5)
    hand.change(weight_decay=0.01)
    hand.advance()
    assert losses(page) == [record.loss for record in hand.history.steps]
    assert job_of(page).run.history == hand.history
    assert {"lr 0.05", "weight decay 0.01"} <= {note["text"] for note in live(page)["figures"]["loss"]["layout"]["annotations"]}
    assert not page.info, "no other design is waiting"
    page.segmented_control(key="run_panel").set_value("export")
    assert any("changes=lr%403%3A0.05%2Cweight_decay%408%3A0.01" in code.value for code in again(page).code)


def test_changes_on_the_way_are_typed_too_and_a_preset_takes_them_back(page: AppTest) -> None:
    open_groups(opened(page, **SHORT)).text_input(key="changes").set_value("lr@3:0.05")
    assert address(again(page)) == SHORT | {"changes": "lr@3:0.05"}
    now = job_of(press(page, "step")).snapshot()
    assert (now.history.changes, now.changes) == ((), (SettingChange(3, "lr", 0.05),)), "still to come, and exported"
    page.text_input(key="changes").set_value("lr@4:0.05")
    assert "changes `lr@3:0.05` → `lr@4:0.05`" in again(page).info[0].value
    page.text_input(key="changes").set_value("lr@4")
    assert "must be setting@step:value" in again(page).error[0].value
    assert page.button(key="run_seeds").disabled
    page.pills[0].set_value("mlp")
    assert address(again(page)) == {"pace": "full"}


def test_every_mistake_of_a_link_is_named_on_its_own(page: AppTest) -> None:
    opened(page, lr="x", epochs="x", seed="3", momentum="7")
    assert [warning.value.split("**")[1] for warning in page.warning] == ["lr", "momentum", "epochs"]
    assert chosen(page) == RunSpec(seed=3)


def test_mistakes_stand_until_something_is_chosen(page: AppTest) -> None:
    opened(page, lr="x")
    assert again(page).warning
    page.pills[0].set_value("softmax")
    assert not again(page).warning
    open_groups(opened(page, lr="y")).number_input(key="seed").set_value(1)
    assert not again(page).warning


def test_blanks_around_an_own_activation_and_dropout_of_nothing_are_no_mistakes(page: AppTest) -> None:
    opened(page, activation="= x*x ", dropout="0")
    assert chosen(page) == RunSpec(activation="=x*x")
    assert not page.warning


def test_parameters_that_are_not_the_pages_stay_where_they_are(page: AppTest) -> None:
    opened(page, theme="dark", hidden="8")
    assert address(page) == {"theme": "dark", "hidden": "8"}
    assert [warning.value.partition("nothing: ")[2] for warning in page.warning] == ["`theme`."]
    opened(page, image="99999", units_7="3", pace="full")
    assert [warning.value.partition("nothing: ")[2] for warning in page.warning] == ["`image`, `units_7`."]


def test_an_own_activation_that_a_link_brings_is_explained_where_it_cannot_be(page: AppTest) -> None:
    opened(page, activation="=[a](http://example.org)", seed="5")
    assert "http" not in bare(page.error[0].value)
    assert page.text_input(key="expression").value == "[a](http://example.org)"
    assert page.number_input(key="seed").value == 5
    assert page.button(key="run_play").disabled


def test_another_link_on_the_open_page_counts_from_the_defaults_on(page: AppTest) -> None:
    opened(page, hidden="8", lr="0.5")
    opened(page, hidden="16")
    assert chosen(page) == RunSpec(hidden=(16,))
    assert spec_of(_shown(open_groups(page))) == chosen(page)


def test_the_way_back_leads_back(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    open_groups(opened(page, hidden="8")).number_input(key="seed").set_value(4)
    assert address(again(page)) == {"hidden": "8", "seed": "4"}
    later(monkeypatch, STALE_SECONDS + 1)
    assert chosen(opened(page, hidden="8")) == RunSpec(hidden=(8,))


@pytest.mark.parametrize("seconds", [0, STALE_SECONDS + 60])
def test_a_click_that_is_sent_with_an_older_address_counts(page: AppTest, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    open_groups(opened(page, hidden="8")).number_input(key="seed").set_value(4)
    again(page)
    later(monkeypatch, seconds)
    page.query_params.clear()
    page.query_params.update(hidden="8")  # the browser had not yet heard of the last write
    page.number_input(key="epochs").set_value(3)
    assert chosen(again(page)) == RunSpec(hidden=(8,), seed=4, epochs=3)
    assert address(page) == {"hidden": "8", "seed": "4", "epochs": "3"}


def test_a_preset_that_is_sent_with_an_older_address_counts(page: AppTest) -> None:
    """It gives the number of layers a new widget, which must not look as if the page had just been entered."""
    open_groups(opened(page, hidden="64,64")).number_input(key="seed").set_value(4)
    again(page)
    page.query_params.clear()
    page.query_params.update(hidden="64,64")
    page.pills[0].set_value("mlp")
    assert chosen(again(page)) == RunSpec()
    assert address(page) == {}


def enter(app: AppTest, page: str, **query: str) -> AppTest:
    """Go to a page of the app as its navigation does: the address is bare but for what the link says."""
    app.switch_page(f"pages/{page}.py")
    return opened(app, **query)


def test_leaving_and_coming_back_keeps_design_and_run(app: AppTest) -> None:
    press(enter(app, "train", **LONG), "play")
    until(app, lambda app: len(losses(app)) > 2)
    running = job_of(app)
    app.number_input(key="units_1").set_value(8)
    app.selectbox(key="optimizer").set_value("adam")
    open_groups(app).number_input(key="beta1").set_value(0.5)
    again(app)
    design, step = chosen(app), running.run.step
    assert design == RunSpec(hidden=(8,), optimizer="adam", beta1=0.5, epochs=100)
    enter(app, "start")
    until(app, lambda _: running.run.step > step)
    enter(app, "train")
    assert chosen(app) == design
    assert spec_of(_shown(open_groups(app))) == design
    assert address(app) == design.to_query() | {"pace": "full"}
    assert job_of(app) is running
    assert running.state == "playing"
    assert "A new design is waiting" in app.info[0].value


def test_a_link_from_another_page_is_followed_and_the_run_goes_on(app: AppTest) -> None:
    press(enter(app, "train", **SHORT), "step")
    running = job_of(app)
    enter(app, "start")
    enter(app, "train", hidden="32", init="zeros")
    assert chosen(app) == RunSpec(hidden=(32,), init="zeros")
    assert spec_of(_shown(open_groups(app))) == chosen(app)
    assert job_of(app) is running


def test_the_same_link_a_second_time_restores_what_was_changed_meanwhile(app: AppTest) -> None:
    enter(app, "train", hidden="32").number_input(key="units_1").set_value(7)
    assert chosen(again(app)) == RunSpec(hidden=(7,))
    enter(app, "start")
    enter(app, "train", hidden="32")
    assert chosen(app) == RunSpec(hidden=(32,))


def _within(bounds: Bounds) -> st.SearchStrategy[float]:
    return st.integers(int(bounds.low), int(bounds.high)) if bounds.whole else st.floats(bounds.low, bounds.high)


@st.composite
def choices(draw: st.DrawFn) -> dict[str, Any]:
    """Any state of all widgets that is an experiment."""
    widgets = widgets_of(RunSpec()) | {name: draw(_within(bounds)) for name, bounds in BOUNDS.items()}
    widgets |= {f"units_{layer}": draw(st.integers(1, 2048)) for layer in range(1, MAX_HIDDEN + 1)}
    widgets |= {f"dropout_{layer}": draw(st.sampled_from([0.0, 0.5]) | st.floats(0, 1)) for layer in range(1, MAX_HIDDEN + 1)}
    widgets |= {
        "layers": draw(st.integers(0, MAX_HIDDEN)),
        "activation": draw(st.sampled_from([*trainable_activations(), OWN_ACTIVATION])),
        "expression": draw(st.text(min_size=1, max_size=200).filter(str.strip)),
        "init": draw(st.sampled_from(list(INITIALIZERS))),
        "optimizer": draw(st.sampled_from(list(optimizer_labels()))),
        "divide_by_batch": draw(st.booleans()),
        "all_images": draw(st.booleans()),
        "train_size": draw(st.integers(1, 60_000)),
        "implementation": draw(st.sampled_from(IMPLEMENTATIONS)),
    }
    for name, activation in ACTIVATIONS.items():
        if (parameter := activation.parameter) is not None:
            widgets[f"parameter_{name}"] = draw(st.floats(parameter.bounds.low, parameter.bounds.high))
    sizes = (784, *(widgets[f"units_{layer + 1}"] for layer in range(widgets["layers"])), 10)
    widgets["batch_size"] = min(widgets["batch_size"], MAX_STEP_FLOPS // step_flops(sizes, 1))
    return widgets


@settings(deadline=None)
@given(choices())
def test_widgets_to_address_to_widgets_is_the_same_experiment(widgets: dict[str, Any]) -> None:
    spec = spec_of(widgets)
    assert RunSpec.from_query(spec.to_query()) == (spec, ())
    assert spec_of(widgets_of(spec)) == spec
