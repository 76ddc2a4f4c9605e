"""Walk through thousands of random states of the pages; ends with status 1 if one of them says what no page may say.

python -m tests.states [--states 3000] [--seed 0] [--pages train,stability] [--lang qps]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.states.languages import unsaid
from tests.states.walk import PAGES, Fault, State, fields_of, random_query, visited
from tests.support import pseudo


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--states", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pages", default=",".join(PAGES))
    parser.add_argument("--lang", choices=(pseudo.SHORT,), help="in the language of the tests: find what its catalogue does not say")
    options = parser.parse_args()
    chance, began, found = random.Random(options.seed), time.monotonic(), list[Fault]()
    pages = options.pages.split(",")
    monkeypatch = pytest.MonkeyPatch()
    fields = {page: fields_of(page, monkeypatch) for page in pages}
    said = Counter[tuple[str, str, str]]()
    if options.lang:
        pseudo.use(pseudo.write_catalogue(Path(tempfile.mkdtemp())), monkeypatch)
    for number in range(options.states):
        page = pages[number % len(pages)]
        state = State(page, random_query(page, fields[page], chance))
        for fault in unsaid(state, monkeypatch) if options.lang else visited(state, monkeypatch, chance):
            found.append(fault)
            said[key := (page, fault.pattern, fault.where)] += 1
            if said[key] == 1:
                print(fault, flush=True)
        if (number + 1) % 100 == 0:
            print(f"{number + 1:,} states, {len(said):,} faults, {time.monotonic() - began:.0f} s", flush=True)
    seconds = time.monotonic() - began
    print(f"{options.states:,} states of {len(pages)} pages in {seconds:.0f} s: {len(found):,} faults, {len(said):,} different")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
