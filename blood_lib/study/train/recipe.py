"""The recipe of a training: all that decides it, apart from images and hardware.

`training` follows it.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from blood_lib.bundle.schema import rename_older_keys
from blood_lib.files.errors import BloodError
from blood_lib.study.data.laboratories import LABORATORIES
from blood_lib.study.train.architectures import ARCHITECTURES
from blood_lib.study.train.augmentation import Augmentation
from blood_lib.study.train.classic_tfms import TFMS

__all__ = ["Recipe"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that decides a run, apart from images and hardware. Raises BloodError for what cannot be."""

    arch: str = "efficientnet_lite0"  # a name in ARCHITECTURES
    initialisation: str = "imagenet"  # or "random", or "bundle": the network of a bundle, trained further
    start: str = ""  # sha256 of the bundle that is trained further
    teachers: tuple[str, ...] = ()  # sha256 of the bundles, or of the weights of the runs, it learns from
    distillation: float = 0.0  # share of the teachers in the loss (Hinton et al. 2015, arXiv:1503.02531)
    mixing: float = 1.0  # share of the trained weights in the result; the rest are those of the start
    norm_momentum: float = (
        0.0  # share of a batch in the running statistics; 0: as the network's package sets it
    )
    fold_batch_norms: bool = False  # freeze the normalisation, as a network that comes from a bundle has it
    subtype_weight: float = 0.0  # of the loss of the second output, the subtypes; 0: there is none
    image_size: int = 128  # of what the network sees, px, a multiple of 32
    crop: float = 0.75  # side of the centred square that is seen, as a share of the image's shorter side
    tta_crops: tuple[float, ...] = ()  # test-time augmentation when served, see `Preprocessing`
    tta_below: float = 0.0
    laboratories: tuple[str, ...] = ()  # names in LABORATORIES that are learned from; none: a folder's images
    balance: float = 0.5  # of a laboratory's cell types: 1: seen alike often, 0: as often as there are images
    epoch_images: int = 0  # that are drawn for an epoch; 0: each image once, whatever its type
    n_epochs: int = 20
    batch_size: int = 64  # images
    lr: float = 1e-3  # the highest of the one-cycle schedule (Smith 2018, arXiv:1803.09820)
    lr_first: float = 1.0  # that of the first layers, as a share (Howard & Ruder 2018, arXiv:1801.06146, 3.2)
    weight_decay: float = 0.02  # decoupled, of Adam (Loshchilov & Hutter 2019, arXiv:1711.05101)
    label_smoothing: float = 0.05  # Szegedy et al. 2016, arXiv:1512.00567, section 7
    ema_decay: float = 0.998  # of the averaged weights, per step
    ema_power: float = 9.0  # until then step t counts as t**power (arXiv:1212.1824, section 4)
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)
    tfms: str = ""  # a name in classic_tfms.TFMS, used instead of `augmentation`

    def __post_init__(self) -> None:
        if self.arch not in ARCHITECTURES:
            raise BloodError(
                f"There is no architecture {self.arch}; choose one of {', '.join(ARCHITECTURES)}."
            )
        if self.image_size < 32 or self.image_size % 32:
            raise BloodError(
                f"An image size of {self.image_size} px cannot be used; choose a multiple of 32."
            )
        if (self.initialisation == "bundle") != bool(self.start) or self.start and not self.fold_batch_norms:
            raise BloodError(
                "A network that is trained further needs the bundle it comes from (--start), and its batch "
                "normalisation is folded."
            )
        if not 0 < self.mixing <= 1 or (self.mixing < 1 and not self.start):
            raise BloodError("Mixing needs a bundle to start from (--start) and a share above 0, up to 1.")
        if not 0 <= self.distillation <= 1 or bool(self.distillation) != bool(self.teachers):
            raise BloodError("Distillation needs teachers (--teacher) and a share above 0, up to 1.")
        if self.tfms and self.tfms not in TFMS:
            raise BloodError(f"There are no transforms {self.tfms!r}; choose from {'; '.join(TFMS)}.")
        unknown = set(self.laboratories) - set(LABORATORIES)
        if unknown or (self.laboratories and self.epoch_images < self.batch_size):
            raise BloodError(
                f"A training on laboratories needs some of {', '.join(LABORATORIES)}, and at least a batch "
                f"of images an epoch; not {', '.join(sorted(unknown)) or self.epoch_images}."
            )
        if not 0 < self.lr_first <= 1:
            raise BloodError("The first layers learn at a share above 0 up to 1 of the learning rate.")
        if bool(self.tta_crops) != bool(self.tta_below):
            raise BloodError("Test-time augmentation needs both tta_crops and tta_below.")
        if self.n_epochs < 1 or self.batch_size < 2:
            raise BloodError("A training needs at least one epoch, and batches of two images or more.")

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        values = rename_older_keys(json.loads(text))
        augmentation: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.pop("augmentation").items()
        }
        values |= {name: tuple(values.get(name, ())) for name in ("teachers", "tta_crops", "laboratories")}
        return cls(**values, augmentation=Augmentation(**augmentation))

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"
