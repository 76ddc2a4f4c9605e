"""Whatever a link or a file says is read or refused in words: at once, in bounded memory, with no error but the documented ones.

Pictures are fuzzed as thoroughly beside their other tests, in `tests/mlp_core/labs/images/test_picture_file.py`.
"""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlp_core.expression import ExpressionError, resolve
from mlp_core.labs.images.file import PictureError, read_picture
from mlp_core.labs.nonlinearity.plane_points import PointsError, from_text
from mlp_core.labs.nonlinearity.point_table import MAX_BYTES, points_of, read_table, usual_columns
from mlp_core.labs.tensors.table import TableError, read, read_shape
from mlp_core.reports.export.experiment import MAX_FILE_BYTES, Experiment
from mlp_core.spec import RunSpec, SpecError
from pages.ui.link import Field, LinkState
from tests.support.pages.visit import opened, visit

PAGES = ("activations", "stability", "nonlinearity", "generalization", "tensors")
PEAK_BYTES = 32_000_000  # of Python's and numpy's: a file of 1 MB as cells and numbers
fuzz = settings(max_examples=300, deadline=10_000, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

ODD = (
    "", " ", "none", "nan", "inf", "-inf", "1e400", "-0", "0x10", "1_000", "٣", "½", "1,", ",1", "1,,2", "1 2; 3", "|", ";|;", "True",
    "__import__('os').system('x')", "x.__class__", "=x", "=", "=x**x**x", "../../etc/passwd", "C:\\con", "%00", "\0", "\u202e", "𝒳",
    "<script>alert(1)</script>", "![](http://a)", "$$\\frac{1}{0}$$", "1," * 3000, "(" * 3000, "-" * 3000, "9" * 5000, "=" + "x*" * 400,
)  # fmt: skip
PIECES = ("x", "(", ")", "+", "-", "*", "/", "**", "sin", "exp", "max", "1", "2.5", ",", ".", "e", "[", "'a'", " ")  # of expressions
texts = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80),
    st.text("0123456789-+.,;:|eExX*/()=_ \n", max_size=60),
    st.builds(lambda text, times: text * times, st.text("019,;(-x ", min_size=1, max_size=3), st.integers(1, 4000)),
)


def bounded(reader: Callable[[Any], object], value: object, *refusals: type[Exception]) -> bool:
    """Whether the value was read; that it was refused as documented, if not, and took little memory, is asserted."""
    tracemalloc.start()
    try:
        reader(value)
        return True
    except refusals:
        return False
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < PEAK_BYTES, f"{peak / 1e6:.0f} MB"


def points_in(content: bytes) -> None:
    table = read_table(content)
    points_of(table, usual_columns(table))


@cache
def fields_of(page: str) -> tuple[Field, ...]:
    """What a page declares that its link can set."""
    known: list[Field] = []
    begin = LinkState.__init__

    def noted(link: LinkState, page: str, fields: Sequence[Field], **options: Any) -> None:
        known.extend(fields)
        begin(link, page, fields, **options)

    with pytest.MonkeyPatch.context() as patch, visit(f"pages/{page}.py") as at:
        patch.setattr(LinkState, "__init__", noted)
        opened(at)
    return tuple({field.name: field for field in known}.values())


class TestLinks:
    @settings(fuzz, max_examples=500)
    @given(query=st.dictionaries(st.sampled_from([*RunSpec.__dataclass_fields__, "page"]), texts, max_size=6))
    def test_to_an_experiment(self, query: Mapping[str, str]) -> None:
        assert bounded(RunSpec.from_query, query)
        spec, errors = RunSpec.from_query(query)
        assert {error.field for error in errors} <= set(query)
        assert RunSpec.from_query({name: text for name, text in query.items() if name not in {e.field for e in errors}})[0] == spec

    @pytest.mark.parametrize("page", PAGES)
    def test_to_a_page_with_fields(self, page: str) -> None:
        fields = fields_of(page)  # which shows the page: no part of what has to be quick

        @fuzz
        @given(data=st.data())
        def read_or_refused(data: st.DataObject) -> None:
            field = data.draw(st.sampled_from(fields))
            text = data.draw(st.one_of(texts, st.just(field.write(field.default)), st.builds(field.write(field.default).__add__, texts)))
            if bounded(field.read, text, SpecError):
                value = field.read(text)
                assert field.read(field.write(value)) == value, "what is read is written so that it is read again"

        read_or_refused()

    @pytest.mark.parametrize("page", ["train", *PAGES])
    @settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(data=st.data())
    def test_are_followed_without_an_exception(self, page: str, data: st.DataObject) -> None:
        names = [*RunSpec.__dataclass_fields__] if page == "train" else [field.name for field in fields_of(page)]
        query = data.draw(st.dictionaries(st.sampled_from([*names, "unknown"]), texts, min_size=1, max_size=len(names)))
        with visit(f"pages/{page}.py") as at:
            opened(at, **query)


