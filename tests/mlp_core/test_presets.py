"""Every preset is an experiment that can be run, linked to and described; what it promises is checked in test_book.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlp_core.data import load_sample
from mlp_core.spec import PRESETS, Preset, RunSpec, query_of
from mlp_core.training import Run

EACH = pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)


def test_the_first_is_the_books_own() -> None:
    assert next(iter(PRESETS.values())).spec == RunSpec()


def test_no_two_are_alike() -> None:
    assert len({preset.spec for preset in PRESETS.values()}) == len({preset.title for preset in PRESETS.values()}) == len(PRESETS)


@EACH
def test_a_link_leads_back_to_it(preset: Preset) -> None:
    assert RunSpec.from_query(query_of(preset.settings)) == RunSpec.from_query(preset.spec.to_query()) == (preset.spec, ())
    assert RunSpec.from_json(preset.spec.to_json()) == preset.spec


@EACH
def test_it_is_described_in_short_sentences(preset: Preset) -> None:
    assert 0 < len(preset.title) <= 25
    assert 30 < len(preset.lesson) <= 200
    assert preset.lesson[-1] in ".?"


@EACH
def test_it_trains(preset: Preset) -> None:
    run = Run(replace(preset.spec, device="cpu"), load_sample())
    run.advance(steps=3)
    assert run.step == 3
    assert run.stop_reason is None
