"""The side of a pixel as files tell it, in the ways that microscopes' software writes it."""

import io

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from blood_lib.images import read_pixel_size

OME = '<OME><Image><Pixels PhysicalSizeX="{}" PhysicalSizeXUnit="{}"/></Image></OME>'


def save(kind: str, **how) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(file, kind, **how)
    return file.getvalue()


def save_tiff(tags: dict[int, object]) -> bytes:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in tags.items():
        info[tag] = value
    return save("TIFF", tiffinfo=info)


@pytest.mark.parametrize(
    "content",
    [
        save("PNG", dpi=(254_000, 254_000)),
        save("TIFF", dpi=(254_000, 254_000)),
        save_tiff({282: 100_000.0, 283: 100_000.0, 296: 3}),
        save_tiff({282: 10.0, 283: 10.0, 296: 1, 270: "ImageJ=1.53\nunit=um\n"}),
        save_tiff({282: 10.0, 283: 10.0, 296: 1, 270: "ImageJ=1.53\nunit=\\u00B5m\n"}),
        save_tiff({270: OME.format("0.1", "um")}),
        save_tiff({270: OME.format("100", "nm")}),
    ],
)
def test_a_tenth_of_a_micrometre_is_read(content):
    assert read_pixel_size(content) == pytest.approx(0.1, rel=1e-3)


@pytest.mark.parametrize(
    "content",
    [
        save("PNG"),
        save("PNG", dpi=(96, 96)),
        save("JPEG", dpi=(300, 300)),
        save_tiff({282: 72.0, 283: 72.0, 296: 2}),
        save_tiff({270: OME.format("1e9", "um")}),
        save_tiff({270: OME.format("1.2.3", "um")}),
        b"no image",
        b"",
    ],
)
def test_what_is_no_microscopes_is_not_believed(content):
    assert read_pixel_size(content) is None
