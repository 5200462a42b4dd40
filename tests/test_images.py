"""Any bytes at all end as an upright 8-bit RGB image or as a sentence."""

import io
import struct
import threading
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blood_lib import images
from blood_lib.images import MAX_PIXELS, Rejection, crop_and_resize, load_image
from tests.tools.fixtures_bundle import draw_cell, encode

RED = (214, 39, 40)


def chunk(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG file."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_header(width: int, height: int) -> bytes:
    """A PNG that announces its size and breaks off."""
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + struct.pack(">I", 1000) + b"IDAT"


def corner(image: Image.Image) -> tuple[int, int, int]:
    return image.getpixel((0, 0))


def near(a, b, tolerance: int = 3) -> bool:
    return bool(np.abs(np.subtract(a, b)).max() <= tolerance)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF"])
def test_each_format_becomes_rgb(format: str) -> None:
    image = load_image(encode(draw_cell(), format))
    assert (image.mode, image.size) == ("RGB", (60, 64))
    assert near(corner(image), RED, tolerance=5)


def test_a_path_is_read_like_its_content(tmp_path: Path) -> None:
    path = tmp_path / "cell.png"
    path.write_bytes(encode(draw_cell()))
    assert load_image(path).tobytes() == load_image(path.read_bytes()).tobytes()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"these are not the cells you are looking for", "not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
        (b"PK\x03\x04" + bytes(60), "not an image"),
        (encode(draw_cell(), "PPM"), "not an image"),
        (encode(draw_cell(), "JPEG")[:-300], "damaged"),
        (encode(draw_cell(size=(300, 300)), "PNG")[:-100], "damaged"),
        (png_header(64, 64), "damaged"),
        (encode(Image.new("RGB", (1, 1))), "only 1x1 pixels"),
        (encode(Image.new("RGB", (15, 900))), "only 15x900 pixels"),
        (png_header(20_000, 20_000), "40 megapixels"),
        (png_header(MAX_PIXELS // 4_000 + 1, 4_000), "40 megapixels"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_usable_image_is_rejected_with_its_reason(content: bytes, words: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own about many pixels: outside of tests it is no error
        found = load_image(content)
    assert isinstance(found, Rejection)
    assert words in str(found.reason)
    assert str(found.reason).endswith(".") and ": " in str(found.reason)  # what is wrong: what to do


def test_many_pixels_are_rejected_where_warnings_are_errors_too() -> None:
    assert "megapixels" in str(load_image(png_header(10_000, 10_000)).reason)


@pytest.mark.parametrize("format", ["GIF", "TIFF", "WEBP", "PNG"])
def test_several_frames_are_rejected(format: str) -> None:
    frames = [draw_cell(colour) for colour in ("red", "blue")]
    found = load_image(encode(frames[0], format, save_all=True, append_images=frames[1:]))
    assert "several frames" in str(found.reason)


def test_cmyk_is_converted() -> None:
    image = load_image(encode(draw_cell().convert("CMYK"), "JPEG"))
    assert image.mode == "RGB" and near(corner(image), RED, tolerance=5)


def test_sixteen_bits_are_scaled_to_eight() -> None:
    values = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    image = np.asarray(load_image(encode(Image.fromarray(values))))
    assert image.dtype == np.uint8
    assert (image[0, 0].tolist(), image[-1, -1].tolist()) == ([0, 0, 0], [255, 255, 255])
    assert near(image[..., 0], values / 257, tolerance=1)


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_twelve_bits_in_a_file_of_sixteen_are_rejected(format: str) -> None:
    values = np.linspace(0, 4095, 64 * 64).astype(np.uint16).reshape(64, 64)
    assert "almost black" in str(load_image(encode(Image.fromarray(values), format)).reason)
    assert load_image(encode(Image.fromarray(values * 16), format)).mode == "RGB"


@pytest.mark.parametrize("level", [4095, 65535])
def test_sixteen_bits_a_colour_are_judged_alike(level: int) -> None:
    row = b"\0" + struct.pack(">HHH", level, level // 2, 0) * 20
    size = struct.pack(">IIBBBBB", 20, 20, 16, 2, 0, 0, 0)
    found = load_image(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(row * 20)))
    assert "almost black" in str(found.reason) if level == 4095 else corner(found) == (255, 127, 0)


def test_a_black_image_of_eight_bits_is_an_image() -> None:
    assert corner(load_image(encode(Image.new("RGB", (20, 20))))) == (0, 0, 0)


def test_thirty_two_bits_are_rejected() -> None:
    values = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    assert "32 bits" in str(load_image(encode(Image.fromarray(values), "TIFF")).reason)
    assert "32 bits" in str(load_image(encode(Image.fromarray(values.astype(np.int32) - 5), "TIFF")).reason)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparency_is_laid_on_white(mode: str) -> None:
    clear = Image.new("RGBA", (32, 32), (10, 20, 30, 0))
    clear.paste(RED, (8, 8, 24, 24))
    image = load_image(encode(clear.convert(mode), "TIFF" if mode == "PA" else "PNG"))
    assert image.mode == "RGB" and corner(image) == (255, 255, 255)


def test_a_palette_with_a_transparent_colour_is_laid_on_white() -> None:
    palette = draw_cell().quantize(4)
    transparent = palette.getpixel((0, 0))
    assert corner(load_image(encode(palette, "PNG", transparency=transparent))) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "P", "YCbCr"])
def test_other_modes_become_rgb(mode: str) -> None:
    format = "JPEG" if mode == "YCbCr" else "PNG"
    assert load_image(encode(draw_cell().convert(mode), format)).mode == "RGB"


def test_the_orientation_tag_turns_the_image_upright() -> None:
    image = Image.new("RGB", (40, 20), "white")
    image.paste("black", (0, 0, 20, 20))  # black on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    upright = load_image(encode(image, "PNG", exif=exif))
    assert upright.size == (20, 40)
    assert corner(upright) == (0, 0, 0) and upright.getpixel((19, 39)) == (255, 255, 255)


def test_a_damaged_exif_block_does_not_spoil_the_image() -> None:
    content = encode(draw_cell(), "JPEG", exif=b"Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff" + b"\xff" * 40)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own about the tags
        assert load_image(content).size == (60, 64)


@pytest.mark.parametrize(
    ("format", "n_frames"),
    [(format, 1) for format in ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP")]
    + [(format, 3) for format in ("PNG", "TIFF", "WEBP", "GIF")],
)
def test_random_damage_never_raises(format: str, n_frames: int) -> None:
    rng = np.random.default_rng(n_frames)
    more = [draw_cell("blue")] * (n_frames - 1)
    sound = encode(draw_cell(), format, **({"save_all": True, "append_images": more} if more else {}))
    for _ in range(60):
        content = bytearray(sound)
        for where in rng.integers(len(content), size=rng.integers(1, 5)):
            content[where] = rng.integers(256)
        check_any(bytes(content))
        check_any(bytes(content[: rng.integers(1, len(content) + 1)]))


def check_any(content: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = load_image(content)
    assert isinstance(found, Rejection) or found.mode == "RGB"


@pytest.mark.parametrize("end", [b",", b"!", b"!\xf9\x04", b"," + bytes(4)])
def test_a_gif_that_breaks_off_after_its_first_frame_never_raises(end: bytes) -> None:
    check_any(encode(draw_cell(), "GIF")[:-1] + end)


def test_large_images_are_decoded_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may need hundreds of megabytes, and a reader has several threads."""
    monkeypatch.setattr(images, "LARGE_PIXELS", 60 * 60)
    at_work, most, original = [], [], images._decode

    def decode(image: Image.Image, **how: bool):
        at_work.append(1)
        time.sleep(0.02)
        most.append(len(at_work))
        at_work.pop()
        return original(image, **how)

    monkeypatch.setattr(images, "_decode", decode)
    for size, expected in [((60, 64), 1), ((50, 50), 4)]:
        threads = [threading.Thread(target=load_image, args=[encode(draw_cell(size=size))]) for _ in range(4)]
        most.clear()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert max(most) <= expected and len(most) == 4


def test_a_transparent_image_costs_little_more_than_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoded pixels and the result, and no canvas beside them."""
    content = encode(draw_cell().convert("RGBA"))
    monkeypatch.setattr(Image.Image, "copy", lambda image: pytest.fail("a copy of the whole image"))
    monkeypatch.setattr(Image.Image, "convert", lambda *_: pytest.fail("a converted copy"))
    assert near(corner(load_image(content)), RED, tolerance=0)


def test_the_crop_is_the_centred_square() -> None:
    image = Image.new("RGB", (100, 60), "white")
    image.paste("black", (35, 15, 65, 45))  # the middle 30 x 30
    assert np.asarray(crop_and_resize(image, image_size=24, crop=0.5))[1:-1, 1:-1].max() == 0
    whole = np.asarray(crop_and_resize(image, image_size=60, crop=1.0))
    assert whole.shape == (60, 60, 3)
    assert (whole[15:45, 15:45] == 0).all() and (whole[:15] == 255).all()


def test_the_size_of_the_image_leaves_no_trace_after_the_crop() -> None:
    small, large = (
        crop_and_resize(Image.new("RGB", (s, s + 3), RED), image_size=32, crop=0.8) for s in (90, 366)
    )
    assert small.tobytes() == large.tobytes()


def test_real_images_load(real_images: Path) -> None:
    paths = sorted(real_images.glob("*/*.jpg"))[::400]
    found = [load_image(path) for path in paths]
    assert all(image.mode == "RGB" and min(image.size) >= 360 for image in found)
    assert "not an image" in str(load_image(real_images / "neutrophil" / ".DS_169665.jpg").reason)


# --- images and arrays that are in memory already ---


MODES = [
    "1",
    "L",
    "P",
    "RGB",
    "RGBA",
    "CMYK",
    "YCbCr",
    "HSV",
    "LA",
    "PA",
    "RGBX",
    "RGBa",
    "La",
    "I;16",
    "I",
    "F",
]


@pytest.mark.parametrize("mode", MODES)
def test_an_image_of_any_mode_becomes_rgb_and_stays_as_it_is(mode: str) -> None:
    given = Image.new(mode, (20, 30), 0 if mode not in ("I", "I;16") else 30_000)
    found = load_image(given)
    assert isinstance(found, Image.Image) and (found.mode, found.size) == ("RGB", (20, 30))
    assert given.mode == mode


def test_an_image_in_memory_is_turned_upright_without_being_changed(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    draw_cell(size=(20, 30)).save(tmp_path / "a.jpg", exif=exif)
    with Image.open(tmp_path / "a.jpg") as given:
        assert load_image(given).size == (30, 20) and given.size == (20, 30)
    assert load_image(str(tmp_path / "a.jpg")).size == load_image(tmp_path / "a.jpg").size == (30, 20)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64, bool])
@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3), (20, 30, 4)])
def test_an_array_becomes_the_image_it_shows(dtype: type, shape: tuple[int, ...]) -> None:
    one = {np.uint8: 255, np.uint16: 65535}.get(dtype, 1)
    values = np.full(shape, one, dtype)
    values[:10, :, ...] = 0
    values[..., 3:] = one  # opaque
    found = np.asarray(load_image(values))
    assert found.shape == (20, 30, 3) and (found[0, 0] == 0).all() and (found[-1, -1] == 255).all()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (np.zeros((20, 30, 2), np.uint8), "array_shape"),
        (np.zeros(20, np.uint8), "array_shape"),
        (np.zeros((8, 30), np.uint8), "small"),
        (np.full((20, 30), 255.0), "array_values"),
        (np.full((20, 30), np.nan), "array_values"),
        (np.zeros((20, 30), np.int64), "array_values"),
        (np.full((20, 30), 4095, np.uint16), "dark"),
        (np.zeros((0, 30), np.float32), "small"),
    ],
)
def test_an_array_that_is_no_image_is_rejected_with_its_reason(values: np.ndarray, code: str) -> None:
    found = load_image(values)
    assert isinstance(found, Rejection) and found.reason.code == code


