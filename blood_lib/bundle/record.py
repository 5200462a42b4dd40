"""A bundle as a record: its fields, its files, and how one bundle is made from another.

The text of bundle.json is for `index.py`, folders for `load.py` and `save.py`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from blood_lib.bundle.index import BUNDLE_INDEX, BundleError, parse_index, write_index
from blood_lib.bundle.schema import ClassInfo, DetectorInfo, Preprocessing, SubtypeInfo, Thresholds

__all__ = ["Bundle", "build_bundle", "find_class"]


@dataclass(frozen=True, eq=False)
class Bundle:
    """A bundle whose files were all found and had the hashes they should have."""

    path: Path
    index: bytes = field(repr=False)  # the content of bundle.json, which holds the hashes of the other files
    title: dict[str, str]
    item: dict[str, str]  # language -> what one of the images is called: "cell"
    items: dict[str, str]  # the same for several: "cells"
    classes: tuple[ClassInfo, ...]
    preprocessing: Preprocessing
    temperature: float  # logits are divided by it before the softmax
    thresholds: Thresholds
    card: dict[str, Any]  # provenance and metrics, free form
    files: dict[str, str]  # name -> sha256
    subtypes: tuple[SubtypeInfo, ...] = ()  # in the order of the head in subtypes.npz; () where there is none
    differential: dict[str, str] | None = None  # language -> what the cells of a differential are called
    detector: DetectorInfo | None = None  # what detector.onnx finds; None where there is none
    held: dict[str, bytes] = field(default_factory=dict, repr=False)  # what is in memory, not in the folder

    @property
    def sha256(self) -> str:
        """The hash of bundle.json: the bundle's identity."""
        return hashlib.sha256(self.index).hexdigest()

    @property
    def identities(self) -> frozenset[str]:
        """Its own hash, and that of the bundle that its detector was added to: both name a cell alike."""
        entry = self.card.get("detector")
        before = entry.get("added_to") if isinstance(entry, dict) else None
        return frozenset({self.sha256, before} if isinstance(before, str) else {self.sha256})

    @property
    def names(self) -> list[str]:
        """The classes' names, in the order of the network's outputs."""
        return [info.name for info in self.classes]

    @property
    def colours(self) -> dict[str, str]:
        """Class name -> "#rrggbb"."""
        return {info.name: info.colour for info in self.classes}

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Class name -> reference range, of those in the differential that have one."""
        return {
            info.name: info.reference_range
            for info in self.classes
            if info.in_differential and info.reference_range
        }

    @property
    def examples(self) -> list[Path]:
        """The example images, sorted by name."""
        return [self.path / name for name in sorted(self.files) if name.startswith("examples/")]

    @classmethod
    def from_index(cls, path: Path, index: bytes, held: Mapping[str, bytes] | None = None) -> "Bundle":
        """From the content of bundle.json; no other file has been looked at. Raises BundleError."""
        return cls(path=path, index=index, held=dict(held or {}), **parse_index(path, index))

    def read(self, name: str) -> bytes:
        """The content of one of the bundle's files, checked against its hash; raises BundleError."""
        return self.held[name] if name in self.held else self._read_from_disk(name)

    def _read_from_disk(self, name: str) -> bytes:
        try:
            content = (self.path / name).read_bytes()
        except OSError as error:
            raise BundleError(
                f"the bundle in {self.path} is incomplete: {name} cannot be read ({error.strerror}); "
                "get it again."
            ) from None
        self.check(name, content)
        return content

    def check(self, name: str, content: bytes) -> None:
        """Raises BundleError when `content` is not what the file `name` should hold."""
        if hashlib.sha256(content).hexdigest() != self.files[name]:
            raise BundleError(
                f"the bundle in {self.path} is damaged: {name} is not what it should be; get it again."
            )

    def change(self, *, files: Mapping[str, bytes], **changes: Any) -> "Bundle":
        """This bundle with `changes` of its fields and with `files` new or replaced; all of it in memory."""
        new = replace(self, **changes, files=self.files | _hash_all(files), held=self.held | {**files})
        return replace(new, index=write_index(new._described(), new.files))

    def contents(self) -> dict[str, bytes]:
        """Every file, bundle.json first: what `load_bundle_files` makes the same bundle of."""
        return {BUNDLE_INDEX: self.index} | {name: self.read(name) for name in self.files}

    def save(self, folder: Path | str) -> "Bundle":
        """Write all files into `folder`, and return the bundle as it is there.

        Raises BundleError, and writes nothing, where the fields do not make a bundle.
        """
        saved = Bundle.from_index(Path(folder), self.index)
        for name, content in self.contents().items():
            target = saved.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return saved

    def _described(self) -> dict[str, Any]:
        """The fields that bundle.json describes, as `build_bundle` takes them."""
        apart = ("path", "index", "files", "held")
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name not in apart}


def build_bundle(
    path: Path | str,
    *,
    title: Mapping[str, str],
    item: Mapping[str, str],
    items: Mapping[str, str],
    classes: Iterable[ClassInfo],
    preprocessing: Preprocessing,
    temperature: float,
    thresholds: Thresholds,
    card: Mapping[str, Any],
    files: Mapping[str, bytes],
    subtypes: Iterable[SubtypeInfo] = (),
    differential: Mapping[str, str] | None = None,
    detector: DetectorInfo | None = None,
) -> Bundle:
    """A bundle in memory, made of its fields and `files` (name -> content); raises BundleError.

    path: what messages call it, and where it will be when it is saved.
    """
    described = {
        "title": title,
        "item": item,
        "items": items,
        "classes": classes,
        "preprocessing": preprocessing,
        "temperature": temperature,
        "thresholds": thresholds,
        "card": card,
        "subtypes": subtypes,
        "differential": differential,
        "detector": detector,
    }
    index = write_index(described, _hash_all(files))
    return Bundle.from_index(Path(path), index, files)


def _hash_all(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def find_class(word: str, classes: Iterable[ClassInfo]) -> int | None:
    """The index of the class that `word` means: its name or label in any language, capitals or plural."""
    known: dict[str, int] = {}
    for i, info in enumerate(classes):
        for text in (info.name, *info.label.values()):
            known.setdefault(text.casefold().replace("_", " "), i)
    wanted = word.strip().casefold().replace("_", " ")
    return known.get(wanted, known.get(wanted.removesuffix("s")))
