"""The curves of a run stand where the records say, and say what the records hold."""

from __future__ import annotations

import functools
import html
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.bounds import SpecError
from mlp_core.records import EpochRecord, History, Schedule, SettingChange, StepRecord
from pages.figures import training
from pages.figures.figure import Figure
from pages.figures.palette import SERIES, TEST, TRAIN
from pages.figures.series import CurveSeries
from pages.figures.training import CHANCE_LOSS, CurveOptions, Reference, is_clipped
from tests.support.figures.soundness import drawn, sound

PER_EPOCH = 50
BYTES = 20_000
LOG = CurveOptions(log_y=True)
loss_curve, accuracy_curve = drawn(training.loss_curve), drawn(training.accuracy_curve)
Curve = Callable[..., go.Figure]


def run(losses: Sequence[float], epochs: int | None = None, label: str = "", style: int | None = None) -> CurveSeries:
    history = History()
    for step, loss in enumerate(losses, start=1):
        history.steps.append(StepRecord(step, loss, 1 / (1 + step % 3)))
        if step % PER_EPOCH == 0 and (epochs is None or step <= epochs * PER_EPOCH):
            e = step // PER_EPOCH
            history.epochs.append(EpochRecord(e, step, 1 / e, 1 - 0.5 / e, 1.1 / e, 1 - 0.6 / e))
    return CurveSeries(history.snapshot(), PER_EPOCH, label, style)


def falling(steps: int) -> list[float]:
    return [2.3 * math.exp(-step / 100) + 0.1 * (step % 7) for step in range(1, steps + 1)]


def named(figure: go.Figure, name: str) -> Any:
    (trace,) = [trace for trace in figure.data if trace.name == name]
    return trace


def test_single_steps_stand_at_their_part_of_an_epoch() -> None:
    losses = falling(120)
    trace = named(loss_curve(run(losses), 10), "train step")
    np.testing.assert_allclose(trace.x, np.arange(1, 121) / PER_EPOCH, rtol=1e-6)
    np.testing.assert_allclose(trace.y, losses, rtol=1e-6)
    assert trace.customdata.tolist() == list(range(1, 121))


def test_steps_of_another_batch_size_stand_where_the_images_seen_put_them() -> None:
    """Half an epoch of 50 images takes 5 steps of 5; the other half 25 steps of 1, and so do the next epochs' halves."""
    change = SettingChange(5, "batch_size", 1)
    knots = Schedule(50, 5, (change,)).knots(3)
    series = replace(run(falling(80)), steps_per_epoch=10)
    series = replace(series, history=replace(series.history, changes=(change,), knots=knots, epochs=()))
    figure = loss_curve(series, 3, cursor=30)
    expected = [0.1, 0.2, 0.3, 0.4, 0.5, *(0.5 + np.arange(1, 76) / 50)]
    np.testing.assert_allclose(named(figure, "train step").x, expected, rtol=1e-6)
    assert [shape.x0 for shape in figure.layout.shapes if shape.type == "line" and shape.x0 == shape.x1] == pytest.approx([0.5, 1.0])
    assert [note.text for note in figure.layout.annotations][-2:] == ["batch 1", "step 30"]


def test_smoothed_line_averages_over_a_twentieth_of_an_epoch_to_either_side() -> None:
    losses, decay = falling(200), math.exp(-1 / (PER_EPOCH / 20))
    expected = []
    for t in range(200):
        weights = [decay ** abs(t - s) for s in range(200)]
        expected.append(math.fsum(w * loss for w, loss in zip(weights, losses, strict=True)) / math.fsum(weights))
    trace = named(loss_curve(run(losses), 4), "train smoothed")
    np.testing.assert_allclose(trace.y, expected, rtol=1e-5)
    assert trace.line.width > named(loss_curve(run(losses), 4), "train step").line.width


def test_a_log_in_pieces_is_smoothed_over_the_same_time_from_their_means() -> None:
    """Skewed losses: a piece's lowest and highest would have another mean."""
    whole = run([(1.0 if step <= 300 else 2.0) + 0.7 * (step % 4 == 0) for step in range(1, 601)]).history
    thinned = whole.thinned(450)
    assert thinned.stride == 8
    wide = CurveOptions(smoothing=1.0)
    smooth, expected = (named(loss_curve(CurveSeries(one, PER_EPOCH), 12, options=wide), "train smoothed") for one in (thinned, whole))
    np.testing.assert_allclose(smooth.y, np.interp(smooth.x, expected.x, expected.y), atol=0.03)


