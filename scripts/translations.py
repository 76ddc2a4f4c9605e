"""Bring the catalogues in locale/ up to date: find every sentence, keep what is translated, compile, and name what is missing.

    python scripts/translations.py           extract, update, compile; fails where a sentence has no translation or an uncertain one
    python scripts/translations.py --check   write nothing, and fail also where a catalogue is not what this would write
    python scripts/translations.py --empty   only list what is missing, with its file

A sentence is an argument of `_`, `written`, `Message` or `counted` in the code, of `_` in a template of exported programs, or a text of a
lesson. A catalogue lists the files where it stands, without line numbers, which would change with every edit.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from mlp_core.labs.lessons.lesson import unwrapped  # noqa: E402

LOCALE = ROOT / "locale"
KEYWORDS = {"_": (0,), "written": (0,), "Message": (0,), "counted": (1, 2)}  # which of their arguments are sentences
SOURCES = ("pages/**/*.py", "mlp_core/**/*.py", "mlp_core/**/*.jinja")
LESSON_TEXTS = ("title", "needs", "summary", "text", "look", "explanation", "book_source", "ask", "choices", "unit")
WIDTH = 120  # characters a line
UNKEPT = re.compile(  # what would change without a change, and guesses at the format of sentences with a % or a brace in them
    r'^"(POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Report-Msgid-Bugs-To|Generated-By).*\n'
    r"|^#, python(-brace)?-format(, python(-brace)?-format)?\n",
    re.MULTILINE,
)
PLACE = re.compile(r"\{[a-z_][a-z0-9_]*\}")

Found = dict[tuple[str, ...], list[str]]  # a sentence, with its plural if it has one -> the files where it stands


def sentences() -> Found:
    """All sentences, in the order of the files that they stand in."""
    found: Found = {}
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            for message in _in_template(path) if path.suffix == ".jinja" else _in_code(ast.parse(path.read_text("utf-8"))):
                _note(found, message, path)
    for path in sorted((ROOT / "lessons").glob("*.toml")):
        for text in _texts(tomllib.loads(path.read_text("utf-8"))):
            _note(found, (text,), path)
    return found


def _in_code(node: ast.AST) -> Iterator[tuple[str, ...]]:
    """The sentences of a program, also those in its f-strings, which Babel's own extraction sees from Python 3.12 on."""
    if isinstance(node, ast.Call):
        places = KEYWORDS.get(node.func.id if isinstance(node.func, ast.Name) else "", ())
        arguments = [node.args[place] for place in places if place < len(node.args)]
        texts = tuple(one.value for one in arguments if isinstance(one, ast.Constant) and isinstance(one.value, str))
        if texts and len(texts) == len(places):
            yield texts
    for child in ast.iter_child_nodes(node):
        yield from _in_code(child)


def _in_template(path: Path) -> Iterator[tuple[str, ...]]:
    with path.open("rb") as file:
        for _line, message, _comments, _context in extract("jinja2", file, {"_": None}, (), {"trimmed": "false"}):
            yield (message,) if isinstance(message, str) else tuple(message)


def _note(found: Found, message: tuple[str, ...], path: Path) -> None:
    message = tuple(part for part in message if part)
    if message:
        places = found.setdefault(message, [])
        name = path.relative_to(ROOT).as_posix()
        if name not in places:
            places.append(name)


def _texts(value: object, field: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _texts(part, "choices" if field == "choices" and name == "text" else name if field != "choices" else "")
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part, field)
    elif isinstance(value, str) and field in LESSON_TEXTS:
        yield unwrapped(value)


def updated(path: Path, found: Found) -> Catalog:
    """The catalogue with just the sentences that there are, each with the translation that it has."""
    with path.open("rb") as file:
        before = read_po(file)
    after = Catalog(
        locale=before.locale, project="mlp-playground", header_comment=before.header_comment, fuzzy=False,
        creation_date=before.creation_date, revision_date=before.revision_date,
        last_translator="", language_team="", msgid_bugs_address="", copyright_holder="",
    )  # fmt: skip
    for message, places in found.items():
        known = before.get(message[0])
        after.add(
            message if len(message) > 1 else message[0],
            _translation(known, plural=len(message) > 1, forms=after.num_plurals),
            locations=[(place, 0) for place in places],
            flags=[flag for flag in known.flags if flag == "fuzzy"] if known is not None else (),
            user_comments=known.user_comments if known is not None else (),
        )
    return after


def _translation(known: Message | None, *, plural: bool, forms: int) -> str | tuple[str, ...]:
    strings = _strings(known) if known is not None else ("",)
    return (strings if len(strings) == forms else strings[:1] * forms) if plural else strings[0]


def _strings(message: Message) -> tuple[str, ...]:
    """The translation, one text a plural form; empty ones where there is none."""
    string = message.string
    return tuple(part or "" for part in string) if isinstance(string, (tuple, list)) else (string or "",)


def as_po(catalogue: Catalog) -> bytes:
    """The file that a translator edits."""
    file = io.BytesIO()
    write_po(file, catalogue, width=WIDTH, include_lineno=False)
    return UNKEPT.sub("", file.getvalue().decode("utf-8")).encode("utf-8")


def as_mo(catalogue: Catalog) -> bytes:
    """What the app reads."""
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def fresh(file: Path, catalogue: Catalog) -> bool:
    """Whether a file says what the catalogue does; how it is laid out is Babel's affair, and differs from release to release."""
    if not file.exists():
        return False
    with file.open("rb") as content:
        there = read_po(content) if file.suffix == ".po" else read_mo(content)
    return _content(there) == _content(catalogue)


def _content(catalogue: Catalog) -> dict[object, object]:
    return {message.id if isinstance(message.id, str) else tuple(message.id): _strings(message) for message in catalogue if message.id}


def faults(catalogue: Catalog) -> Iterator[str]:
    """What a translator has still to do, a line each."""
    for message in catalogue:
        if not message.id:
            continue
        first = message.id if isinstance(message.id, str) else message.id[0]
        strings = _strings(message)
        where = f"{', '.join(place for place, _line in message.locations)}: {first!r}"
        if not all(strings):
            yield f"missing: {where}"
        elif message.fuzzy:
            yield f"fuzzy: {where}"
        else:
            wanted = set(PLACE.findall(first if isinstance(message.id, str) else " ".join(message.id)))
            for string in strings:
                if (has := set(PLACE.findall(string))) != wanted:
                    yield f"places {sorted(wanted ^ has)}: {where}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--empty", action="store_true", help="write nothing, list what is missing")
    options = parser.parse_args()
    found, wrong = sentences(), list[str]()
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/messages.po")):
        catalogue = updated(path, found)
        wrong += [f"{path.parts[-3]}: {fault}" for fault in faults(catalogue)]
        compiled = path.with_suffix(".mo")
        if options.check:
            wrong += [
                f"{file.relative_to(ROOT)} is out of date: run make translations" for file in (path, compiled) if not fresh(file, catalogue)
            ]
        elif not options.empty:
            path.write_bytes(as_po(catalogue))
            if not fresh(compiled, catalogue):  # the time at which it was made is in it
                compiled.write_bytes(as_mo(catalogue))
    print("\n".join(wrong) if wrong else f"{len(found)} sentences, all translated.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
