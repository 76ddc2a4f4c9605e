"""Run every bench of this folder, each in a process of its own; with --readme, also write what they print into README.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
COMMAND = "make bench BENCH_FLAGS=--readme"


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