def test_a_spike_in_a_log_in_pieces_is_drawn_at_its_step_and_the_legend_says_what_is_shown() -> None:
    losses = [0.5 + 0.1 * (step % 3) for step in range(2000)]
    losses[700] = 50.0
    history = run(losses).history.thinned(400)
    figure = loss_curve(CurveSeries(history, PER_EPOCH), 40, options=CurveOptions(clip=False))
    trace = named(figure, f"train step: lowest and highest of up to {history.stride}")
    assert trace.customdata[np.argmax(trace.y)] == 701
    clipped = loss_curve(CurveSeries(history, PER_EPOCH), 40)
    assert is_clipped(clipped.to_dict())
    assert "step 701: loss 50" in " ".join(note.text for note in clipped.layout.annotations)


@pytest.mark.parametrize(("curve", "train", "test"), [(loss_curve, 1.0, 1.1), (accuracy_curve, 0.5, 0.6)])
def test_epoch_values_are_those_of_the_records(curve: Curve, train: float, test: float) -> None:
    figure, e = curve(run(falling(200)), 10), np.arange(1, 5)
    scale: Callable[[float], Any] = (lambda c: c / e) if curve is loss_curve else (lambda c: 100 * (1 - c / e))
    means, tested = named(figure, "train epoch"), named(figure, "test")
    np.testing.assert_allclose(means.x, e - 0.5)  # the middle of what they average
    np.testing.assert_allclose(tested.x, e)
    np.testing.assert_allclose(means.y, scale(train), rtol=1e-6)
    np.testing.assert_allclose(tested.y, scale(test), rtol=1e-6)
    assert (means.marker.color, tested.line.color) == (TRAIN, TEST)


def test_accuracy_of_single_steps_is_in_percent() -> None:
    figure = accuracy_curve(run(falling(9)), 1)
    np.testing.assert_allclose(named(figure, "train step").y, [100 / (1 + step % 3) for step in range(1, 10)], rtol=1e-6)
    assert list(figure.layout.yaxis.range) == [0, 100]
    assert figure.layout.yaxis.title.text == "accuracy (%)"


@pytest.mark.parametrize("curve", [loss_curve, accuracy_curve])
def test_frame_spans_the_whole_run_from_the_start_and_keeps_a_zoom(curve: Curve) -> None:
    early, late = curve(run(falling(3)), 10), curve(run(falling(400)), 10)
    for figure in (early, late):
        assert list(figure.layout.xaxis.range) == [0, 10]
    assert early.layout.xaxis.uirevision == late.layout.xaxis.uirevision
    assert early.layout.yaxis.uirevision == late.layout.yaxis.uirevision
    assert curve(run(falling(3)), 20).layout.xaxis.uirevision != early.layout.xaxis.uirevision


def test_another_kind_of_axis_gives_up_its_zoom() -> None:
    linear, log = loss_curve(run(falling(3)), 10), loss_curve(run(falling(3)), 10, options=LOG)
    assert (linear.layout.yaxis.type, log.layout.yaxis.type) == (None, "log")
    assert linear.layout.yaxis.uirevision != log.layout.yaxis.uirevision


@pytest.mark.parametrize("log", [False, True])
def test_guessing_is_marked_at_ln_10_and_at_a_tenth(log: bool) -> None:
    figure = loss_curve(run([]), 10, options=CurveOptions(log_y=log))
    assert figure.layout.shapes[0].y0 == figure.layout.shapes[0].y1 == pytest.approx(2.302585)
    assert figure.layout.annotations[0].y == pytest.approx(math.log10(2.302585) if log else 2.302585)  # plotly's two conventions
    assert "2.30" in figure.layout.annotations[0].text
    assert accuracy_curve(run([]), 10).layout.shapes[0].y0 == 10


@pytest.mark.parametrize("broken", [math.nan, math.inf])
@pytest.mark.parametrize("curve", [loss_curve, accuracy_curve])
def test_divergence_is_marked_at_its_step_and_not_dropped(curve: Curve, broken: float) -> None:
    figure = curve(run([*falling(74), broken]), 10)
    line = figure.layout.shapes[-1]
    assert line.x0 == line.x1 == 75 / PER_EPOCH
    assert figure.layout.annotations[-1].text == "loss not finite at step 75"
    assert named(figure, "train step").customdata[-1] == 75


