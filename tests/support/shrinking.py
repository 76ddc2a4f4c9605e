"""Weight decay trained at once, and pieces of work done to their end."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TypeVar

import numpy as np

from mlp_core.labs.generalization.weight_decay import Paths, Penalty, Setting, Trained, models

Result = TypeVar("Result")


def train(setting: Setting, decays: Sequence[float], seeds: Sequence[int], penalty: Penalty = "l2") -> Trained:
    *_, last = models(setting, decays, seeds, penalty)
    return last


def paths(setting: Setting, decays: Sequence[float], seeds: Sequence[int]) -> Paths:
    measured = [(one.train, one.test, one.norm) for one in models(setting, decays, seeds)]
    return Paths(*map(np.stack, zip(*measured, strict=True)))


def result_of(pieces: Generator[float, None, Result]) -> Result:
    """Do all pieces; how much is done grows from 0 to 1."""
    before = 0.0
    while True:
        try:
            done = next(pieces)
        except StopIteration as end:
            result: Result = end.value
            return result
        assert before <= done <= 1.0
        before = done
