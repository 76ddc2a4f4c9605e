"""Kept runs are bounded in number, keep every run once, and are honest about what they let go."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.bounds import SpecError
from mlp_core.data import load_sample
from mlp_core.jobs import Scheduler, TrainingJob
from mlp_core.network import count
from mlp_core.records import Schedule
from mlp_core.reports.comparison.kept_runs import CAPACITY, MAX_NAME, MAX_PINNED, FinalNumbers, KeptRun, KeptRuns, thinned
from mlp_core.reports.export.results import MAX_STEPS
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from tests.support.kept import STEPS_PER_EPOCH, history, snapshot

BOOK = RunSpec()


def filled(runs: int) -> KeptRuns:
    """Kept runs that differ in the seed, which is also the name of each."""
    kept = KeptRuns()
    for seed in range(runs):
        kept = kept.keep(snapshot(replace(BOOK, seed=seed), history([0.8]), stop="stopped"))
        kept = kept.rename(kept.runs[-1].id, str(seed))
    return kept


def names(kept: KeptRuns) -> list[str]:
    return [run.name for run in kept.runs]


def last_of(kept: KeptRuns) -> KeptRun:
    return kept.runs[-1]


def test_a_kept_run_has_the_numbers_of_the_run() -> None:
    spec = RunSpec(hidden=(16,), epochs=2, train_size=512, batch_size=64, device="cpu")
    run = Run(spec, load_sample())
    run.advance()
    with_job = TrainingJob(run, Scheduler()).snapshot()
    (kept,) = KeptRuns().keep(with_job).runs
    assert kept.history == replace(run.history.snapshot(), probes=())
    last, best = run.history.epochs[-1], max(epoch.test_accuracy for epoch in run.history.epochs)
    assert kept.final == FinalNumbers(2, last.train_loss, last.test_loss, last.test_accuracy, best, (last.test_accuracy,))
    assert kept.steps_per_epoch == 8
    assert kept.parameters == count(spec, spec.sizes).parameters == 784 * 16 + 16 + 16 * 10 + 10
    assert str(kept.stop_reason) == "Completed 2 epochs."
    assert (kept.shown, kept.pinned, kept.name) == (None, False, "ReLU 16, lr 0.1, batch 64, 512 images, 2 epochs")


def test_a_run_that_has_not_begun_is_not_kept() -> None:
    kept = filled(1)
    assert kept.keep(snapshot(BOOK, history())) == kept
    assert kept.find(snapshot(BOOK, history())) is None


def test_a_run_without_a_finished_epoch_has_no_numbers_yet() -> None:
    (kept,) = KeptRuns().keep(snapshot(BOOK, history(steps=3))).runs
    assert kept.final is None


def test_of_several_seeds_the_means_count_where_all_have_come() -> None:
    seeds = [history([0.5, 0.8]), history([0.7, 0.6, 0.9])]
    (kept,) = KeptRuns().keep(snapshot(BOOK, seeds[0], members=seeds)).runs
    assert kept.final is not None
    assert (kept.final.epoch, kept.final.test_accuracies) == (2, (0.8, 0.6))
    assert kept.final.test_accuracy == pytest.approx(0.7)
    assert kept.final.best_test_accuracy == pytest.approx(0.7)
    assert kept.name == "ReLU 256, lr 0.1, 2 seeds"


def test_a_run_kept_again_takes_its_own_place() -> None:
    kept = KeptRuns().keep(snapshot(BOOK, history([0.7])))
    kept = kept.rename(1, "mine").pin(1).show(frozenset(), frozenset({1}))
    kept = kept.keep(snapshot(replace(BOOK, seed=1), history([0.6])))
    kept = kept.keep(snapshot(BOOK, history([0.7, 0.8]), stop="stopped", elapsed_seconds=9.0))
    first, second = kept.runs
    assert (first.id, first.name, first.style, first.pinned, first.shown) == (1, "mine", 0, True, False)
    assert [epoch.test_accuracy for epoch in first.history.epochs] == [0.7, 0.8]
    assert (str(first.stop_reason), first.elapsed_seconds) == ("Stopped at step 470.", 9.0)
    assert second.id == 2


def test_the_same_experiment_trained_less_far_does_not_undo_the_longer_run() -> None:
    kept = KeptRuns().keep(snapshot(BOOK, history([0.7, 0.8]), stop="completed"))
    assert kept.keep(snapshot(BOOK, history([0.7]), stop="stopped")) == kept


@pytest.mark.parametrize(
    ("change", "runs"),
    [
        ((235, 0.01), 1),  # made after the last step that was kept: the run goes on with it
        ((300, 0.01), 1),
        ((234, 0.01), 2),  # the run that was kept went on from there with the old one
    ],
)
def test_a_branch_is_another_run(change: tuple[int, float], runs: int) -> None:
    kept = KeptRuns().keep(snapshot(BOOK, history([0.7])))
    assert len(kept.keep(snapshot(BOOK, history([0.7, 0.8], changes=[change]))).runs) == runs


def test_what_a_file_tells_is_never_the_run_that_was_measured_here() -> None:
    measured, other = snapshot(BOOK, history([0.8], changes=[(5, 0.01)])), snapshot(BOOK, history([0.7], changes=[(5, 0.01)]))
    told, lies = (replace(last_of(KeptRuns().keep(one)), name="mine", renamed=True, from_file=True) for one in (measured, other))
    kept = KeptRuns().keep(measured).keep(told)
    assert [(run.from_file, run.name) for run in kept.runs] == [(False, "ReLU 256, lr 0.1, lr 0.01 after step 5"), (True, "mine")]
    assert [len(kept.keep(one).runs) for one in (measured, told)] == [2, 2]
    assert kept.find(measured) == kept.runs[0]
    assert [(run.from_file, run.name) for run in kept.keep(lies).runs[2:]] == [(True, "mine (2)")], "another file, of the same experiment"
    assert KeptRuns().keep(told).find(measured) is None


def test_five_seeds_and_one_are_two_runs_and_so_are_two_data_sets() -> None:
    kept = KeptRuns().keep(snapshot(BOOK, history([0.7])))
    kept = kept.keep(snapshot(BOOK, history([0.7]), members=[history([0.7])] * 5))
    kept = kept.keep(replace(snapshot(BOOK, history([0.7])), schedule=Schedule(6000, 256)))
    assert [len(run.members) for run in kept.runs] == [0, 5, 0]
    assert names(kept) == ["ReLU 256, lr 0.1", "ReLU 256, lr 0.1, 5 seeds", "ReLU 256, lr 0.1 (2)"]


def test_the_oldest_makes_room_and_is_named() -> None:
    kept = filled(CAPACITY)
    assert kept.let_go == ""
    kept = kept.keep(snapshot(replace(BOOK, seed=99), history([0.8])))
    assert kept.let_go == "0"
    assert names(kept) == [*map(str, range(1, CAPACITY)), "ReLU 256, lr 0.1, seed 99"]


def told(*seeds: int) -> list[KeptRun]:
    return [replace(last_of(KeptRuns().keep(snapshot(replace(BOOK, seed=seed), history([0.8])))), from_file=True) for seed in seeds]


def test_runs_kept_together_are_shown_and_do_not_make_room_for_each_other() -> None:
    few = filled(2).keep_together(told(0, 1, 0, 2, 3))
    assert ([run.shown for run in few.kept.runs], few.ids, few.let_go, few.left_out) == ([None] * 2 + [True] * 4, (3, 4, 5, 6), (), 0)
    again = few.kept.keep_together(told(3))
    assert (again.kept, again.ids) == (few.kept, (6,))
    kept = filled(CAPACITY).pin(2)
    full = kept.keep_together(told(*range(15)))
    assert len(full.kept.runs) == CAPACITY
    assert full.let_go == ("0", *map(str, range(2, CAPACITY))), "all but the pinned one"
    assert full.left_out == 15 - (CAPACITY - 1)
    assert [run.spec.seed for run in full.kept.runs if run.from_file] == list(range(CAPACITY - 1))


def test_a_run_of_the_list_that_is_kept_together_with_others_does_not_make_room_for_them() -> None:
    old = KeptRuns().keep_together(told(99)).kept
    for seed in range(CAPACITY - 1):
        old = old.keep(snapshot(replace(BOOK, seed=seed), history([0.8])))
    found = old.keep_together(told(99, 100))
    assert [run.spec.seed for run in found.kept.runs if run.from_file] == [99, 100]


def test_what_is_pinned_stays() -> None:
    kept = filled(CAPACITY)
    for run in kept.runs[:MAX_PINNED]:
        kept = kept.pin(run.id)
    with pytest.raises(SpecError, match="pinned: must be at most 11 runs"):
        kept.pin(last_of(kept).id)
    for seed in (50, 51):
        kept = kept.keep(snapshot(replace(BOOK, seed=seed), history([0.8])))
    assert names(kept) == [*map(str, range(MAX_PINNED)), "ReLU 256, lr 0.1, seed 51"]
    assert kept.pin(1) == kept
    assert not kept.pin(1, False).runs[0].pinned


def test_a_line_is_a_runs_own_until_it_leaves() -> None:
    kept = filled(4).remove(2)
    assert [run.style for run in kept.runs] == [0, 2, 3]
    assert kept.free_style == 1
    kept = kept.keep(snapshot(replace(BOOK, seed=9), history([0.8])))
    assert last_of(kept).style == 1


def ids(runs: tuple[KeptRun, ...]) -> list[int]:
    return [run.id for run in runs]


def test_of_runs_that_nobody_chose_the_newest_three_are_shown_and_the_one_on_screen_is_none_of_them() -> None:
    kept = filled(5)
    assert ids(kept.shown()) == [3, 4, 5]
    assert ids(kept.shown(last_of(kept))) == [2, 3, 4]  # as before it was kept: no curve goes when a run ends


def test_a_chosen_run_stays_beside_the_newest_and_a_hidden_one_is_none_of_them() -> None:
    kept = filled(4).show(frozenset({1, 4}), frozenset({1, 2, 3, 4}))
    for seed in range(10, 14):
        kept = kept.keep(snapshot(replace(BOOK, seed=seed), history([0.8])))
    assert ids(kept.shown()) == [1, 4, 6, 7, 8]


def test_a_run_that_was_not_offered_stays_as_it_is() -> None:
    kept = filled(3).show(frozenset({1}), frozenset({1, 2}))
    assert [run.shown for run in kept.runs] == [True, False, None]


def test_show_hide_remove_clear() -> None:
    kept = filled(3).show(frozenset({1, 3}), frozenset({1, 2, 3}))
    assert ids(kept.shown()) == [1, 3]
    assert ids(kept.remove(1).shown()) == [3]
    assert kept.clear() == KeptRuns(next_id=4)


def test_what_is_done_to_a_run_that_is_gone_changes_nothing() -> None:
    kept = filled(2).remove(1)
    assert kept.remove(1) == kept.pin(1) == kept.rename(1, "ghost") == kept


@pytest.mark.parametrize(("given_", "name"), [("  my   best\trun ", "my best run"), ("a\u202eb\x00c", "abc"), ("<b>*x*</b>", "<b>*x*</b>")])
def test_a_name_is_plain_text(given_: str, name: str) -> None:
    assert names(filled(1).rename(1, given_)) == [name]


@pytest.mark.parametrize("bad", ["", "  \n", "\u200b", "x" * (MAX_NAME + 1), "1"])
def test_a_name_that_cannot_be_is_refused(bad: str) -> None:
    with pytest.raises(SpecError, match=r"^name: must"):
        filled(2).rename(1, bad)


def test_a_run_may_keep_its_name() -> None:
    kept = filled(2)
    assert kept.rename(1, "0") == kept


@given(st.lists(st.tuples(st.sampled_from(["keep", "pin", "unpin", "remove", "rename"]), st.integers(0, 20)), max_size=60))
def test_whatever_is_done_the_list_stays_in_order(deeds: list[tuple[str, int]]) -> None:
    kept = KeptRuns()
    for deed, n in deeds:
        with suppress(SpecError):
            if deed == "keep":
                kept = kept.keep(snapshot(replace(BOOK, lr=0.1 + n / 10), history(steps=1)))
                assert any(run.spec.lr == 0.1 + n / 10 for run in kept.runs)
            elif deed == "rename":
                kept = kept.rename(n, f"ReLU 256, lr {0.1 + n / 10:g}")
            elif deed == "remove":
                kept = kept.remove(n)
            else:
                kept = kept.pin(n, deed == "pin")
        runs = kept.runs
        assert len(runs) <= CAPACITY
        assert sum(run.pinned for run in runs) <= MAX_PINNED
        assert [run.id for run in runs] == sorted(run.id for run in runs)
        for distinct in ([run.name for run in runs], [run.style for run in runs], [run.spec for run in runs]):
            assert len(set(distinct)) == len(runs)
        assert all(0 < len(run.name) <= MAX_NAME and run.style < CAPACITY for run in runs)


@pytest.mark.parametrize("steps", [1, MAX_STEPS, MAX_STEPS + 1, 5 * MAX_STEPS + 3])
def test_a_long_curve_is_thinned_and_keeps_its_end(steps: int) -> None:
    whole = history([0.8] * (steps // STEPS_PER_EPOCH), steps=steps)
    thin = thinned(whole)
    assert len(thin.steps) <= MAX_STEPS
    assert thin.steps[-1] == steps
    assert thin.epochs == whole.epochs
    assert [whole.losses[step - 1] for step in thin.steps] == list(thin.losses)
    assert (thin == whole) == (steps <= MAX_STEPS)
    assert thinned(thin) == thin
    assert (min(thin.losses), max(thin.losses)) == (min(whole.losses), max(whole.losses))
