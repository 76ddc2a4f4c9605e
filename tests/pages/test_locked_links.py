"""What a link locks stays as it sets it, visible, and says why; what it hides is not to be seen, and stays as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.reports.export import Experiment
from mlp_core.spec import RunSpec
from pages.ui import computing
from pages.ui.link import WHY_LOCKED, LinkState
from tests.pages.test_link_limits import SECTIONS
from tests.support.pages.training import SHORT, SMALL, chosen, finish, open_groups, press
from tests.support.pages.visit import KINDS, ROOT, address, again, live, opened, visit, visit_with_jobs, widget


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("pages/train.py") as page:
        yield page


def widgets(page: AppTest, prefix: str) -> list[Any]:
    return [one for kind in KINDS for one in page.get(kind) if str(one.key).startswith(prefix)]


def presets(page: AppTest, key: str = "preset") -> list[str]:
    return [option.content for option in widget(page, key).proto.options]


@pytest.mark.parametrize("name", SECTIONS)
def test_every_control_of_every_page_can_be_locked_and_says_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fields, show = dict[str, Sequence[str]](), LinkState.show_errors
    monkeypatch.setattr(LinkState, "show_errors", lambda self, *others: (fields.update({"all": tuple(self)}), show(self, *others))[1])
    with visit_with_jobs(f"pages/{name}.py", monkeypatch) as page:
        monkeypatch.setattr(computing, "AT_ONCE_SECONDS", 0.0)  # what takes long is shown by its progress
        again(page)
        for section in SECTIONS[name]:
            parameters = ",".join(fields["all"])
            opened(page, **section, lock=parameters)
            assert address(page)["lock"] == parameters
            mine = [one for one in widgets(page, f"{name}_") if one.key.partition(".")[0].removeprefix(f"{name}_") in fields["all"]]
            assert mine
            assert all(one.disabled for one in mine)
            assert all(one.help.startswith(WHY_LOCKED) for one in mine)
            assert any(caption.value.startswith(":material/lock: The link locks: ") for caption in page.caption)
            assert not page.warning


def test_no_widget_is_given_help_beside_its_link() -> None:
    """Or what it is given and what the lock says would be one argument given twice, which only a locked page would show."""
    for path in (ROOT / "pages").rglob("*.py"):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            from_link = [ast.unparse(one.value) for one in call.keywords if one.arg is None]
            if any(text.startswith(("link.value(", "link.index(", "link.default(")) for text in from_link):
                assert not {"help", "disabled"} & {one.arg for one in call.keywords}, (path, call.lineno)


def test_a_locked_control_stays_as_the_link_sets_it_and_the_others_are_free(page: AppTest) -> None:
    open_groups(opened(page, **SMALL, lr="0.5", lock="lr,hidden"))
    assert page.number_input(key="lr").disabled
    assert page.select_slider(key="lr_stop").disabled
    assert page.number_input(key="units_1").disabled
    assert "learning rate, hidden layers" in next(one.value for one in page.caption if "lock" in one.value)
    page.number_input(key="seed").set_value(4)
    again(page)
    assert chosen(page) == RunSpec.from_query(SMALL | {"lr": "0.5", "seed": "4"})[0]
    assert address(page) == SMALL | {"lr": "0.5", "seed": "4", "lock": "lr,hidden"}
    opened(page, lr="0.5")
    assert not page.number_input(key="lr").disabled
    assert not any("lock" in caption.value for caption in page.caption)


def test_a_preset_that_would_change_what_is_locked_is_not_offered(page: AppTest) -> None:
    everything = presets(opened(page))
    assert len(presets(opened(page, lock="seed,batch_size"))) == len(everything)
    few = presets(opened(page, lock="hidden"))
    assert 0 < len(few) < len(everything)
    assert not [one for one in opened(page, hidden="3", lr="0.123", lock="hidden,lr").get("button_group") if one.key == "preset"]


def test_what_a_link_locks_and_no_page_has_is_named(page: AppTest) -> None:
    opened(page, lock="lr,learning_rate", hide="<b>")
    (warning,) = page.warning
    assert warning.value.endswith("changes nothing: `lock=learning_rate`, `hide=<b>`.")
    assert page.number_input(key="lr").disabled


def test_what_is_hidden_is_fixed_and_the_browser_is_told_to_show_nothing_of_it(page: AppTest) -> None:
    open_groups(opened(page, optimizer="adam", hide="optimizer,weight_decay"))
    (style,) = (text for one in page.get("html") if ".st-key-optimizer" in (text := str(getattr(one, "value", ""))))
    assert "display: none" in style
    assert "st-key-weight_decay" in style
    assert page.selectbox(key="optimizer").disabled
    assert not any("lock" in caption.value for caption in page.caption), "it does not draw attention to what it hides"
    everything = ",".join(name for name in ("implementation", "precision", "device"))
    opened(page, hide=everything)
    assert not any(one.label == "Computation" for one in page.expander)


def test_a_fix_is_offered_where_the_link_leaves_free_what_it_changes(page: AppTest) -> None:
    broken = SHORT | {"lr": "50", "init_std": "1"}
    finish(press(opened(page, **broken), "play"))
    assert live(page)["parts"]["verdict"]["fix"]
    verdict = live(page)["parts"]["verdict"]
    opened(page, **broken, lock="lr")
    locked = live(page)["parts"]["verdict"]
    assert (locked["sentence"], locked["fix"]) == (verdict["sentence"], "")
    opened(page, **broken, lock="seed")
    assert live(page)["parts"]["verdict"]["fix"]


def test_a_file_that_would_change_what_is_locked_is_refused(page: AppTest) -> None:
    press(opened(page, **SMALL, lock="seed"), "step")
    page.segmented_control(key="run_panel").set_value("export")
    again(page)
    page.file_uploader[0].set_value(("experiment.json", Experiment(RunSpec(seed=3)).to_json().encode(), "application/json"))
    again(page)
    assert any("`seed` must stay 0, since the link of this page locks it, got `3`" in error.value for error in page.error)
    assert chosen(page) == RunSpec.from_query(SMALL)[0]


def test_a_run_is_not_steered_past_a_locked_learning_rate(page: AppTest) -> None:
    press(opened(page, **SHORT, lock="lr"), "epoch")
    again(page)
    (steering,) = (one for one in page.get("popover") if "lr of this run" in one.proto.popover.label)
    assert steering.proto.popover.disabled


def test_buttons_of_the_plane_leave_alone_what_is_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    with visit_with_jobs("pages/nonlinearity.py", monkeypatch) as page:
        opened(page, act="playground", lock="data_seed,data", hide="pace")
        assert page.button(key="plane_again").disabled
        opened(page, act="ends", lock="features", features="xy")
        assert all(button.disabled for button in page.button if str(button.key).startswith("open_"))
