"""Experiments drawn at random, small enough for `tests.support.engine.clouds`."""

from __future__ import annotations

from hypothesis import strategies as st

from mlp_core.spec import IMPLEMENTATIONS, RunSpec


@st.composite
def specs(draw: st.DrawFn) -> RunSpec:
    """Any implementation, optimizer and depth, with dropout and without, batches that do not divide an epoch."""
    hidden = tuple(draw(st.lists(st.integers(1, 8), max_size=2)))
    return RunSpec(
        hidden=hidden,
        activation=draw(st.sampled_from(["relu", "tanh", "prelu", "=x*sigmoid(1.7*x)"])),
        init="he_normal",
        dropout=draw(st.sampled_from([(), (0.3,) * len(hidden)])),
        optimizer=draw(st.sampled_from(["sgd", "adam", "adamw", "rmsprop", "adagrad"])),
        lr=0.05,
        momentum=draw(st.sampled_from([0.0, 0.9])),
        weight_decay=draw(st.sampled_from([0.0, 0.01])),
        batch_size=draw(st.integers(1, 60)),
        epochs=draw(st.integers(1, 3)),
        seed=draw(st.integers(0, 5)),
        implementation=draw(st.sampled_from(IMPLEMENTATIONS)),
        train_size=draw(st.one_of(st.none(), st.integers(1, 60))),
        device="cpu",
    )
