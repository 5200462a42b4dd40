"""Brings the dataset from its own home: downloads, unpacks, checks each file, and only then puts it in place.

How bytes come over the network is left to `download`. All that is unfinished lies in one folder whose name
ends in `.tmp`: what can be resumed stays there, and it is gone when the dataset is complete.
"""

import hashlib
import os
import shutil
import sys
import zipfile
import zlib
from pathlib import Path, PurePosixPath

import pandas as pd
from tqdm import tqdm

from blood_lib.files.errors import BloodError
from blood_lib.study.data.download import Patience, Refused, ResumingDownloader, disk_errors, disk_full
from blood_lib.study.data.index import DATASET
from blood_lib.study.data.manifest import load_manifest

__all__ = ["ARCHIVE", "PAGE", "URL", "DamagedArchive", "fetch_dataset", "find_faults", "unpack_archive"]

PAGE = "https://data.mendeley.com/datasets/snkd93bnjr/1"
URL = (
    "https://data.mendeley.com/public-files/datasets/snkd93bnjr/files/"
    "2fc38728-2ae7-4a62-a857-032af82334c3/file_downloaded"
)
ARCHIVE = f"{DATASET}.zip"

_BY_HAND = (
    f"Or look for {ARCHIVE} on {PAGE}: give its new address with --url, "
    "or download it there with a browser and give the file with --archive."
)


class DamagedArchive(Exception):
    """The archive is not the published one, or not whole; the message says in what."""


def fetch_dataset(
    folder: Path | str,
    *,
    url: str = URL,
    archive: Path | None = None,
    keep_archive: bool = False,
    manifest: pd.DataFrame | None = None,
    patience: Patience | None = None,
) -> Path:
    """Puts the dataset into `folder/PBC_dataset_normal_DIB`, each file as in `manifest`; returns that folder.

    Does nothing when it is there already. With `archive` nothing is downloaded. Raises BloodError, with what
    to do, when it cannot be had; then nothing is in place, and what can be resumed is in the folder `.tmp`.
    """
    target = Path(folder) / DATASET
    manifest = load_manifest() if manifest is None else manifest
    if target.exists():
        return _check_present(target, manifest)
    work = target.with_name(f"{DATASET}.tmp")
    with disk_errors(target.parent):
        work.mkdir(parents=True, exist_ok=True)
        try:
            if archive is None:
                _fetch_archive(work, target, url, manifest, patience, keep_archive)
            else:
                _unpack_given(Path(archive), target, manifest)
        finally:
            _tidy(work)
    return target


def _check_present(target: Path, manifest: pd.DataFrame) -> Path:
    faults = find_faults(target, manifest)
    if faults.empty:
        return target
    counts = ", ".join(f"{n} {kind}" for kind, n in faults["fault"].value_counts().items())
    raise BloodError(
        f"{target} is there but not as published ({counts}; first: {faults['file'].iloc[0]}): "
        "move it away and give the same command again, or give another folder."
    )


def _fetch_archive(
    work: Path, target: Path, url: str, manifest: pd.DataFrame, patience: Patience | None, keep_archive: bool
) -> None:
    """Downloads and unpacks; a damaged archive is thrown away and downloaded once more from the start."""
    for is_last in (False, True):
        path = _retrieve(work, url, patience, spare=int(manifest["bytes"].sum()))
        try:
            unpack_archive(path, target, manifest)
            if keep_archive:
                os.replace(path, target.with_name(ARCHIVE))
            path.unlink(missing_ok=True)
            return
        except DamagedArchive as error:
            path.unlink()
            if is_last:
                raise BloodError(
                    f"The download is damaged, twice in a row: {error}. Try another network. {_BY_HAND}"
                ) from error
            tqdm.write(f"The download is damaged: {error}; downloading it again.", file=sys.stderr)


