"""The table of cell types: names, folders, subtypes, labels, colours and adult reference ranges.

`painter` knows what the cells look like. The bundle carries these facts to the interface.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from blood_lib.bundle import ClassInfo, SubtypeInfo

__all__ = [
    "CELL_TYPES",
    "SUBTYPES",
    "CellType",
    "by_folder",
    "by_name",
    "class_infos",
    "subtype_infos",
    "subtype_of",
]


@dataclass(frozen=True)
class CellType:
    """What is known about one type of cell before any image is looked at."""

    name: str
    """As the dataset spells it: singular, lower case."""
    folder: str
    """The folder of the published dataset that holds its images."""
    label: Mapping[str, str]
    """Language ("en", "es") to what a reader of it calls the cell."""
    colour: str
    """`#rrggbb`, the same wherever this cell type is drawn."""
    subtypes: Mapping[str, str]
    """Prefix of the file name to the subtype's name; a prefix without subtype has the name of the type."""
    in_differential: bool
    """Whether it counts as a white cell in a differential."""
    reference_range: tuple[float, float] | None
    """Lowest and highest per cent of white cells in healthy adults; None outside the differential."""
    per_hundred: bool
    """Whether it is counted per hundred white cells."""


def _cell_type(
    name: str,
    folder: str,
    spanish: str,
    colour: str,
    subtypes: dict[str, str],
    reference_range: tuple[float, float] | None = None,
    *,
    per_hundred: bool = False,
) -> CellType:
    """One row of the table; a cell type with a reference range is in the differential."""
    return CellType(
        name=name,
        folder=folder,
        label=MappingProxyType({"en": name, "es": spanish}),
        colour=colour,
        subtypes=MappingProxyType(subtypes),
        in_differential=reference_range is not None,
        reference_range=reference_range,
        per_hundred=per_hundred,
    )


# Colours: a contrast of 3:1 or more on white and on #1e1e1e, and as far from each other as goes with that, to
# normal and to colour-blind eyes (simulated as in Machado et al., IEEE TVCG 15:1291, 2009).
# Reference ranges: Bain, Bates and Laffan, "Dacie and Lewis Practical Haematology", 12th ed., 2017, ch. 2;
# of immature granulocytes: Roehrl et al., Arch Pathol Lab Med 135:471-477, 2011 (over 10 years of age).
CELL_TYPES: tuple[CellType, ...] = (
    _cell_type("basophil", "basophil", "basófilo", "#3e55f5", {"BA": "basophil"}, (0.0, 2.0)),
    _cell_type("eosinophil", "eosinophil", "eosinófilo", "#ee416f", {"EO": "eosinophil"}, (1.0, 6.0)),
    _cell_type(
        "erythroblast",
        "erythroblast",
        "eritroblasto",
        "#9f5619",
        {"ERB": "erythroblast"},
        per_hundred=True,
    ),
    _cell_type(
        "immature granulocyte",
        "ig",
        "granulocito inmaduro",
        "#8b628e",
        {"MMY": "metamyelocyte", "MY": "myelocyte", "PMY": "promyelocyte", "IG": "immature granulocyte"},
        (0.0, 0.9),
    ),
    _cell_type("lymphocyte", "lymphocyte", "linfocito", "#2a9aee", {"LY": "lymphocyte"}, (20.0, 40.0)),
    _cell_type("monocyte", "monocyte", "monocito", "#2c825c", {"MO": "monocyte"}, (2.0, 10.0)),
    _cell_type(
        "neutrophil",
        "neutrophil",
        "neutrófilo",
        "#aa9302",
        {"BNE": "band neutrophil", "SNE": "segmented neutrophil", "NEUTROPHIL": "neutrophil"},
        (40.0, 80.0),
    ),
    _cell_type("platelet", "platelet", "plaqueta", "#939397", {"PLATELET": "platelet"}),
)

SUBTYPES: tuple[str, ...] = tuple(
    name
    for cell_type in CELL_TYPES
    for name in cell_type.subtypes.values()
    if name != cell_type.name or len(cell_type.subtypes) == 1
)
"""The finest classes of the dataset: the subtypes, and the cell types that have none. Images without a known
subtype (`IG`, `NEUTROPHIL`) are in none of them."""

_BY_NAME = {cell_type.name: cell_type for cell_type in CELL_TYPES}
_BY_FOLDER = {cell_type.folder: cell_type for cell_type in CELL_TYPES}
_SUBTYPES = {prefix: name for cell_type in CELL_TYPES for prefix, name in cell_type.subtypes.items()}


def _look_up(table: Mapping[str, CellType], key: str, what: str) -> CellType:
    if key not in table:
        raise KeyError(f"no cell type has the {what} {key!r}; choose one of {', '.join(sorted(table))}")
    return table[key]


def by_name(name: str) -> CellType:
    """The cell type called `name`; KeyError names those that there are."""
    return _look_up(_BY_NAME, name, "name")


def by_folder(folder: str) -> CellType:
    """The cell type with images in the dataset's folder `folder`; KeyError names those that there are."""
    return _look_up(_BY_FOLDER, folder, "folder")


def subtype_of(file_name: str) -> str | None:
    """The subtype in a file name of the dataset: `SNE_1234.jpg` -> segmented neutrophil.

    None for a name with another prefix (junk such as `.DS_169665.jpg`).
    """
    return _SUBTYPES.get(file_name.rpartition("/")[2].partition("_")[0])


def class_infos() -> tuple[ClassInfo, ...]:
    """The same facts as the bundle's classes, in the bundle's order."""
    return tuple(_class_info(cell_type) for cell_type in CELL_TYPES)


_SPANISH = {
    "metamyelocyte": "metamielocito",
    "myelocyte": "mielocito",
    "promyelocyte": "promielocito",
    "band neutrophil": "neutrófilo en cayado",
    "segmented neutrophil": "neutrófilo segmentado",
}


def subtype_infos() -> tuple[SubtypeInfo, ...]:
    """SUBTYPES as the bundle has them, in its order."""
    return tuple(
        SubtypeInfo(name, {"en": name, "es": _SPANISH.get(name) or _BY_NAME[name].label["es"]})
        for name in SUBTYPES
    )


def _class_info(cell_type: CellType) -> ClassInfo:
    subtypes = tuple(name for name in cell_type.subtypes.values() if name != cell_type.name)
    return ClassInfo(
        name=cell_type.name,
        label=dict(cell_type.label),
        colour=cell_type.colour,
        subtypes=subtypes,
        in_differential=cell_type.in_differential,
        reference_range=cell_type.reference_range,
        per_hundred=cell_type.per_hundred,
    )
