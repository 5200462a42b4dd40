"""The table of looks: what May-Grünwald-Giemsa shows of each cell type and subtype, in words a painter can follow.

Sizes and colours were measured on frames of 360 pixels (about 70 pixels a red cell); how they are drawn is in `scene`.
"""

from dataclasses import dataclass

from blood_lib.study.painter.brush import Colour

__all__ = ["LOOKS", "Chromatin", "Granules", "Look", "PLATELET"]


@dataclass(frozen=True)
class Granules:
    """Granules of one kind: their colour, how far apart and how large in pixels, and how much of the cell has them."""

    colour: Colour
    spacing: float
    radius: tuple[float, float]
    share: tuple[float, float]
    """Part of the places taken, lowest and highest among cells."""
    over_nucleus: bool = False
    patchy: float = 0.0
    """0 spread evenly, 1 gathered in fields with bare zones between."""


@dataclass(frozen=True)
class Chromatin:
    """Texture of a nucleus: the colour of dense and of open chromatin, and the pattern of the open parts."""

    dense: Colour
    open: Colour
    scale: float
    """Width of the pattern in pixels."""
    share: float
    """Part of the nucleus that is open."""
    lacy: bool = False
    """Open parts are a fine net of lines rather than separate specks."""


@dataclass(frozen=True)
class Look:
    """How one subtype looks; lengths in pixels, pairs are lowest and highest among cells."""

    diameter: tuple[float, float]
    cytoplasm: tuple[Colour, Colour]
    """The colours that its patches vary between."""
    nucleus: str | None = None
    """Name of a shape in `nuclei.SHAPES`; None for platelets."""
    nucleus_size: tuple[float, float] = (1.0, 1.0)
    chromatin: Chromatin | None = None
    granules: tuple[Granules, ...] = ()
    stretch: float = 1.12
    """Highest long axis over short axis."""
    lumps: float = 0.012
    ragged: float = 0.8
    """How far the outline frays, in pixels."""
    rim: float = 0.25
    """How much darker the cytoplasm is at the cell's border."""
    mottle: float = 9.0
    """Size of the patches in the cytoplasm."""
    vacuoles: tuple[int, int] = (0, 0)


_GRANULOCYTE = Chromatin(dense=(63, 24, 122), open=(124, 72, 152), scale=4.2, share=0.16)
_FINE = Chromatin(dense=(70, 27, 126), open=(128, 70, 153), scale=3.4, share=0.30, lacy=True)
_AZUROPHILIC = Granules(colour=(98, 34, 138), spacing=5.0, radius=(0.9, 1.7), share=(0.25, 0.6), patchy=0.4)
_NEUTROPHILIC = Granules(colour=(148, 86, 150), spacing=4.2, radius=(0.7, 1.3), share=(0.45, 0.8), patchy=0.2)

_NEUTROPHIL = {
    "diameter": (118, 140),
    "cytoplasm": ((216, 182, 190), (198, 160, 182)),
    "chromatin": _GRANULOCYTE,
    "granules": (
        _NEUTROPHILIC,
        Granules(colour=(122, 52, 142), spacing=8.0, radius=(0.8, 1.5), share=(0.15, 0.4)),
    ),
    "rim": 0.12,
}

PLATELET = Look(
    diameter=(46, 62),
    cytoplasm=((178, 160, 186), (150, 132, 178)),
    granules=(
        Granules(colour=(92, 36, 138), spacing=3.6, radius=(1.1, 2.2), share=(0.75, 0.95)),
        Granules(colour=(112, 40, 130), spacing=6.0, radius=(1.4, 2.4), share=(0.5, 0.8)),
    ),
    stretch=1.25,
    lumps=0.03,
    ragged=2.0,
    rim=-0.3,
    mottle=6.0,
)