def _retrieve(work: Path, url: str, patience: Patience | None, *, spare: int) -> Path:
    """The archive in `work`, complete; downloads what is missing of it."""
    import pooch  # only here: the other functions do without a network

    pooch.get_logger().setLevel("WARNING")
    downloader = ResumingDownloader(work / f"{ARCHIVE}.tmp", patience=patience, spare=spare)
    try:
        # The archive's own hash is not published; every file in it is checked instead.
        return Path(pooch.retrieve(url, known_hash=None, fname=ARCHIVE, path=work, downloader=downloader))
    except Refused as error:
        raise BloodError(f"{error} {_BY_HAND}") from error


def _unpack_given(archive: Path, target: Path, manifest: pd.DataFrame) -> None:
    if not archive.is_file():
        raise BloodError(f"There is no file {archive}; download {ARCHIVE} from {PAGE}.")
    try:
        unpack_archive(archive, target, manifest)
    except DamagedArchive as error:
        raise BloodError(
            f"{archive} is not the published archive: {error}; download it from {PAGE}."
        ) from error


def _tidy(work: Path) -> None:
    """Leaves `work` only where something in it saves the next run a download."""
    shutil.rmtree(work / DATASET, ignore_errors=True)
    if not any((work / name).exists() for name in (ARCHIVE, f"{ARCHIVE}.tmp")):
        shutil.rmtree(work, ignore_errors=True)


def unpack_archive(archive: Path, target: Path, manifest: pd.DataFrame) -> None:
    """Unpacks exactly the files of `manifest`, checks each, and only then lets `target` appear.

    All else in the archive (`__MACOSX`, `.DS_Store`, ...) is left out. Raises DamagedArchive.
    """
    unpacked = target.with_name(f"{DATASET}.tmp") / DATASET
    shutil.rmtree(unpacked, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as file:
            members = _find_members(file, manifest)
            _check_room(target.parent, manifest)
            rows = manifest[["file", "bytes", "sha256"]].itertuples(index=False)
            for name, size, sha256 in tqdm(
                rows, total=len(manifest), desc="Unpacking", unit=" files", disable=None
            ):
                content = _read_member(file, members[name], size)
                if hashlib.sha256(content).hexdigest() != sha256:
                    raise DamagedArchive(f"{name} differs from the published file")
                path = unpacked / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    except zipfile.BadZipFile as error:
        raise DamagedArchive(f"it cannot be read as a ZIP archive ({error})") from error
    os.replace(unpacked, target)


def _find_members(file: zipfile.ZipFile, manifest: pd.DataFrame) -> dict[str, zipfile.ZipInfo]:
    """Published file -> its entry; whatever folders the archive puts around `class/file` do not matter."""
    entries = (info for info in file.infolist() if not info.is_dir() and "__MACOSX" not in info.filename)
    members = {"/".join(PurePosixPath(info.filename).parts[-2:]): info for info in entries}
    missing = [name for name in manifest["file"] if name not in members]
    if missing:
        raise DamagedArchive(f"{len(missing)} published files are missing from it (first: {missing[0]})")
    return members


def _read_member(file: zipfile.ZipFile, info: zipfile.ZipInfo, size: int) -> bytes:
    """At most one byte more than the published size is ever read, whatever the archive announces."""
    try:
        with file.open(info) as member:
            return member.read(size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DamagedArchive(f"{info.filename} cannot be unpacked ({error})") from error


def _check_room(folder: Path, manifest: pd.DataFrame) -> None:
    needed = int(manifest["bytes"].sum())
    if shutil.disk_usage(folder).free < needed:
        raise disk_full(folder, needed)


def find_faults(target: Path, manifest: pd.DataFrame) -> pd.DataFrame:
    """file, fault (`missing` or `changed`): the files of `manifest` that are not as published in `target`."""
    rows = tqdm(manifest.itertuples(), total=len(manifest), desc="Checking", unit=" files", disable=None)
    faults = [(row.file, _fault(target / row.file, row.sha256)) for row in rows]
    return pd.DataFrame([row for row in faults if row[1]], columns=["file", "fault"])


def _fault(path: Path, sha256: str) -> str:
    if not path.is_file():
        return "missing"
    return "" if hashlib.sha256(path.read_bytes()).hexdigest() == sha256 else "changed"
