"""Run every bench of this folder, each in a process of its own; with --write, also write down what they print.

All of it goes into docs/benchmarks.md, and the five numbers that `bench_engine` ends with into README.md and README.zh.md.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.bench.bench_engine import FIVE_NUMBERS

ROOT = Path(__file__).parents[2]
README, README_ZH, BENCHMARKS = ROOT / "README.md", ROOT / "README.zh.md", ROOT / "docs" / "benchmarks.md"
IN_CHINESE = (  # the five numbers
    "有浏览器观看时，速度为普通PyTorch循环的{}倍（目标：至少0.96）",
    "速度为书中循环（4个工作进程）的{}倍（目标：至少5）",
    "从点击“训练”到屏幕上的第一个点{} s（目标：小于1 s）",
    "从点击控件到新的画面{} ms（目标：小于200 ms）",
    "数据加一次运行占用{} MB内存（PyTorch的CUDA版本）",
)
COMMAND = "make bench BENCH_FLAGS=--write"


def run(module: str) -> str:
    """What a bench printed; it is shown as it comes."""
    lines = []
    with subprocess.Popen([sys.executable, "-u", "-m", module], cwd=ROOT, stdout=subprocess.PIPE, text=True) as bench:
        assert bench.stdout
        for line in bench.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if bench.returncode:
        sys.exit(f"{module} failed")
    return "".join(lines)


def with_results(text: str, results: str, command: str = COMMAND) -> str:
    """`text` with `results` in the place of what stood between the two marks that name the command.

    Raises:
        ValueError: a mark is missing.
    """
    first, last = f"<!-- written by {command} -->", f"<!-- end of {command} -->"
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not (begin and end):
        raise ValueError(f"needs the lines {first} and {last}")
    return f"{before}{begin}\n```text\n{results.strip()}\n```\n{end}{after}"


def five_numbers(results: str) -> str:
    """The lines below `FIVE_NUMBERS`.

    Raises:
        ValueError: there are not five.
    """
    _, _, rest = results.partition(f"{FIVE_NUMBERS}\n")
    lines = rest.splitlines()[:5]
    if len(lines) < 5 or not all(lines):
        raise ValueError(f"needs five lines below {FIVE_NUMBERS!r}, got {lines}")
    return "\n".join(lines)


def in_chinese(numbers: str) -> str:
    """The five numbers as the Chinese README says them."""
    return "\n".join(said.format(line.split()[0]) for said, line in zip(IN_CHINESE, numbers.splitlines(), strict=True))


def main() -> None:
    modules = [f"tests.bench.{path.stem}" for path in sorted(Path(__file__).parent.glob("bench_*.py"))]
    results = []
    for module in modules:
        print(f"\n{module}", flush=True)
        results.append(run(module))
    if "--write" in sys.argv[1:]:
        everything = "\n".join(results)
        five = five_numbers(everything)
        for path, text in ((BENCHMARKS, everything), (README, five), (README_ZH, in_chinese(five))):
            path.write_text(with_results(path.read_text("utf-8"), text), "utf-8")


if __name__ == "__main__":
    main()
