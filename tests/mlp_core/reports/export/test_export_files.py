"""What is exported reads back as what was there: by Python's csv module and by safetensors' own reader."""

from __future__ import annotations

import csv
import io
import json
import struct
import threading
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from safetensors.torch import load
from torch import nn

from mlp_core.jobs import Scheduler, TrainingJob
from mlp_core.records import EpochRecord, History, StepRecord
from mlp_core.reports.export import files as export
from mlp_core.reports.export.files import epochs_csv, steps_csv, weights_of, weights_safetensors
from mlp_core.spec import IMPLEMENTATIONS, RunSpec
from mlp_core.training import Run
from tests.support.engine import SPEC, Gate, clouds, finished, network_of, until


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def metadata(file: bytes) -> dict[str, str]:
    """The metadata of a safetensors file: 8 bytes of length, then JSON."""
    (length,) = struct.unpack("<Q", file[:8])
    header: dict[str, Any] = json.loads(file[8 : 8 + length])
    found: dict[str, str] = header["__metadata__"]
    return found


def test_steps_read_back_to_the_same_floats() -> None:
    history = finished(replace(SPEC, batch_size=7)).history
    back = [StepRecord(int(row["step"]), float(row["loss"]), float(row["accuracy"])) for row in rows(steps_csv(history.snapshot()))]
    assert back == list(history.steps)
    assert len(back) == 16


def test_older_steps_in_pieces_are_lines_with_mean_lowest_and_highest() -> None:
    log = History()
    for step in range(1, 501):
        log.steps.append(StepRecord(step, 50.0 if step == 77 else step % 9, step % 5 / 5))
    whole = list(log.steps)
    thinned = log.snapshot().thinned(200)
    lines = rows(steps_csv(thinned))
    assert rows(steps_csv(thinned, (thinned,), 4)) == [{"seed": "4"} | line for line in lines]
    assert [int(line["first_step"]) for line in lines] == [1, *(int(line["last_step"]) + 1 for line in lines[:-1])]
    assert int(lines[-1]["last_step"]) == 500
    assert any(line["first_step"] < line["last_step"] for line in lines)
    for line in lines:
        piece = whole[int(line["first_step"]) - 1 : int(line["last_step"])]
        for of in ("loss", "accuracy"):
            values = [getattr(record, of) for record in piece]
            assert float(line[f"{of}_mean"]) == pytest.approx(sum(values) / len(values))
            assert (float(line[f"{of}_lowest"]), float(line[f"{of}_highest"])) == (min(values), max(values))
    assert "50.0" in [line["loss_highest"] for line in lines]


def test_epochs_read_back_to_the_same_floats() -> None:
    history = finished(replace(SPEC, epochs=3)).history
    read = rows(epochs_csv(history.snapshot()))
    names = ["train_loss", "train_accuracy", "test_loss", "test_accuracy"]
    back = [EpochRecord(int(row["epoch"]), int(row["step"]), *(float(row[name]) for name in names)) for row in read]
    assert list(read[0]) == ["epoch", "step", *names]
    assert back == history.epochs


def test_nothing_done_is_a_header_and_a_diverged_loss_is_readable() -> None:
    assert steps_csv(Run(SPEC, clouds()).history.snapshot()) == "step,loss,accuracy\n"
    assert epochs_csv(Run(SPEC, clouds()).history.snapshot()).count("\n") == 1
    run = finished(replace(SPEC, activation="=exp(x*x)", lr=10.0, epochs=50))
    last = float(rows(steps_csv(run.history.snapshot()))[-1]["loss"])
    assert repr(last) == repr(run.history.steps[-1].loss) in ("inf", "nan")


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("activation", ["relu", "prelu"])
@pytest.mark.parametrize("hidden", [(), (8,), (8, 5)])
def test_weights_read_back_into_a_plain_sequential(implementation: str, activation: str, hidden: tuple[int, ...]) -> None:
    spec = replace(SPEC, hidden=hidden, activation=activation, implementation=implementation, lr=0.3)
    run = finished(spec)
    file = weights_safetensors(run)
    plain = nn.Sequential()
    for n_in, n_out in pairwise(run.sizes):
        plain += nn.Sequential(nn.Linear(n_in, n_out), nn.PReLU() if activation == "prelu" else nn.ReLU())
    plain = plain[:-1]
    plain.load_state_dict(load(file))
    slopes = [layer.weight.item() for layer in plain if isinstance(layer, nn.PReLU)]
    assert 0.25 not in slopes, "they have learned"
    x = clouds().test_images.flatten(1) / 255
    torch.testing.assert_close(plain(x), network_of(run).logits(x), rtol=1e-5, atol=1e-6)


