"""Run every bench of this folder, each in a process of its own; with --readme, also write what they print into README.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BEGIN, END = "<!-- bench: written by make bench BENCH_FLAGS=--readme -->", "<!-- end of bench -->"


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


def with_results(readme: str, results: str) -> str:
    """`readme` with `results` in the place of what stood between the two marks.

    Raises:
        ValueError: a mark is missing.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{README.name}: needs the lines {BEGIN} and {END}")
    return f"{before}{begin}\n```text\n{results.strip()}\n```\n{end}{after}"


def main() -> None:
    modules = [f"tests.bench.{path.stem}" for path in sorted(Path(__file__).parent.glob("bench_*.py"))]
    results = []
    for module in modules:
        print(f"\n{module}", flush=True)
        results.append(run(module))
    if "--readme" in sys.argv[1:]:
        README.write_text(with_results(README.read_text(), "\n".join(results)))


if __name__ == "__main__":
    main()
