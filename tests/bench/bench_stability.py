"""The page "Stability" at its heaviest: how long the server works for each answer. Prints; asserts no time.

Run as `python -m tests.bench.bench_stability`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.ui import computing, session

PAGE = Path(__file__).parents[2] / "pages" / "stability.py"


def random_matrices() -> None:
    """1000 factors: 500 trials of 4 x 4, then as many orthogonal 64 x 64 in float16 as the page affords."""
    page = _opened(act="matrices", factors="1000", trials="500", precision="float16")
    _clear()
    _line("500 trials of 1000 factors, 4 x 4, all anew", page.run)
    _line("  … another σ", lambda: page.number_input(key="stability_sigma").set_value(0.7).run())
    _line("  … another k", lambda: page.slider(key="stability_k").set_value(900).run())
    page.selectbox(key="stability_law").set_value("orthogonal").run()
    _line("1000 factors, orthogonal 64 x 64", lambda: page.slider(key="stability_n").set_value(64).run())


def depth() -> None:
    """Four designs of 100 layers, in float64 and float32, with theory, and the map below them."""
    page = _opened(depth="100", batch="256", activation4="gelu")
    _clear()
    _line("four designs of 100 layers of 64 units, all anew", page.run)
    _line("  … another quantity", lambda: page.button_group(key="stability_show").set_value("dh").run())
    _line("  … another initialization of one design", lambda: page.selectbox(key="stability_init2").set_value("xavier_normal").run())
    _line("  … the plane (σ_w, σ_b)", lambda: page.button_group(key="stability_plane").set_value("sigma_b").run())
    _line("four designs of 100 layers of 128 units", lambda: page.select_slider(key="stability_width").set_value("128").run())


def _opened(**query: str) -> AppTest:
    page = AppTest.from_file(str(PAGE), default_timeout=120)
    page.query_params.update(query)
    return page.run()


def _clear() -> None:
    """Forget what was measured, but not the images and the engine."""
    st.cache_data.clear()
    computing._results.clear()
    for jobs in session._sessions.values():
        jobs.computations.clear()


def _line(what: str, answer: Callable[[], AppTest]) -> None:
    start, worked = time.perf_counter(), time.process_time()
    page = answer()
    while page.get("progress"):  # it is computed in turns with everybody's runs
        page = page.run()
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    assert not page.exception, page.exception
    print(f"{what:56} {1000 * seconds:6.0f} ms, {1000 * worked:6.0f} ms of one core")


if __name__ == "__main__":
    random_matrices()
    depth()