def test_the_experiment_travels_along() -> None:
    spec = replace(SPEC, activation="=x*sigmoid(1.7*x)", dropout=(0.25,), seed=11)
    run = finished(spec)
    found = metadata(weights_safetensors(run))
    assert RunSpec.from_json(found["spec"]) == spec
    assert found["step"] == "8"


def test_a_file_is_a_copy_that_training_does_not_change() -> None:
    run = Run(SPEC, clouds())
    run.advance(steps=2)
    before = weights_safetensors(run)
    kept = {name: tensor.clone() for name, tensor in load(before).items()}
    run.advance()
    assert all(torch.equal(load(before)[name], kept[name]) for name in kept)
    assert weights_safetensors(run) != before


def test_several_seeds_stand_below_each_other_each_line_with_its_seed() -> None:
    histories = [finished(replace(SPEC, seed=seed)).history.snapshot() for seed in (7, 8, 9)]
    for write, column, values in (
        (steps_csv, "loss", [loss for history in histories for loss in history.losses]),
        (epochs_csv, "test_loss", [record.test_loss for history in histories for record in history.epochs]),
    ):
        read = rows(write(histories[0], histories, 7))
        assert list(read[0])[:2] == ["seed", *list(rows(write(histories[0]))[0])[:1]]
        assert [float(row[column]) for row in read] == values
        assert [row["seed"] for row in read] == [str(seed) for seed in (7, 8, 9) for _ in range(len(values) // 3)]


def held_up(scheduler: Scheduler) -> tuple[TrainingJob, Gate]:
    """A job that plays, with a step under way that does not end before it is let."""
    run = Run(replace(SPEC, epochs=100), clouds())
    gate = Gate(run)
    job = TrainingJob(run, scheduler)
    job.play()
    gate.await_step()
    return job, gate


def test_weights_of_a_job_that_trains_are_those_between_two_steps(scheduler: Scheduler) -> None:
    job, gate = held_up(scheduler)
    taken: list[bytes] = []
    taker = threading.Thread(target=lambda: taken.append(weights_of(job)))
    taker.start()
    gate.let(3)
    until(lambda: job.run.step >= 3)
    gate.let()
    taker.join()
    step = int(metadata(taken[0])["step"])
    again = Run(job.run.spec, clouds())
    again.advance(steps=step)
    assert load(taken[0])["0.weight"].equal(network_of(again).weights()[0][0])
    job.stop()
    until(lambda: job.run.finished)


def test_weights_are_waited_for_no_longer_than_is_patient(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    job, gate = held_up(scheduler)
    monkeypatch.setattr(export, "PATIENCE_SECONDS", 0.1)
    with pytest.raises(TimeoutError, match="weights: the step under way"):
        weights_of(job)
    job.stop()
    gate.let()
    until(lambda: job.run.finished)


@pytest.mark.parametrize("ending", ["stopped", "finished", "paused"])
def test_weights_of_a_job_at_rest(scheduler: Scheduler, ending: str) -> None:
    job = TrainingJob(Run(SPEC, clouds()), scheduler)
    with pytest.raises(ValueError, match="weights: there are none"):
        weights_of(job)
    job.step(3)
    until(lambda: job.state == "paused" and not job.moving)
    if ending == "stopped":
        job.stop()
        until(lambda: job.run.finished)
    elif ending == "finished":
        job.play()
        until(lambda: job.run.finished)
    taken = weights_of(job)
    assert len(load(taken)) == 4
    assert all(torch.equal(load(taken)[f"{2 * layer}.weight"], weight) for layer, (weight, _) in enumerate(network_of(job.run).weights()))
    assert metadata(taken)["step"] == ("8" if ending == "finished" else "3")
