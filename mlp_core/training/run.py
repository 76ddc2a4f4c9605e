"""`Run`: one experiment carried out, moved on by whoever holds it. It knows no thread and no screen, and decides nothing by a clock
but when to return and when to look inside.

A run is a sequence of small pieces of work: a training step, or a part of the test after an epoch. `advance` does some of them and
returns; how many it does at a time never changes what they compute.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from torch import Tensor

from mlp_core.data import Dataset
from mlp_core.losses import CROSS_ENTROPY, Loss
from mlp_core.network.concise import count
from mlp_core.records import EpochRecord, LrChange, ProbeRecord, StepRecord, StopReason
from mlp_core.runtime.devices import failure_of
from mlp_core.spec import BOUNDS, RunSpec
from mlp_core.training.checkpoints import GENERATOR_BYTES, Checkpoint, Checkpoints, Moment, marks
from mlp_core.training.evaluation import Evaluation, EvaluationInProgress
from mlp_core.training.progress import Progress
from mlp_core.training.workbench import Workbench

PROBED_STEPS = frozenset({0, 10, 100})  # and the end of every epoch, or of so many evenly spread ones:
PROBED_EPOCHS = 100


class Run(Progress):
    """One experiment on one data set, carried out. Same spec, data and machine: the same `history`, bit for bit, however it is sliced.

    Nothing is built until the first `advance`, so that making a run is cheap wherever it is made. Arguments and errors as of `Progress`.
    """

    def __init__(self, spec: RunSpec, data: Dataset, loss: Loss = CROSS_ENTROPY) -> None:
        super().__init__(spec, data, loss)
        counts = count(spec, self.sizes)
        bytes_each = counts.weight_bytes + counts.optimizer_bytes + 2 * GENERATOR_BYTES
        self.checkpoints = Checkpoints(marks(self.steps_per_epoch, spec.epochs), bytes_each)
        self._start: Checkpoint | None = None  # where the first piece of work takes up; None for the very beginning
        self._bench: Workbench | None = None
        self._test: EvaluationInProgress | None = None

    @property
    def testing(self) -> bool:
        """Whether an epoch's test is under way."""
        return self._test is not None and self._test.ends_epoch

    def advance(self, *, steps: int | None = None, seconds: float | None = None) -> None:
        """Move on: by exactly `steps` steps, for about `seconds`, until the first of both, or to the end.

        An epoch's last step brings the test of that epoch with it. Stops between two pieces of work, never inside one; does nothing
        once finished. A loss that is not finite, memory that runs out and a device that goes away end the run with a `stop_reason`:
        they are outcomes and raise nothing.
        """
        started = time.perf_counter()
        deadline = math.inf if seconds is None else started + seconds
        goal = self.total_steps if steps is None else min(self.step + steps, self.total_steps)
        self._guarded(lambda: self._advance(goal, deadline))
        self.inspections.trained(time.perf_counter() - started)

    def evaluate(self, *, seconds: float | None = None) -> None:
        """Bring `evaluation` up to the present step, or as far as gets done in about `seconds`; for who looks inside, `inspections` too.

        Changes no history, but that an epoch's test under way is brought to its end.
        """
        deadline = math.inf if seconds is None else time.perf_counter() + seconds

        def work() -> None:
            bench = self._build()
            if self.inspections.lacks(self.step):
                self._inspect(bench)
            while not (self.finished or self.tested):
                self._test = self._test or EvaluationInProgress(self.step, loss=self.loss)
                self._test_piece(bench, self._test)
                if time.perf_counter() >= deadline:
                    return

        self._guarded(work)

    def prepare(self) -> None:
        """Build the network, so that it can be seen before its first step."""
        self._guarded(self._build)

    def set_lr(self, lr: float) -> None:
        """Go on with another learning rate, from the next step on. Does nothing once finished.

        Raises:
            SpecError: `lr` breaks the rule of that field.
        """
        lr = BOUNDS["lr"].check("lr", lr)
        if self.finished:
            return
        with self.lock:
            self.history.forget_lr_changes(self.step)
            if lr != self.lr:
                self.history.lr_changes.append(LrChange(self.step, lr))
        if self._bench is not None:
            self._bench.optimizer.lr = lr

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
        self.stop("abandoned", f"Given up at step {self.step}: its page was closed, or out of reach for too long.")
        self.network = self.evaluation = None
        with self.lock:
            self.checkpoints.clear()

    def branch(self, step: int, lr: float) -> Run:
        """This experiment gone on with from a kept step with another learning rate: bit for bit what `set_lr` would have led to then.

        Only where the log of steps was thinned since, the past is as coarse as it is here.

        Raises:
            ValueError: `step` is not kept, or there is nothing left to train after it.
            SpecError: `lr` breaks the rule of that field.
        """
        if step == self.total_steps:
            raise ValueError(f"step: must be before the end of the run, got {step}")
        run = Run(self.spec, self.data, self.loss)
        with self.lock:
            run._start = self.checkpoints.at(step)
            run.history, run.step = run._start.past(self.history), step
            run.checkpoints.inherit(self.checkpoints, step)
        run.set_lr(lr)
        return run

    def moment(self, step: int) -> Moment:
        """The run as it stood at a kept step; computed anew, which takes a second at the most: larger networks keep no checkpoints.

        Raises:
            ValueError: `step` is not kept.
        """
        with self.lock:
            checkpoint = self.checkpoints.at(step)
        bench = self._new_bench()
        bench.restore(checkpoint)
        test = EvaluationInProgress(step, loss=self.loss)
        while not bench.test_piece(test):
            pass
        return Moment(bench.network, test.result(), bench.inspect(step))

    def _advance(self, goal: int, deadline: float) -> None:
        bench = self._build()
        if not self.testing:
            self._test = None  # of weights that are about to change
        while not self.finished:
            if self._test is not None:
                self._test_piece(bench, self._test)
            elif self.step < goal:
                (self._inspected_step if self.inspections.due else self._train_step)(bench)
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
            self._bench = self._new_bench()
            self.network = self._bench.network
            if self._start is None:
                self._probe(self._bench)
                self._keep_checkpoint(self._bench)
            else:
                self._bench.restore(self._start)
            self._bench.optimizer.lr = self.lr
        return self._bench

    def _new_bench(self) -> Workbench:
        return Workbench(self.spec, self.data, self.loss, self.sizes, self.device)

    def _train_step(self, bench: Workbench) -> None:
        images, labels = bench.next_batch()
        loss, logits = bench.network.loss(images, labels)
        value = loss.item()
        hits = self.loss.hits(logits, labels)
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
            self._test = EvaluationInProgress(self.step, ends_epoch=True, loss=self.loss)
        else:
            if self.step in PROBED_STEPS:
                self._probe(bench)
            self._keep_checkpoint(bench)

    def _test_piece(self, bench: Workbench, test: EvaluationInProgress) -> None:
        if not bench.test_piece(test):
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
            return
        self._keep_checkpoint(bench)
        if self.step == self.total_steps:
            if self.inspections.lacks(self.step):
                self._inspect(bench)
            self.stop("completed", f"Completed {self.spec.epochs} epoch{'s' if self.spec.epochs > 1 else ''}.")

    def _probe(self, bench: Workbench) -> None:
        record = ProbeRecord(self.step, bench.measure())
        with self.lock:
            self.history.probes.append(record)

    def _keep_checkpoint(self, bench: Workbench) -> None:
        if self.checkpoints.due(self.step):
            checkpoint = bench.checkpoint(self.step, self.history.steps[-1] if self.step else None)
            with self.lock:
                self.checkpoints.keep(checkpoint)

    def _inspected_step(self, bench: Workbench) -> None:
        """A training step, and a look at what it did."""
        with self.inspections.charged():
            before = bench.copied_weights()
            self._train_step(bench)
            if not self.finished:
                self._inspect(bench, before)

    def _inspect(self, bench: Workbench, before: Sequence[Tensor] | None = None) -> None:
        inspection = bench.inspect(self.step, before)
        with self.lock:
            self.inspections.add(inspection)


def _spoken(value: float) -> str:
    return "NaN" if math.isnan(value) else "infinite"
