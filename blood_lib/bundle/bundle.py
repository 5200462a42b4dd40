"""The bundle: a folder with one trained model and all that is needed to use it; checked, loaded, saved.

Nothing in it is executable. What may stand in bundle.json is for `schema.py`, what the model computes for
`inference.py`, what the map shows for `atlas.py`.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from blood_lib.bundle.schema import (
    ClassInfo,
    Preprocessing,
    SubtypeInfo,
    Thresholds,
    parse_class,
    parse_file_name,
    parse_number,
    parse_preprocessing,
    parse_subtype,
    parse_text,
    parse_texts,
    parse_thresholds,
)
from blood_lib.files.archives import ArchiveError, find_root, iter_whole, list_zip
from blood_lib.files.errors import BloodError
from blood_lib.files.output import writing

__all__ = [
    "BUNDLE_FORMAT",
    "BUNDLE_INDEX",
    "EXCLUDED",
    "SHIPPED",
    "UNIDENTIFIED",
    "Bundle",
    "BundleError",
    "ClassInfo",
    "Preprocessing",
    "SubtypeInfo",
    "Thresholds",
    "check_out",
    "find_class",
    "load_bundle",
    "load_bundle_files",
    "load_bundle_zip",
    "open_folder",
    "save_bundle",
]

BUNDLE_FORMAT = 1
BUNDLE_INDEX = "bundle.json"
SHIPPED = Path(__file__).parents[1] / "bundles" / "pbc"
NEEDED = ("model.onnx", "atlas.npz")
UNIDENTIFIED, EXCLUDED = "unidentified", "excluded"  # where people put what counts as no class

_MAX_JSON_BYTES = 16 * 2**20
_MAX_ZIP_BYTES = 512 * 2**20  # of a bundle that is unpacked in memory


class BundleError(BloodError):
    """A bundle is missing, damaged, or not of a kind that this version can use."""


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
    held: dict[str, bytes] = field(default_factory=dict, repr=False)  # what is in memory, not in the folder

    @property
    def sha256(self) -> str:
        """The hash of bundle.json: the bundle's identity."""
        return hashlib.sha256(self.index).hexdigest()

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

    def read(self, name: str) -> bytes:
        """The content of one of the bundle's files, checked against its hash."""
        return self.held[name] if name in self.held else _read_checked(self.path, name, self.files[name])

    def change(self, *, files: Mapping[str, bytes], **changes: Any) -> "Bundle":
        """This bundle with `changes` of its fields and with `files` new or replaced; all of it in memory."""
        new = replace(self, **changes, files=self.files | _hash_all(files), held=self.held | {**files})
        return replace(new, index=_write_index(new._described(), new.files))

    def contents(self) -> dict[str, bytes]:
        """Every file, bundle.json first: what `load_bundle_files` makes the same bundle of."""
        return {BUNDLE_INDEX: self.index} | {name: self.read(name) for name in self.files}

    def save(self, folder: Path | str) -> "Bundle":
        """Write all of it into `folder`, and load the result."""
        return _write_files(Path(folder), self.contents())

    def _described(self) -> dict[str, Any]:
        """The fields that bundle.json describes, as `save_bundle` takes them."""
        apart = ("path", "index", "files", "held")
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name not in apart}


def find_class(word: str, classes: Iterable[ClassInfo]) -> int | None:
    """The index of the class that `word` means: its name or its label in any language, capitals or not."""
    wanted = word.strip().casefold().replace("_", " ")
    for i, info in enumerate(classes):
        if wanted in {text.casefold().replace("_", " ") for text in (info.name, *info.label.values())}:
            return i
    return None


def load_bundle(path: Path | str | None = None) -> Bundle:
    """Load and check the bundle in `path`, a folder or a ZIP archive of one; None: the bundle that ships.

    BundleError says what is wrong.
    """
    path = SHIPPED if path is None else Path(path)
    if path.suffix == ".zip" and path.is_file():
        return load_bundle_zip(_read_whole(path), path)
    bundle = _parse_index(path, _read_index(path))
    for name in bundle.files:
        bundle.read(name)
    return bundle


def load_bundle_zip(
    content: bytes, path: Path, *, watch: Callable[[Iterator, int], Iterable] = lambda files, _n: files
) -> Bundle:
    """The same from a ZIP archive, which may be a stranger's and stays in memory. path: what to call it.

    watch(files, n) goes through the n files that are read, to tell how far it is, or to stop it.
    """
    try:
        unpacked = iter_whole(content, most_bytes=_MAX_ZIP_BYTES)
        files = dict(watch(unpacked, len(list_zip(content))))
    except ArchiveError as error:
        raise BundleError(f"the bundle in {path} cannot be read: {error}") from None
    root = find_root(files, BUNDLE_INDEX) or ""
    inner = {file.removeprefix(root): files[file] for file in files if file.startswith(root)}
    return load_bundle_files(inner, path)


def load_bundle_files(files: Mapping[str, bytes], path: Path) -> Bundle:
    """The bundle that consists of these files, in memory; what is in the folder `path` is not looked at."""
    if BUNDLE_INDEX not in files:
        raise BundleError(f"there is no bundle in {path}: give one that holds a {BUNDLE_INDEX}.")
    bundle = _parse_index(path, files[BUNDLE_INDEX])
    for name, sha256 in bundle.files.items():
        if name not in files:
            raise BundleError(f"the bundle in {path} is incomplete: {name} is missing; get it again.")
        _check_hash(path, name, files[name], sha256)
    return replace(bundle, held={name: files[name] for name in bundle.files})


