"""`Run`: one experiment carried out, moved on by whoever holds it. It knows no thread, no clock but the caller's deadline, and no screen.

A run is a sequence of small pieces of work: a training step, or a part of the test after an epoch. `advance` does some of them and
returns; how many it does at a time never changes what they compute.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import torch

from mlp_core.data import Dataset
from mlp_core.devices import failure_of, find_device
from mlp_core.ends import SOFTMAX, End
from mlp_core.evaluation import Evaluation, EvaluationInProgress
from mlp_core.expression import resolve
from mlp_core.model import Network
from mlp_core.probe import measure
from mlp_core.records import EpochRecord, History, HistorySnapshot, ProbeRecord, StepRecord, StopReason
from mlp_core.spec import RunSpec
from mlp_core.workbench import Workbench

PROBED_STEPS = frozenset({0, 10, 100})  # and the end of every epoch, or of so many evenly spread ones:
PROBED_EPOCHS = 100


class Run:
    """One experiment on one data set. Same spec, same data, same machine: the same `history`, bit for bit, however it is sliced.

    Nothing is built until the first `advance`, so that making a run is cheap wherever it is made.

    Args:
        spec: the experiment.
        data: images (n, ...) as uint8 (scaled to 0..1 as they are used) or float32, labels (n,) int64 from 0; or, where the end asks
            for numbers, targets (n, 1) float32.
        end: what the last layer means.

    Raises:
        SpecError: the device is not there.
        ExpressionError: the visitor's own activation cannot be compiled.
    """

    def __init__(self, spec: RunSpec, data: Dataset, end: End = SOFTMAX) -> None:
        self.spec, self.end = spec, end
        self.device = find_device(spec.device)
        self.activation = resolve(spec.activation)
        self.history = History()
        self.evaluation: Evaluation | None = None
        self.network: Network | None = None  # built by the first piece of work
        self.step = 0
        self.stop_reason: StopReason | None = None
        self.lock = threading.Lock()  # held while the history changes; hold it to read while another thread advances
        self._data = data
        self.train_count = min(spec.train_size or len(data.train_labels), len(data.train_labels))
        self.steps_per_epoch = math.ceil(self.train_count / spec.batch_size)
        self.total_steps = self.steps_per_epoch * spec.epochs
        self.inputs = math.prod(data.train_images.shape[1:])
        self.outputs = end.outputs(data.train_labels, data.test_labels)
        self._bench: Workbench | None = None
        self._test: EvaluationInProgress | None = None

    @property
    def finished(self) -> bool:
        return self.stop_reason is not None

    @property
    def epoch(self) -> int:
        """Completed epochs, tested."""
        return len(self.history.epochs)

    @property
    def members(self) -> tuple[HistorySnapshot, ...]:
        """The histories of several seeds; of one, none."""
        return ()

    @property
    def sizes(self) -> tuple[int, ...]:
        """Width of every layer from input to output."""
        return (self.inputs, *self.spec.hidden, self.outputs)

    @property
    def testing(self) -> bool:
        """Whether an epoch's test is under way."""
        return self._test is not None and self._test.ends_epoch

    @property
    def evaluated(self) -> bool:
        """Whether `evaluation` is of the weights as they are; a run that can do no more has nothing to evaluate."""
        return self.finished or (self.evaluation is not None and self.evaluation.step == self.step)

    @property
    def images_seen(self) -> int:
        """Training images used so far, each epoch counted anew."""
        epochs, steps = divmod(self.step, self.steps_per_epoch)
        return epochs * self.train_count + steps * self.spec.batch_size

    def advance(self, *, steps: int | None = None, seconds: float | None = None) -> None:
        """Move on: by exactly `steps` steps, for about `seconds`, until the first of both, or to the end.

        An epoch's last step brings the test of that epoch with it. Stops between two pieces of work, never inside one; does nothing
        once finished. A loss that is not finite, memory that runs out and a device that goes away end the run with a `stop_reason`:
        they are outcomes and raise nothing.
        """
        deadline = math.inf if seconds is None else time.perf_counter() + seconds
        goal = self.total_steps if steps is None else min(self.step + steps, self.total_steps)
        self._guarded(lambda: self._advance(goal, deadline))

    def evaluate(self, *, seconds: float | None = None) -> None:
        """Bring `evaluation` up to the present step, or as far as gets done in about `seconds`.

        Changes no history, but that an epoch's test under way is brought to its end.
        """
        deadline = math.inf if seconds is None else time.perf_counter() + seconds

        def work() -> None:
            bench = self._build()
            while not self.evaluated:
                self._test = self._test or EvaluationInProgress(self.step, end=self.end)
                self._test_piece(bench, self._test)
                if time.perf_counter() >= deadline:
                    return

        self._guarded(work)

    def prepare(self) -> None:
        """Build the network, so that it can be seen before its first step."""
        self._guarded(self._build)

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

    def stop(self, kind: str, detail: str) -> None:
        """End the run and give back what only training needs; history, evaluation and network stay."""
        with self.lock:
            if self.stop_reason is None:
                self.stop_reason = StopReason(kind, self.step, detail)
        self._bench = self._test = None

    def abandon(self) -> None:
        """End the run and give back everything but the history."""
        self.stop("abandoned", f"Given up at step {self.step}, because its page was closed.")
        self.network = self.evaluation = None

    def _advance(self, goal: int, deadline: float) -> None:
        bench = self._build()
        if not self.testing:
            self._test = None  # of weights that are about to change
        while not self.finished:
            if self._test is not None:
                self._test_piece(bench, self._test)
            elif self.step < goal:
                self._train_step(bench)
            else:
                return
            if time.perf_counter() >= deadline:
                return

    def _guarded(self, work: Callable[[], object]) -> None:
        if self.finished:
            return
        try:
            work()
        except (RuntimeError, MemoryError) as error:
            failure = failure_of(error)
            if failure is None:
                raise
            kind, detail = failure
            self.stop(kind, f"{detail} at step {self.step}; the curves up to there are kept.")

    def _build(self) -> Workbench:
        if self._bench is None:
            self._bench = Workbench(self.spec, self._data, self.end, self.sizes, self.device)
            self.network = self._bench.network
            self._probe(self._bench)
        return self._bench

    def _train_step(self, bench: Workbench) -> None:
        images, labels = bench.next_batch()
        loss, logits = bench.network.loss(images, labels)
        value = loss.item()
        hits = self.end.hits(logits, labels)
        with self.lock:
            self.step += 1
            self.history.steps.append(StepRecord(self.step, value, hits / len(labels)))
        if not math.isfinite(value):
            self.stop("diverged", f"Diverged at step {self.step}: the loss is {_spoken(value)}.")
            return
        loss.backward()
        bench.optimizer.step()
        bench.loss_sum += value * len(labels)
        bench.hits += hits
        if self.step % self.steps_per_epoch == 0:
            self._test = EvaluationInProgress(self.step, ends_epoch=True, end=self.end)
        elif self.step in PROBED_STEPS:
            self._probe(bench)

    def _test_piece(self, bench: Workbench, test: EvaluationInProgress) -> None:
        images, labels = bench.test_batch(test.seen)
        with torch.no_grad():
            test.add(bench.network.logits(images), labels)
        if test.seen < bench.test_count:
            return
        self._test = None
        if test.ends_epoch:
            self._end_epoch(bench, test.result())
        else:
            self.evaluation = test.result()

    def _end_epoch(self, bench: Workbench, evaluation: Evaluation) -> None:
        record = EpochRecord(
            epoch=self.epoch + 1,
            step=self.step,
            train_loss=bench.loss_sum / self.train_count,
            train_accuracy=bench.hits / self.train_count,
            test_loss=evaluation.loss,
            test_accuracy=evaluation.accuracy,
        )
        bench.start_epoch()
        if record.epoch % math.ceil(self.spec.epochs / PROBED_EPOCHS) == 0 or self.step in PROBED_STEPS:
            self._probe(bench)
        with self.lock:
            self.evaluation = evaluation
            self.history.epochs.append(record)
        if not math.isfinite(record.test_loss):
            self.stop("diverged", f"Diverged at step {self.step}: the test loss is {_spoken(record.test_loss)}.")
        elif self.step == self.total_steps:
            self.stop("completed", f"Completed {self.spec.epochs} epoch{'s' if self.spec.epochs > 1 else ''}.")

    def _probe(self, bench: Workbench) -> None:
        images, labels = bench.probe_batch
        layers = measure(bench.network, self.activation, images, labels, self.spec.activation_parameter)
        record = ProbeRecord(self.step, layers)
        with self.lock:
            self.history.probes.append(record)


def _spoken(value: float) -> str:
    return "NaN" if math.isnan(value) else "infinite"
