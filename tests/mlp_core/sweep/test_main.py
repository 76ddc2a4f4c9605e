"""The sweep of the shell: it goes on after a kill, stops when asked, and refuses what is wrong before it begins."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas as pd
import psutil  # type: ignore[import-untyped]
import pytest

from mlp_core.data import load_sample
from mlp_core.spec import RunSpec
from mlp_core.sweep.__main__ import end_in_order, main
from mlp_core.sweep.carry_out import train
from mlp_core.sweep.plan import Axis, Plan, tasks
from mlp_core.sweep.store import Store, alone
from tests.mlp_core.sweep.test_carry_out import results
from tests.support.architecture import ROOT
from tests.support.processes import alive, descendants, nothing_left_of, until

PLAN = Plan(
    RunSpec(epochs=3, weight_decay=0.001), (Axis("hidden", ((60,), (61,), (62,), (63,), (64,), (65,))), Axis("lr", (0.05, 0.2))), seeds=2
)
COMMAND = (
    *(sys.executable, "-m", "mlp_core.sweep", "--sample", "--grid", "hidden=60;61;62;63;64;65", "--grid", "lr=0.05,0.2"),
    *("--seeds", "2", "--epochs", "3", "--set", "weight_decay=0.001", "--workers", "2"),
)


def rows(file: Path) -> list[tuple[object, ...]]:
    if not file.exists():
        return []
    connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT * FROM outcomes ORDER BY rung, cell, seed").fetchall()
    finally:
        connection.close()


def test_killed_and_interrupted_it_goes_on_and_gives_the_numbers_of_one_that_was_not(tmp_path: Path) -> None:
    file = tmp_path / "sweep.sqlite"
    command = [*COMMAND, "--out", str(file)]

    with nothing_left_of(psutil.Popen(command, cwd=ROOT)) as killed:
        assert until(lambda: len(rows(file)) > 0)
        workers = descendants(killed.pid)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        after_the_kill = rows(file)
        assert until(lambda: alive(workers) == [])  # they end by themselves
    assert 0 < len(after_the_kill) < 24

    with nothing_left_of(psutil.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True, text=True)) as interrupted:
        assert until(lambda: len(rows(file)) > len(after_the_kill))
        os.killpg(interrupted.pid, signal.SIGINT)  # as a terminal does
        _, said = interrupted.communicate()
    after_the_interrupt = rows(file)
    assert set(after_the_kill) < set(after_the_interrupt)  # as they were, to the seconds that they took
    if len(after_the_interrupt) < 24:  # nearly always
        assert interrupted.returncode == 130
        assert f"Stopped. {len(after_the_interrupt)} runs are finished, and in {file}. The same command goes on from there." in said
        assert "Traceback" not in said

    exports = [f"--{kind}={tmp_path / kind}" for kind in ("csv", "parquet", "json")]
    ended = subprocess.run([*command, *exports], cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"{len(after_the_interrupt)} of 24 runs" in ended.stderr.splitlines()[0]
    assert "24 of 24 runs" in ended.stderr.splitlines()[-1]
    assert set(after_the_interrupt) <= set(rows(file))
    with Store.open(file, PLAN) as store:
        assert results(store.outcomes()) == results(
            tuple(outcome for task in tasks(PLAN, 0, range(12)) for outcome in train(task, load_sample()))
        )
        best = max((one.epochs[-1].test_accuracy, one.spec.hidden) for one in store.outcomes())
    table = pd.read_csv(tmp_path / "csv")
    assert list(table["test_accuracy"]) == list(pd.read_parquet(tmp_path / "parquet")["test_accuracy"])
    assert table["test_accuracy"].max() == best[0]
    assert len(json.loads((tmp_path / "json").read_text())["runs"]) == 24


def test_whoever_asks_it_to_end_is_heard_as_ctrl_c_is_and_nohup_too() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
        end_in_order()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGHUP)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_all_that_is_wrong_is_named_before_anything_starts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ("--sample", "--out", str(tmp_path / "sweep.sqlite"))
    wrong = ("--grid", "lr=0.1,-1", "--grid", "foo=3", "--random", "l1=1..0.1", "--set", "lr", "--set", "momentum=2", "--workers", "0")
    assert main([*out, *wrong]) == 2
    said = capsys.readouterr().err
    for problem in (
        "lr: must be",
        "got -1",
        "foo: is not a field",
        "l1: must be an interval",
        "--set: must be",
        "momentum: must be",
        "--workers: must",
    ):
        assert problem in said
    twice = ("--grid", "hidden=16;32", "--set", "hidden=64", "--set", "lr=1", "--set", "lr=2", "--set", "epochs=2", "--epochs", "3")
    files = ("--csv", str(tmp_path / "none" / "x.csv"), "--json", str(tmp_path), "--parquet", str(tmp_path / "sweep.sqlite"))
    assert main([*out, *twice, *files, "--samples", "5", "--eta", "2", "--seeds", "0"]) == 2
    said = capsys.readouterr().err
    for problem in (
        "hidden: must not be varied and set, nor set twice, got 'hidden=64'",
        "lr: must not be varied and set, nor set twice, got 'lr=2'",
        "epochs: must not be varied and set, nor set twice, got 'epochs=3'",
        "--samples: counts only with --random, got 5",
        "--eta: counts only with --halving, got 2",
        "seeds: must be a whole number from 1 to 100, got 0",
        "--csv: must be a file that can be written",
        "--json: must be a file that can be written",
        "--parquet: must be a file of its own",
    ):
        assert problem in said
    assert main([*out, "--grid", "device=cpu,cuda,mps"]) == 2  # no machine has both
    assert ": device: must be one this machine has" in capsys.readouterr().err
    assert main([*out, "--grid", "hidden=5;5,5", "--set", "dropout=0.5"]) == 2
    assert "hidden 5,5: dropout: must have one probability a hidden layer" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_budget_is_said_without_beginning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ("--sample", "--budget", "--out", str(tmp_path / "sweep.sqlite"))
    assert main([*out, "--grid", "lr=0.1,1", "--seeds", "5", "--epochs", "3"]) == 0
    assert capsys.readouterr().out == "2 cells × 5 seeds, 180 k training images in all.\n"
    assert main([*out, "--random", "lr=0.001..1", "--samples", "9", "--halving", "--epochs", "9"]) == 0
    assert capsys.readouterr().out == "9 cells × 1 seed, 162 k training images in all. 9 over 1 epoch; 3 over 3 epochs; 1 over 9 epochs.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_sweep_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sweep.sqlite"
    Store.create(file, PLAN).close()
    before = rows(file)
    assert main(["--sample", "--out", str(file), "--grid", "lr=0.1,1"]) == 2
    assert "holds another sweep than the one that is asked for" in capsys.readouterr().err
    assert rows(file) == before


def test_another_command_at_the_same_file_is_refused_and_one_after_it_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sweep.sqlite"
    one_cell = ["--sample", "--out", str(file), "--set", "train_size=500", "--epochs", "1", "--workers", "1"]
    with alone(file):
        assert main(one_cell) == 2
    assert f"{file}: is being added to by another process." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    full = Path("/dev/full")
    status = main([*one_cell, *(["--json", str(full)] if full.exists() else [])])
    said = capsys.readouterr()
    assert "There is no other cell to compare it with." in said.out
    assert "the only cell  " in said.out
    assert list(tmp_path.iterdir()) == [file]
    assert (status, "/dev/full: cannot be read or written" in said.err) == ((2, True) if full.exists() else (0, False))