def save_bundle(
    folder: Path | str,
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
) -> Bundle:
    """Write `files` and a bundle.json with their hashes into `folder`, and load the result."""
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
    }
    index = _write_index(described, _hash_all(files))
    return _write_files(Path(folder), {BUNDLE_INDEX: index, **files})


def _write_files(folder: Path, files: Mapping[str, bytes]) -> Bundle:
    for name, content in files.items():
        target = folder / parse_file_name(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return load_bundle(folder)


def check_out(out: Path) -> None:
    """BloodError when a bundle must not be written to `out`, since it holds something else."""
    if out.exists() and not (out / "bundle.json").exists() and not (out.is_dir() and not any(out.iterdir())):
        raise BloodError(f"{out} holds something else than a bundle: name another folder.")


@contextmanager
def open_folder(out: Path) -> Iterator[Path]:
    """A new folder that takes the place of `out` when all is in it; raises BloodError."""
    check_out(out)
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-")
    with scratch:
        new = Path(scratch.name) / "bundle"
        yield new
        with writing(out):
            shutil.rmtree(out, ignore_errors=True)
            new.rename(out)


def _write_index(described: Mapping[str, Any], hashes: Mapping[str, str]) -> bytes:
    """The content of bundle.json."""
    data = {
        "format": BUNDLE_FORMAT,
        **{name: value for name, value in described.items() if value is not None},
        "classes": [asdict(info) for info in described["classes"]],
        "preprocessing": asdict(described["preprocessing"]),
        "thresholds": asdict(described["thresholds"]),
        "subtypes": [asdict(info) for info in described["subtypes"]],
        "files": {name: hashes[name] for name in sorted(hashes)},
    }
    return (json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _hash_all(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def _read_whole(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(
            f"the bundle in {path} cannot be read ({error.strerror}): get the bundle again."
        ) from None


def _read_index(path: Path) -> bytes:
    try:
        with (path / BUNDLE_INDEX).open("rb") as file:
            return file.read(_MAX_JSON_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise BundleError(f"there is no bundle in {path}: give a folder that holds a bundle.json.") from None
    except OSError as error:
        raise BundleError(
            f"the bundle in {path} cannot be read ({error.strerror}): get the bundle again."
        ) from None


def _parse_index(path: Path, content: bytes) -> Bundle:
    """The bundle that bundle.json describes; its files have not been looked at yet."""
    where = path / BUNDLE_INDEX
    if len(content) > _MAX_JSON_BYTES:
        raise BundleError(f"{where} is too large to be a bundle's: get the bundle again.")
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise BundleError(f"{where} is no valid JSON: get the bundle again.") from None
    _check_format(path, data)
    try:
        return _parse(path, content, data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(
            f"{where} does not describe a bundle ({_explain(error)}): get the bundle again."
        ) from None


def _check_format(path: Path, data: Any) -> None:
    number = data.get("format") if isinstance(data, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise BundleError(f"{path / 'bundle.json'} names no bundle format: get the bundle again.")
    if number > BUNDLE_FORMAT:
        raise BundleError(
            f"the bundle in {path} was made by a newer version (format {number}, this one reads up to "
            f"{BUNDLE_FORMAT}): update blood."
        )


def _read_checked(path: Path, name: str, sha256: str) -> bytes:
    try:
        content = (path / name).read_bytes()
    except OSError as error:
        raise BundleError(
            f"the bundle in {path} is incomplete: {name} cannot be read ({error.strerror}); get it again."
        ) from None
    _check_hash(path, name, content, sha256)
    return content


def _check_hash(path: Path, name: str, content: bytes, sha256: str) -> None:
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BundleError(f"the bundle in {path} is damaged: {name} is not what it should be; get it again.")


def _parse(path: Path, index: bytes, data: dict[str, Any]) -> Bundle:
    """A Bundle from the content of bundle.json; KeyError, TypeError, ValueError say what is wrong."""
    bundle = Bundle(
        path=path,
        index=index,
        title=parse_texts(data["title"]),
        item=parse_texts(data["item"]),
        items=parse_texts(data["items"]),
        classes=tuple(parse_class(info) for info in data["classes"]),
        preprocessing=parse_preprocessing(data["preprocessing"]),
        temperature=parse_number(data["temperature"], 1e-3, 1e3),
        thresholds=parse_thresholds(data["thresholds"]),
        card=dict(data["card"]),
        files={parse_file_name(name): parse_text(sha) for name, sha in data["files"].items()},
        subtypes=tuple(map(parse_subtype, data.get("subtypes", ()))),
        differential=parse_texts(data["differential"]) if "differential" in data else None,
    )
    if len(bundle.classes) < 2 or len(set(bundle.names)) != len(bundle.classes):
        raise ValueError("it needs two classes or more, each with a name of its own")
    if taken := {UNIDENTIFIED, EXCLUDED} & set(bundle.names):
        raise ValueError(f"no class may be called {min(taken)!r}")
    if missing := [name for name in NEEDED if name not in bundle.files]:
        raise ValueError(f"it lists no {missing[0]}")
    if bool(bundle.subtypes) != ("subtypes.npz" in bundle.files):
        raise ValueError("subtypes need their names and the file subtypes.npz, both or neither")
    return bundle


def _explain(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
