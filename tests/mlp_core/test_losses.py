"""The losses of both implementations against torch's, and runs of each loss through the engine."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mlp_core.data import Dataset
from mlp_core.initializers import initial_parameters
from mlp_core.jobs import Scheduler, TrainingJob
from mlp_core.losses import LOSSES
from mlp_core.network import generator_for
from mlp_core.optimizers import OPTIMIZERS, Optimizer
from mlp_core.spec import IMPLEMENTATIONS, RunSpec
from mlp_core.training import Run
from tests.support.engine import finished, network_of

SPEC = RunSpec(hidden=(3,), activation="tanh", init="xavier_normal", lr=0.1, batch_size=8, epochs=3, device="cpu")


def plane(classes: int = 2) -> Dataset:
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(40, 2, generator=generator)
    labels = torch.randint(classes, (40,), generator=generator)
    return Dataset(x[:30], labels[:30], x[30:], labels[30:])


def numbers() -> Dataset:
    data = plane()
    return replace(data, train_labels=data.train_images.sum(dim=1, keepdim=True), test_labels=data.test_images.sum(dim=1, keepdim=True))


@pytest.mark.parametrize("loss", [LOSSES["logistic"].function, LOSSES["logistic"].scratch])
def test_the_logistic_loss_and_its_gradient_are_torchs(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    logits = torch.tensor([[0.0], [-3.0], [500.0], [0.0], [1e-3], [-500.0]], dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 1, 1, 1, 0, 0])
    expected = F.binary_cross_entropy_with_logits(logits[:, 0], labels.double())
    (slope,) = torch.autograd.grad(expected, logits)
    value = loss(logits, labels)
    assert value.item() == pytest.approx(expected.item(), rel=1e-12)
    torch.testing.assert_close(torch.autograd.grad(value, logits)[0], slope)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize(("loss", "data", "outputs"), [("cross_entropy", plane(3), 3), ("logistic", plane(), 1), ("squared", numbers(), 1)])
def test_every_loss_trains_and_is_recorded(implementation: str, loss: str, data: Dataset, outputs: int) -> None:
    run = Run(replace(SPEC, implementation=implementation), data, LOSSES[loss])
    assert run.sizes == (2, 3, outputs)
    run.advance()
    assert run.finished
    assert run.stop_reason is not None
    assert run.stop_reason.kind == "completed"
    assert run.network is not None
    assert run.evaluation is not None
    o, y, last = run.network.logits(data.test_images), data.test_labels, run.history.epochs[-1]
    expected = {
        "cross_entropy": lambda: (F.cross_entropy(o, y), o.argmax(dim=1) == y),
        "logistic": lambda: (F.binary_cross_entropy_with_logits(o[:, 0], y.float()), (o[:, 0] > 0) == (y == 1)),
        "squared": lambda: (F.mse_loss(o, y) / 2, torch.full((1,), math.nan)),
    }[loss]()
    assert last.test_loss == pytest.approx(expected[0].item(), rel=1e-5)
    assert last.test_accuracy == pytest.approx(expected[1].double().mean().item(), nan_ok=True)
    assert last.train_loss < run.history.epochs[0].train_loss
    assert run.evaluation.probabilities.shape[1] == {"cross_entropy": 3, "logistic": 2, "squared": 0}[loss]


def test_logistic_regression_is_softmax_with_two_classes() -> None:
    o = torch.linspace(-4, 4, 9)[:, None]
    scores = LOSSES["logistic"].scores
    assert scores is not None
    torch.testing.assert_close(scores(o).softmax(dim=1)[:, 1], torch.sigmoid(o[:, 0]))


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_l1_is_torchs_soft_threshold_after_the_step_of_any_optimizer(optimizer: str, implementation: str) -> None:
    start, gradient = torch.linspace(-1.5, 1.5, 301), torch.linspace(-0.5, 1.0, 301)
    spec = RunSpec(lr=0.1, optimizer=optimizer, implementation=implementation)
    moved = []
    for l1 in (0.0, 0.5):
        w = start.clone().requires_grad_()
        w.grad = gradient.clone()
        Optimizer(replace(spec, l1=l1), [w]).step()
        moved.append(w.detach())
    torch.testing.assert_close(moved[1], F.softshrink(moved[0], 0.1 * 0.5))
    assert torch.equal(moved[1] == 0, moved[0].abs() <= torch.tensor(0.1 * 0.5))
    assert 0 < (moved[1] == 0).sum() < 301


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_l1_makes_weights_exactly_0_and_weight_decay_none(implementation: str) -> None:
    for seed in range(3):
        zeros = []
        for penalty in ({"l1": 0.02}, {"weight_decay": 0.02}):
            run = finished(replace(SPEC, implementation=implementation, seed=seed, hidden=(16,), lr=0.1, epochs=60, **penalty), plane())  # type: ignore[arg-type]
            zeros.append(sum(int((weight == 0).sum()) for weight, _ in network_of(run).weights()))
        assert zeros[0] > 10
        assert zeros[1] == 0


@pytest.mark.parametrize("loss", ["cross_entropy", "logistic"])
def test_a_run_prepared_first_prints_the_same_numbers(loss: str) -> None:
    plain, prepared = (Run(SPEC, plane(), LOSSES[loss]) for _ in range(2))
    prepared.prepare()
    assert prepared.network is not None
    assert prepared.step == 0
    plain.advance()
    prepared.advance()
    assert plain.history == prepared.history


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_a_weight_set_by_hand_is_the_one_that_trains_on(implementation: str) -> None:
    run = Run(replace(SPEC, implementation=implementation), plane(), LOSSES["logistic"])
    run.set_weight(0, 2, 1, 1.5)
    run.set_weight(1, 0, None, -0.25)
    assert run.network is not None
    (weight, bias), (_, last) = run.network.weights()
    initial = initial_parameters(SPEC, run.sizes, generator_for(SPEC, "init"))
    expected = initial[0][0].clone()
    expected[2, 1] = 1.5
    torch.testing.assert_close(weight, expected)
    assert (bias == 0).all()
    assert last.item() == -0.25
    with pytest.raises(IndexError):
        run.set_weight(0, 3, 0, 1.0)
    x, y = run._build().probe_batch
    assert run.network.loss(x, y)[0].item() == pytest.approx(
        F.binary_cross_entropy_with_logits(run.network.logits(x)[:, 0], y.float()).item(), rel=1e-6
    )


def test_a_change_reaches_a_resting_job_and_its_predictions() -> None:
    scheduler = Scheduler()
    job = TrainingJob(Run(SPEC, plane(), LOSSES["logistic"]), scheduler)

    def rest() -> None:
        with scheduler.changed:
            assert scheduler.changed.wait_for(lambda: not job.moving, timeout=30)

    job.step(2)
    rest()
    before = job.run.evaluation
    job.change(lambda run: run.set_weight(1, 0, None, 30.0))
    rest()
    after = job.run.evaluation
    assert job.state == "paused"
    assert job.run.step == 2
    assert before is not None
    assert after is not None
    assert after is not before
    assert (after.predicted == 1).all()
    job.stop()
    job.change(lambda run: run.set_weight(0, 0, 0, 1.0))  # an ended job takes no more
    rest()
    scheduler.close()
