"""The recipe of a detector's training: all that decides it, apart from images and hardware."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from blood_lib.files.errors import BloodError
from blood_lib.study.detect.fields import LABORATORIES

__all__ = ["DetectorRecipe"]


@dataclass(frozen=True, kw_only=True)
class DetectorRecipe:
    """Probabilities are per view, pairs lowest and highest. Raises BloodError for what cannot be."""

    without: tuple[str, ...] = ()  # laboratories that are left out
    start: str = ""  # sha256 of the weights it starts from, those of an earlier run; none: at random
    pseudo_labels: str = ""  # sha256 of the table of what an earlier detector found where boxes are missing
    diameter: float = 28.0  # of a red cell in what the network sees, px
    view_size: int = 192  # px, a multiple of 32
    widths: tuple[int, ...] = (16, 32, 48, 64, 64)  # channels at strides 2, 4, 8, 16 and 32
    n_epochs: int = 40
    epoch_views: int = 1024
    batch_size: int = 16  # views
    lr: float = 3e-3  # the highest of the one-cycle schedule (Smith 2018, arXiv:1803.09820)
    weight_decay: float = 0.01  # decoupled (Loshchilov & Hutter 2019, arXiv:1711.05101)
    ema_decay: float = 0.998  # of the averaged weights, per step
    box_weight: float = 1.0  # of the boxes' loss beside the heat maps'
    doubt: float = 0.6  # heat above which an unboxed cell is believed where a laboratory misses some
    seed: int = 0
    scale: float = 1.5  # how far a view's scale strays, a ratio, log-uniform
    off_scale_probability: float = 0.12  # of a view of another scale, in which no cell is to be found
    off_scale: tuple[float, float] = (2.2, 6.0)  # how far off, a ratio
    stretch: float = 0.06
    near_probability: float = 0.6  # of a view about a cell that is no red cell
    round_probability: float = 0.15  # of a round view with a black border
    writing_probability: float = 0.05  # of text or a scale bar
    light_probability: float = 0.4  # of uneven light
    light: float = 0.25  # how uneven, a spread of the logarithm
    grey_probability: float = 0.03
    exposure_probability: float = 0.5  # of a dim or pale photograph
    dimmest: float = 0.5  # its brightest, a share of what it was
    palest: float = 0.6  # its darkest, a share of its brightest

    def __post_init__(self) -> None:
        unknown = set(self.without) - set(LABORATORIES)
        if unknown or set(self.without) == set(LABORATORIES):
            raise BloodError(
                f"Leave out some of {', '.join(LABORATORIES)}, but not all; "
                f"not {', '.join(sorted(self.without))}."
            )
        if self.view_size % 32 or self.view_size < 32:
            raise BloodError(f"A view of {self.view_size} px cannot be used; choose a multiple of 32.")

    @classmethod
    def from_json(cls, text: str) -> "DetectorRecipe":
        """The recipe that `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        if "lessons" in values:  # the name in recipes of before
            values["pseudo_labels"] = values.pop("lessons")
        values = {"exposure_probability": 0.0} | values  # recipes of before do not name it
        values |= {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(**values)

    def to_json(self) -> str:
        """All values by name."""
        return json.dumps(asdict(self), indent=2) + "\n"
