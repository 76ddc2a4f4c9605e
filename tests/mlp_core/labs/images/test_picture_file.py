"""Files come back as the gray that Pillow, asked directly, or arithmetic gives; all else is refused in words, whatever the bytes."""

from __future__ import annotations

import io
import pickle
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, ImageOps

from mlp_core.labs.images.file import FORMATS, MAX_BYTES, MAX_PIXELS, MAX_SCANS, ORIENTATION, WORK_SIDE, Picture, PictureError, read_picture

pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning", "ignore::UserWarning")  # Pillow's, on damaged files


def colors(height: int = 20, width: int = 30, channels: int = 3) -> npt.NDArray[np.uint8]:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def file(image: Image.Image | npt.NDArray[Any], format: str = "PNG", **options: Any) -> bytes:
    """An image or an array as the bytes of a file."""
    stream = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(stream, format, **options)
    return stream.getvalue()


def png(width: int, height: int, body: bytes = b"", *extra: tuple[bytes, bytes]) -> bytes:
    """A PNG whose header promises 8 bits of gray and so many pixels."""
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), *extra, (b"IDAT", body), (b"IEND", b""))
    packed = (struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def tiled(gray: npt.NDArray[np.uint8], side: int) -> bytes:
    """A TIFF in one deflated tile that is said to have so many pixels a side."""
    body, start = zlib.compress(gray.tobytes()), 8 + 2 + 10 * 12 + 4
    height, width = gray.shape
    tags = ((256, width), (257, height), (258, 8), (259, 8), (262, 1), (277, 1), (322, side), (323, side), (324, start), (325, len(body)))
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8) + directory + body


def refusal(data: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        read_picture(data)
    return str(caught.value)


def assert_sound(picture: Picture) -> None:
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.ndim == 2
    assert 1 <= min(picture.pixels.shape) <= max(picture.pixels.shape) <= WORK_SIDE
    assert not picture.pixels.flags.writeable
    assert picture.format in FORMATS


@pytest.mark.parametrize(("format", "options"), [
        ("PNG", {}), ("BMP", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}),
    ],
)  # fmt: skip
def test_color_becomes_the_gray_of_bt_601(format: str, options: dict[str, Any]) -> None:
    rgb = colors()
    picture = read_picture(file(rgb, format, **options))
    luma = 0.299 * rgb[..., 0] + 0.587 * rgb[..., 1] + 0.114 * rgb[..., 2]
    np.testing.assert_array_equal(picture.pixels, np.rint(luma))
    assert (picture.format, picture.size, picture.notes) == (format, (30, 20), ())
    assert_sound(picture)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK"])
def test_every_mode_is_read_as_pillow_reads_it(mode: str) -> None:
    image = Image.fromarray(colors()).convert("L" if mode == "LA" else mode if mode != "P" else "RGB")
    image = image.quantize(64) if mode == "P" else image.convert(mode)
    data = file(image, "JPEG", quality=95) if mode == "CMYK" else file(image)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB").convert("L"), dtype=int)
    np.testing.assert_allclose(read_picture(data).pixels, expected, atol=1)


@pytest.mark.parametrize(("format", "options"), [("JPEG", {}), ("JPEG", {"progressive": True}), ("AVIF", {})])
def test_a_jpeg_or_avif_is_near_what_was_saved(format: str, options: dict[str, Any]) -> None:
    smooth = np.add.outer(np.arange(60), 2 * np.arange(50)).astype(np.uint8)
    picture = read_picture(file(smooth, format, quality=95, **options))
    np.testing.assert_allclose(picture.pixels.astype(int), smooth, atol=4)
    assert picture.format == format


def test_16_bits_of_gray_become_8() -> None:
    gray = colors(channels=1)
    for format in ("PNG", "TIFF"):
        np.testing.assert_array_equal(read_picture(file(gray.astype(np.uint16) * 257, format)).pixels, gray)


def test_a_gif_shows_its_first_picture() -> None:
    first, second = (Image.fromarray(np.full((8, 9), value, dtype=np.uint8)) for value in (40, 200))
    still, moving = file(first, "GIF"), file(first, "GIF", save_all=True, append_images=[second])
    for data, notes in ((still, ()), (moving, ("Of an animation, or of several pages, the first.",))):
        picture = read_picture(data)
        np.testing.assert_array_equal(picture.pixels, 40)
        assert picture.notes == notes


@pytest.mark.parametrize("format", ["AVIF", "PNG", "TIFF", "WEBP"])
def test_of_an_animation_or_of_pages_the_first_is_shown_and_said_to_be_that(format: str) -> None:
    first, second = (Image.fromarray(np.full((16, 18, 3), value, dtype=np.uint8)) for value in (40, 200))
    picture = read_picture(file(first, format, save_all=True, append_images=[second]))
    np.testing.assert_allclose(picture.pixels, 40, atol=2)
    assert picture.notes == ("Of an animation, or of several pages, the first.",)