def test_what_is_no_image_at_all_is_told_in_a_sentence() -> None:
    with pytest.raises(TypeError, match="int is no image: give a path"):
        load_image(3)


def save_pages(*sides: int) -> bytes:
    first, *others = [draw_cell().resize((side, side)) for side in sides]
    return encode(first, "TIFF", save_all=True, append_images=others)


def test_of_a_pyramid_the_largest_page_is_read() -> None:
    for sides in ((64, 32, 16), (16, 64, 32)):
        assert load_image(save_pages(*sides)).size == (64, 64)
    assert "several frames" in str(load_image(save_pages(64, 64)).reason)


@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
def test_an_alpha_channel_that_nobody_filled_is_ignored(format: str) -> None:
    image = draw_cell().convert("RGBA")
    image.putalpha(0)
    how = {"lossless": True, "exact": True} if format == "WEBP" else {}
    assert near(corner(load_image(encode(image, format, **how))), RED)


def test_a_tiff_that_pillow_would_read_wrongly_is_refused_with_the_reason() -> None:
    from tifffile import imwrite

    def save(values: np.ndarray, **how) -> bytes:
        file = io.BytesIO()
        imwrite(file, values, photometric="rgb", **how)
        return file.getvalue()

    pixels = np.asarray(draw_cell())
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    assert near(corner(load_image(save(planes, planarconfig="separate"))), RED)
    deep = save(planes.astype(np.uint16) * 257, planarconfig="separate")
    assert "planes" in str(load_image(deep).reason)
    assert "fractions" in str(load_image(save(pixels.astype(np.float32) / 255)).reason)
