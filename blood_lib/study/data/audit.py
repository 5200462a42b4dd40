"""Finds what is wrong with a copy of the dataset: junk, duplicates, contradicting labels, odd sizes, gaps.

Everything is found in the table of `index`, which reads the files. Nothing is known beforehand.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath

import pandas as pd

from blood_lib.files.errors import BloodError
from blood_lib.files.output import open_whole
from blood_lib.study.data.index import select_images
from blood_lib.study.data.manifest import load_manifest
from blood_lib.study.data.near_duplicates import load_near_duplicates
from blood_lib.study.data.split import has_two_labels

__all__ = [
    "compute_audit",
    "compute_counts",
    "compute_sizes",
    "find_duplicates",
    "find_near_duplicates",
    "find_problems",
    "format_audit",
    "save_audit",
]

_IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif"})

TITLES = {
    "findings": "What was found",
    "counts": "Images by cell type and subtype",
    "sizes": "Images by size, in pixels",
    "problems": "Files that are no usable image",
    "duplicates": "Groups of images with identical pixels",
    "near_duplicates": "Known groups of images that overlap",
    "overlaps": "Pairs of images that overlap, as found here",
    "published": "Against the published list of files",
}


def compute_audit(index: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Every table of the audit by its name, a key of `TITLES`; `index` is that of `index.build_index`."""
    tables = {
        "counts": compute_counts(index),
        "sizes": compute_sizes(index),
        "problems": find_problems(index),
        "duplicates": find_duplicates(index),
        "near_duplicates": find_near_duplicates(index),
        "published": compare_with_published(index),
    }
    return {"findings": _summarize(index, tables)} | tables


def compute_counts(index: pd.DataFrame) -> pd.DataFrame:
    """cell_type, subtype, images, and their per cent of all images."""
    images = select_images(index)
    counts = images.groupby(["cell_type", "subtype"]).size().reset_index(name="images")
    return counts.assign(percent=(100 * counts["images"] / max(len(images), 1)).round(2))


def compute_sizes(index: pd.DataFrame) -> pd.DataFrame:
    """A row per cell type, a column per `WIDTHxHEIGHT` with the number of images, the commonest first."""
    images = select_images(index)
    sizes = images["width"].astype(str) + "x" + images["height"].astype(str)
    table = pd.crosstab(images["cell_type"], sizes)
    table = table[table.sum().sort_values(ascending=False, kind="stable").index]
    return table.rename_axis(columns=None).reset_index()


def find_problems(index: pd.DataFrame) -> pd.DataFrame:
    """file, kind, problem: a row per file that is no usable image.

    kind: `junk` was never meant as an image (hidden, or without an image's ending), `unreadable` was, and
    `misplaced` is an image outside the folders of the cell types.
    """
    table = index[(index["problem"] != "") | (index["cell_type"] == "")]
    kinds = [_kind(file, problem) for file, problem in zip(table["file"], table["problem"], strict=True)]
    reasons = table["problem"].where(table["problem"] != "", "outside the folders of the cell types.")
    return pd.DataFrame({"file": table["file"], "kind": kinds, "problem": reasons}).reset_index(drop=True)


def _kind(file: str, problem: str) -> str:
    path = PurePosixPath(file)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    if problem and (hidden or path.suffix.lower() not in _IMAGE_SUFFIXES):
        return "junk"
    return "unreadable" if problem else "misplaced"


def find_duplicates(index: pd.DataFrame) -> pd.DataFrame:
    """group, file, cell_type, subtype, two_labels: images that share their pixels with another, grouped."""
    images = select_images(index)
    shared = images[images.duplicated("pixels", keep=False)].copy()
    first = shared.groupby("pixels")["file"].transform("min")
    shared["group"] = first.rank(method="dense").astype(int)
    shared["two_labels"] = has_two_labels(shared)
    columns = ["group", "file", "cell_type", "subtype", "two_labels"]
    return shared.sort_values(["group", "file"])[columns].reset_index(drop=True)


def find_near_duplicates(index: pd.DataFrame) -> pd.DataFrame:
    """group, file, cell_type, subtype: known images that overlap with another one here."""
    known = load_near_duplicates().drop(columns="file")
    here = select_images(index).merge(known, on="pixels")
    here = here[here.groupby("group")["pixels"].transform("nunique") > 1]
    return here.sort_values(["group", "file"])[["group", "file", "cell_type", "subtype"]].reset_index(
        drop=True
    )


def compare_with_published(index: pd.DataFrame) -> pd.DataFrame:
    """folder, published, here, missing, changed, unknown: this copy's files against the published list."""
    both = load_manifest().merge(index[["file", "sha256"]], "outer", on="file", suffixes=("", "_here"))
    published, here = both["sha256"].notna(), both["sha256_here"].notna()
    flags = pd.DataFrame(
        {
            "folder": both["file"].str.rpartition("/")[0],
            "published": published,
            "here": here,
            "missing": published & ~here,
            "changed": published & here & (both["sha256"] != both["sha256_here"]),
            "unknown": here & ~published,
        }
    )
    return flags.groupby("folder").sum().reset_index()


def _summarize(index: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    # Rows and words are those that notebook 01 was last run with: its output is held to them.
    kinds = tables["problems"]["kind"].value_counts()
    duplicates, published = tables["duplicates"], tables["published"].sum(numeric_only=True)
    sizes = tables["sizes"].drop(columns="cell_type").sum()
    rows = [
        ("files", len(index), ""),
        ("images in the folders of the cell types", len(select_images(index)), ""),
        ("junk files", kinds.get("junk", 0), "in no part"),
        ("unreadable images", kinds.get("unreadable", 0), "in no part"),
        ("misplaced images", kinds.get("misplaced", 0), "in no part"),
        ("groups of identical images", duplicates["group"].nunique(), "a group is never torn apart"),
        ("images with two labels", int(has_two_labels(select_images(index)).sum()), "in no part"),
        ("images of an odd size", int(sizes.iloc[1:].sum()), "size hints at the class: resize all alike"),
        ("published files that are missing", published["missing"], "their parts are the same in any copy"),
        ("files that differ from the published", published["changed"], "download them again"),
        ("files that were never published", published["unknown"], ""),
    ]
    return pd.DataFrame(rows, columns=["finding", "count", "consequence"]).astype({"count": int})


def format_audit(tables: dict[str, pd.DataFrame]) -> str:
    """The tables as text, each under its title; an empty one says `none`."""
    return "\n\n".join(f"{TITLES[name]}\n{_format(table)}" for name, table in tables.items())


def _format(table: pd.DataFrame) -> str:
    if table.empty:
        return "none"
    flags = {name: table[name].map({True: "yes", False: ""}) for name in table.select_dtypes(bool)}
    text = table.assign(**flags)
    return text.to_string(index=False, justify="left", formatters=_left_aligned(text))


def _left_aligned(table: pd.DataFrame) -> dict[str, Callable[[object], str]]:
    """Text columns start at the left edge; numbers keep to the right."""
    texts = [name for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    widths = {name: int(table[name].astype(str).str.len().max()) for name in texts}
    return {name: partial(_pad, width=width) for name, width in widths.items()}


def _pad(value: object, width: int) -> str:
    return f"{value:<{width}}"


def save_audit(tables: dict[str, pd.DataFrame], folder: Path | str) -> None:
    """Writes each table as `folder/NAME.csv`; makes the folder where there is none."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BloodError(f"{folder} cannot be made: {error.strerror}; name another folder.") from error
    for name, table in tables.items():
        with open_whole(Path(folder) / f"{name}.csv") as out:
            table.to_csv(out, index=False, lineterminator="\n")
