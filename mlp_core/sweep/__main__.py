"""A sweep from the shell. `python -m mlp_core.sweep --help` says how; Ctrl-C, or whatever else ends it, leaves a file to go on from."""

from __future__ import annotations

from mlp_core.runtime.threads import keep_to_one_thread

keep_to_one_thread()  # before anything is imported that computes

import argparse  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import textwrap  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterator, Sequence  # noqa: E402
from dataclasses import fields  # noqa: E402
from pathlib import Path  # noqa: E402

from mlp_core.data import Dataset, load_fashion_mnist, load_sample  # noqa: E402
from mlp_core.spec import RunSpec, SpecError  # noqa: E402
from mlp_core.sweep.answers import ranking  # noqa: E402
from mlp_core.sweep.carry_out import Progress, carry_out, check_here  # noqa: E402
from mlp_core.sweep.executors import ExecutorLostError, dask_executor, local_executor  # noqa: E402
from mlp_core.sweep.plan import Axis, Plan, PlanError  # noqa: E402
from mlp_core.sweep.store import Store, StoreError, alone  # noqa: E402
from mlp_core.words import Message, counted, duration, joined, scaled  # noqa: E402

REFUSED, INTERRUPTED, LOST = 2, 130, 3  # exit statuses
BAR, WIDTH = 30, 100  # characters
SHOWN = 10  # cells in the table
MOST_WORKERS = 256
USUAL = Plan()
ONLY_WITH = {"samples": "random", "draw_seed": "random", "eta": "halving"}  # an option -> the one that it belongs to
KINDS: dict[str, Callable[[Store], str | bytes]] = {"csv": Store.to_csv, "parquet": Store.to_parquet, "json": Store.to_json}
LINE_SECONDS = 30  # between two lines of progress where nobody watches
EXAMPLES = """
examples:
  python -m mlp_core.sweep --grid "lr=0.01,0.1,1" --grid "hidden=64;256;256,256" --seeds 5 --epochs 5
  python -m mlp_core.sweep --random "lr=0.001..1" --random "init_std=0.001..1" --samples 20 --halving --seeds 3 --epochs 9
The same command again goes on where the last one ended, and repeats nothing that is done.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    try:
        plan = _plan(asked)
        data = load_sample() if asked.sample else load_fashion_mnist()
        print(_budget(plan, len(data.train_labels)))
        if asked.budget:
            return 0
        if not asked.scheduler:
            check_here(plan)
        _say_to_stderr(*data.notes)
        with alone(asked.out), _opened(asked.out, plan) as store:
            status = _carried_out(asked, plan, store, data)
            print(_table(store))
            _export(asked, store)
            return status
    except (PlanError, StoreError, ExecutorLostError) as error:
        _say_to_stderr(str(error))
        return LOST if isinstance(error, ExecutorLostError) else REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m mlp_core.sweep",
        description="Train many experiments that differ in chosen settings, each from several seeds.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_argument_group("what is trained")
    what.add_argument("--grid", action="append", default=[], metavar="FIELD=VALUES", help="a setting and its values; several make a grid")
    what.add_argument("--random", action="append", default=[], metavar="FIELD=LOW..HIGH", help="a setting that is drawn; from values too")
    what.add_argument("--samples", type=int, metavar="N", help=f"cells that are drawn ({USUAL.samples})")
    what.add_argument("--draw-seed", type=int, metavar="N", help=f"of what is drawn ({USUAL.draw_seed})")
    what.add_argument("--halving", action="store_true", help="successive halving: all cells for a few epochs, the best for more")
    what.add_argument("--eta", type=int, metavar="N", help=f"of halving: one of so many goes on ({USUAL.eta})")
    what.add_argument("--seeds", type=int, default=USUAL.seeds, metavar="N", help="runs of each cell (%(default)s)")
    what.add_argument("--epochs", type=int, metavar="N", help=f"of each run ({RunSpec().epochs})")
    what.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="a setting that all cells share")
    what.add_argument("--sample", action="store_true", help="the bundled tenth of the images")
    what.add_argument("--budget", action="store_true", help="only say how much that is")
    where = parser.add_argument_group("where")
    where.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes of this computer (%(default)s)")
    where.add_argument("--scheduler", metavar="ADDRESS", help="the workers of a Dask cluster instead, as tcp://10.0.0.1:8786")
    files = parser.add_argument_group("files")
    files.add_argument("--out", type=Path, default=Path("sweep.sqlite"), metavar="FILE", help="what is done, to go on from (%(default)s)")
    for kind in KINDS:
        files.add_argument(
            f"--{kind}", type=Path, metavar="FILE", help=f"write it as {kind.upper() if kind != 'parquet' else 'Parquet'} too"
        )
    return parser


def _plan(asked: argparse.Namespace) -> Plan:
    """The sweep that is asked for.

    Raises:
        PlanError: naming all that is wrong with it.
    """
    axes, problems, settings = list[Axis](), list[SpecError](), dict[str, str]()
    for text in (*asked.grid, *asked.random):
        try:
            axes.append(Axis.parse(text))
        except PlanError as error:
            problems += error.problems
    for text in (*asked.set, *([] if asked.epochs is None else [f"epochs={asked.epochs}"])):
        name, equals, value = text.partition("=")
        if not equals or name not in {field.name for field in fields(RunSpec)}:
            problems.append(SpecError("--set", Message("must be FIELD=VALUE, with a field of an experiment"), text))
        elif name in settings or name in {axis.field for axis in axes}:
            problems.append(SpecError(name, Message("must not be varied and set, nor set twice"), text))
        else:
            settings[name] = value
    base, broken = RunSpec.from_query(settings)
    problems += [*_of_options(asked), *broken]
    method = "halving" if asked.halving else "random" if asked.random else "grid"
    numbers = {name: getattr(asked, name) for name in ("seeds", *ONLY_WITH) if getattr(asked, name) is not None}
    try:
        plan = Plan(base, tuple(axes), method, **numbers) if not problems else Plan(**numbers)
    except PlanError as error:
        problems += error.problems
    if problems:
        raise PlanError(problems)
    return plan


def _of_options(asked: argparse.Namespace) -> Iterator[SpecError]:
    """What is wrong with options that are no part of a plan, or of no use for this one."""
    for name, other in ONLY_WITH.items():
        if getattr(asked, name) is not None and not getattr(asked, other):
            yield SpecError(f"--{name.replace('_', '-')}", Message("counts only with {option}", option=f"--{other}"), getattr(asked, name))
    if not 1 <= asked.workers <= MOST_WORKERS:
        yield SpecError("--workers", Message("must be from 1 to {most}", most=MOST_WORKERS), asked.workers)
    taken = {asked.out.resolve()}
    for kind in KINDS:
        file: Path | None = getattr(asked, kind)
        if file is None:
            continue
        if file.resolve() in taken:
            yield SpecError(f"--{kind}", Message("must be a file of its own"), str(file))
        elif file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
            yield SpecError(f"--{kind}", Message("must be a file that can be written"), str(file))
        taken.add(file.resolve())


def _budget(plan: Plan, train_count: int) -> str:
    cells, seeds = counted(len(plan.cells), "{n} cell", "{n} cells"), counted(plan.seeds, "{n} seed", "{n} seeds")
    text = f"{cells} × {seeds}, {scaled(plan.images(train_count))} training images in all."
    if len(plan.rungs) > 1:
        text += " " + "; ".join(f"{rung.cells} over {counted(rung.epochs or 0, '{n} epoch', '{n} epochs')}" for rung in plan.rungs) + "."
    return text


def _opened(path: Path, plan: Plan) -> Store:
    return Store.open(path, plan) if path.exists() else Store.create(path, plan)


def _carried_out(asked: argparse.Namespace, plan: Plan, store: Store, data: Dataset) -> int:
    """Train what is not done. Returns the exit status."""
    progress = _ProgressBar()
    try:
        with dask_executor(asked.scheduler, data) if asked.scheduler else local_executor(asked.workers, data) as executor:
            carry_out(plan, store, executor, progress)
    except KeyboardInterrupt:
        status, why = INTERRUPTED, "Stopped."
    except ExecutorLostError as error:
        status, why = LOST, str(error)
    else:
        progress.close()
        return 0
    progress.close()
    kept = f"{len(store.done())} runs are finished, and in {asked.out}. The same command goes on from there."
    _say_to_stderr(why, kept, "Without --scheduler it goes on on this computer." if asked.scheduler else "")
    return status


class _ProgressBar:
    """A line on stderr that is written over where it is a terminal, else one now and then."""

    def __init__(self) -> None:
        self._live, self._said, self._next = sys.stderr.isatty(), "", 0.0

    def __call__(self, progress: Progress) -> None:
        now, filled = time.monotonic(), BAR * progress.runs // progress.of_runs
        text = f"[{'#' * filled}{'.' * (BAR - filled)}] {progress.runs} of {progress.of_runs} runs"
        if progress.left_seconds is not None and progress.runs < progress.of_runs:
            text += f", {duration(progress.left_seconds)} left"
        text += f", workers: {progress.workers}" + (f", lost: {progress.lost}" if progress.lost else "")
        if self._live and text != self._said:
            print(f"\r{text:<{len(self._said)}}", end="", file=sys.stderr, flush=True)
        elif not self._live and (now >= self._next or progress.runs == progress.of_runs) and text != self._said:
            self._next = now + LINE_SECONDS
            print(text, file=sys.stderr, flush=True)
        else:
            return
        self._said = text

    def close(self) -> None:
        if self._live and self._said:
            print(file=sys.stderr)


def _export(asked: argparse.Namespace, store: Store) -> None:
    for kind, made in KINDS.items():
        if (file := getattr(asked, kind)) is not None:
            content = made(store)
            try:
                file.write_bytes(content if isinstance(content, bytes) else content.encode())
            except OSError as error:
                raise StoreError(file, Message("cannot be read or written ({why})", why=str(error))) from error


def _table(store: Store) -> str:
    """The best cells, each with its mean test accuracy over its seeds and their standard deviation, and what that order is worth."""
    outcomes = store.outcomes()
    if not outcomes:
        return "Nothing is finished yet."
    found = ranking(store.plan, outcomes)
    results = [(cell, f"{cell.score} over {counted(cell.seeds, '{n} seed', '{n} seeds')}") for cell in found.ranked]
    results += [(cell, cell.reason) for cell in found.broken]
    rows = [(cell.name, result) for cell, result in results]
    width = max((len(name) for name, _ in rows[:SHOWN]), default=0)
    lines = [f"{name:<{width}}  {result}" for name, result in rows[:SHOWN]]
    if len(rows) > SHOWN:
        lines.append(f"and {len(rows) - SHOWN} more: --csv FILE writes all")
    return "\n".join(["", "Test accuracy", *lines, "", *textwrap.wrap(found.text, WIDTH)])


def _say_to_stderr(*sentences: str) -> None:
    if said := joined(*sentences):
        print(said, file=sys.stderr)


def end_in_order() -> None:
    """Have whoever asks this process to end, and a terminal that is closed, stop it as Ctrl-C does: the memory that its workers share would
    stay taken."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has not both
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # which `nohup` has changed
            signal.signal(number, signal.default_int_handler)


if __name__ == "__main__":
    end_in_order()
    sys.exit(main())
