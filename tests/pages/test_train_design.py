"""The training page's controls, without a browser: presets, own activations, refusals, and a design that waits for its turn."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Widget

from mlp_core.labs.bfloat16 import Bfloat16
from mlp_core.spec import IMPLEMENTATIONS, PRESETS, RunSpec
from pages.ui import session
from pages.ui.train import sidebar
from tests.support.pages.training import LONG, SHORT, at_rest, carried_out, chosen, enabled, job_of, losses, main_button, open_groups, press
from tests.support.pages.visit import KINDS, address, again, bare, opened, said, until, visit


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("pages/train.py") as page:
        yield page


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_one_click(page: AppTest, name: str) -> None:
    spec = PRESETS[name].spec
    opened(page, hidden="7", lr="0.03", seed="5")
    page.pills[0].set_value(name)
    again(page)
    assert chosen(page) == spec
    assert address(page) == spec.to_query()
    assert page.pills[0].value == name
    assert PRESETS[name].lesson in said(page)
    assert " → ".join(map(str, spec.sizes)) in " ".join(said(page))


def test_a_change_leaves_the_preset_unmarked(page: AppTest) -> None:
    open_groups(opened(page)).number_input(key="epochs").set_value(3)
    assert again(page).pills[0].value is None
    page.number_input(key="epochs").set_value(10)
    assert again(page).pills[0].value == "mlp"


def test_a_new_design_waits_and_leaves_the_run_alone(page: AppTest) -> None:
    press(opened(page, **LONG), "play")
    until(page, lambda page: len(losses(page)) > 2)
    running, step = job_of(page), job_of(page).run.step
    page.number_input(key="units_1").set_value(8)
    page.selectbox(key="activation").set_value("tanh")
    again(page)
    waiting = page.info[0].value
    assert "A new design is waiting" in waiting
    assert "hidden `64` → `8`" in waiting
    assert "activation `relu` → `tanh`" in waiting
    assert "goes on undisturbed" in waiting
    assert job_of(page) is running
    assert running.run.spec == RunSpec(hidden=(64,), epochs=100)
    until(page, lambda _: running.run.step > step)
    assert running.state == "playing"
    page.button(key="run_new").click()
    again(page)
    assert job_of(page).run.spec == RunSpec(hidden=(8,), activation="tanh", epochs=100)
    assert job_of(page).state == "playing"
    assert not page.info
    until(page, lambda _: running.run.finished)


def test_a_design_changed_back_waits_no_more(page: AppTest) -> None:
    press(opened(page, **SHORT), "step")
    page.number_input(key="units_1").set_value(8)
    assert "A new design is waiting" in again(page).info[0].value
    page.number_input(key="units_1").set_value(16)
    assert not again(page).info


def test_train_after_the_end_takes_the_new_design(page: AppTest) -> None:
    press(opened(page, **SHORT), "play")
    until(page, lambda page: main_button(page) == "Train")
    page.number_input(key="units_1").set_value(8)
    again(page)
    assert "The curves are of the design before" in page.info[0].value
    assert press(page, "play").session_state["_job"].run.spec.hidden == (8,)


def test_no_hidden_layer_is_softmax_regression(page: AppTest) -> None:
    opened(page).number_input(key="layers").set_value(0)
    again(page)
    assert any("softmax regression" in text and "784 → 10" in text and "7,850" in text for text in said(page))
    assert not page.latex
    page.session_state["network_details"] = True  # opens the details
    assert any("O &= XW + b" in formula.value for formula in again(page).latex)
    assert any(text.startswith("Matrix products run in ") and text.endswith(".") for text in said(page))
    assert address(page) == {"hidden": "none"}
    press(page, "step")
    until(page, at_rest)
    assert losses(again(page)) == pytest.approx([carried_out({"hidden": "none"}, steps=1).history.steps[0].loss], rel=1e-6)


def test_eight_layers(page: AppTest) -> None:
    open_groups(opened(page)).number_input(key="layers").set_value(8)
    again(page)
    page.number_input(key="units_8").set_value(32)
    page.number_input(key="dropout_3").set_value(0.5)
    again(page)
    spec = chosen(page)
    assert spec.hidden == (256,) * 7 + (32,)
    assert spec.dropout == (0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert RunSpec.from_query(address(page)) == (spec, ())


def test_an_activation_of_ones_own_trains(page: AppTest) -> None:
    opened(page, **SHORT).selectbox(key="activation").set_value("own")
    again(page).text_input(key="expression").set_value("x*sigmoid(2*x)")
    again(page)
    assert address(page) == {"activation": "=x*sigmoid(2*x)"} | SHORT
    press(page, "step")
    until(page, at_rest)
    run = carried_out(SHORT | {"activation": "=x*sigmoid(2*x)"}, steps=1)
    assert losses(again(page)) == pytest.approx([run.history.steps[0].loss], rel=1e-6)


@pytest.mark.parametrize("text", ["", "x +", "y", "__import__('os')", "x.real", "[a](http://example.org)", "x**x**x**x(", "λ" * 50])
def test_an_activation_that_cannot_be_is_explained_and_not_trained(page: AppTest, text: str) -> None:
    opened(page, activation="=x*x").text_input(key="expression").set_value(text)
    again(page)
    assert len(page.error) == 1
    assert "activation" in page.error[0].value
    assert "http" not in bare(page.error[0].value)
    assert enabled(page) == set()
    page.text_input(key="expression").set_value("x*x")
    assert not again(page).error
    assert enabled(page) == {"play", "step", "epoch"}


def test_a_step_that_would_hold_up_everybody_is_refused_by_name(page: AppTest) -> None:
    opened(page, hidden=",".join(["2048"] * 8), batch_size="64")
    assert not page.error
    page.number_input(key="batch_size").set_value(4096)
    again(page)
    refusal = page.error[0].value
    assert refusal.startswith("**batch_size** must be at most ")
    assert "`4096`" in refusal
    assert enabled(page) == set()
    most = int(re.findall(r"at most (\d+)", refusal)[0])
    page.number_input(key="batch_size").set_value(most)
    assert not again(page).error
    assert enabled(page) == {"play", "step", "epoch"}
    page.number_input(key="batch_size").set_value(most + 1)
    assert again(page).error


def test_a_network_without_room_in_memory_is_refused_and_a_smaller_one_is_not(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(page, **SHORT)
    scheduler = session.engine()[0]
    held = sum(job.memory_bytes for job in tuple(scheduler._admitted))  # runs of earlier tests wait for their pages for some seconds
    monkeypatch.setattr(scheduler, "memory_bytes", held + 8_000_000)
    page.number_input(key="units_1").set_value(2048)
    press(again(page), "play")
    assert "cannot be trained here" in page.error[0].value
    weights_and_gradients = 2 * 4 * (784 * 2048 + 2048 + 2048 * 10 + 10)
    named = re.search(r"takes (\d+) MB; of the \d+ MB", page.error[0].value)
    assert named
    assert weights_and_gradients < int(named[1]) * 1e6 < 3 * weights_and_gradients  # tests and a look inside take more
    assert "_job" not in page.session_state
    page.number_input(key="units_1").set_value(16)
    press(again(page), "step")
    assert not page.error
    until(page, lambda page: losses(page) != [])


def test_a_run_that_was_started_goes_on_while_the_controls_describe_nothing(page: AppTest) -> None:
    press(opened(page, **LONG, activation="=x*sigmoid(x)"), "play")
    until(page, lambda page: len(losses(page)) > 2)
    page.text_input(key="expression").set_value("x*sigmoid(")
    again(page)
    assert page.error
    assert enabled(page) == {"play", "stop", "reset"}
    step = job_of(page).run.step
    until(page, lambda page: job_of(page).run.step > step)
    press(page, "play")
    assert main_button(page) == "Resume"
    assert "step" in enabled(page)


@pytest.mark.parametrize(
    ("here", "words"),
    [
        (Bfloat16(0.5812, 0.00442), "a product takes 0.58 of the time it takes in float32, and is off by up to 0.4 %"),
        (Bfloat16(3.21, 0.00442), "gains nothing by it: a product takes 3.2 times as long"),
    ],
)
def test_bfloat16_says_what_it_gains_and_costs_here(page: AppTest, monkeypatch: pytest.MonkeyPatch, here: Bfloat16, words: str) -> None:
    monkeypatch.setattr(sidebar, "bfloat16_here", lambda: here)
    opened(page, device="cpu")
    assert not any("a product takes" in caption.value for caption in page.caption)
    page.selectbox(key="precision").set_value("bfloat16")
    again(page)
    assert any(words in caption.value for caption in page.caption)
    assert address(page) == {"device": "cpu", "precision": "bfloat16"}
    assert chosen(page) == RunSpec(device="cpu", precision="bfloat16")


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_every_implementation_can_be_chosen(page: AppTest, implementation: str) -> None:
    open_groups(opened(page)).selectbox(key="implementation").set_value(implementation)
    assert chosen(again(page)) == RunSpec(implementation=implementation)


def opened_groups(page: AppTest) -> list[str]:
    return [group.label for group in page.sidebar.expander if group.proto.expanded]


def unfolded(page: AppTest) -> list[str]:
    """The labels of the widgets outside all groups, from the top."""
    folded = {widget.key for group in page.sidebar.expander for kind in KINDS for widget in group.get(kind)}
    return [str(element.label) for element in page.sidebar if isinstance(element, Widget) and element.key not in folded]


def test_the_sidebar_begins_with_what_matters_first(page: AppTest) -> None:
    opened(page)
    assert unfolded(page) == ["Hidden layers", "Units 1", "Activation", "Learning rate", "lr", "Optimizer"]
    assert [group.label for group in page.sidebar.expander] == [
        "Initial weights", "Regularization", "Optimizer settings", "Data and time", "Computation"
    ]  # fmt: skip
    assert opened_groups(page) == []
    opened(page, hidden="8,4", activation="prelu", optimizer="rmsprop")
    first = ["Hidden layers", "Units 1", "Units 2", "Activation", "$α$", "Learning rate", "lr", "Optimizer", "Momentum"]
    assert unfolded(page) == first


@pytest.mark.parametrize(
    ("link", "groups"),
    [
        ({"hidden": "8", "activation": "tanh", "lr": "0.5", "momentum": "0.9"}, []),
        ({"init": "he_normal"}, ["Initial weights"]),
        ({"init_std": "0.5", "l1": "0.1"}, ["Initial weights", "Regularization"]),
        ({"batch_size": "64"}, ["Data and time"]),
        ({"train_size": "1000"}, ["Data and time"]),
        ({"optimizer": "adam"}, []),
        ({"optimizer": "adam", "beta2": "0.9", "device": "cpu"}, ["Optimizer settings", "Computation"]),
    ],
    ids="-".join,
)
def test_a_link_opens_the_groups_that_it_sets(page: AppTest, link: dict[str, str], groups: list[str]) -> None:
    assert opened_groups(opened(page, **link)) == groups


def test_a_preset_opens_the_groups_that_it_sets_and_the_next_folds_them(page: AppTest) -> None:
    opened(page)
    for preset, groups in (
        ("dropout", ["Regularization"]),
        ("older_edition", ["Optimizer settings", "Data and time"]),
        ("mlp", []),
    ):
        page.pills[0].set_value(preset)
        assert opened_groups(again(page)) == groups


def test_a_folded_group_is_drawn_where_it_is_open_and_keeps_what_it_says(page: AppTest) -> None:
    opened(page)
    assert not [widget for widget in page.number_input if widget.key == "epochs"]
    open_groups(page).number_input(key="epochs").set_value(7)
    again(page).session_state["group_data_0"] = False
    again(page)
    assert not [widget for widget in page.number_input if widget.key == "epochs"]
    assert chosen(page).epochs == 7
    assert open_groups(page).number_input(key="epochs").value == 7


def test_what_is_changed_by_hand_opens_and_folds_nothing(page: AppTest) -> None:
    open_groups(opened(page, batch_size="64"))
    opened_by_hand = opened_groups(page)
    before = dict(page.session_state["_sidebar_groups"])
    page.number_input(key="batch_size").set_value(256)
    page.number_input(key="weight_decay").set_value(0.1)
    page.selectbox(key="optimizer").set_value("adam")
    page.number_input(key="lr").set_value(0.01)
    again(page)
    assert opened_groups(page) == opened_by_hand
    assert page.session_state["_sidebar_groups"] == before
