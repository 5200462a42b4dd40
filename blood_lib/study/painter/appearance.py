"""The table of appearances: what May-Grünwald-Giemsa shows of each cell type, as numbers to paint by.

Sizes and colours are those seen in frames 360 pixels wide, where a red cell is about 70 pixels wide.
`layers` paints them.
"""

from dataclasses import dataclass, replace

from blood_lib.study.painter.brush import Colour

__all__ = ["APPEARANCES", "Chromatin", "Granules", "Appearance", "SMALL_PLATELET"]


@dataclass(frozen=True)
class Granules:
    """Granules of one kind; lengths in pixels, pairs are lowest and highest."""

    colour: Colour
    spacing: float
    """From one place to the next."""
    radius: tuple[float, float]
    share: tuple[float, float]
    """Part of the places taken."""
    over_nucleus: bool = False
    inward: float = 2.5
    """Depth below the cell's border at which they reach their full density."""
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
class Appearance:
    """What one subtype looks like; lengths in pixels, pairs are lowest and highest among cells."""

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
    """How uneven the outline is, as a part of the radius."""
    folds: float = 1.2
    """How uneven the nucleus is, in pixels."""
    ragged: float = 0.6
    """How far the outline frays, in pixels."""
    rim: float = 0.25
    """How much darker the cytoplasm is at the cell's border."""
    mottle: float = 9.0
    """Size of the patches in the cytoplasm."""
    vacuoles: tuple[int, int] = (0, 0)


_GRANULOCYTE = Chromatin(dense=(64, 27, 126), open=(128, 78, 152), scale=4.0, share=0.18)
_FINE = Chromatin(dense=(70, 29, 128), open=(134, 80, 156), scale=3.2, share=0.36, lacy=True)
_AZUROPHILIC = Granules(colour=(110, 44, 138), spacing=4.4, radius=(0.9, 1.8), share=(0.3, 0.75), patchy=0.35)
_NEUTROPHILIC = Granules(
    colour=(166, 110, 154), spacing=4.0, radius=(0.8, 1.5), share=(0.5, 0.85), patchy=0.3
)

_NEUTROPHIL = Appearance(
    diameter=(120, 142),
    cytoplasm=((220, 186, 188), (198, 162, 178)),
    nucleus_size=(0.95, 1.05),
    chromatin=_GRANULOCYTE,
    granules=(
        _NEUTROPHILIC,
        Granules(colour=(136, 66, 144), spacing=7.0, radius=(0.8, 1.6), share=(0.1, 0.45), patchy=0.3),
    ),
    rim=0.10,
)

PLATELET = Appearance(
    diameter=(50, 68),
    cytoplasm=((182, 164, 190), (150, 122, 174)),
    granules=(
        Granules(colour=(100, 42, 140), spacing=3.0, radius=(0.9, 1.6), share=(0.8, 1.0), inward=7.0),
        Granules(colour=(128, 52, 138), spacing=4.6, radius=(1.0, 1.8), share=(0.4, 0.8), inward=6.0),
    ),
    stretch=1.25,
    lumps=0.03,
    ragged=1.5,
    rim=-0.3,
    mottle=6.0,
)

SMALL_PLATELET = replace(
    PLATELET,
    diameter=(14, 26),
    granules=(replace(PLATELET.granules[0], inward=3.0),),
    ragged=0.7,
)