def test_words_of_a_late_divergence_stay_in_the_frame() -> None:
    early, late = (loss_curve(run([*falling(n), math.nan]), 4).layout.annotations[-1].xanchor for n in (20, 180))
    assert (early, late) == ("left", "right")


def test_a_test_loss_that_is_not_finite_is_marked_too() -> None:
    series = run(falling(60))
    broken = CurveSeries(replace(series.history, epochs=(EpochRecord(1, 50, 1.0, 0.5, math.inf, 0.1),)), PER_EPOCH)
    assert series.diverged_step is None
    assert broken.diverged_step == 50
    assert math.isnan(named(loss_curve(broken, 4), "test").y[0])


def test_the_first_of_several_faults_is_the_one_marked() -> None:
    history = run([*falling(69), math.nan]).history
    series = CurveSeries(replace(history, epochs=(EpochRecord(1, 50, 1.0, 0.5, math.nan, 0.1),)), PER_EPOCH)
    assert series.diverged_step == 50


def test_a_run_that_stays_finite_has_no_mark() -> None:
    assert len(loss_curve(run(falling(200)), 4).layout.annotations) == 1  # guessing


def test_a_spike_survives_in_a_long_run() -> None:
    losses = [0.5 + 0.001 * (step % 2) for step in range(20_000)]
    losses[12_345] = 40.0
    trace = named(loss_curve(run(losses), 400), "train step")
    assert len(trace.x) <= 500
    assert max(trace.y) == 40.0
    assert trace.x[np.argmax(trace.y)] == pytest.approx(12_346 / PER_EPOCH, rel=1e-6)


def test_a_loss_of_zero_is_drawn_at_the_floor_of_a_log_axis_and_its_hover_says_0() -> None:
    trace = named(loss_curve(run([1.0, 0.0, 0.125]), 1, options=LOG), "train step")
    assert trace.y.tolist() == pytest.approx([1.0, 1e-9, 0.125])
    assert trace.hovertemplate.startswith("%{text} ")
    assert list(trace.text) == ["1", "0", "0.125"]
    assert "%{y" in named(loss_curve(run([1.0, 0.5]), 1, options=LOG), "train step").hovertemplate


def test_a_loss_of_zero_is_drawn_on_a_log_axis() -> None:
    linear, log = (named(loss_curve(run([1.0, 0.0, 1.0]), 1, options=CurveOptions(log_y=log)), "train step").y[1] for log in (False, True))
    assert linear == 0
    assert 0 < log <= 1e-9


def spiky(spikes: dict[int, float], steps: int = 200) -> CurveSeries:
    losses = falling(steps)
    for step, loss in spikes.items():
        losses[step - 1] = loss
    return run(losses)


def test_a_single_spike_is_clipped_marked_and_named_and_shown_on_demand() -> None:
    series = spiky({120: 51.3})
    clipped, whole = loss_curve(series, 4), loss_curve(series, 4, options=CurveOptions(clip=False))
    edge = clipped.layout.yaxis.range[1]
    assert clipped.layout.yaxis.range[0] == 0
    assert max(falling(200)) < edge < 1.1 * max(falling(200))
    mark = named(clipped, "clipped")
    assert (mark.marker.symbol, list(mark.x), list(mark.y)) == ("triangle-up", [pytest.approx(120 / PER_EPOCH)], [edge])
    assert mark.text[0] == clipped.layout.annotations[-1].text == "step 120: loss 51.3, clipped"
    assert whole.layout.yaxis.range is None
    assert [is_clipped(training.loss_curve(series, 4, options=CurveOptions(clip=clip))) for clip in (True, False)] == [True, False]
    assert clipped.layout.yaxis.uirevision != whole.layout.yaxis.uirevision  # a zoom ends with the axis it was made on


def test_the_highest_of_several_spikes_is_named_and_each_has_its_mark() -> None:
    figure = loss_curve(spiky({100: 30.0, 150: 80.0}), 4)
    assert named(figure, "clipped").text == ("step 150: loss 80, clipped", "step 100: loss 30, clipped")
    assert figure.layout.annotations[-1].text == "step 150: loss 80, clipped (and 1 more)"


