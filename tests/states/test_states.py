"""A small part of the walk through the pages' states, and every pattern shown what it is to find. All of it: `make states`."""

from __future__ import annotations

import random

import pytest

from tests.states.patterns import PATTERNS, faults
from tests.states.walk import PAGES, State, fields_of, random_query, visited

FAULTY = {
    "a minus zero": ("−0", "Range: −0 to 1", "-0.0000", "10<sup>-0.0</sup> (5–95 %)", "(1, −0)"),
    "a power with an e": ("8.53e-18 ± 0.628", "at most 2.64e+268 of it", r"$\chi = 3.364e-08$", "0.0e+00"),
    "inf or nan": ("inf", "nan % ± nan", "from -inf to 3"),
    "a power of a power": ("$10^{6}^{2}$", "x^2^3"),
    "digits that nobody reads": ("theory: 2557261727322544640", "2,557,261,727,322", "0.3333333333333333"),
    "one of a thing as several": ("After 1 layers", "1 mistakes, of 3", "1 training points", "<br>1 images<br>"),
    "a change of nothing": ("0.0 points since its best", "+0.0000", "-0.0 points", "up to 0 away"),
    "an object of Python": ("tensor(0.3)", "<function f at 0x7f>", "np.float64(0.5)"),
    "a sentence that was not filled in": ("yet {units} units", "of None points"),
    "a stop too many": ("It is so..", "one,, two", "as it was ; then", "got code.,"),
}
FAULTLESS = (
    "From −0.5 to 10, 0–1, −1, (0, 1]", "10<sup>−20</sup>", "`1e-07` and `-0` are code", "1 layer, 2 layers, 0.1 layers", "± 1 epoch",
    "1 is the identity", "layer 1 takes the most", "1,234 images", r"$\frac{x}{2} \cdot 10^{-7}$", "0 to 1", "−4.5 × 10⁻⁷", "784-256-10",
    "+0.0123", "a size of 1 stretches", "so on … and off", "[a link](https://example.org/1e-5?x=-0)", "10 points away", "A[0, 1]",
)  # fmt: skip
FOUND_ONCE = (  # states in which something of the kind was found
    State("activations", {"show": "tanh", "closer": "tanh"}),
    State("activations", {"show": "none", "own": "(1e6)^2*x", "closer": "own", "depth": "1"}),
    State("activations", {"show": "hard_tanh", "closer": "hard_tanh", "mean": "-5", "std": "0.3"}),
    State("stability", {"act": "chain", "x": "0"}),
    State("stability", {"act": "matrices", "n": "1", "trials": "1", "factors": "2000", "sigma": "100"}),
    State("nonlinearity", {"act": "perceptron", "points": "apart", "count": "10"}, ("perceptron_step", "perceptron_step")),
    State("nonlinearity", {"act": "playground", "data": "own"}),
    State("train", {"weight_decay": "61.9", "train_size": "256", "pace": "full", "init": "constant"}, ("run_play",)),
    State("generalization", {"act": "capacity", "part": "polynomial"}),
    State("tensors", {"act": "operations", "op": "mul", "a": "-0 1e-9", "b": "1e-30 1e38"}),
    State("train", {"hidden": "1", "lr": "0.00001", "train_size": "64", "dropout": "0.000079", "pace": "full"}, ("run_step",)),
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_pattern_finds_what_no_page_may_say(pattern: str) -> None:
    for text in FAULTY[pattern]:
        assert pattern in [name for name, _ in faults(text)], text


@pytest.mark.parametrize("text", FAULTLESS)
def test_no_pattern_finds_anything_where_nothing_is_wrong(text: str) -> None:
    assert list(faults(text)) == []


@pytest.mark.parametrize("state", FOUND_ONCE, ids=str)
def test_a_page_says_nothing_that_a_program_would(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(map(str, visited(state, monkeypatch))) == []


@pytest.mark.parametrize("page", PAGES)
def test_no_page_does_in_a_state_at_random(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = fields_of(page, monkeypatch)
    assert len(fields) > 5
    state = State(page, random_query(page, fields, random.Random(page)))
    assert list(map(str, visited(state, monkeypatch))) == []