LOOKS: dict[str, Look] = {
    "basophil": Look(
        diameter=(112, 138),
        cytoplasm=((196, 168, 188), (160, 122, 168)),
        nucleus="lobed",
        nucleus_size=(0.9, 1.05),
        chromatin=Chromatin(dense=(78, 36, 134), open=(112, 66, 150), scale=6.0, share=0.35),
        granules=(
            Granules(colour=(58, 18, 112), spacing=5.6, radius=(2.0, 3.1), share=(0.75, 0.95), over_nucleus=True),
            Granules(colour=(72, 24, 116), spacing=8.0, radius=(2.4, 3.4), share=(0.4, 0.7), over_nucleus=True),
        ),
        lumps=0.015,
        ragged=1.6,
        rim=0.3,
    ),
    "eosinophil": Look(
        diameter=(122, 145),
        cytoplasm=((206, 186, 204), (192, 150, 176)),
        nucleus="bilobed",
        nucleus_size=(0.95, 1.1),
        chromatin=Chromatin(dense=(74, 30, 130), open=(128, 78, 156), scale=4.2, share=0.25),
        granules=(
            Granules(colour=(196, 98, 116), spacing=4.4, radius=(2.0, 2.9), share=(0.9, 1.0), patchy=0.15),
            Granules(colour=(166, 74, 116), spacing=6.4, radius=(1.8, 2.8), share=(0.6, 0.9), patchy=0.15),
        ),
        rim=0.2,
    ),
    "erythroblast": Look(
        diameter=(76, 98),
        cytoplasm=((164, 146, 176), (142, 118, 160)),
        nucleus="round",
        nucleus_size=(0.62, 0.74),
        chromatin=Chromatin(dense=(52, 20, 108), open=(112, 66, 138), scale=5.5, share=0.13),
        stretch=1.25,
        lumps=0.025,
        ragged=1.0,
        rim=0.3,
        mottle=7.0,
    ),
    "promyelocyte": Look(
        diameter=(145, 176),
        cytoplasm=((160, 126, 176), (132, 100, 166)),
        nucleus="oval",
        nucleus_size=(0.70, 0.80),
        chromatin=_FINE,
        granules=(
            Granules(colour=(86, 26, 130), spacing=5.0, radius=(1.1, 2.0), share=(0.45, 0.8), over_nucleus=True),
        ),
        stretch=1.2,
        lumps=0.02,
        rim=0.35,
    ),
    "myelocyte": Look(
        diameter=(124, 150),
        cytoplasm=((184, 152, 188), (150, 124, 176)),
        nucleus="oval",
        nucleus_size=(0.64, 0.74),
        chromatin=Chromatin(dense=(68, 27, 125), open=(134, 80, 156), scale=3.8, share=0.28, lacy=True),
        granules=(_AZUROPHILIC,),
        lumps=0.018,
        rim=0.3,
    ),
    "metamyelocyte": Look(
        diameter=(118, 142),
        cytoplasm=((194, 164, 190), (162, 134, 178)),
        nucleus="kidney",
        nucleus_size=(0.92, 1.06),
        chromatin=Chromatin(dense=(66, 26, 124), open=(134, 80, 156), scale=4.0, share=0.24, lacy=True),
        granules=(_AZUROPHILIC, _NEUTROPHILIC),
        lumps=0.016,
        rim=0.25,
    ),
    "lymphocyte": Look(
        diameter=(86, 108),
        cytoplasm=((150, 134, 182), (112, 92, 156)),
        nucleus="round",
        nucleus_size=(0.80, 0.88),
        chromatin=Chromatin(dense=(62, 25, 120), open=(98, 46, 136), scale=6.5, share=0.35),
        stretch=1.2,
        lumps=0.018,
        ragged=1.8,
        rim=0.45,
        mottle=5.0,
    ),
    "monocyte": Look(
        diameter=(132, 162),
        cytoplasm=((176, 156, 186), (150, 124, 174)),
        nucleus="folded",
        nucleus_size=(0.95, 1.1),
        chromatin=Chromatin(dense=(86, 36, 136), open=(138, 82, 158), scale=3.6, share=0.36, lacy=True),
        granules=(Granules(colour=(124, 76, 154), spacing=4.5, radius=(0.6, 1.1), share=(0.4, 0.8)),),
        stretch=1.25,
        lumps=0.035,
        ragged=1.4,
        rim=0.25,
        mottle=6.0,
        vacuoles=(2, 9),
    ),
    "band neutrophil": Look(nucleus="band", nucleus_size=(0.92, 1.05), **_NEUTROPHIL),
    "segmented neutrophil": Look(nucleus="segmented", nucleus_size=(0.92, 1.05), **_NEUTROPHIL),
    "platelet": PLATELET,
}