def test_a_spike_of_one_of_several_runs_is_named_with_it() -> None:
    wild = replace(run(falling(200)), label="wild<ly> long name that goes over two lines")
    epochs = tuple(replace(record, test_loss=99.0) if record.epoch == 2 else record for record in wild.history.epochs)
    figure = loss_curve([replace(wild, history=replace(wild.history, epochs=epochs)), run(falling(200), label="b")], 4)
    assert list(named(figure, "clipped").text) == ["wild&lt;ly&gt; long name that goes over two lines, test, epoch 2: loss 99, clipped"]


def test_beside_another_run_a_spike_is_clipped_as_it_is_alone_however_wide_the_average_draws_it() -> None:
    wild, calm = replace(spiky({3: 12_000.0}), label="wild"), run(falling(200), label="calm")
    alone, beside = loss_curve(wild, 4), loss_curve([calm, wild], 4)
    assert beside.layout.yaxis.range == alone.layout.yaxis.range
    drawn = np.asarray(named(beside, "wild").y)
    assert (drawn > beside.layout.yaxis.range[1]).sum() > 2, "the average is narrow here: it proves nothing"
    assert len(named(beside, "clipped").text) == 1, "a peak has one mark"
    assert float(named(beside, "clipped").text[0].split("loss ")[1].removesuffix(", clipped").replace(",", "")) == pytest.approx(
        drawn.max(), rel=1e-3
    )
    seeds = replace(calm, label="seeds", members=(calm.history, wild.history))
    assert loss_curve(seeds, 4).layout.yaxis.range == loss_curve([seeds, calm], 4).layout.yaxis.range == alone.layout.yaxis.range


@pytest.mark.parametrize(
    "series",
    [
        spiky(dict.fromkeys(range(100, 105), 51.3)),  # more than a hundredth
        spiky({120: 2 * CHANCE_LOSS}),
        run([CHANCE_LOSS, *[0.001] * 199]),  # an ordinary start, and a fast run
        run([51.3]),
        run([]),
        run([math.nan]),
    ],
)
def test_what_is_no_single_spike_is_not_clipped(series: CurveSeries) -> None:
    assert not is_clipped(training.loss_curve(series, 4))


@pytest.mark.parametrize("options", [LOG, CurveOptions(loss_range=(None, 60.0))])
def test_an_axis_that_shows_a_spike_well_is_not_clipped(options: CurveOptions) -> None:
    assert not is_clipped(training.loss_curve(spiky({120: 51.3}), 4, options=options))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 3) | st.floats(0), max_size=200))
def test_no_loss_is_out_of_sight_without_its_mark(losses: list[float]) -> None:
    figure = loss_curve(run(losses), 4)
    top = math.inf if figure.layout.yaxis.range is None else figure.layout.yaxis.range[1]
    above = {step for step, loss in enumerate(losses, start=1) if math.isfinite(loss) and loss > top}
    texts = named(figure, "clipped").text if above else ()
    assert {int(text.split()[1].rstrip(":").replace(",", "")) for text in texts if text.startswith("step")} == above


def test_logarithmic_epochs_begin_at_the_first_step_and_show_it_finely() -> None:
    series = run(falling(2_000))
    figure, plain = (loss_curve(series, 40, options=CurveOptions(log_x=log_x), cursor=0) for log_x in (True, False))
    assert figure.layout.xaxis.type == "log"
    assert list(figure.layout.xaxis.range) == pytest.approx([math.log10(1 / PER_EPOCH), math.log10(40)])
    steps, coarse = (named(one, "train step").customdata for one in (figure, plain))
    assert [*steps[:20]] == list(range(1, 21))
    assert len(steps) <= 500
    assert max(coarse[1:20] - coarse[:19]) > 1
    assert (figure.layout.shapes[-1].x0, figure.layout.annotations[-1].x) == pytest.approx((0.02, math.log10(0.02)))  # the cursor at 0
    assert figure.layout.xaxis.uirevision != plain.layout.xaxis.uirevision


def test_smoothing_reaches_as_far_as_it_is_set_and_says_that_it_is_two_sided() -> None:
    jump = run([1.0] * 100 + [2.0] * 100)
    trace = named(loss_curve(jump, 4, options=CurveOptions(smoothing=0.2)), "train smoothed")
    assert trace.y[109] == pytest.approx(2 - 0.5 * math.exp(-10 / 10), abs=0.02)  # step 110, one reach behind the jump
    assert trace.hovertemplate.endswith("(averaged over ± 0.2 epochs)")
    single, several = (loss_curve(series, 4, options=CurveOptions(smoothing=0)) for series in (jump, [jump, jump]))
    assert [trace.name for trace in single.data] == ["train step", "train epoch", "test"]
    assert several.data[0].y.tolist() == [1.0] * 100 + [2.0] * 100


