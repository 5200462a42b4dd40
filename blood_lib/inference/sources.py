"""Whatever `Classifier.classify` is given becomes (name, content) pairs: paths, bytes, images, arrays, pairs.

Folders and ZIP archives are opened by `files`; how a content becomes pixels is for `images.py`.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias, TypeGuard

import numpy as np
from PIL import Image

from blood_lib.files import iter_files
from blood_lib.files.archives import Rejection, iter_zip
from blood_lib.images import SOURCES, Source

__all__ = ["Named", "Sources", "iter_sources"]

Named: TypeAlias = tuple[str, Source | Rejection]
Sources: TypeAlias = Source | Named | Iterable[Source | Named]

_ZIP_START = b"PK\x03\x04"
_WANTED = "give paths, bytes, PIL images or NumPy arrays, or pairs of a name and one of these"


def iter_sources(given: Sources) -> Iterator[Named]:
    """Yield (name, content) for all that is given, one or many; raises TypeError for what is none of these.

    A path is a file, a folder or a ZIP archive, and bytes may be a ZIP archive, too: each file in them is a
    pair of its own. A pair is passed on as it is. Images without a file's name are called `image 1` and so
    on, by their place among all that is given.
    """
    if isinstance(given, np.ndarray):
        is_one = given.dtype.kind not in "OUS" and given.ndim != 4
        items: Iterable[object] = [given] if is_one else list(given)
    elif isinstance(given, SOURCES) or _is_pair(given):
        items = [given]
    elif isinstance(given, Iterable) and not isinstance(given, Mapping):
        items = given
    else:
        raise TypeError(f"{_describe(given)} cannot be classified: {_WANTED}.")
    return _iter_named(items)


def _iter_named(items: Iterable[object]) -> Iterator[Named]:
    for n, item in enumerate(items, 1):
        if _is_pair(item):
            yield item
        elif isinstance(item, str | os.PathLike):
            yield from iter_files([os.fspath(item)])
        elif isinstance(item, bytes) and item.startswith(_ZIP_START):
            yield from iter_zip(f"archive {n}", item)
        elif isinstance(item, Image.Image):
            yield os.fspath(getattr(item, "filename", "")) or f"image {n}", item
        elif isinstance(item, SOURCES):
            yield f"image {n}", item
        else:
            raise TypeError(f"{_describe(item)} cannot be classified: {_WANTED}.")


def _is_pair(item: object) -> TypeGuard[Named]:
    """Is it a name and a content, and not two paths?"""
    return (
        isinstance(item, tuple)
        and len(item) == 2
        and isinstance(item[0], str)
        and isinstance(item[1], (*SOURCES, Rejection))
        and not isinstance(item[1], str)
    )


def _describe(item: object) -> str:
    return f"a value of the type {type(item).__name__}"