APPEARANCES: dict[str, Appearance] = {
    "basophil": Appearance(
        diameter=(112, 138),
        cytoplasm=((196, 168, 188), (150, 110, 162)),
        nucleus="lobed",
        nucleus_size=(0.9, 1.05),
        chromatin=Chromatin(dense=(82, 38, 132), open=(112, 66, 148), scale=5.0, share=0.35),
        granules=(
            Granules(
                colour=(60, 20, 114), spacing=5.0, radius=(1.6, 2.6), share=(0.75, 0.95), over_nucleus=True
            ),
            Granules(
                colour=(74, 26, 118), spacing=7.5, radius=(2.0, 3.2), share=(0.4, 0.75), over_nucleus=True
            ),
        ),
        lumps=0.015,
        ragged=1.2,
        rim=0.3,
    ),
    "eosinophil": Appearance(
        diameter=(122, 145),
        cytoplasm=((216, 182, 192), (194, 142, 166)),
        nucleus="bilobed",
        nucleus_size=(0.95, 1.08),
        chromatin=Chromatin(dense=(70, 30, 130), open=(124, 74, 154), scale=4.0, share=0.28),
        granules=(
            Granules(colour=(188, 98, 124), spacing=4.6, radius=(1.9, 2.8), share=(0.85, 1.0), patchy=0.25),
            Granules(colour=(160, 78, 128), spacing=6.0, radius=(1.6, 2.6), share=(0.5, 0.9), patchy=0.25),
        ),
        rim=0.2,
    ),
    "erythroblast": Appearance(
        diameter=(78, 106),
        cytoplasm=((168, 146, 176), (138, 110, 160)),
        nucleus="round",
        nucleus_size=(0.64, 0.78),
        chromatin=Chromatin(dense=(58, 25, 112), open=(118, 74, 142), scale=5.0, share=0.13),
        stretch=1.25,
        lumps=0.025,
        ragged=0.8,
        rim=0.15,
        mottle=7.0,
    ),
    "promyelocyte": Appearance(
        diameter=(145, 176),
        cytoplasm=((176, 140, 178), (138, 106, 168)),
        nucleus="oval",
        nucleus_size=(0.74, 0.84),
        chromatin=_FINE,
        granules=(
            Granules(colour=(88, 28, 132), spacing=4.6, radius=(1.0, 2.0), share=(0.4, 0.85), patchy=0.4),
            Granules(
                colour=(88, 28, 132), spacing=8.0, radius=(0.9, 1.6), share=(0.2, 0.6), over_nucleus=True
            ),
        ),
        stretch=1.2,
        lumps=0.02,
        rim=0.3,
    ),
    "myelocyte": Appearance(
        diameter=(122, 148),
        cytoplasm=((194, 158, 182), (150, 122, 172)),
        nucleus="oval",
        nucleus_size=(0.70, 0.82),
        chromatin=Chromatin(dense=(70, 30, 128), open=(136, 84, 156), scale=3.4, share=0.32, lacy=True),
        granules=(_NEUTROPHILIC, _AZUROPHILIC),
        lumps=0.018,
        rim=0.3,
    ),
    "metamyelocyte": Appearance(
        diameter=(118, 142),
        cytoplasm=((198, 162, 184), (152, 126, 176)),
        nucleus="kidney",
        nucleus_size=(1.0, 1.12),
        chromatin=Chromatin(dense=(69, 29, 127), open=(140, 88, 158), scale=3.4, share=0.36, lacy=True),
        granules=(_NEUTROPHILIC, _AZUROPHILIC),
        lumps=0.016,
        rim=0.25,
    ),
    "lymphocyte": Appearance(
        diameter=(86, 110),
        cytoplasm=((150, 134, 182), (112, 92, 156)),
        nucleus="round",
        nucleus_size=(0.80, 0.90),
        chromatin=Chromatin(dense=(66, 28, 122), open=(94, 44, 136), scale=4.0, share=0.4),
        stretch=1.2,
        lumps=0.018,
        ragged=1.1,
        rim=0.35,
        mottle=5.0,
    ),
    "monocyte": Appearance(
        diameter=(136, 170),
        cytoplasm=((182, 158, 188), (150, 126, 178)),
        nucleus="folded",
        nucleus_size=(1.02, 1.18),
        chromatin=Chromatin(dense=(84, 36, 138), open=(136, 78, 154), scale=2.5, share=0.48, lacy=True),
        granules=(
            Granules(colour=(134, 98, 168), spacing=3.2, radius=(0.6, 1.2), share=(0.4, 0.8), patchy=0.2),
        ),
        stretch=1.3,
        lumps=0.05,
        folds=2.2,
        ragged=0.8,
        rim=0.2,
        mottle=6.0,
        vacuoles=(2, 14),
    ),
    "band neutrophil": replace(_NEUTROPHIL, nucleus="band"),
    "segmented neutrophil": replace(_NEUTROPHIL, nucleus="segmented"),
    "platelet": PLATELET,
}