def test_ranges_are_those_of_the_axes() -> None:
    options = CurveOptions(loss_range=(0.1, None), accuracy_range=(80, None))
    assert list(loss_curve(run(falling(9)), 4, options=options).layout.yaxis.range) == [0.1, None]
    assert list(accuracy_curve(run(falling(9)), 4, options=options).layout.yaxis.range) == [80, 100]
    log = loss_curve(run(falling(9)), 4, options=replace(options, log_y=True, loss_range=(0, 10))).layout.yaxis
    assert list(log.range) == [None, 1.0]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"loss_range": (2.0, 1.0)}, "loss_range: must have its lower end below its upper end, got '2 to 1'"),
        ({"accuracy_range": (50.0, 50.0)}, "accuracy_range: must have"),
        ({"smoothing": -1.0}, "smoothing: must be a number of epochs, at least 0, got -1"),
        ({"smoothing": math.nan}, "smoothing: must be"),
    ],
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        CurveOptions(**wrong)


def test_ticks_are_written_out_over_few_decades_only() -> None:
    few, many = (loss_curve(run([1.0, lowest]), 1, options=LOG).layout.yaxis.dtick for lowest in (0.01, 1e-7))
    assert (few, many) == ("D2", None)


def test_runs_side_by_side_differ_in_color_and_share_the_legend() -> None:
    figure = loss_curve([run(falling(100), label="a<b>"), run(falling(100), label="b", style=8)], 4)
    assert [trace.name for trace in figure.data if trace.showlegend is not False] == ["a&lt;b&gt;", "b", "train smoothed", "test"]
    looks = [(trace.line.color, trace.line.dash) for trace in figure.data[:4]]
    assert looks == [(SERIES[0], "solid")] * 2 + [(SERIES[3], "dash")] * 2
    assert [trace.legendgroup for trace in figure.data[:4]] == ["run 0", "run 0", "run 1", "run 1"]
    assert [trace.mode for trace in figure.data] == ["lines", "lines+markers"] * 3


@pytest.mark.parametrize("others", [0, 1])
@pytest.mark.parametrize("seeds", [0, 3])
def test_a_run_from_a_file_has_its_label_and_hollow_dots_even_alone(others: int, seeds: int) -> None:
    told = run([*falling(100), 1e30], label="told")
    told = replace(told, from_file=True, members=[told.history] * seeds)
    figure = loss_curve([told, *[run(falling(100), label="measured")] * others], 4)
    assert is_clipped(figure.to_plotly_json()), "and its spikes are found"
    legend = [trace for trace in figure.data if trace.showlegend is not False]
    assert [trace.name for trace in legend] == ["measured"] * others + ["told", "train smoothed", "test"]
    hollow = [trace for trace in figure.data if trace.marker.symbol == "circle-open"]
    assert [(trace.name, trace.legendgroup) for trace in hollow] == [("told, test", "run 0"), ("told", "run 0")]
    assert [trace.mode for trace in hollow] == ["lines+markers"] * 2


def test_a_long_name_goes_over_several_lines_and_is_never_cut() -> None:
    name = "Sigmoid 3×128 instead of ReLU 256, momentum 0.9 instead of 0, a<b"
    figure = loss_curve([run(falling(9), label=name), run(falling(9), label="b")], 4)
    lines = figure.data[0].name.split("<br>")
    assert len(lines) > 1
    assert html.unescape(" ".join(lines)) == name
    assert figure.layout.hoverlabel.namelength == -1


@pytest.mark.parametrize("curve", [loss_curve, accuracy_curve])
def test_the_plot_stands_where_it_stood_whatever_is_drawn(curve: Curve) -> None:
    figures = [curve(run([]), 10), curve(run([1e30, 1.0]), 10), curve([run(falling(300), label="run " * 20)] * 5, 10)]
    for figure in figures:
        assert figure.layout.margin == figures[0].layout.margin
        assert (figure.layout.xaxis.automargin, figure.layout.yaxis.automargin) == (False, False)
        assert figure.layout.legend.maxheight < figure.layout.margin.b


