"""Show what a page says without its catalogue: python -m tests.states.untranslated "train?hidden=64" [--press run_step] [--texts]

A development tool: opens a state of a page in the pseudo-language of the tests, and prints every text with words outside of its brackets.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from pages.language import languages, spoken
from tests.states.seen import texts
from tests.support import pseudo
from tests.support.pages.visit import visit_with_jobs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("state", nargs="+", help="page and query, as in a link")
    parser.add_argument("--press", action="append", default=[], help="key of a button")
    parser.add_argument("--texts", action="store_true", help="print all that is said")
    options = parser.parse_args()
    monkeypatch = pytest.MonkeyPatch()
    seen: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        pseudo.use(pseudo.write_catalogue(Path(folder)), monkeypatch)
        for state in options.state:
            page, _, query = state.partition("?")
            # AppTest asks for the words of choices outside of the session, before it lets the page run.
            with spoken(languages()[pseudo.SHORT]), monkeypatch.context() as patch, visit_with_jobs(f"pages/{page}.py", patch) as opened:
                opened.query_params.update(dict(parse_qsl(query)) | {"lang": pseudo.SHORT})
                opened.default_timeout = 300
                opened.run()
                for key in options.press:
                    with spoken(languages()[pseudo.SHORT]):  # a select box is asked what it shows in the test's own thread
                        opened.button(key=key).click().run()
                for text in texts(opened):
                    words = list(pseudo.unsaid(text))
                    if text not in seen and (words or options.texts):
                        seen.add(text)
                        print(f"{' '.join(words)!r:40} {text!r}")
                for one in opened.exception:
                    print("EXCEPTION", one.message, one.stack_trace)


if __name__ == "__main__":
    main()
