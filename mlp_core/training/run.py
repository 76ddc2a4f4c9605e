"""`Run`: one experiment carried out, piece by piece. The heart of the engine.

A piece is a training step, or a part of the test after an epoch. `advance` does some of them and returns; how many it does at a time
never changes what they compute. The clock decides only when to return and when to look inside.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from mlp_core.data import Dataset
from mlp_core.expression import resolve
from mlp_core.losses import CROSS_ENTROPY, Loss
from mlp_core.network import Network, count
from mlp_core.records import (
    CHANGEABLE,
    EpochRecord,
    History,
    HistorySnapshot,
    ProbeRecord,
    Schedule,
    SettingChange,
    StepRecord,
    StopKind,
    StopReason,
    settings_after,
)
from mlp_core.runtime.devices import failure_of, find_device
from mlp_core.spec import RunSpec, SpecError, check_step
from mlp_core.training import ends
from mlp_core.training.checkpoints import GENERATOR_BYTES, Checkpoint, Checkpoints, marks
from mlp_core.training.inspection import InspectionLog, inspect, measure, update_ratios
from mlp_core.training.state import Evaluation, EvaluationInProgress, KeptStep, TrainingState
from mlp_core.words import Message, listed

PROBED_STEPS = frozenset({0, 10, 100})  # and the end of every epoch, or of so many evenly spread ones:
PROBED_EPOCHS = 100


class Run:
    """One experiment on one data set. Same spec, data, machine and threads: the same `history`, bit for bit, however it is sliced.

    `Run(RunSpec(), data).advance()` records the losses of this loop, for images (n, 784) from 0 to 1 and labels (n,):

        net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
        init, order = torch.Generator().manual_seed(0), torch.Generator().manual_seed(1)
        for linear in (net[0], net[2]):
            nn.init.normal_(linear.weight, std=0.01, generator=init)
            nn.init.zeros_(linear.bias)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        losses = []
        for epoch in range(10):
            for batch in torch.randperm(len(images), generator=order).split(256):
                loss = F.cross_entropy(net(images[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())

    What it adds: tests, measured layers, checkpoints, settings that may change, and an end with a reason instead of an exception.
    Nothing is built until the first `advance`, so that making a run is cheap wherever it is made.

    Args:
        spec: the experiment.
        data: images (n, ...) as uint8 (scaled to 0..1 as they are used) or float32, labels (n,) int64 from 0; or, where the loss asks
            for numbers, targets (n, 1) float32.
        loss: what the outputs mean.
        changes: settings that change by themselves when their steps come, in the order of these: what `change` would do then.

    Attributes:
        network: None until it is built, and again once the run is abandoned.
        evaluation: the newest test.
        lock: held while what can be read here changes; hold it to read several things that belong together on another thread.

    Raises:
        SpecError: the device is not there, a step of the visitor's own activation would take too long, or `change` would refuse one of
            the changes.
        ExpressionError: the visitor's own activation cannot be compiled.
    """

    networks = 1  # trained at once

    def __init__(self, spec: RunSpec, data: Dataset, loss: Loss = CROSS_ENTROPY, changes: Sequence[SettingChange] = ()) -> None:
        self.spec, self.data, self.loss, self.planned = spec, data, loss, tuple(changes)
        self.device, self.activation = find_device(spec.device), resolve(spec.activation)
        self.train_count = len(data.train_labels[: spec.train_size])
        self.schedule = Schedule(self.train_count, spec.batch_size)
        self.total_steps = self.schedule.steps(spec.epochs)
        self.sizes = (math.prod(data.train_images.shape[1:]), *spec.hidden, loss.outputs(data.train_labels, data.test_labels))
        check_step(spec.batch_size, self.sizes, self.networks, self.activation.operations)
        self.counts = count(spec, self.sizes, self.activation)
        self.network: Network | None = None
        self.step = 0
        self.history = History()
        self.evaluation: Evaluation | None = None
        self.inspections = InspectionLog()
        bytes_each = self.counts.weight_bytes + self.counts.optimizer_bytes + 2 * GENERATOR_BYTES
        self.checkpoints = Checkpoints(marks(self.steps_per_epoch, spec.epochs), bytes_each)
        self.stop_reason: StopReason | None = None
        self.lock = threading.Lock()
        self._start: Checkpoint | None = None  # where the first piece of work takes up; None for the very beginning
        self._state: TrainingState | None = None
        self._test: EvaluationInProgress | None = None
        for number in range(len(self.planned)):
            self._checked(spec, settings_after(self.planned[: number + 1]))
        self._follow_plan()

    @property
    def finished(self) -> bool:
        return self.stop_reason is not None

    @property
    def epoch(self) -> int:
        """Completed epochs, tested."""
        return len(self.history.epochs)

    @property
    def settings(self) -> RunSpec:
        """The experiment as it goes on: `spec` with what was changed in mid-run."""
        return replace(self.spec, **settings_after(self.history.changes))

    @property
    def steps_per_epoch(self) -> int:
        """Of an epoch at the spec's batch size."""
        return self.schedule.steps_per_epoch

    @property
    def images_seen(self) -> int:
        """Training images used so far, each epoch counted anew."""
        epochs, images = self.schedule.place(self.step)
        return epochs * self.train_count + images

    @property
    def testing(self) -> bool:
        """Whether an epoch's test is under way."""
        return self._test is not None and self._test.ends_epoch

    @property
    def tested(self) -> bool:
        """Whether `evaluation` is of the weights as they are."""
        return self.evaluation is not None and self.evaluation.step == self.step

    @property
    def evaluated(self) -> bool:
        """Whether there is nothing to evaluate: what can do no more, or is `tested` and, where somebody looks inside, inspected."""
        return self.finished or (self.tested and not self.inspections.lacks(self.step))

    @property
    def members(self) -> tuple[HistorySnapshot, ...]:
        """The histories of several seeds that train at once; of one alone, none."""
        return ()

    def advance(self, *, steps: int | None = None, seconds: float | None = None) -> None:
        """Move on: by exactly `steps` steps, for about `seconds`, until the first of both, or to the end.

        An epoch's last step brings the test of that epoch with it. Stops between two pieces of work, never inside one; does nothing
        once finished. A loss that is not finite, memory that runs out and a device that goes away end the run with a `stop_reason`:
        they are outcomes and raise nothing.
        """
        started = time.perf_counter()
        deadline = math.inf if seconds is None else started + seconds
        goal = math.inf if steps is None else self.step + steps
        self._guarded(lambda: self._advance(goal, deadline))
        self.inspections.trained(time.perf_counter() - started)

    def evaluate(self, *, seconds: float | None = None) -> None:
        """Bring `evaluation` up to the present step, or as far as gets done in about `seconds`; for who looks inside, `inspections` too.

        Changes no history, but that an epoch's test under way is brought to its end.
        """
        deadline = math.inf if seconds is None else time.perf_counter() + seconds
        self._guarded(lambda: self._evaluate(deadline))

    def prepare(self) -> None:
        """Build the network, so that it can be seen before its first step."""
        self._guarded(self._build)

    def change(self, **settings: Any) -> None:
        """Go on with other `settings`, from the next step on: `change(lr=0.01)`. Does nothing once finished.

        Raises:
            SpecError: one of them is not `CHANGEABLE`, or breaks the rule of its field.
        """
        now = self.changed(**settings)
        if self.finished:
            return
        with self.lock:
            for name in settings:
                here = (self.step, name)  # a change that no step was done with yet gives way
                self.history.changes = [change for change in self.history.changes if (change.step, change.field) != here]
                if (value := getattr(now, name)) != getattr(self.settings, name):
                    self.history.changes.append(SettingChange(self.step, name, value))
            self.counts = count(now, self.sizes, self.activation)
            self.schedule = replace(self.schedule, changes=tuple(self.history.changes))
            self.total_steps, self.history.knots = self.schedule.steps(self.spec.epochs), self.schedule.knots(self.spec.epochs)
        if self._state is not None:
            self._state.follow(now)

    def changed(self, **settings: Any) -> RunSpec:
        """The experiment as it would go on with other `settings`.

        Raises:
            SpecError: one of them is not `CHANGEABLE`, or breaks the rule of its field.
        """
        return self._checked(self.settings, settings)

    def _checked(self, settings: RunSpec, changed: dict[str, Any]) -> RunSpec:
        for name, value in changed.items():
            if name not in CHANGEABLE:
                raise SpecError(name, Message("cannot be changed in mid-run, as {fields} can", fields=listed(list(CHANGEABLE))), value)
        now = replace(settings, **changed)
        check_step(now.batch_size, self.sizes, self.networks, self.activation.operations)
        return now

    def _follow_plan(self) -> None:
        for change in self.planned:
            if change.step == self.step < self.total_steps:
                self.change(**settings_after([change]))

    def set_weight(self, layer: int, unit: int, source: int | None, value: float) -> None:
        """Set one weight by hand, or with `source` None a bias: from here on the run is not its spec's alone.

        Args:
            layer: from 0, the first hidden one; `unit` of it receives, `source` of the layer below sends.

        Raises:
            IndexError: there is no such weight.
        """
        self.prepare()
        if self.network is None or self.finished:
            return
        weight, bias = self.network.weights()[layer]
        if source is None:
            bias[unit] = value
        else:
            weight[unit, source] = value
        self.evaluation = None
        if not self.testing:
            self._test = None

    def stop(self, kind: StopKind, detail: str) -> None:
        """End the run and give back what only training needs; history, evaluation and network stay."""
        with self.lock:
            if self.stop_reason is None:
                self.stop_reason = StopReason(kind, self.step, detail)
        self._state = self._test = None

    def abandon(self) -> None:
        """End the run and give back everything but the history."""
        self.stop("abandoned", ends.abandoned(self.step))
        self.network = self.evaluation = None
        with self.lock:
            self.checkpoints.clear()

    def branch(self, step: int, **settings: Any) -> Run:
        """This experiment gone on with from a kept step with other settings: bit for bit what `change` would have led to then.

        Only where the log of steps was thinned since, the past is as coarse as it is here.

        Raises:
            ValueError: `step` is not kept, or there is nothing left to train after it.
            SpecError: what `change` raises.
        """
        if step == self.total_steps:
            raise ValueError(f"step: must be before the end of the run, got {step}")
        run = Run(self.spec, self.data, self.loss, self.planned)
        with self.lock:
            run._start = self.checkpoints.at(step)
            run.history, run.step = run._start.past(self.history), step
            run.checkpoints.inherit(self.checkpoints, step)
        run.change(**settings)
        return run

    def kept_step(self, step: int) -> KeptStep:
        """The run as it stood at a kept step; computed anew, which takes a second at the most: larger networks keep no checkpoints.

        Raises:
            ValueError: `step` is not kept.
        """
        with self.lock:
            checkpoint = self.checkpoints.at(step)
        state = self._new_state()
        state.restore(checkpoint)
        test = EvaluationInProgress(step, loss=self.loss)
        while not state.test_piece(test):
            pass
        return KeptStep(state.network, test.result(), inspect(state.network, *state.probe_batch, step=step))

    def _guarded(self, work: Callable[[], object]) -> None:
        if self.finished:
            return
        try:
            work()
        except (RuntimeError, MemoryError) as error:
            kind = failure_of(error)
            if kind is None:
                raise
            self.stop(kind, (ends.out_of_memory if kind == "out_of_memory" else ends.device_lost)(self.step))

    def _build(self) -> TrainingState:
        if self._state is None:
            self._state = self._new_state()
            self.network = self._state.network
            if self._start is None:
                self._probe(self._state)
                self._keep_checkpoint(self._state)
            else:
                self._state.restore(self._start)
            self._state.follow(self.settings)
        return self._state

    def _new_state(self) -> TrainingState:
        return TrainingState(self.spec, self.data, self.loss, self.sizes, self.device, self.activation)

    def _advance(self, goal: float, deadline: float) -> None:
        state = self._build()
        if not self.testing:
            self._test = None  # of weights that are about to change
        while not self.finished:
            if self._test is not None:
                self._test_piece(state, self._test)
            elif self.step < min(goal, self.total_steps):
                (self._inspected_step if self.inspections.due else self._train_step)(state)
            else:
                return
            if time.perf_counter() >= deadline:
                return

    def _evaluate(self, deadline: float) -> None:
        state = self._build()
        if self.inspections.lacks(self.step):
            self._inspect(state)
        while not (self.finished or self.tested):
            self._test = self._test or EvaluationInProgress(self.step, loss=self.loss)
            self._test_piece(state, self._test)
            if time.perf_counter() >= deadline:
                return

    def _train_step(self, state: TrainingState) -> None:
        images, labels = state.next_batch()
        with state.precision:
            loss, logits = state.network.loss(images, labels)
        value, hits = loss.item(), self.loss.hits(logits, labels)
        with self.lock:
            self.step += 1
            self.history.steps.append(StepRecord(self.step, value, hits / len(labels)))
        if not math.isfinite(value):
            self.stop("diverged", ends.diverged(self.step, value, tested=False))
            return
        with state.precision:
            state.network.backward(loss)
        state.optimizer.step()
        state.loss_sum += value * len(labels)
        state.hits += hits
        self._after_step(state)

    def _after_step(self, state: TrainingState) -> None:
        self._follow_plan()
        if state.epoch_done:
            self._test = EvaluationInProgress(self.step, ends_epoch=True, loss=self.loss)
            return
        if self.step in PROBED_STEPS:
            self._probe(state)
        self._keep_checkpoint(state)

    def _test_piece(self, state: TrainingState, test: EvaluationInProgress) -> None:
        if not state.test_piece(test):
            return
        self._test = None
        if test.ends_epoch:
            self._end_epoch(state, test.result())
        else:
            self.evaluation = test.result()

    def _end_epoch(self, state: TrainingState, evaluation: Evaluation) -> None:
        record = EpochRecord(
            epoch=self.epoch + 1,
            step=self.step,
            train_loss=state.loss_sum / self.train_count,
            train_accuracy=state.hits / self.train_count,
            test_loss=evaluation.loss,
            test_accuracy=evaluation.accuracy,
        )
        self._start_epoch(state)
        with self.lock:
            self.evaluation = evaluation
            self.history.epochs.append(record)
        if not math.isfinite(record.test_loss):
            self.stop("diverged", ends.diverged(self.step, record.test_loss, tested=True))
        self._after_epoch(state)

    def _start_epoch(self, state: TrainingState) -> None:
        state.start_epoch()
        if (self.epoch + 1) % math.ceil(self.spec.epochs / PROBED_EPOCHS) == 0 or self.step in PROBED_STEPS:
            self._probe(state)

    def _after_epoch(self, state: TrainingState) -> None:
        if self.finished:
            return
        self._keep_checkpoint(state)
        if self.step == self.total_steps:
            if self.inspections.lacks(self.step):
                self._inspect(state)
            self.stop("completed", self._completed())

    def _completed(self) -> str:
        return ends.completed(self.spec.epochs)

    def _probe(self, state: TrainingState) -> None:
        record = ProbeRecord(self.step, measure(state.network, *state.probe_batch))
        with self.lock:
            self.history.probes.append(record)

    def _keep_checkpoint(self, state: TrainingState) -> None:
        if self.checkpoints.due(self.step):
            checkpoint = state.checkpoint(self.step, self.history.steps[-1] if self.step else None)
            with self.lock:
                self.checkpoints.keep(checkpoint)

    def _inspected_step(self, state: TrainingState) -> None:
        """A training step, and a look at what it did."""
        with self.inspections.charged():
            before = [weight.clone() for weight, _ in state.network.weights()]
            self._train_step(state)
            if not self.finished:
                ratios = update_ratios(before, [weight for weight, _ in state.network.weights()])
                del before  # it need not be there beside what the look takes
                self._inspect(state, ratios)

    def _inspect(self, state: TrainingState, ratios: Sequence[float | None] | None = None) -> None:
        inspection = inspect(state.network, *state.probe_batch, step=self.step, ratios=ratios)
        with self.lock:
            self.inspections.add(inspection)