def test_each_diverged_run_is_named_on_its_own_line() -> None:
    figure = loss_curve([run([1.0, math.nan], label="a"), run([1.0, 1.0, math.nan], label="b")], 1)
    first, second = figure.layout.annotations[-2:]
    assert (first.text, second.text) == ("a: loss not finite at step 2", "b: loss not finite at step 3")
    assert first.yshift != second.yshift


def test_reference_is_a_band_over_the_epochs_it_holds_for() -> None:
    reference = Reference(0.824, 0.850, "d2l", since=9)
    (band,) = [shape for shape in accuracy_curve(run([]), 10, reference=reference).layout.shapes if shape.type == "rect"]
    assert (band.x0, band.x1) == (9, 10)
    assert (band.y0, band.y1) == pytest.approx((82.4, 85.0))
    assert (band.name, band.showlegend) == ("d2l", True)
    for until, end in ((9.5, 9.5), (12.0, 10)):
        (band,) = [s for s in accuracy_curve(run([]), 10, reference=reference._replace(until=until)).layout.shapes if s.type == "rect"]
        assert band.x1 == end


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(), max_size=120), st.booleans())
def test_any_record_gives_a_sound_figure(losses: list[float], log: bool) -> None:
    for figure in (
        loss_curve(run(losses), 3, options=CurveOptions(log_y=log)),
        loss_curve([run(losses), run(losses)], 3, options=CurveOptions(log_y=log)),
        accuracy_curve(run(losses), 3),
    ):
        sound(figure, BYTES)
        for trace in figure.data:
            drawn = np.array([y for y in trace.y if y is not None], dtype=np.float64)
            assert not np.isinf(drawn).any()
            assert not log or not (drawn <= 0).any() or figure.layout.yaxis.type != "log"


def arrays(figure: Figure) -> list[list[tuple[bytes, ...]]]:
    """Of each trace, its points, each as the bytes that are drawn."""
    columns = [[trace[name] for name in ("x", "y", "customdata") if isinstance(trace.get(name), np.ndarray)] for trace in figure["data"]]
    assert {column.dtype for trace in columns for column in trace} <= {np.dtype(np.float32), np.dtype(np.int32)}
    return [list(zip(*([value.tobytes() for value in column] for column in trace), strict=True)) for trace in columns]


def first(n: int, series: CurveSeries) -> CurveSeries:
    """The same runs after `n` steps."""
    return replace(series, history=series.history.until(n), members=[member.until(n) for member in series.members])


LONG, BUCKET, TAIL = 1_000, 4, 64  # steps; the reach is 5 at 100 an epoch, and exp(-64 / 5) below a thousandth


@functools.cache
def noisy(seed: int, breaks: bool = False) -> CurveSeries:
    random = np.random.default_rng(seed)
    losses = random.exponential(size=LONG)
    losses[random.integers(LONG, size=3)] = [1e30, 50.0, math.nan if breaks else 0.0]
    return replace(run(losses.tolist(), label=f"run {seed}"), steps_per_epoch=100)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, LONG), min_size=2, max_size=6), st.integers(0, 5), st.booleans())
@pytest.mark.parametrize("curve", [training.loss_curve, training.accuracy_curve])
@pytest.mark.parametrize("kind", ["one", "compared", "seeds", "log", "log x"])
def test_what_is_drawn_of_a_growing_run_stays_but_for_its_end(
    kind: str, curve: Callable[..., Figure], moments: list[int], seed: int, breaks: bool
) -> None:
    series = noisy(seed, breaks)
    if kind == "seeds":
        series = replace(series, members=[series.history, noisy(seed + 1).history])
    options = CurveOptions(log_y=kind == "log", log_x=kind == "log x")
    before: list[list[tuple[bytes, ...]]] = []
    for moment, previous in zip(sorted(moments), [0, *sorted(moments)], strict=False):
        now = first(moment, series)
        shown = arrays(curve([now, noisy(9)] if kind == "compared" else now, 10, options=options))
        for number, (old, new) in enumerate(zip(before, shown, strict=False)):
            tail = BUCKET if kind == "one" and number == 0 else TAIL
            settled = [point for point in old if place(point) <= (previous - tail) / 100]
            assert new[: len(settled)] == settled
        before = shown


def place(point: tuple[bytes, ...]) -> float:
    x: float = np.frombuffer(point[0], dtype=np.float32)[0] if len(point) > 1 else math.inf  # an entry of the legend alone has none
    return x