def test_heic_is_named_with_what_to_do() -> None:
    for brand in (b"heic", b"heix", b"mif1"):
        message = refusal(struct.pack(">I", 24) + b"ftyp" + brand + b"\0\0\0\0mif1heic" + bytes(400))
        assert "found HEIC" in message
        assert "export it as JPEG" in message


def test_a_tiff_of_floating_point_numbers_is_refused() -> None:
    for gray in (colors(channels=1).astype(np.float32) / 255, colors(channels=1).astype(np.int32)):
        assert refusal(file(gray, "TIFF")) == "expected a TIFF of 8 or 16 bits a color, found one of 32"


def test_a_tile_much_larger_than_its_picture_is_refused_undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    gray = colors(16, 16, channels=1)
    np.testing.assert_array_equal(read_picture(tiled(gray, 16)).pixels, gray)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("it was decoded"))
    assert refusal(tiled(gray, 30_000)) == "expected a TIFF in tiles of at most 16.8 million pixels, found larger ones"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_turned_as_the_camera_was_held(orientation: int) -> None:
    gray = colors(channels=1)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = file(gray, exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    picture = read_picture(data)
    np.testing.assert_array_equal(picture.pixels, expected)
    assert (picture.notes != ()) == (orientation > 1)


@pytest.mark.parametrize("exif", [b"MM\0*\xff\xff\xff\xff", b"what?", b"II+\0", b"II*\0\x08\0\0\0\x01\0\x12\x01\x07\0"])
def test_damaged_exif_is_no_reason_to_refuse(exif: bytes) -> None:
    gray = colors(channels=1)
    np.testing.assert_array_equal(read_picture(file(gray, exif=b"Exif\0\0" + exif)).pixels, gray)


def test_several_jpegs_in_one_file_show_the_first() -> None:
    """As phones write them that keep a depth map."""
    first, second = (Image.fromarray(np.full((8, 9), value, dtype=np.uint8)) for value in (40, 200))
    picture = read_picture(file(first, "MPO", save_all=True, append_images=[second]))
    np.testing.assert_allclose(picture.pixels, 40, atol=1)
    assert (picture.format, picture.notes) == ("JPEG", ())


@pytest.mark.parametrize(("object_", "around"), [(30, 255), (230, 0)])
@pytest.mark.parametrize("palette", [False, True])
def test_what_is_transparent_contrasts_with_the_rest(object_: int, around: int, palette: bool) -> None:
    rgba = np.zeros((12, 10, 4), dtype=np.uint8)
    rgba[3:9, 2:7] = (object_, object_, object_, 255)
    image = Image.fromarray(rgba)
    if palette:
        indices = Image.fromarray((rgba[..., 3] // 255).astype(np.uint8))
        indices.putpalette([9, 9, 9, object_, object_, object_])
        image = indices
    picture = read_picture(file(image, transparency=0) if palette else file(image))
    expected = np.full((12, 10), around)
    expected[3:9, 2:7] = object_
    np.testing.assert_array_equal(picture.pixels, expected)
    assert ("black" if around == 0 else "white") in picture.notes[0]


def test_half_transparent_is_mixed_with_what_is_around() -> None:
    rgba = np.zeros((4, 4, 4), dtype=np.uint8)
    rgba[..., :3], rgba[..., 3] = 100, 51  # one fifth
    np.testing.assert_array_equal(read_picture(file(rgba)).pixels, round(0.2 * 100 + 0.8 * 255))


@pytest.mark.parametrize(("height", "width"), [(600, 1200), (1700, 40), (1, 3000), (3000, 1), (561, 560)])
def test_large_pictures_are_kept_as_means_over_squares(height: int, width: int) -> None:
    gray = colors(height, width, channels=1)
    picture = read_picture(file(gray))
    factor = -(-max(height, width) // WORK_SIDE)
    for i, j in ((0, 0), (picture.pixels.shape[0] - 1, picture.pixels.shape[1] - 1), (picture.pixels.shape[0] // 2, 0)):
        square = gray[i * factor : (i + 1) * factor, j * factor : (j + 1) * factor]
        assert picture.pixels[i, j] == pytest.approx(square.mean(), abs=1)
    assert picture.pixels.shape == (-(-height // factor), -(-width // factor))
    assert picture.size == (width, height)
    assert_sound(picture)


def test_a_large_jpeg_is_reduced_to_its_own_proportions() -> None:
    gray = np.repeat(np.repeat(colors(30, 50, channels=1), 64, axis=0), 64, axis=1)
    picture = read_picture(file(gray, "JPEG", quality=95))
    assert picture.size == (3200, 1920)
    height, width = picture.pixels.shape
    assert width / height == pytest.approx(5 / 3, rel=0.02)
    assert max(height, width) <= WORK_SIDE
    middle = picture.pixels[height // 60 :: height // 30, width // 100 :: width // 50][:30, :50].astype(float)
    assert np.corrcoef(middle.ravel(), colors(30, 50, channels=1)[: middle.shape[0], : middle.shape[1]].ravel())[0, 1] > 0.95


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        b"%PDF-1.7 ...",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        file(colors(), "PPM"),
        file(colors(), "ICO"),
        file(colors(), "EPS"),
    ],
)
def test_what_is_no_picture_or_of_another_format_is_refused(data: bytes) -> None:
    assert refusal(data).startswith("expected a picture (PNG, JPEG, GIF, WEBP, BMP, AVIF, TIFF), found ")


def test_a_file_that_is_too_long_is_refused_unread() -> None:
    assert refusal(file(colors()) + bytes(MAX_BYTES)) == "expected a file of at most 5 MB, found 5.0 MB"


@pytest.mark.parametrize(("width", "height"), [(4097, 4096), (MAX_PIXELS + 1, 1), (12_000, 12_000), (50_000, 50_000)])
def test_a_decompression_bomb_is_refused_by_its_header(width: int, height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("it was decoded"))
    assert refusal(png(width, height, zlib.compress(bytes(1000)))).startswith("expected at most 16.8 million pixels, found ")


@pytest.mark.parametrize("tail", [b"", b"\0\0\0\x04\xe3))\x94" + bytes(8), b"\xff" * 40])
def test_a_picture_that_breaks_off_or_goes_wrong_is_refused(tail: bytes) -> None:
    whole = png(200, 200, zlib.compress(colors(200, 201, channels=1).tobytes()))
    for length in (60, len(whole) // 2):
        assert refusal(whole[:length] + tail) == "expected a whole PNG picture, found a damaged or incomplete one of 200 × 200 pixels"


def test_a_text_chunk_that_unpacks_to_gigabytes_is_refused() -> None:
    bomb = b"comment\0\0" + zlib.compress(bytes(80_000_000))
    refusal(png(2, 2, zlib.compress(bytes(6)), (b"zTXt", bomb)))


def test_a_jpeg_of_very_many_scans_is_refused() -> None:
    data = file(colors(), "JPEG", progressive=True)
    start = data.rindex(b"\xff\xda")
    scans = data.count(b"\xff\xda")
    assert read_picture(data[:-2] + data[start:-2] * (MAX_SCANS - scans) + data[-2:]).format == "JPEG"
    message = refusal(data[:-2] + data[start:-2] * (MAX_SCANS - scans + 1) + data[-2:])
    assert message == f"expected a JPEG of at most {MAX_SCANS} scans, found {MAX_SCANS + 1}"


def test_a_picture_without_anything_to_see_is_refused() -> None:
    assert "transparent throughout" in refusal(file(np.zeros((5, 5, 4), dtype=np.uint8)))


def test_the_refusal_can_be_passed_on() -> None:
    error = PictureError("one thing", "another")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.expected, copy.found) == (str(error), "one thing", "another")


ORIGINALS = (
    file(colors()),
    file(Image.fromarray(colors()).quantize(16), transparency=3),
    file(colors(channels=4)),
    file(colors(channels=1).astype(np.uint16) * 257),
    file(colors(), "JPEG"),
    file(colors(), "JPEG", progressive=True),
    file(Image.fromarray(colors()).convert("CMYK"), "JPEG"),
    file(Image.fromarray(colors()).quantize(16), "GIF", save_all=True, append_images=[Image.fromarray(colors()).quantize(8)]),
    file(colors(), "WEBP"),
    file(colors(channels=4), "WEBP", lossless=True),
    file(colors(), "BMP"),
    file(colors(), "AVIF"),
    file(colors(), "TIFF", compression="tiff_lzw"),
    file(colors(), "TIFF", compression="jpeg"),
    tiled(colors(16, 16, channels=1), 16),
)


@given(st.binary(max_size=400), st.sampled_from([original[:length] for original in ORIGINALS for length in (0, 4, 16, 40)]))
def test_any_bytes_are_a_picture_or_a_refusal(data: bytes, start: bytes) -> None:
    try:
        assert_sound(read_picture(start + data))
    except PictureError:
        return


@settings(max_examples=300)
@given(
    st.sampled_from(ORIGINALS),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=4)), max_size=6),
    st.floats(0, 1),
)
@example(ORIGINALS[0], [], 1.0)
def test_a_damaged_picture_is_a_picture_or_a_refusal(original: bytes, changes: list[tuple[float, bytes]], kept: float) -> None:
    data = bytearray(original)
    for place, new in changes:
        at = int(place**2 * len(data))  # more often near the header
        data[at : at + len(new)] = new
    try:
        assert_sound(read_picture(bytes(data[: round(kept * len(data))])))
    except PictureError:
        assert changes or kept < 1


@given(st.sampled_from(["L", "RGB", "RGBA", "1", "P", "CMYK"]), st.sampled_from(FORMATS), st.integers(1, 70), st.integers(1, 70))
def test_any_size_and_mode_is_read(mode: str, format: str, width: int, height: int) -> None:
    image = Image.fromarray(colors(height, width)).convert(mode)
    try:
        data = file(image, format)
    except (OSError, ValueError):  # not every format has every mode
        return
    picture = read_picture(data)
    assert picture.size == (width, height)
    assert picture.pixels.shape == (height, width)
