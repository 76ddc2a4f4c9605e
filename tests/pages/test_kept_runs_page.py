"""The panel of kept runs as a person uses it: what it lists, what it draws, what it says, and every button."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.jobs import JobSnapshot
from mlp_core.reports.comparison.kept_runs import CAPACITY, MAX_PINNED, KeptRuns
from mlp_core.spec import RunSpec
from pages.figures.palette import SERIES
from pages.ui.run.kept_runs import KEPT
from tests.support.kept import history, snapshot
from tests.support.pages.visit import again, press, said, traces, visit

BOOK = RunSpec()
SIGMOID = replace(BOOK, activation="sigmoid")
HOSTILE = "<b>*x*</b> [a](http://b) $x$ `c`"


def ended(spec: RunSpec, *test_accuracies: float) -> JobSnapshot:
    return snapshot(spec, history(test_accuracies or [0.84]), stop="stopped", elapsed_seconds=75.0)


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("tests/pages/apps/kept_runs_page.py") as page:
        yield page


def shown(page: AppTest, *snapshots: JobSnapshot, current: JobSnapshot | None = None) -> AppTest:
    """The page after these runs were kept."""
    page.session_state["snapshots"] = snapshots
    page.session_state["current"] = current
    return again(page)


def kept_in(page: AppTest) -> KeptRuns:
    found = page.session_state[KEPT]
    assert isinstance(found, KeptRuns)
    return found


def names(page: AppTest) -> list[str]:
    return [run.name for run in kept_in(page).runs]


def listed(page: AppTest) -> list[dict[str, object]]:
    """The rows of the list, from the top."""
    rows: list[dict[str, object]] = page.dataframe[0].value.to_dict("records")
    return rows


def changes(page: AppTest) -> list[list[str]]:
    """The rows of the table of what was changed."""
    return [list(row) for row in page.dataframe[1].value.itertuples(index=False)]


def drawn(page: AppTest) -> list[tuple[str, str]]:
    """Name and color of every run in the figure."""
    return [
        (name, trace["line"]["color"]) for name, trace in traces(page, "accuracy").items() if "legendgroup" in trace and "test" not in name
    ]


def as_shown(markdown: str) -> str:
    """A text without the backslashes that keep its characters from being read as markdown."""
    return re.sub(r"\\(.)", r"\1", markdown)


def choose(page: AppTest, id: int) -> AppTest:
    page.selectbox[0].set_value(id)
    return again(page)


def rename(page: AppTest, name: str) -> AppTest:
    page.text_input[0].set_value(name)
    return again(page)


def test_before_the_first_run_it_says_what_will_be_kept(page: AppTest) -> None:
    shown(page)
    assert len(page.dataframe) == len(page.pills) == len(page.button) == 0
    assert any(text.startswith("A run that ends is kept here") for text in said(page))


def test_one_run_is_listed_with_its_numbers_and_invites_a_second(page: AppTest) -> None:
    shown(page, ended(BOOK, 0.7, 0.85, 0.84))
    (row,) = listed(page)
    assert (row["run"], row["differs"]) == ("ReLU 256, lr 0.1", "–")
    assert [row["test_accuracy"], row["best"]] == pytest.approx([84.0, 85.0])
    assert [row["train_loss"], row["test_loss"]] == pytest.approx([1 / 3, 1 / 3 + 0.1])
    assert (row["parameters"], row["time"], row["end"], row["pinned"]) == ("203,530", "1 min 15 s", "Stopped at step 705.", False)
    assert "Change one thing and train again: the two are compared here." in said(page)


def test_two_runs_that_differ_in_one_thing_are_compared(page: AppTest) -> None:
    shown(page, ended(BOOK, 0.84), ended(SIGMOID, 0.6))
    assert [(row["run"], row["differs"]) for row in listed(page)] == [("Sigmoid 256, lr 0.1", "Sigmoid"), ("ReLU 256, lr 0.1", "–")]
    assert changes(page) == [["activation", "ReLU", "Sigmoid"]]
    assert as_shown(page.success[0].value).startswith(
        "**You changed exactly one thing: activation (ReLU → Sigmoid).** Test accuracy after epoch 1: 84.0 % → 60.0 %, 24.0 points less."
    )


def test_three_changes_are_a_warning(page: AppTest) -> None:
    shown(page, ended(BOOK), ended(replace(SIGMOID, lr=0.5, seed=1)))
    assert as_shown(page.warning[0].value).startswith("**You changed three things (activation, lr, seed): you cannot tell which did it.**")
    assert [row[0] for row in changes(page)] == ["activation", "lr", "seed"]


def test_a_run_without_an_epoch_has_no_numbers(page: AppTest) -> None:
    shown(page, snapshot(BOOK, history(steps=3)))
    assert listed(page)[0]["end"] == "Paused."
    assert str(listed(page)[0]["test_accuracy"]) in ("None", "nan")


def test_several_seeds_show_their_range(page: AppTest) -> None:
    seeds = [history([0.8]), history([0.9])]
    shown(page, ended(BOOK), snapshot(BOOK, seeds[0], members=seeds))
    assert [row["seeds"] for row in listed(page)] == ["2: 80.0 % to 90.0 %", "–"]


def test_the_pills_choose_what_is_drawn_and_compared(page: AppTest) -> None:
    shown(page, ended(BOOK), ended(SIGMOID), ended(replace(BOOK, lr=0.5)))
    assert [name for name, _ in drawn(page)] == ["ReLU 256, lr 0.1", "Sigmoid instead of ReLU", "lr 0.5 instead of 0.1"]
    assert len(page.warning) == 1
    page.pills[0].set_value([3, 1])
    again(page)
    assert [run.id for run in kept_in(page).shown()] == [1, 3]
    assert drawn(page) == [("ReLU 256, lr 0.1", SERIES[0]), ("lr 0.5 instead of 0.1", SERIES[2])]
    assert changes(page) == [["lr", "0.1", "0.5"]]
    page.pills[0].set_value([2])
    again(page)
    assert len(page.dataframe) == 1
    assert "Show two runs to compare them." in said(page)


def test_three_runs_are_drawn_unasked_and_the_others_by_their_pill(page: AppTest) -> None:
    shown(page, *many(range(5)))
    assert [name for name, _ in drawn(page)] == ["ReLU 256, lr 0.1, seed 2", "seed 3 instead of 2", "seed 4 instead of 2"]
    assert page.pills[0].value == [3, 4, 5]
    page.pills[0].set_value([1, 3, 4, 5])
    again(page)
    assert drawn(page)[0][0] == "ReLU 256, lr 0.1"
    assert len(drawn(page)) == 4
    shown(page, ended(SIGMOID))
    assert [name for name, _ in drawn(page)][-1] == "Sigmoid instead of ReLU"


def test_the_run_on_screen_has_no_pill_and_takes_the_place_of_none(page: AppTest) -> None:
    last = ended(SIGMOID)
    shown(page, *many(range(3)), current=last)
    before = drawn(page)
    shown(page, last, current=last)
    assert drawn(page) == before
    assert len(before) == 4
    assert page.pills[0].value == [1, 2, 3]
    shown(page, current=snapshot(replace(BOOK, lr=0.5), history([0.6])))  # the next run: now the last one is beside it
    assert page.pills[0].value == [2, 3, 4]
    assert len(drawn(page)) == 4


def test_a_run_that_was_given_a_name_bears_it_in_the_curves(page: AppTest) -> None:
    shown(page, ended(BOOK), ended(SIGMOID))
    rename(choose(page, 2), "mine")
    assert [name for name, _ in drawn(page)] == ["ReLU 256, lr 0.1", "mine"]


def test_the_run_on_screen_is_compared_before_it_is_kept_and_drawn_once(page: AppTest) -> None:
    current = snapshot(SIGMOID, history([0.6]))
    shown(page, ended(BOOK), current=current)
    assert changes(page) == [["activation", "ReLU", "Sigmoid"]]
    assert len(listed(page)) == 1
    before = drawn(page)
    assert before == [("Sigmoid instead of ReLU", SERIES[1]), ("ReLU 256, lr 0.1", SERIES[0])]
    shown(page, current, current=current)
    assert len(listed(page)) == 2
    assert drawn(page) == before
    shown(page, current=snapshot(SIGMOID, history([0.6, 0.7])))
    assert "after epoch 1" in page.success[0].value  # the last one that both have


def test_a_run_on_screen_that_has_not_begun_is_not_compared(page: AppTest) -> None:
    shown(page, ended(BOOK), current=snapshot(BOOK, history()))
    assert len(page.dataframe) == 1
    assert "Change one thing and train again: the two are compared here." in said(page)


def test_rename(page: AppTest) -> None:
    shown(page, ended(BOOK), ended(SIGMOID))
    rename(choose(page, 1), "  my\tbaseline ")
    assert names(page) == ["my baseline", "Sigmoid 256, lr 0.1"]
    assert listed(page)[1]["run"] == page.text_input[0].value == "my baseline"
    assert page.selectbox[0].value == 1


@pytest.mark.parametrize("bad", ["", "Sigmoid 256, lr 0.1"])
def test_a_name_that_cannot_be_is_explained_and_the_old_one_stays(page: AppTest, bad: str) -> None:
    shown(page, ended(BOOK), ended(SIGMOID))
    rename(choose(page, 1), bad)
    assert names(page)[0] == "ReLU 256, lr 0.1"
    assert page.error[0].value.startswith("**name** must ")
    choose(page, 2)
    assert not page.error
    rename(choose(page, 1), "better")
    assert not page.error
    assert names(page)[0] == "better"


def test_a_hostile_name_is_shown_as_it_is(page: AppTest) -> None:
    shown(page, ended(BOOK), ended(SIGMOID), ended(replace(BOOK, lr=0.5)))
    rename(choose(page, 3), HOSTILE)
    assert names(page)[2] == HOSTILE
    escaped = r"\<b\>\*x\*\</b\> \[a\]\(http\://b\) \$x\$ \`c\`"
    assert escaped in page.warning[0].value
    assert page.pills[0].proto.options[0].content == escaped


def test_pin_and_unpin(page: AppTest) -> None:
    shown(page, ended(BOOK), ended(SIGMOID))
    press(choose(page, 1), "kept_pin")
    assert [row["pinned"] for row in listed(page)] == [False, True]
    assert page.button(key="kept_pin").label == "Unpin"
    press(page, "kept_pin")
    assert not any(run.pinned for run in kept_in(page).runs)


def test_remove_one_and_all(page: AppTest) -> None:
    shown(page, ended(BOOK), ended(SIGMOID), ended(replace(BOOK, lr=0.5)))
    press(choose(page, 2), "kept_remove")
    assert names(page) == ["ReLU 256, lr 0.1", "ReLU 256, lr 0.5"]
    assert changes(page) == [["lr", "0.1", "0.5"]]
    press(page, "kept_clear")
    assert names(page) == []
    assert len(page.dataframe) == 0


def many(seeds: Sequence[int]) -> list[JobSnapshot]:
    return [ended(replace(BOOK, seed=seed)) for seed in seeds]


def test_a_full_list_says_what_it_let_go(page: AppTest) -> None:
    shown(page, *many(range(CAPACITY)))
    assert not any("made room" in text for text in said(page))
    shown(page, *many([CAPACITY]))
    assert len(listed(page)) == CAPACITY
    assert any(text.startswith("`ReLU 256, lr 0.1` made room for the newest") for text in said(page))


def test_one_run_cannot_be_pinned(page: AppTest) -> None:
    shown(page, *many(range(CAPACITY)))
    for id in range(1, MAX_PINNED + 1):
        page.session_state[KEPT] = kept_in(page).pin(id)
    press(choose(again(page), CAPACITY), "kept_pin")
    assert page.error[0].value == "**pinned** must be at most 11 runs, so that a new one finds a place, got `12`."
    press(choose(page, 1), "kept_pin")
    assert not page.error
