"""Print the path of a Chromium for the browser tests; where there is none, have Playwright fetch its own.

python scripts/find_chromium.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def installed() -> Iterator[Path]:
    """Every browser that would do, the one that CHROMIUM names first."""
    if named := os.environ.get("CHROMIUM"):
        yield Path(named)
    yield from (Path(path) for command in COMMANDS if (path := shutil.which(command)))
    yield MAC
    with sync_playwright() as playwright:
        yield Path(playwright.chromium.executable_path)


def find() -> Path | None:
    return next((path for path in installed() if path.is_file()), None)


def main() -> int:
    path = find()
    if path is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], stdout=sys.stderr, check=False)
        path = find()
    if path is None:
        print("No Chromium: the browser tests are skipped. Install one, or name it in the environment variable CHROMIUM.", file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