numbers = st.one_of(st.integers(), st.floats(), st.just(10**400))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)
DOCUMENT: dict[str, Any] = json.loads(Experiment(RunSpec()).to_json())


class TestExperimentFiles:
    @fuzz
    @given(
        top=st.dictionaries(st.one_of(st.sampled_from([*DOCUMENT, "results"]), texts), values, max_size=2),
        spec=st.dictionaries(st.one_of(st.sampled_from([*DOCUMENT["spec"]]), texts), values, max_size=3),
    )
    def test_of_the_right_shape_and_wrong_values(self, top: dict[str, Any], spec: dict[str, Any]) -> None:
        text = json.dumps(DOCUMENT | {"spec": DOCUMENT["spec"] | spec} | top)
        if bounded(Experiment.from_json, text, SpecError):
            read = Experiment.from_json(text)
            assert Experiment.from_json(read.to_json()) == read

    @fuzz
    @given(content=st.one_of(st.binary(max_size=300), values.map(lambda value: json.dumps(value).encode())), cut=st.floats(0, 1))
    def test_of_any_bytes(self, content: bytes, cut: float) -> None:
        whole = json.dumps(DOCUMENT).encode()
        place = int(cut * len(whole))
        for damaged in (content, whole[:place] + content, whole[:place] + content + whole[place:]):
            bounded(Experiment.from_json, damaged, SpecError)

    @pytest.mark.parametrize("unit", [b"[", b'{"spec":', b'{"a":[', b"9", b'"\\u0000', b"\xff", b" "])
    def test_as_long_as_they_may_be_and_longer(self, unit: bytes) -> None:
        for length in (MAX_FILE_BYTES, MAX_FILE_BYTES + 1, 5_000_000):
            assert not bounded(Experiment.from_json, (unit * (length // len(unit) + 1))[:length], SpecError)


class TestTables:
    @settings(fuzz, max_examples=500)
    @given(lines=st.lists(st.lists(st.one_of(texts, numbers.map(str)), max_size=5).map(",".join), max_size=8), tail=st.binary(max_size=40))
    def test_of_points(self, lines: list[str], tail: bytes) -> None:
        bounded(points_in, "\n".join(lines).encode() + tail, PointsError)

    @pytest.mark.parametrize("unit", [b"1,2,0\n", b"1,2,0\n3,4,1\n", b"\n", b",", b'"', b'"\n', b"1e308,-1e308,1\n", b"\xef\xbb\xbf", b"9"])
    def test_of_points_as_long_as_they_may_be_and_longer(self, unit: bytes) -> None:
        for length in (MAX_BYTES, MAX_BYTES + 1, 5_000_000):
            assert not bounded(points_in, (unit * (length // len(unit) + 1))[:length], PointsError)

    @fuzz
    @given(text=st.one_of(texts, st.binary(max_size=40).map(lambda content: content.hex()), st.text("ABCDabcd0189-_=", max_size=60)))
    def test_of_points_in_a_link(self, text: str) -> None:
        bounded(from_text, text, PointsError)

    @settings(fuzz, max_examples=500)
    @given(text=texts)
    def test_of_a_tensor(self, text: str) -> None:
        bounded(read, text, TableError)
        bounded(read_shape, text, TableError)


@settings(fuzz, max_examples=500)
@given(text=st.one_of(texts, st.lists(st.sampled_from(PIECES), max_size=40).map("".join)))
def test_activations_of_ones_own(text: str) -> None:
    bounded(resolve, "=" + text, ExpressionError)


@fuzz
@given(
    start=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff", b"BM", b"RIFF\0\0\0\0WEBP"]), rest=st.binary(max_size=200)
)
def test_pictures(start: bytes, rest: bytes) -> None:
    bounded(read_picture, start + rest, PictureError)