def test_the_largest_run_is_light() -> None:
    series = run(falling(25_000))  # more than a log of steps holds
    sound(loss_curve(series, 500), BYTES + 10_000)  # with 500 epochs
    sound(accuracy_curve(run(falling(2_350), epochs=10), 47), BYTES)


def seeds(*losses: Sequence[float], label: str = "") -> CurveSeries:
    snapshots = []
    for one in losses:
        history = History()
        for step, loss in enumerate(one, start=1):
            history.steps.append(StepRecord(step, loss, 0.5))
            if step % PER_EPOCH == 0:
                history.epochs.append(EpochRecord(step // PER_EPOCH, step, loss, 0.5, 2 * loss, 0.4))
        snapshots.append(history.snapshot())
    return CurveSeries(snapshots[0], PER_EPOCH, label, members=snapshots)


def test_seeds_are_drawn_as_their_mean_in_a_band_from_the_lowest_to_the_highest() -> None:
    figure = loss_curve(seeds([1.0] * 100, [2.0] * 100, [6.0] * 100), 4)
    sound(figure, BYTES)
    mean, tested = named(figure, "train, 3 seeds"), named(figure, "test, 3 seeds")
    np.testing.assert_allclose(mean.y, 3.0)
    np.testing.assert_allclose(tested.y, 6.0)
    low, high = [trace for trace in figure.data if trace.line.width == 0][:2]
    np.testing.assert_allclose((low.y, high.y), np.array([[1.0], [6.0]]) * np.ones(len(low.x)))
    assert (low.fill, high.fill) == (None, "tonexty")


def test_seeds_beside_a_single_run_share_its_group_and_their_color() -> None:
    figure = loss_curve([seeds([1.0] * 100, [2.0] * 100, label="a"), run(falling(100), label="b")], 4)
    sound(figure, BYTES)
    shown = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert shown == ["a", "b", "train smoothed", "test"]
    assert {trace.legendgroup for trace in figure.data[:-2]} == {"run 0", "run 1"}


def test_a_change_of_lr_is_marked_after_its_step() -> None:
    history = replace(run(falling(200)).history, changes=(SettingChange(75, "lr", 0.01), SettingChange(150, "lr", 0.001)))
    changed = CurveSeries(history, PER_EPOCH)
    figure = sound(loss_curve(changed, 4), BYTES)
    lines = [shape for shape in figure["layout"]["shapes"] if shape.get("yref") == "paper"]
    assert [line["x0"] for line in lines] == [75 / PER_EPOCH, 150 / PER_EPOCH]
    assert [note["text"] for note in figure["layout"]["annotations"][1:]] == ["lr 0.01", "lr 0.001"]


@pytest.mark.parametrize("log_x", [False, True])
@pytest.mark.parametrize("steps", [(75, 76, 77, 78), (3, 5, 8, 9, 190, 199, 200), (10, 40, 41, 140)])
def test_the_words_of_changes_that_are_near_cover_neither_each_other_nor_the_end(steps: tuple[int, ...], log_x: bool) -> None:
    history = replace(run(falling(200)).history, changes=tuple(SettingChange(step, "lr", 0.0123) for step in steps))
    figure = loss_curve(
        [CurveSeries(history, PER_EPOCH, "a"), CurveSeries(history, PER_EPOCH, "b")], 4, options=CurveOptions(log_x=log_x), cursor=76
    )
    low, high = figure.layout.xaxis.range
    boxes = set()
    for note in figure.layout.annotations:
        if note.y == 0 and note.yref == "paper":
            place, width = 450 * (note.x - low) / (high - low), 5.5 * len(note.text)  # px
            left = place - 4 - width if note.xanchor == "right" else place + 4
            boxes.add((note.yshift, left, left + width))
    assert len(boxes) == 1 + 2 * len(steps)
    assert all(end <= 450 for _, _, end in boxes)
    for (row, left, right), (other, start, end) in combinations(boxes, 2):
        assert row != other or right <= start or end <= left


def test_the_cursor_stands_at_its_step() -> None:
    figure = sound(accuracy_curve(run(falling(200)), 4, cursor=100), BYTES)
    (line,) = [shape for shape in figure["layout"]["shapes"] if shape.get("yref") == "paper"]
    assert line["x0"] == line["x1"] == 100 / PER_EPOCH
    assert figure["layout"]["annotations"][-1]["text"] == "step 100"
